"""The containers of deploy/compose, started by its script and reached through their published ports."""

import http.client
import json
import os
import subprocess
import sys
import urllib.error
import urllib.parse
import urllib.request
from pathlib import Path

HERE = Path(__file__).resolve().parent
COMPOSE = HERE.parents[1] / "compose"
sys.path[:0] = [str(HERE.parent), str(HERE.parent / "shipping")]

from processes import Failure, free_port, wait_until  # noqa: E402
from prometheus import Prometheus  # noqa: E402

SERVICE, LOGS, METRICS = "insurance-charges", "victoria-logs", "prometheus"
MODEL = "/api/models/insurance_charges_model"
GOOD = {"age": 65, "sex": "male", "bmi": 50, "children": 5, "smoker": True, "region": "southwest"}
BAD = GOOD | {"region": "nowhere"}


class Stack:
    def __init__(self, podman_compose, image, folder):
        self.key = os.urandom(16).hex()
        secrets = folder / "secrets"
        secrets.mkdir(mode=0o700)
        for name, text in (("metrics-key", self.key), ("api-keys", f"{os.urandom(16).hex()}\n{self.key}\n")):
            (secrets / name).write_text(text, encoding="utf-8")
            (secrets / name).chmod(0o444)
        self.ports = {name: free_port() for name in (SERVICE, LOGS, METRICS)}
        self.prometheus = Prometheus(f"http://127.0.0.1:{self.ports[METRICS]}")
        self.environment = os.environ | {
            "COMPOSE": podman_compose,
            "SECRETS_DIRECTORY": str(secrets),
            "SERVICE_IMAGE": image,
            "SERVICE_PORT": str(self.ports[SERVICE]),
            "LOGS_PORT": str(self.ports[LOGS]),
            "METRICS_PORT": str(self.ports[METRICS]),
            "NODE_NAME": "the-machine",
        }
        self.podman_compose = podman_compose

    def run(self, *command, check=True):
        """Runs a command in the environment of the containers and returns its output."""
        result = subprocess.run(
            [str(word) for word in command], env=self.environment, capture_output=True, text=True, check=False
        )
        if check and result.returncode:
            raise Failure(f"{command}: {result.stdout}{result.stderr}")
        return result.stdout

    def up(self):
        self.run(COMPOSE / "up")

    def compose(self, *arguments, check=True):
        files = ("--env-file", COMPOSE.parent / "versions.env", "-f", COMPOSE / "compose.yaml")
        return self.run(self.podman_compose, *files, *arguments, check=check)

    def container(self, name):
        label = f"label=com.docker.compose.service={name}"
        found = self.run("podman", "ps", "-a", "--filter", label, "--format", "{{.ID}}").split()
        if len(found) != 1:
            raise Failure(f"{len(found)} containers of {name}")
        return found[0]

    def inspect(self, name):
        return json.loads(self.run("podman", "inspect", self.container(name)))[0]

    def process_status(self, name):
        """Returns /proc/PID/status of a container's process."""
        status = Path(f"/proc/{self.inspect(name)['State']['Pid']}/status").read_text(encoding="utf-8")
        return {key: value.split() for key, _, value in (line.partition(":") for line in status.splitlines())}

    def records(self, *options):
        """Returns the records of the service in its container's log."""
        lines = self.run("podman", "logs", *options, self.container(SERVICE)).splitlines()
        return [json.loads(line) for line in lines if line.startswith("{")]

    def request(self, name, path, body=None, headers=()):
        """Returns the status and body of an answer."""
        request = urllib.request.Request(f"http://127.0.0.1:{self.ports[name]}{path}", body, dict(headers))
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                return answer.status, answer.read()
        except urllib.error.HTTPError as error:
            return error.code, error.read()

    def answers(self, name, path):
        """Returns whether the path is answered with 200."""
        try:
            return self.request(name, path)[0] == 200
        except (urllib.error.URLError, http.client.HTTPException, OSError):
            return False

    def wait_ready(self):
        for name, path in ((SERVICE, "/api/health/ready"), (LOGS, "/health"), (METRICS, "/-/ready")):
            wait_until(lambda name=name, path=path: self.answers(name, path), f"{name} is ready")

    def ask(self, body, path="/prediction"):
        """Requests a prediction and returns its status and JSON."""
        headers = {"content-type": "application/json", "x-api-key": self.key}
        status, text = self.request(SERVICE, MODEL + path, json.dumps(body).encode(), headers)
        return status, json.loads(text)

    def stored(self, query):
        """Returns the rows of a LogsQL query."""
        body = urllib.parse.urlencode({"query": query}).encode()
        status, text = self.request(LOGS, "/select/logsql/query", body)
        if status != 200:
            raise Failure(f"{query}: {text.decode()}")
        return [json.loads(line) for line in text.splitlines()]

    def count(self, query):
        return int(self.stored(f"{query} | stats count() n")[0]["n"])

    def metric(self, series):
        """Returns a value of the service's /metrics, or 0 if it is absent."""
        headers = {"authorization": f"Bearer {self.key}"}
        text = self.request(SERVICE, "/metrics", headers=headers)[1].decode()
        return sum(int(line.split()[-1]) for line in text.splitlines() if line.startswith(series))

    def down(self):
        self.compose("down", "-v", "-t", "0", check=False)
