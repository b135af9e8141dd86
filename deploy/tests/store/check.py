#!/usr/bin/env python3
"""Loads the records of three instances of the demo into real stores and compares the generated files with them.

Expectations are computed from the generated files and the records, so no field of the model is named here. At the end the
demo logs other fields and exports again: the new files must fit the records, and the committed ones must not.

Not run here: Kibana and OpenSearch Dashboards. The test reads their saved objects, follows each reference, and runs the
query and the aggregations of every panel on the product's store.
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from checks import ROOT, check_panels, check_store  # noqa: E402
from expectation import Expectation, run_instances  # noqa: E402
from panels import SavedObjects, kibana_panels, opensearch_panels  # noqa: E402
from results import report  # noqa: E402
from server import Server  # noqa: E402
from template import fields_of  # noqa: E402

# Replacements in a dashboard. The checks must fail for each.
MUTATIONS = [
    ("another field", "pod_name", "pod_nam"),
    ("another value in a query", "success", "succes"),
    ("a reference to nothing", '"id":"', '"id":"nothing-'),
]


def check_opensearch(build: Path, folder: Path, expectation: Expectation, other_fields: bool = False):
    file = expectation.generated / "dashboard.opensearch.ndjson"

    def read(dashboard: Path):
        objects = SavedObjects(dashboard, ("migrationVersion",))
        check_index_patterns(objects, expectation)
        return opensearch_panels(objects)

    panels = read(file)
    with Server("OpenSearch", "OpenSearchNode", build, folder) as server:
        name = f"OpenSearch {server.expect('GET', '/')['version']['number']}"
        name += ", other fields logged" if other_fields else ""
        lifecycle = json.loads((expectation.generated / "lifecycle.json").read_text())
        status, _ = server.call("PUT", "/_component_template/refused", lifecycle)
        assert status == 400, "OpenSearch takes lifecycle.json by now: LIFECYCLE=false is not needed any more"
        check_store(server, name, expectation.generated, panels, expectation, lifecycle=False)
        if not other_fields:
            check_mutations(server, file, read, expectation)


def check_elasticsearch(build: Path, folder: Path, expectation: Expectation):
    """Replaces `match_only_text` by `text`, because its module is not on Maven Central."""
    file = expectation.generated / "dashboard.kibana.ndjson"

    def read(dashboard: Path):
        objects = SavedObjects(dashboard, ("coreMigrationVersion", "typeMigrationVersion"))
        check_index_patterns(objects, expectation)
        return kibana_panels(objects)

    panels = read(file)
    generated = folder.parent / "generated"
    shutil.copytree(expectation.generated, generated)
    template = generated / "index-template.json"
    template.write_text(template.read_text().replace('"match_only_text"', '"text"'))
    with Server("Elasticsearch", "ElasticsearchNode", build, folder) as server:
        nodes = server.expect("GET", "/_nodes/_local")["nodes"].values()
        name = f"Elasticsearch {next(iter(nodes))['version']}"
        check_store(server, name, generated, panels, expectation, lifecycle=True)
        check_mutations(server, file, read, expectation)


def check_index_patterns(objects: SavedObjects, expectation: Expectation):
    """Checks that an index pattern names the time field, and that any fields it lists have the template's types."""
    patterns = objects.of_type("index-pattern")
    assert patterns, "no index pattern"
    for pattern in patterns:
        attributes = pattern["attributes"]
        assert expectation.fields[attributes["timeFieldName"]].type == "date", attributes["timeFieldName"]
        formatted = set(json.loads(attributes.get("fieldFormatMap", "{}")))
        assert formatted <= set(expectation.fields), f"format of unknown fields: {formatted}"
        if "fields" in attributes:
            listed = {each["name"]: each["esTypes"] for each in json.loads(attributes["fields"])}
            assert listed == {name: [each.type] for name, each in expectation.fields.items()}, listed


def check_mutations(server: Server, file: Path, read, expectation: Expectation):
    """Checks that a dashboard with a mistake fails."""
    text = file.read_text()
    for what, old, new in MUTATIONS:
        assert old in text, f"{file.name} holds no {old}"
        changed = server.folder / file.name
        changed.write_text(text.replace(old, new, 1) if what.startswith("a reference") else text.replace(old, new))
        try:
            check_panels(server, read(changed), expectation, expectation.fields)
        except AssertionError:
            continue
        raise RuntimeError(f"{file.name} with {what} passes")
    report(f"{file.name} with a mistake", ", ".join(what for what, _, _ in MUTATIONS), "each is noticed")


def with_other_fields(configuration: Path, changed: Path, model: dict):
    """Writes a configuration that logs all inputs of the model, and each output under another name."""
    outputs = [name for name in model["output_schema"]["required"] if name != "prediction_id"]
    logged = {"input_fields": model["input_schema"]["required"],
              "output_fields": [f"{output} as predicted_{output}" for output in outputs]}
    models = [{"qualified_name": model["qualified_name"], "decorators": ["prediction_id", {"logging": logged}]}]
    text = configuration.read_text()
    assert "\nmodels:" not in text, f"{configuration.name} has models of its own, which would have to be changed here"
    # JSON is YAML.
    changed.write_text(f"{text}models: {json.dumps(models)}\n")


def check_changed_fields(program: Path, configuration: Path, nodes: Path, folder: Path, committed: Expectation):
    """Lets the demo log other fields: its exports fit its records, and the committed files do not."""
    folder.mkdir()
    changed, generated = folder / "rest_config.yaml", folder / "generated"
    with_other_fields(configuration, changed, committed.instances[0].model)
    instances = run_instances(program, changed, folder)
    keys = folder / f"{instances[0].pod}.keys"
    environment = os.environ | {"ML_SERVICE__SERVER__API_KEYS__FILE": str(keys)}
    for target in ("elasticsearch", "kibana", "opensearch"):
        subprocess.run([program, "export", target, "--config", changed, "--output-dir", generated],
                       env=environment, check=True, stdout=subprocess.DEVNULL)
    try:
        Expectation(instances, committed.generated).check_fields()
    except AssertionError:
        report("the committed index template", "records with other fields", "does not fit")
    else:
        raise RuntimeError("records with other fields fit the committed index template")
    expectation = Expectation(instances, generated)
    expectation.check_fields()
    assert fields_of(expectation.template["template"]["mappings"]["properties"]) != committed.fields
    check_opensearch(nodes / "opensearch", folder / "opensearch", expectation, other_fields=True)


def main():
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--demo", type=Path, required=True, help="the program")
    arguments.add_argument("--nodes", type=Path, required=True, help="folder of the nodes built by Maven")
    arguments.add_argument("--generated", type=Path, default=ROOT / "deploy/kubernetes/logging/generated")
    arguments.add_argument("--configuration", type=Path, default=ROOT / "deploy/kubernetes/base/rest_config.yaml")
    given = arguments.parse_args()
    program, configuration = given.demo.resolve(), given.configuration.resolve()
    with tempfile.TemporaryDirectory(prefix="store-") as scratch:
        folder = Path(scratch)
        instances = run_instances(program, configuration, folder)
        expectation = Expectation(instances, given.generated.resolve())
        expectation.check_records()
        expectation.check_fields()
        check_opensearch(given.nodes / "opensearch", folder / "opensearch", expectation)
        check_elasticsearch(given.nodes / "elasticsearch", folder / "elasticsearch", expectation)
        check_changed_fields(program, configuration, given.nodes, folder / "changed", expectation)


if __name__ == "__main__":
    try:
        main()
    except (AssertionError, RuntimeError, ValueError) as error:
        sys.exit(f"store: {error}")
