"""Starts deploy/compose and checks records, metrics and alerts of its predictions."""

import argparse
import json
import subprocess
import sys
import tempfile
import threading
import time
from datetime import datetime, timezone
from pathlib import Path

from stack import BAD, COMPOSE, GOOD, LOGS, METRICS, SERVICE, Failure, Stack, wait_until

from records import Comparison, expected, stored  # noqa: E402 (stack extends the path)
from results import report  # noqa: E402

# Fields with a place of their own in OTLP, by VictoriaLogs' name.
RENAMED = {"@timestamp": "_time", "message": "_msg", "log.level": "severity_text", "log.logger": "scope.name"}
IGNORED = {"_stream", "_stream_id", "severity_number", "service.name", "scope.version",
           "telemetry.sdk.language", "telemetry.sdk.name", "telemetry.sdk.version"}
GOOD_COUNT, BAD_COUNT, BATCHES, ROWS, LOST = 200, 40, 10, 500, 25
MESSAGES = {200: "Prediction created.", 400: "Prediction exception."}


def as_written(document):
    """Converts the time and level of OTLP to their form in the log."""
    whole, _, fraction = document["_time"].removesuffix("Z").partition(".")
    return document | {"_time": f"{whole}.{fraction[:3]}Z", "severity_text": document["severity_text"].lower()}


class Run:
    def __init__(self, options, folder):
        self.options = options
        self.stack = Stack(options.podman_compose, options.image, folder)
        self.folder = folder
        self.answered = {}

    def results(self):
        yield self._file()
        yield self._refusals()
        self.stack.up()
        self.stack.wait_ready()
        yield self._containers()
        yield self._published()
        yield self._predictions()
        yield self._typed()
        yield self._metrics()
        yield self._batches()
        yield self._outage()
        yield self._alert()
        yield self._stop()
        yield self._down()

    def _file(self):
        """Checks the file with the loader of Docker Compose."""
        file = COMPOSE / "compose.yaml"

        def read(file):
            command = [self.options.loader, COMPOSE.parent / "versions.env", file]
            return subprocess.run(command, env=self.stack.environment, capture_output=True, text=True, check=False)

        result = read(file)
        if result.returncode:
            raise Failure(result.stderr)
        services = json.loads(result.stdout)["services"]
        if set(services) != {SERVICE, LOGS, METRICS}:
            raise Failure(f"the services are {sorted(services)}")
        for name, service in services.items():
            wanted = {"cap_drop": ["ALL"], "security_opt": ["no-new-privileges"], "read_only": True,
                      "restart": "unless-stopped"}
            for key, value in wanted.items():
                if service.get(key) != value:
                    raise Failure(f"{name}.{key} is {service.get(key)}")
            if not service.get("mem_limit") or {port["host_ip"] for port in service["ports"]} != {"127.0.0.1"}:
                raise Failure(f"{name} has no memory limit, or a port on other addresses than 127.0.0.1")
        misspelt = self.folder / "compose.yaml"
        misspelt.write_text(file.read_text(encoding="utf-8").replace("read_only", "readonly"), encoding="utf-8")
        if not read(misspelt).returncode:
            raise Failure("a misspelt key is not found")
        self.stack.compose("config")
        return "compose.yaml", "loaders of Docker Compose and podman-compose", "valid; a misspelt key is not"

    def _refusals(self):
        """Checks that the script names what is missing, and starts nothing."""
        missing = {"SECRETS_DIRECTORY": str(self.folder / "nowhere"), "SERVICE_IMAGE": "localhost/no-such-image:test"}
        for name, value in missing.items():
            result = subprocess.run([COMPOSE / "up"], env=self.stack.environment | {name: value},
                                    capture_output=True, text=True, check=False)
            if not result.returncode or f"{value}" not in result.stderr:
                raise Failure(f"up without {name}: {result.returncode} {result.stderr}")
        return "up without keys, up without the image", "its exit status", "refused, naming what is missing"

    def _containers(self):
        users = {SERVICE: "65532", LOGS: "0", METRICS: "65534"}
        for name, user in users.items():
            status = self.stack.process_status(name)
            found = status["Uid"][0], status["CapEff"][0].strip("0"), status["NoNewPrivs"][0]
            if found != (user, "", "1"):
                raise Failure(f"{name} runs with user, capabilities, privileges {found}")
            settings = self.stack.inspect(name)["HostConfig"]
            if not settings["ReadonlyRootfs"] or settings["Memory"] not in (256 << 20, 512 << 20):
                raise Failure(f"{name}: {settings['ReadonlyRootfs']}, {settings['Memory']} bytes")
        for name in (LOGS, METRICS):
            self.stack.run("podman", "healthcheck", "run", self.stack.container(name))
        return "3 containers", "/proc, podman", "read-only, no capabilities, limits of memory; 2 health checks pass"

    def _published(self):
        for name in (SERVICE, LOGS, METRICS):
            bindings = self.stack.inspect(name)["NetworkSettings"]["Ports"].values()
            if {binding["HostIp"] for ports in bindings for binding in ports or []} != {"127.0.0.1"}:
                raise Failure(f"{name} is published to other machines")
        if self.stack.request(SERVICE, "/api/models")[0] != 401:
            raise Failure("the service answers without a key")
        return "published ports", "podman", "on 127.0.0.1 only; 401 without a key"

    def _ask(self, count, body, status):
        for _ in range(count):
            found, answer = self.stack.ask(body)
            if found != status:
                raise Failure(f"answered with {found}: {answer}")
            self.answered[answer["prediction_id"]] = status

    def _predictions(self):
        self._ask(GOOD_COUNT, GOOD, 200)
        self._ask(BAD_COUNT, BAD, 400)
        total = 2 * (GOOD_COUNT + BAD_COUNT)
        wait_until(lambda: self.stack.count("action:=predict") == total, f"{total} records")
        for identifier in self.answered:
            self._check_stored(identifier)
        return f"{len(self.answered)} predictions through the published port", "VictoriaLogs", f"{total} records; each found by its id, both records"

    def _check_stored(self, identifier):
        """Checks that an id finds the two records of its prediction. A counted record may become searchable later."""
        wanted = ["Prediction requested.", MESSAGES[self.answered[identifier]]]

        def found():
            records = self.stack.stored(f'prediction_id:="{identifier}"')
            return sorted((record["_msg"] for record in records), reverse=True)

        wait_until(lambda: found() == wanted, f"{identifier} finds {wanted}")

    def _typed(self):
        """Checks every field of every record, and that numbers compare as numbers."""
        wanted = [expected(record, RENAMED, {}) for record in self.stack.records()]
        query = '"service.name":=insurance-charges'
        wait_until(lambda: self.stack.count(query) >= len(wanted), "every record of the container's log")
        found = [stored(as_written(record), IGNORED) for record in self.stack.stored(query)]
        comparison = Comparison(wanted, found)
        if not comparison.exact() or comparison.duplicates:
            raise Failure(comparison.describe())
        counts = {
            # A refused input is on record with the fields that could be read.
            "age:>64.5": GOOD_COUNT + BAD_COUNT,
            "age:>65": 0,
            "charges:>9000.5": GOOD_COUNT,
            'status:=error "error.message":*': BAD_COUNT,
            'node_name:="the-machine" "host.name":="insurance-charges" status:=success': GOOD_COUNT,
            '"event.duration":<1000000000 status:=success': GOOD_COUNT,
        }
        for query, count in counts.items():
            if self.stack.count(query) != count:
                raise Failure(f"{query} finds {self.stack.count(query)}, not {count}")
        return f"{len(wanted)} records, every field", "the container's log", "equal in VictoriaLogs, none twice; numbers compare as numbers"

    def _metrics(self):
        def scraped():
            targets = self.stack.prometheus.get("targets")["activeTargets"]
            return [target["health"] for target in targets] == ["up"]

        wait_until(scraped, "the target of Prometheus is up")

        def all_counted():
            return self.stack.prometheus.value("sum(model_predictions_total)") == len(self.answered)

        wait_until(all_counted, "every prediction is counted")
        # Rules that were evaluated before the first scrape see no instance.
        wait_until(lambda: {(rule["health"], rule["state"]) for rule in self._rules()} == {("ok", "inactive")},
                   "every rule is evaluated, and none is active")
        rules = self._rules()
        return f"1 target, {len(rules)} alert rules", "Prometheus", f"up, evaluated, none active; {len(self.answered)} predictions counted"

    def _rules(self):
        return list(self.stack.prometheus.alerts().values())

    def _batches(self):
        before = self.stack.count("batch_id:*")
        started = time.monotonic()
        for _ in range(BATCHES):
            status, _ = self.stack.ask([GOOD] * ROWS, "/predictions")
            if status != 200:
                raise Failure(f"a batch is answered with {status}")
        seconds = time.monotonic() - started
        total = 2 * BATCHES * ROWS
        wait_until(lambda: self.stack.count("batch_id:*") - before == total, f"{total} records of batches")
        if lost := self._lost():
            raise Failure(f"{lost} records are lost")
        return f"{BATCHES} batches of {ROWS} at once", "VictoriaLogs", f"{total} records, {total / seconds:.0f} per second, none lost"

    def _lost(self):
        return self.stack.metric('log_records_total{handler="victoria_logs",outcome="lost"}')

    def _outage(self):
        """Checks that records lost while the store is down are counted, and stored again with the runbook's command."""
        since = datetime.now(timezone.utc).isoformat()
        before = set(self.answered)
        kept = self.stack.count("action:=predict")
        self.stack.compose("stop", LOGS)
        self._ask(LOST, GOOD, 200)
        wait_until(lambda: self._lost() == 2 * LOST, f"{2 * LOST} records are counted as lost")
        self.stack.compose("start", LOGS)
        wait_until(lambda: self.stack.answers(LOGS, "/health"), "VictoriaLogs is back")
        if self.stack.count("action:=predict") != kept:
            raise Failure("VictoriaLogs lost stored records")
        lines = [json.dumps(record) for record in self.stack.records("--since", since)]
        path = "/insert/jsonline?_time_field=@timestamp&_msg_field=message&_stream_fields=host.name"
        headers = {"content-type": "application/stream+json"}
        status, text = self.stack.request(LOGS, path, "\n".join(lines).encode(), headers)
        if status != 200:
            raise Failure(f"/insert/jsonline: {text.decode()}")
        ids = set(self.answered) - before
        wait_until(lambda: self.stack.count("action:=predict") == kept + 2 * LOST, "the records are stored again")
        for identifier in ids:
            self._check_stored(identifier)
        return f"{LOST} predictions while VictoriaLogs is stopped", "/metrics, the container's log", f"{2 * LOST} records lost, counted, stored again from the log"

    def _alert(self):
        def firing():
            return [rule["name"] for rule in self._rules() if rule["state"] == "firing"] == ["LogRecordsLost"]

        wait_until(firing, "LogRecordsLost fires, and no other alert", 120)
        return "these lost records", "Prometheus", "LogRecordsLost fires, no other alert does"

    def _stop(self):
        """Stops the service under load, and checks that the records of all answers are stored."""
        container = self.stack.container(SERVICE)
        answered, failures = [], []

        def client():
            try:
                while True:
                    status, answer = self.stack.ask(GOOD)
                    if status != 200:
                        failures.append((status, answer))
                        return
                    answered.append(answer["prediction_id"])
            except OSError:
                # The port is closed.
                return

        clients = [threading.Thread(target=client) for _ in range(4)]
        for thread in clients:
            thread.start()
        wait_until(lambda: len(answered) > 200 or failures, "200 answers")
        self.stack.compose("stop", SERVICE)
        for thread in clients:
            thread.join()
        if failures:
            raise Failure(f"answered with {failures[0]}")
        state = json.loads(self.stack.run("podman", "inspect", container))[0]["State"]
        if state["ExitCode"] != 0 or state["OOMKilled"]:
            raise Failure(f"the service exited with {state}")

        def incomplete():
            rows = self.stack.stored("action:=predict | stats by (prediction_id) count() n")
            counts = {row["prediction_id"]: row["n"] for row in rows}
            return [identifier for identifier in answered if counts.get(identifier) != "2"]

        try:
            wait_until(lambda: not incomplete(), "both records of each prediction are stored")
        except Failure as failure:
            raise Failure(f"{failure}: {len(incomplete())} of {len(answered)} are not") from None
        return "stop of the service under load", "VictoriaLogs", f"exit status 0; {len(answered)} predictions answered, both records each"

    def _down(self):
        self.stack.down()
        left = {what: self.stack.run("podman", what, *options).split() for what, options in
                (("ps", ["-aq"]), ("volume", ["ls", "-q"]), ("network", ["ls", "-q"]))}
        if left != {"ps": [], "volume": [], "network": ["podman"]}:
            raise Failure(f"left: {left}")
        return "down -v", "podman", "no container, volume or network left"

    def end(self):
        self.stack.down()


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    for name in ("image", "loader", "podman-compose"):
        parser.add_argument(f"--{name}", required=True)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="compose-") as folder:
        run = Run(options, Path(folder))
        try:
            for line in run.results():
                report(*line)
        except Failure as failure:
            print(f"compose: {failure}", file=sys.stderr)
            for name in (SERVICE, LOGS, METRICS):
                label = f"label=com.docker.compose.service={name}"
                for container in run.stack.run("podman", "ps", "-aq", "--filter", label, check=False).split():
                    log = subprocess.run(["podman", "logs", "--tail", "8", container], env=run.stack.environment,
                                         capture_output=True, text=True, check=False)
                    print(f"--- last lines of {name}", (log.stdout + log.stderr)[-3000:], sep="\n", file=sys.stderr)
            return 1
        finally:
            run.end()
    return 0


if __name__ == "__main__":
    sys.exit(main())
