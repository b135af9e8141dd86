"""Expected contents of the stores, from the records of the instances and the generated files."""

import json
import random
from pathlib import Path

from demo import Instance
from results import report
from template import fields_of, fits, flatten, patterns_for

# Valid and invalid requests for each instance.
QUESTIONS = [(40, 6), (55, 9), (71, 13)]
ENVIRONMENT = "production"
SEED = 20220612


def run_instances(program: Path, configuration: Path, folder: Path) -> list[Instance]:
    instances = []
    try:
        for number in range(1, len(QUESTIONS) + 1):
            instances.append(Instance(program, configuration, folder, number))
        for instance, (good, bad) in zip(instances, QUESTIONS, strict=True):
            instance.wait_until_ready()
            chance = random.Random(f"{SEED} {instance.pod}")
            instance.ask(good, bad, chance)
    finally:
        codes = [instance.stop() for instance in instances]
    assert codes == [0] * len(QUESTIONS), f"exit codes {codes}"
    return instances


class Expectation:
    """The records, and the generated files that describe them."""

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
        """Checks that every field of a prediction and every common field of the service's records has a type."""
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
        searched = self.template["template"]["settings"]["index"]["query"]["default_field"]
        assert set(searched) <= set(self.fields), f"searched by default, but unknown: {searched}"
        report("fields of the index template", "fields of the records",
               f"{len(seen)} of predictions typed; kept but not indexed: {', '.join(sorted(untyped))}")
