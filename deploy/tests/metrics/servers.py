"""The demo, and a Prometheus that scrapes it."""

import http.client
import json
import os
import re

from processes import Failure, Process
from prometheus import Prometheus

KEY = "a-key-of-this-test-0123456789"
JOB = "insurance-charges"
GOOD = {"age": 65, "sex": "male", "bmi": 50, "children": 5, "smoker": True, "region": "southwest"}
BAD = [GOOD | {"age": "old"}, GOOD | {"region": "nowhere"}, {}]


class Demo:
    """The demo with the cluster's configuration."""

    def __init__(self, binary, configuration, folder):
        keys = folder / "api-keys"
        keys.write_text(f"another-key-0123456789\n{KEY}\n", encoding="utf-8")
        environment = os.environ | {
            "REST_CONFIG": str(configuration),
            "ML_SERVICE__SERVER__ADDRESS": "127.0.0.1:0",
            "ML_SERVICE__SERVER__API_KEYS__FILE": str(keys),
            "ML_SERVICE__SERVER__READINESS_DELAY_S": "0",
        }
        self.process = Process("the demo", [binary], folder / "demo.log", environment)
        self.process.wait_ready(self._is_ready)
        self.connection = http.client.HTTPConnection(self.address, timeout=30)
        self.good = self.bad = 0

    def _is_ready(self):
        log = self.process.output.read_text(encoding="utf-8")
        found = re.search(r'"address":"([^"]+)"', log)
        self.address = found and found[1]
        return found and '"message":"All models are loaded."' in log

    def predict(self, good, bad):
        """Requests `good` valid and `bad` invalid predictions, and checks their status."""
        bodies = [GOOD] * good + [BAD[index % len(BAD)] for index in range(bad)]
        for body in bodies:
            headers = {"content-type": "application/json", "x-api-key": KEY}
            path = "/api/models/insurance_charges_model/prediction"
            self.connection.request("POST", path, json.dumps(body), headers)
            answer = self.connection.getresponse()
            answer.read()
            if answer.status != (200 if body is GOOD else 400):
                raise Failure(f"{body} is answered with {answer.status}")
        self.good += good
        self.bad += bad


class ScrapingPrometheus(Prometheus):
    """A Prometheus with the rules. It scrapes the demo as two services."""

    def __init__(self, rules, demo, folder):
        key = folder / "metrics-key"
        key.write_text(KEY, encoding="utf-8")
        scraped = {
            # As the PodMonitor does.
            "authorization": {"type": "Bearer", "credentials_file": str(key)},
            "static_configs": [{"targets": [demo.address]}],
        }
        other = [
            {"source_labels": [label], "regex": "(.+)", "target_label": label, "replacement": f"other_{label}"}
            for label in ("service", "model")
        ]
        configuration = {
            "global": {"scrape_interval": "1s", "scrape_timeout": "1s", "evaluation_interval": "1s"},
            "rule_files": [str(rules)],
            "scrape_configs": [
                {"job_name": JOB} | scraped,
                {"job_name": "other", "metric_relabel_configs": other} | scraped,
            ],
        }
        # JSON is YAML.
        file = folder / "prometheus.yml"
        file.write_text(json.dumps(configuration), encoding="utf-8")
        command = [
            "prometheus",
            f"--config.file={file}",
            f"--storage.tsdb.path={folder / 'data'}",
            # The system selects the port, and the log has it.
            "--web.listen-address=127.0.0.1:0",
            "--log.format=json",
        ]
        self.process = Process("Prometheus", command, folder / "prometheus.log")
        self.process.wait_ready(self._is_listening)

    def _is_listening(self):
        for line in self.process.output.read_text(encoding="utf-8").splitlines():
            if "Listening on" in line:
                super().__init__("http://" + json.loads(line)["address"])
                return self.is_ready()
        return False
