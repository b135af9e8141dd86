#!/usr/bin/env python3
"""Loads the records of three instances of the demo into real stores and holds the generated files against them.

What is expected is computed from the generated files and from the records: nothing names a field of the model.
"""

import argparse
import json
import os
import random
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from aggregations import Run
from demo import Instance
from panels import Panel, SavedObjects, kibana_panels, opensearch_panels
from server import Server
from template import GROUPED, Field, fields_of, fits, flatten, patterns_for

ROOT = Path(__file__).resolve().parents[3]
# Good and bad questions for each instance.
QUESTIONS = [(40, 6), (55, 9), (71, 13)]
ENVIRONMENT = "production"
SEED = 20220612


def report(what: str, against: str, result: str):
    print(f"{what} | {against} | {result}", flush=True)
    if "DEPLOY_RESULTS" in os.environ:
        with open(os.environ["DEPLOY_RESULTS"], "a") as results:
            results.write(f"{what}\t{against}\t{result}\n")


def run_instances(program: Path, configuration: Path, folder: Path) -> list[Instance]:
    instances = []
    try:
        for number in range(1, len(QUESTIONS) + 1):
            instances.append(Instance(program, configuration, folder, number))
        for instance, (good, bad) in zip(instances, QUESTIONS, strict=True):
            instance.wait_until_ready()
            chance = random.Random(f"{SEED} {instance.pod}")
            instance.ask(instance.only_model(), good, bad, chance)
    finally:
        codes = [instance.stop() for instance in instances]
    assert codes == [0] * len(QUESTIONS), f"exit codes {codes}"
    return instances


class Expectation:
    """The records, and what the generated files say of them."""

    def __init__(self, instances: list[Instance], generated: Path):
        self.instances = instances
        self.generated = generated
        self.template = json.loads((generated / "index-template.json").read_text())
        self.fields = fields_of(self.template["template"]["mappings"]["properties"])
        component, = self.template["composed_of"]
        self.service = component.removesuffix("@lifecycle")
        # Each record goes where Filebeat sends it.
        self.streams: dict[str, list[dict]] = {}
        for instance in instances:
            for record in instance.records():
                self.streams.setdefault(self.stream_of(record), []).append(record)
        self.predictions = self.streams[f"logs-{self.model()}-{ENVIRONMENT}"]

    def model(self) -> str:
        names = {record["model_qualified_name"] for stream in self.streams.values() for record in stream
                 if record.get("action") == "predict"}
        name, = names
        return name

    def stream_of(self, record: dict) -> str:
        name = record["model_qualified_name"] if record.get("action") == "predict" else self.service
        stream = f"logs-{name}-{ENVIRONMENT}"
        assert len(patterns_for(stream, self.template)) == 1, f"no single pattern of the template takes {stream}"
        return stream

    def asked(self) -> tuple[int, int]:
        return sum(good for good, _ in QUESTIONS), sum(bad for _, bad in QUESTIONS)

    def ids(self) -> set[str]:
        return {each for instance in self.instances for each in instance.asked.good + instance.asked.bad}

    def check_records(self):
        for instance, (good, bad) in zip(self.instances, QUESTIONS, strict=True):
            outcomes = [record.get("status") for record in self.predictions if record["pod_name"] == instance.pod]
            counts = [outcomes.count(status) for status in (None, "success", "error")]
            assert counts == [good + bad, good, bad], f"{instance.pod}: {counts}"
            assert {record["node_name"] for record in instance.records()} == {instance.node}
            assert {record["host.name"] for record in instance.records()} == {instance.pod}
        assert {record["prediction_id"] for record in self.predictions} == self.ids(), "ids differ from those answered"
        good, bad = self.asked()
        report("records of three instances", f"{good} good and {bad} bad questions", f"{len(self.predictions)} records")

    def check_fields(self):
        """Every field of a prediction has a type, and so has what stands in every record of the service."""
        context = set.intersection(*(set(record) for stream in self.streams.values() for record in stream))
        untyped = set()
        for records in self.streams.values():
            for record in records:
                for name, value in flatten(record).items():
                    if name not in self.fields:
                        assert record not in self.predictions and name not in context, f"{name} has no type"
                        untyped.add(name)
                        continue
                    kind = self.fields[name].type
                    assert fits(value, kind), f"{name} is {value!r}, but its type is {kind}"
        seen = {name for record in self.predictions for name in record}
        report("fields of the index template", "fields of the records",
               f"{len(seen)} of predictions typed; kept but not indexed: {', '.join(sorted(untyped))}")


def load_generated(server: Server, folder: Path, service: str, lifecycle: bool):
    """Runs the setup of deploy/kubernetes/logging twice; the second time changes nothing."""
    environment = {"PATH": os.environ["PATH"], "ELASTICSEARCH_URL": server.address, "GENERATED": str(folder),
                   "SERVICE": service, "LIFECYCLE": "true" if lifecycle else "false", "DEADLINE_S": "60"}
    script = ROOT / "deploy/kubernetes/logging/base/setup/load"
    for _ in range(2):
        done = subprocess.run([script], env=environment, capture_output=True, text=True)
        assert done.returncode == 0, f"{server.name}: {script.name}: {done.stderr}"


def load_records(server: Server, expectation: Expectation) -> int:
    loaded = 0
    for stream, records in expectation.streams.items():
        outcomes = server.create(stream, records)
        refused = [each for each in outcomes if each["status"] != 201]
        assert not refused, f"{server.name}: {len(refused)} records refused, the first: {refused[0]}"
        loaded += len(outcomes)
        assert server.expect("GET", f"/{stream}/_count")["count"] == len(records)
    return loaded


def check_mapping(server: Server, expectation: Expectation, fields: dict[str, Field]):
    """The index has the template's fields with their types, and no others."""
    for stream in expectation.streams:
        for index in server.expect("GET", f"/{stream}/_mapping").values():
            found = {name: each.type for name, each in fields_of(index["mappings"]["properties"]).items()}
            assert found == {name: each.type for name, each in fields.items()}, f"{server.name}: {stream}: {found}"


def check_lifecycle(server: Server, expectation: Expectation):
    """What the component of the lifecycle sets is in force in every index."""
    wanted = json.loads((expectation.generated / "lifecycle.json").read_text())["template"]
    for stream in expectation.streams:
        for index in server.expect("GET", f"/{stream}/_settings").values():
            for name, value in wanted["settings"]["index"].items():
                assert index["settings"]["index"][name] == value, f"{server.name}: {name} of {stream}"
    name = f"{expectation.service}@lifecycle"
    stored, = server.expect("GET", f"/_component_template/{name}")["component_templates"]
    retention = stored["component_template"]["template"]["lifecycle"]["data_retention"]
    assert retention == wanted["lifecycle"]["data_retention"], f"{server.name}: retention {retention}"


def check_panels(server: Server, panels: list[Panel], expectation: Expectation, fields: dict[str, Field]) -> str:
    totals, counted = [], []
    for panel in panels:
        unknown = panel.fields() - set(fields)
        assert not unknown, f"{panel.title}: no such field in the template: {unknown}"
        ungrouped = [each.field for each in panel.buckets + panel.metrics
                     if each.field and fields[each.field].type not in GROUPED]
        assert not ungrouped, f"{panel.title}: cannot be grouped by: {ungrouped}"
        run = Run(panel, expectation.predictions, fields)
        run.check(server.expect("POST", f"/{panel.index}/_search", run.body()))
        totals.append(len(run.records))
        counted += run.counted.values()
    good, bad = expectation.asked()
    assert good in totals and bad in totals, f"no panel counts {good} and {bad}: {totals}"
    by_instance = {instance.pod: good for instance, (good, _) in zip(expectation.instances, QUESTIONS, strict=True)}
    assert by_instance in counted, f"no panel counts {by_instance}"
    return f"{len(panels)} panels: {good} good, {bad} bad, {', '.join(map(str, by_instance.values()))} by instance"


def without_nothing(record: dict) -> dict:
    return {name: value for name, value in flatten(record).items() if value is not None}


def check_search_by_id(server: Server, expectation: Expectation) -> int:
    """Each id finds its two records, as they were written."""
    for wanted in expectation.ids():
        found = server.expect("POST", f"/logs-{expectation.model()}-*/_search",
                              {"query": {"term": {"prediction_id": wanted}}})["hits"]["hits"]
        found = [without_nothing(hit["_source"]) for hit in found]
        records = [without_nothing(each) for each in expectation.predictions if each["prediction_id"] == wanted]
        assert len(found) == 2, f"{server.name}: {len(found)} records of {wanted}"
        assert all(record in found for record in records), f"{server.name}: {found}, written was {records}"
    return len(expectation.ids())


def check_wrong_types(server: Server, expectation: Expectation, fields: dict[str, Field]) -> int:
    """A record with a value of a wrong type in any field is refused, and the reason names the field."""
    stream = f"logs-{expectation.model()}-{ENVIRONMENT}"
    wrong, names = [], []
    for record in expectation.predictions[:200]:
        for name in record:
            if name not in names and not fields[name].lenient and record[name] is not None:
                scalar = fields[name].type in ("long", "double", "boolean", "date")
                wrong.append(record | {name: "a lot" if scalar else {"not": "a value"}})
                names.append(name)
    before = server.expect("GET", f"/{stream}/_count")["count"]
    for name, outcome in zip(names, server.create(stream, wrong), strict=True):
        assert outcome["status"] == 400, f"{server.name}: a wrong {name} is accepted"
        assert f"[{name}]" in outcome["error"]["reason"], f"{server.name}: {outcome['error']}"
    assert server.expect("GET", f"/{stream}/_count")["count"] == before
    return len(names)


def check_unknown_field(server: Server, expectation: Expectation, fields: dict[str, Field]):
    """A field that the template does not know is kept, and neither searched nor added to the mapping."""
    stream = f"logs-{expectation.service}-unknown-field"
    name, value = "not.in.the.template", "kept"
    record = next(iter(expectation.streams[f"logs-{expectation.service}-{ENVIRONMENT}"])) | {name: value}
    outcome, = server.create(stream, [record])
    assert outcome["status"] == 201, outcome
    hit, = server.expect("POST", f"/{stream}/_search")["hits"]["hits"]
    assert flatten(hit["_source"])[name] == value, f"{server.name}: {hit}"
    searched = server.expect("POST", f"/{stream}/_search", {"query": {"exists": {"field": name}}})
    assert searched["hits"]["total"]["value"] == 0, f"{server.name}: an unknown field is indexed"
    for index in server.expect("GET", f"/{stream}/_mapping").values():
        assert name not in fields_of(index["mappings"]["properties"])


def check_store(server: Server, name: str, generated: Path, panels: list[Panel], expectation: Expectation,
                lifecycle: bool):
    template = json.loads((generated / "index-template.json").read_text())
    fields = fields_of(template["template"]["mappings"]["properties"])
    load_generated(server, generated, expectation.service, lifecycle)
    loaded = load_records(server, expectation)
    check_mapping(server, expectation, fields)
    predictions = len(expectation.predictions)
    report("index template, records by `_bulk`", name, f"{loaded} documents, {predictions} of predictions, none refused")
    if lifecycle:
        check_lifecycle(server, expectation)
        report("lifecycle component", name, "in force")
    report("every panel's query and aggregations", name, check_panels(server, panels, expectation, fields))
    report("search by prediction id", name, f"{check_search_by_id(server, expectation)} ids, two records each")
    refused = check_wrong_types(server, expectation, fields)
    report("records with a wrongly typed field", name, f"{refused} of {refused} fields: refused, the reason names it")
    check_unknown_field(server, expectation, fields)
    report("a record with an unknown field", name, "kept, not indexed")
    print(f"{name}: started in {server.start_s:.1f} s, {server.resident_mib()} MiB resident", flush=True)


def check_opensearch(build: Path, folder: Path, expectation: Expectation):
    generated = expectation.generated
    panels = opensearch_panels(SavedObjects(generated / "dashboard.opensearch.ndjson", ("migrationVersion",)))
    with Server("OpenSearch", "OpenSearchNode", build, folder) as server:
        name = f"OpenSearch {server.expect('GET', '/')['version']['number']}"
        lifecycle = json.loads((generated / "lifecycle.json").read_text())
        status, _ = server.call("PUT", "/_component_template/refused", lifecycle)
        assert status == 400, "OpenSearch takes lifecycle.json by now: LIFECYCLE=false is not needed any more"
        check_store(server, name, generated, panels, expectation, lifecycle=False)


def check_elasticsearch(build: Path, folder: Path, expectation: Expectation):
    """The module with `match_only_text` is not on Maven Central: `text`, of which it is a variant, stands for it."""
    versions = ("coreMigrationVersion", "typeMigrationVersion")
    panels = kibana_panels(SavedObjects(expectation.generated / "dashboard.kibana.ndjson", versions))
    generated = folder.parent / "generated"
    shutil.copytree(expectation.generated, generated)
    template = generated / "index-template.json"
    template.write_text(template.read_text().replace('"match_only_text"', '"text"'))
    with Server("Elasticsearch", "ElasticsearchNode", build, folder) as server:
        nodes = server.expect("GET", "/_nodes/_local")["nodes"].values()
        name = f"Elasticsearch {next(iter(nodes))['version']}"
        check_store(server, name, generated, panels, expectation, lifecycle=True)


def main():
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--demo", type=Path, required=True, help="the program")
    arguments.add_argument("--nodes", type=Path, required=True, help="folder of the nodes that Maven has built")
    arguments.add_argument("--generated", type=Path, default=ROOT / "deploy/kubernetes/logging/generated")
    arguments.add_argument("--configuration", type=Path, default=ROOT / "deploy/kubernetes/base/rest_config.yaml")
    given = arguments.parse_args()
    with tempfile.TemporaryDirectory(prefix="store-") as scratch:
        folder = Path(scratch)
        instances = run_instances(given.demo.resolve(), given.configuration.resolve(), folder)
        expectation = Expectation(instances, given.generated.resolve())
        expectation.check_records()
        expectation.check_fields()
        check_opensearch(given.nodes / "opensearch", folder / "opensearch", expectation)
        check_elasticsearch(given.nodes / "elasticsearch", folder / "elasticsearch", expectation)


if __name__ == "__main__":
    try:
        main()
    except (AssertionError, RuntimeError, ValueError) as error:
        sys.exit(f"store: {error}")
