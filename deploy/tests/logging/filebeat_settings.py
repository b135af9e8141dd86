"""Compares Filebeat's settings with the names that Filebeat knows, because Filebeat ignores unknown ones silently."""

import fnmatch
import json
from pathlib import Path

from stack import flat, workload

KNOWN = json.loads((Path(__file__).parent / "filebeat.json").read_text())


def unknown(settings, names, stop=()):
    """Yields the dotted names that are unknown, without those below a name of `stop`."""
    for name in flat(settings):
        if any(name == s or name.startswith(f"{s}.") for s in stop):
            continue
        if not any(fnmatch.fnmatchcase(name, pattern) for pattern in names):
            yield name


def problems(objects):
    config = workload(objects, "Beat").object["spec"]["config"]
    for name in unknown(config, KNOWN["top"]):
        yield f"unknown setting {name}"
    top = flat(config)
    for name in ("setup.template.enabled", "setup.ilm.enabled"):
        if top.get(name) is not False:
            yield f"{name} is not false: Filebeat would load a template of its own, which its role forbids"
    for processor in top.get("processors", []):
        yield from list_problems([processor], KNOWN["processors"], "processor")
    for rule in top.get("output.elasticsearch.indices", []):
        for name in unknown(rule, KNOWN["index"], stop=["when"]):
            yield f"unknown setting {name} of an index"
        when = rule.get("when") or {k.removeprefix("when."): v for k, v in rule.items() if k.startswith("when.")}
        yield from condition_problems(when)
    (provider,) = top["filebeat.autodiscover.providers"]
    yield from provider_problems(provider)


def provider_problems(provider):
    for name in unknown(provider, KNOWN["provider"], stop=["hints.default_config"]):
        yield f"unknown setting {name} of the provider"
    settings = flat(provider)
    if provider.get("type") != "kubernetes" or settings.get("hints.enabled") is not True:
        yield "no autodiscover by hints"
    if settings.get("node") != "${NODE_NAME}":
        yield "every Filebeat would read the pods of all nodes"
    default = provider.get("hints.default_config", {})
    for name in unknown(default, KNOWN["filestream"]):
        yield f"unknown setting {name} of the input"
    if default.get("enabled") is not False:
        yield "pods without the annotation would be shipped"
    if default.get("type") != "filestream":
        yield f"the input is {default.get('type')}"
    identifier = default.get("id", "")
    if not all(f"${{data.kubernetes.{part}}}" in identifier for part in ("pod.uid", "container.name")):
        yield f"{identifier} is no input's own id"
    if "container.id" in identifier:
        yield "a restarted container would get a new id, and its old files would be read again"
    if "file_identity.fingerprint" not in flat(default):
        yield "a rotated file would not be recognised by its content"
    yield from list_problems(default.get("parsers", []), KNOWN["parsers"], "parser")
    order = [name for parser in default.get("parsers", []) for name in parser]
    if order != ["container", "ndjson"]:
        yield f"parsers are {order}"
    for path in default.get("paths", []):
        if not path.startswith("/var/log/pods/"):
            yield f"{path} is not mounted"


def list_problems(items, known, what):
    for item in items:
        for kind, settings in item.items():
            if kind not in known:
                yield f"unknown {what} {kind}"
                continue
            for name in unknown(settings or {}, known[kind]):
                yield f"unknown setting {name} of the {what} {kind}"


def condition_problems(condition):
    for name, value in condition.items():
        kind = name.split(".")[0]
        if kind not in KNOWN["conditions"]:
            yield f"unknown condition {name}"
        if kind in ("and", "or"):
            for each in value:
                yield from condition_problems(each)


def fields_asked(objects):
    """Lists the fields of a record by which Filebeat routes."""

    def of(condition):
        for name, value in condition.items():
            kind, _, rest = name.partition(".")
            if kind in ("and", "or"):
                for each in value:
                    yield from of(each)
            elif kind == "has_fields":
                yield from value
            else:
                yield from [rest] if rest else value
    rules = flat(workload(objects, "Beat").object["spec"]["config"]).get("output.elasticsearch.indices", [])
    for rule in rules:
        yield from of({k.removeprefix("when."): v for k, v in rule.items() if k.startswith("when.")})
        yield from (part.split("]")[0] for part in rule["index"].split("%{[")[1:])
