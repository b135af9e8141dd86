"""Instances of the demo, as a cluster runs them, and the requests sent to them."""

import http.client
import json
import os
import random
import re
import signal
import subprocess
import time
from dataclasses import dataclass, field
from pathlib import Path

API_KEY = "only-for-this-run-of-the-test"
START_LIMIT_S = 60
STOP_LIMIT_S = 60
TRACE_PARENT = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"


@dataclass
class Asked:
    """Requests and answers of an instance."""

    good: list[str] = field(default_factory=list)
    bad: list[str] = field(default_factory=list)


class Instance:
    """The demo with the configuration of the cluster and the environment of a pod."""

    def __init__(self, program: Path, configuration: Path, folder: Path, number: int):
        self.pod = f"insurance-charges-{number}"
        self.node = f"node-{number}"
        self.log = folder / f"{self.pod}.log"
        keys = folder / f"{self.pod}.keys"
        keys.write_text(API_KEY + "\n")
        environment = {
            "PATH": os.environ["PATH"],
            "REST_CONFIG": str(configuration),
            "POD_NAME": self.pod,
            "NODE_NAME": self.node,
            "NODE_IP": f"10.0.0.{number}",
            # Differences from the cluster: the port, the file of keys, and no load balancer to wait for.
            "ML_SERVICE__SERVER__ADDRESS": "127.0.0.1:0",
            "ML_SERVICE__SERVER__API_KEYS__FILE": str(keys),
            "ML_SERVICE__SERVER__READINESS_DELAY_S": "0",
        }
        # Each instance has its own host name, as a pod has.
        command = ["unshare", "--user", "--map-root-user", "--uts", "sh", "-c",
                   'hostname "$0" && exec "$1"', self.pod, str(program)]
        self.errors = folder / f"{self.pod}.stderr"
        with self.log.open("wb") as log, self.errors.open("wb") as errors:
            self.process = subprocess.Popen(command, env=environment, stdin=subprocess.DEVNULL, stdout=log,
                                            stderr=errors)
        self.asked = Asked()
        self.model: dict = {}
        self.connection: http.client.HTTPConnection | None = None

    def wait_until_ready(self):
        deadline = time.monotonic() + START_LIMIT_S
        while time.monotonic() < deadline:
            if self.process.poll() is not None:
                break
            listening = re.search(r'"address":"127\.0\.0\.1:(\d+)"', self.log.read_text())
            if listening:
                self.connection = http.client.HTTPConnection("127.0.0.1", int(listening[1]), timeout=30)
                if self._call("GET", "/api/health/ready")[0] == 200:
                    return
            time.sleep(0.05)
        raise RuntimeError(f"{self.pod} did not become ready: {self.errors.read_text()} {self.log.read_text()}")

    def _call(self, method: str, path: str, body=None, headers=None) -> tuple[int, dict]:
        headers = {"x-api-key": API_KEY, "content-type": "application/json", **(headers or {})}
        self.connection.request(method, path, None if body is None else json.dumps(body), headers)
        answer = self.connection.getresponse()
        text = answer.read()
        return answer.status, json.loads(text) if text else {}

    def only_model(self) -> dict:
        """Requests the metadata of the model, which has the schemas of its input and output."""
        status, answer = self._call("GET", "/api/models")
        assert status == 200 and len(answer["models"]) == 1, answer
        name = answer["models"][0]["qualified_name"]
        status, metadata = self._call("GET", f"/api/models/{name}/metadata")
        assert status == 200, metadata
        return metadata

    def ask(self, good: int, bad: int, chance: random.Random):
        """Requests `good` valid and `bad` invalid predictions, some of them as rows of one batch."""
        self.model = self.only_model()
        path = f"/api/models/{self.model['qualified_name']}"
        schema = self.model["input_schema"]
        questions = [(True, valid_input(schema, chance)) for _ in range(good)]
        questions += [(False, invalid_input(schema, chance, number)) for number in range(bad)]
        chance.shuffle(questions)
        rows, single = questions[:8], questions[8:]
        for number, (valid, question) in enumerate(single):
            # Some requests have a trace context, so that its fields are recorded as well.
            headers = {"traceparent": TRACE_PARENT} if number % 3 == 0 else None
            status, answer = self._call("POST", f"{path}/prediction", question, headers)
            assert status == (200 if valid else 400), (question, status, answer)
            self._note(valid, answer["prediction_id"])
        status, answer = self._call("POST", f"{path}/predictions", [question for _, question in rows])
        assert status == 200, answer
        for (valid, _), result in zip(rows, answer["results"], strict=True):
            self._note(valid, result["prediction" if valid else "error"]["prediction_id"])
        assert (len(self.asked.good), len(self.asked.bad)) == (good, bad), "answers do not fit the questions"

    def _note(self, valid: bool, prediction_id: str):
        (self.asked.good if valid else self.asked.bad).append(prediction_id)

    def stop(self) -> int:
        """Stops the instance as the cluster does, and returns its exit code."""
        if self.connection:
            self.connection.close()
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        try:
            return self.process.wait(STOP_LIMIT_S)
        except subprocess.TimeoutExpired:
            self.process.kill()
            return self.process.wait()

    def records(self) -> list[dict]:
        return [json.loads(line) for line in self.log.read_text().splitlines()]


def valid_input(schema: dict, chance: random.Random) -> dict:
    """Makes an input that the schema allows, with the required members."""
    return {name: value_of(schema["properties"][name], schema, chance) for name in schema["required"]}


def value_of(description: dict, schema: dict, chance: random.Random):
    if "$ref" in description:
        return value_of(schema["$defs"][description["$ref"].rsplit("/", 1)[1]], schema, chance)
    if "enum" in description:
        return chance.choice(description["enum"])
    kind = description["type"]
    low, high = description.get("minimum", 0), description.get("maximum", 1000)
    if kind == "integer":
        return chance.randint(int(low), int(high))
    if kind == "number":
        return round(chance.uniform(low, high), 2)
    if kind == "boolean":
        return chance.choice([True, False])
    if kind == "string":
        return f"text {chance.randint(0, 9)}"
    raise ValueError(f"no value for a member of type {kind}")


def invalid_input(schema: dict, chance: random.Random, number: int) -> dict:
    """Breaks one member of a valid input, each in turn, by its type or its absence."""
    question = valid_input(schema, chance)
    name = schema["required"][number // 2 % len(schema["required"])]
    if number % 2 == 0:
        question[name] = {"not": "a value"}
    else:
        del question[name]
    return question
