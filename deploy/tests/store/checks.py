"""The checks of each store."""

import json
import os
import subprocess
from pathlib import Path

from aggregations import Run
from expectation import ENVIRONMENT, QUESTIONS, Expectation
from panels import Panel
from results import report
from server import Server
from template import GROUPED, Field, fields_of, flatten

ROOT = Path(__file__).resolve().parents[3]


def load_generated(server: Server, folder: Path, service: str, lifecycle: bool):
    """Runs the setup of deploy/kubernetes/logging twice; the second run changes nothing."""
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
    """Checks that the index has the template's fields with their types, and no others."""
    for stream in expectation.streams:
        for index in server.expect("GET", f"/{stream}/_mapping").values():
            found = {name: each.type for name, each in fields_of(index["mappings"]["properties"]).items()}
            assert found == {name: each.type for name, each in fields.items()}, f"{server.name}: {stream}: {found}"


def check_lifecycle(server: Server, expectation: Expectation):
    """Checks that every index has the settings of the lifecycle component."""
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
    """Checks that each id finds its two records, unchanged."""
    for wanted in expectation.ids():
        found = server.expect("POST", f"/logs-{expectation.model()}-*/_search",
                              {"query": {"term": {"prediction_id": wanted}}})["hits"]["hits"]
        found = [without_nothing(hit["_source"]) for hit in found]
        records = [without_nothing(each) for each in expectation.predictions if each["prediction_id"] == wanted]
        assert len(found) == 2, f"{server.name}: {len(found)} records of {wanted}"
        assert all(record in found for record in records), f"{server.name}: {found}, written was {records}"
    # As typed into the query bar, without a field.
    query = {"query_string": {"query": f'"{wanted}"'}}
    found = server.expect("POST", f"/logs-{expectation.model()}-*/_search", {"query": query})["hits"]["hits"]
    assert len(found) == 2, f"{server.name}: the query bar finds {len(found)} records of {wanted}"
    return len(expectation.ids())


def check_wrong_types(server: Server, expectation: Expectation, fields: dict[str, Field]) -> int:
    """Checks that a value of a wrong type is refused in any field, and that the reason names the field."""
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
    """Checks that a field outside the template is kept, but neither searchable nor added to the mapping."""
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
    report("index template, records by `_bulk`", name,
           f"{loaded} documents, {predictions} of predictions, none refused")
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
