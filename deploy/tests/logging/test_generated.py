"""What the manifests say of the generated files."""

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


def test_routing_goes_by_fields_of_the_template(rendered, template):
    known = set(fields(template["template"]["mappings"]["properties"]))
    asked = set(filebeat_settings.fields_asked(rendered["base"]))
    # Not of the record: Filebeat's autodiscover adds it.
    asked.discard("kubernetes.labels.environment")
    assert asked and asked <= known


def test_every_data_stream_has_the_template(rendered, template):
    config = stack.flat(stack.workload(rendered["base"], "Beat").object["spec"]["config"])
    streams = [
        "logs-insurance_charges_model-production",
        config["output.elasticsearch.index"].replace("%{[kubernetes.labels.environment]:default}", "production"),
        config["output.elasticsearch.non_indexable_policy.dead_letter_index.index"],
    ]
    prefixes = [pattern.removesuffix("*") for pattern in template["index_patterns"]]
    for stream in streams:
        assert any(stream.startswith(prefix) for prefix in prefixes), stream
        assert stream.startswith("logs-") and stream.count("-") == 2, f"the roles' `logs-*-*` does not cover {stream}"


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
