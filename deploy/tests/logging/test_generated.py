"""Compares the manifests with the generated files."""

import copy
import json
import os

import filebeat_settings
import pytest
import stack

GENERATED = stack.Path(os.environ["GENERATED"])


@pytest.fixture(scope="module")
def template():
    return json.loads((GENERATED / "index-template.json").read_text())


def fields(properties, prefix=""):
    for name, mapping in properties.items():
        if "properties" in mapping:
            yield from fields(mapping["properties"], f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}"


def unknown_fields(objects, template):
    """Yields fields by which Filebeat routes and which the template lacks."""
    asked = set(filebeat_settings.fields_asked(objects))
    # Filebeat's autodiscover adds it.
    asked.remove("kubernetes.labels.environment")
    return asked - set(fields(template["template"]["mappings"]["properties"]))


def test_routing_goes_by_fields_of_the_template(rendered, template):
    assert unknown_fields(rendered["base"], template) == set()


@pytest.mark.parametrize("field", ["action", "model_qualified_name"])
def test_routing_by_another_field_is_found(rendered, template, field):
    changed = copy.deepcopy(template)
    del changed["template"]["mappings"]["properties"][field]
    assert unknown_fields(rendered["base"], changed) == {field}


def streams_without_template(objects, template):
    config = stack.flat(stack.workload(objects, "Beat").object["spec"]["config"])
    streams = [
        "logs-insurance_charges_model-production",
        config["output.elasticsearch.index"].replace("%{[kubernetes.labels.environment]:default}", "production"),
        config["output.elasticsearch.non_indexable_policy.dead_letter_index.index"],
    ]
    prefixes = tuple(pattern.removesuffix("*") for pattern in template["index_patterns"])
    for stream in streams:
        if not stream.startswith(prefixes):
            yield f"{stream} has no template"
        if not stream.startswith("logs-") or stream.count("-") != 2:
            yield f"the roles' `logs-*-*` does not cover {stream}"


def test_every_data_stream_has_the_template(rendered, template):
    assert list(streams_without_template(rendered["base"], template)) == []


def test_a_data_stream_without_template_is_found(rendered, template):
    objects = rendered["base"]
    stack.workload(objects, "Beat").object["spec"]["config"]["output.elasticsearch"]["index"] = "logs-other-production"
    assert list(streams_without_template(objects, template)) == ["logs-other-production has no template"]


def test_the_job_loads_what_is_generated(objects, template):
    job = stack.workload(objects, "Job")
    environment = {e["name"]: e["value"] for e in job.pod["containers"][0]["env"]}
    assert template["composed_of"] == [f"{environment['SERVICE']}@lifecycle"]
    names = {v["configMap"]["name"]: v["name"] for v in job.volumes().values() if "configMap" in v}
    (generated,) = [name for name in names if name.startswith("logging-generated-")]
    held = objects.one("ConfigMap", generated)["data"]
    assert {"index-template.json", "lifecycle.json", "dashboard.kibana.ndjson"} == set(held)
    # The limit of a ConfigMap is 1 MiB.
    assert sum(map(len, held.values())) < 900_000
