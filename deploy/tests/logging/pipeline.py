"""Parses the Logstash pipeline, checks the options of its plug-ins, and routes records by it."""

import json
import re
from pathlib import Path

from logstash_pipeline_parser import Pipeline

from stack import flat, size, workload

KNOWN = json.loads((Path(__file__).parent / "logstash.json").read_text())
# What ECK sets for `elasticsearchRefs: [{clusterName: logs}]` (pkg/controller/logstash/env.go).
VARIABLES = {f"LOGS_ES_{name}" for name in ("HOSTS", "USER", "PASSWORD", "SSL_CERTIFICATE_AUTHORITY")}


def parse(text):
    """Returns {section: statements}; a statement is (name, options) or a list of branches (condition, statements)."""
    sections = {}
    for name, body in Pipeline(text).parse():
        if name in sections:
            raise AssertionError(f"two sections {name}")
        sections[name] = list(statements(body))
    return sections


def statements(body):
    branches = None
    for item in body:
        name, rest = item
        if name == "if":
            branches = [branch(rest)]
            yield branches
        elif name == "else if":
            branches.append(branch(rest))
        elif name == "else":
            branches.append((None, list(statements(rest))))
        else:
            yield name, options(rest)


def branch(rest):
    """Reads the tokens of a condition, then its block."""
    *condition, block = rest
    return condition, list(statements(block[0]))


def options(pairs):
    result = {}
    for name, value in pairs:
        if name in result:
            raise AssertionError(f"option {name} twice")
        result[name] = value[0] if len(value) == 1 else value
    return result


def plugins(body):
    for statement in body:
        if isinstance(statement, list):
            for _, block in statement:
                yield from plugins(block)
        else:
            yield statement


def problems(objects, text):
    sections = parse(text)
    if set(sections) != {"input", "filter", "output"}:
        yield f"sections {sorted(sections)}"
    for section, body in sections.items():
        for name, given in plugins(body):
            known = KNOWN[section].get(name)
            if known is None:
                yield f"unknown {section} {name}"
                continue
            for option in given:
                if option not in known:
                    yield f"unknown option {option} of {name}"
    for variable in re.findall(r"\$\{(\w+)[:}]", text):
        if variable not in VARIABLES:
            yield f"nothing sets {variable}"
    yield from against_object(objects, sections)


def against_object(objects, sections):
    w = workload(objects, "Logstash")
    spec = w.object["spec"]
    if [r["clusterName"] for r in spec["elasticsearchRefs"]] != ["logs"]:
        yield "the variables of pipeline.conf belong to the cluster's name `logs`"
    (container,) = w.pod["containers"]
    mounts = {m["mountPath"]: m["name"] for m in container["volumeMounts"]}
    path = spec["pipelines"][0]["path.config"]
    volume = w.volumes().get(mounts.get(path.rpartition("/")[0]), {})
    if not volume.get("configMap", {}).get("name", "").startswith("logstash-pipeline-"):
        yield f"{path} is not where the pipeline is mounted"
    (beats,) = [given for name, given in plugins(sections["input"]) if name == "beats"]
    ports = [p["targetPort"] for s in spec["services"] if s["name"] == "beats" for p in s["service"]["spec"]["ports"]]
    if ports != [beats["port"]]:
        yield f"the Service leads to {ports}, the input listens at {beats['port']}"
    if beats.get("ssl_enabled") is not True:
        yield "the input takes records without TLS"
    for option in ("ssl_certificate", "ssl_key"):
        if str(Path(str(beats.get(option))).parent) not in mounts:
            yield f"{option} {beats.get(option)} is not mounted"
    names = [n["dns"] for s in spec["services"] for n in tls_names(s)]
    for host in workload(objects, "Beat").object["spec"]["config"]["output.logstash"]["hosts"]:
        if host.partition(":")[0] not in names:
            yield f"the certificate does not name {host}"
    settings = flat(spec["config"])
    claims = {c["metadata"]["name"]: c["spec"]["resources"]["requests"]["storage"] for c in spec["volumeClaimTemplates"]}
    queue = settings.get("queue.max_bytes", "1024mb").replace("mb", "Mi")
    if settings.get("queue.type") != "persisted" or size(queue) > size(claims["logstash-data"]) / 2:
        yield "acknowledged records would not survive a restart"
    if settings.get("dead_letter_queue.enable") is not True:
        yield "refused records would be dropped"


def tls_names(service):
    return service.get("tls", {}).get("selfSignedCertificate", {}).get("subjectAltNames", [])


class Record:
    """An event, with the operations that this pipeline uses."""

    def __init__(self, fields):
        self.fields = fields

    def get(self, reference):
        value = self.fields
        for part in re.findall(r"\[([^]]+)\]", reference) or [reference]:
            if not isinstance(value, dict) or part not in value:
                return None
            value = value[part]
        return value

    def set(self, reference, value):
        *parents, last = re.findall(r"\[([^]]+)\]", reference) or [reference]
        target = self.fields
        for part in parents:
            target = target.setdefault(part, {})
        target[last] = value

    def text(self, pattern):
        """Replaces fields in a text; an unknown field stays unchanged, as in Logstash."""

        def value(found):
            got = self.get(found[1])
            return found[0] if got is None else str(got)
        return re.sub(r"%\{([^}]+)\}", value, pattern)


def holds(condition, record):
    """Evaluates comparisons and existence, joined by `and`."""
    flat_tokens = []
    for token in condition:
        flat_tokens += token if isinstance(token, list) else [token]
    result, tokens = True, flat_tokens
    while tokens:
        left, rest = record.get(tokens[0]), tokens[1:]
        if rest and rest[0] == "==":
            result, rest = result and left == rest[1], rest[2:]
        else:
            result = result and left not in (None, False)
        if rest and rest[0] != "and":
            raise AssertionError(f"this test cannot evaluate {rest}")
        tokens = rest[1:]
    return result


def run(body, record):
    for statement in body:
        if isinstance(statement, list):
            for condition, block in statement:
                if condition is None or holds(condition, record):
                    run(block, record)
                    break
            continue
        name, given = statement
        if name != "mutate" or set(given) - {"add_field", "remove_field"}:
            raise AssertionError(f"this test cannot run {name} {sorted(given)}")
        for (field, (value,)) in given.get("add_field", []):
            record.set(field, record.text(value))


def destination(text, fields):
    """Returns the index and id of the document for a record."""
    sections = parse(text)
    record = Record(fields)
    run(sections["filter"], record)
    ((_, output),) = plugins(sections["output"])
    return record.text(output["index"]), record.text(output["document_id"])
