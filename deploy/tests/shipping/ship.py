"""Ships the records of three instances of the demo through a collector, as container log files that are rotated
meanwhile, and compares the store with the log files. The collector is killed once.
"""

import argparse
import json
import os
import signal
import sys
import tempfile
import threading
import urllib.error
import urllib.request
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))

from container import CONTAINER, KEY, NAMESPACE, CriLog, Instance  # noqa: E402
from processes import Failure, Process, free_port, wait_until  # noqa: E402
from records import Comparison, expected, identifiers, stored  # noqa: E402
from results import report  # noqa: E402
from store import Store  # noqa: E402

KUBERNETES = HERE.parents[1] / "kubernetes"
CONFIGURATION = KUBERNETES / "logging/collector/config.yaml"
DEMO_CONFIGURATION = KUBERNETES / "base/rest_config.yaml"
# The flag of the DaemonSet next to that file.
FEATURE_GATES = "--feature-gates=stanza.synchronousLogEmitter"

# Fields with a place of their own in OTLP, by VictoriaLogs' name.
RENAMED = {
    "@timestamp": "_time",
    "message": "_msg",
    "log.level": "severity_text",
    "trace.id": "trace_id",
    "span.id": "span_id",
}
IGNORED = {"_stream", "_stream_id", "severity_number", "scope.name", "scope.version"}
FOREIGN = "not to be shipped"
PLAIN = "a line that is no JSON"
DIRECT = "a record by OTLP"


class Collector:
    """The collector with the configuration of the cluster."""

    def __init__(self, binary, logs, folder, store):
        self.binary = binary
        self.output = folder / "collector.log"
        self.otlp = f"127.0.0.1:{free_port()}"
        self.health = f"127.0.0.1:{free_port()}"
        self.environment = os.environ | {
            "LOG_DIRECTORY": str(logs),
            "STATE_DIRECTORY": str(folder / "state"),
            "LISTEN_ADDRESS": self.otlp,
            "HEALTH_ADDRESS": self.health,
            "OTLP_LOGS_ENDPOINT": f"{store.url}/insert/opentelemetry/v1/logs",
        }
        self.process = None

    def start(self):
        command = [self.binary, f"--config={CONFIGURATION}", FEATURE_GATES]
        self.process = Process("the collector", command, self.output, self.environment)
        self.process.wait_ready(self._is_ready)

    def _is_ready(self):
        try:
            with urllib.request.urlopen(f"http://{self.health}/", timeout=10) as answer:
                return answer.status == 200
        except OSError:
            return False

    def send(self, message):
        """Sends one record over OTLP, as a service does."""
        body = {"resourceLogs": [{
            "resource": {"attributes": [{"key": "service.name", "value": {"stringValue": "direct"}}]},
            "scopeLogs": [{"logRecords": [{
                "timeUnixNano": "1700000000000000000",
                "severityText": "INFO",
                "body": {"stringValue": message},
                "attributes": [{"key": "event.duration", "value": {"intValue": "42100"}}],
            }]}],
        }]}
        request = urllib.request.Request(
            f"http://{self.otlp}/v1/logs", json.dumps(body).encode(), {"content-type": "application/json"}
        )
        with urllib.request.urlopen(request, timeout=10) as answer:
            return answer.status == 200


class Run:
    def __init__(self, options, folder):
        logs = folder / "pods"
        self.store = Store(options.store, folder)
        self.collector = Collector(options.collector, logs, folder, self.store)
        # The container runtime cuts lines at 16 KiB; the demo's are shorter.
        sizes = [("insurance-charges-a", 16384, 3000, 600),
                 ("insurance-charges-b", 200, 2400, 800),
                 ("insurance-charges-c", 333, 2000, 1000)]
        keys = folder / "api-keys"
        keys.write_text(f"{KEY}\n")
        self.instances = [
            Instance(options.demo, DEMO_CONFIGURATION, keys, logs, name, limit, good, bad)
            for name, limit, good, bad in sizes
        ]
        self.foreign = CriLog(logs, "kube-system", "other", 16384)
        self.rotated_at = {instance.name: 0 for instance in self.instances}
        self.waiting_at_kill = 0
        self.duplicates = 0

    def results(self):
        """Runs all checks and yields their results."""
        self.collector.start()
        for instance in self.instances:
            wait_until(instance.is_ready, f"{instance.name} is ready")
        self.foreign.write(b"stdout", FOREIGN.encode())
        steps = 6
        for step in range(steps):
            if step == 2:
                # The kubelet leaves seconds between two rotations; this wait
                # takes their place: compressed files are not read, and the
                # next rotation comes while the collector is down.
                self._wait_stored(self.rotated_at)
                self._load(step, steps, kill=True)
                self._rotate()
                self.collector.start()
            else:
                self._load(step, steps, kill=False)
                self._wait_stored(self.rotated_at)
                self._rotate()
        for instance in self.instances:
            instance.log.write(b"stderr", PLAIN.encode())
            instance.stop()
        self.collector.send(DIRECT)
        self._wait_complete()
        if self.collector.process.stop() != 0:
            raise Failure("the collector did not exit with 0")
        yield from self._check()

    def _load(self, step, steps, kill):
        failures = []

        def ask(instance):
            total = instance.good + instance.bad
            try:
                instance.ask(total * (step + 1) // steps - total * step // steps)
            except Exception as failure:
                failures.append(failure)

        before = self._answered()
        share = sum(instance.good + instance.bad for instance in self.instances) // steps
        threads = [threading.Thread(target=ask, args=[instance]) for instance in self.instances]
        for thread in threads:
            thread.start()
        if kill:
            wait_until(lambda: failures or self._answered() - before > share // 2, "half of the questions")
            if not self.collector.process.kill():
                raise Failure("the collector was not ended by SIGKILL")
            self.waiting_at_kill = self._written() - self.store.count()
        for thread in threads:
            thread.join()
        if failures:
            raise failures[0]

    def _answered(self):
        return sum(len(instance.answers) for instance in self.instances)

    def _written(self):
        return sum(instance.log.lines for instance in self.instances)

    def _wait_stored(self, lines_of):
        """Waits until the store has this number of different lines of each pod."""
        for instance in self.instances:
            lines = lines_of[instance.name]
            distinct = (
                f'"k8s.pod.name":="{instance.name}" | stats count_uniq(_time, _msg, prediction_id) n'
            )
            wait_until(
                lambda: int(self.store.query(distinct)[0]["n"]) >= lines,
                f"{lines} lines of {instance.name} are in the store",
            )

    def _rotate(self):
        for instance in self.instances:
            self.rotated_at[instance.name] = instance.log.lines
            instance.log.rotate()

    def _wanted(self):
        for instance in self.instances:
            pod = {
                "k8s.namespace.name": NAMESPACE,
                "k8s.pod.name": instance.name,
                "k8s.pod.uid": instance.log.uid,
                "k8s.container.name": CONTAINER,
                "k8s.container.restart_count": "0",
                "log.iostream": "stdout",
            }
            for record in instance.records:
                yield expected(record, RENAMED, pod)

    def _compare(self):
        by_files = f'_msg:!="{PLAIN}" _msg:!="{DIRECT}"'
        self.found = [stored(document, IGNORED) for document in self.store.query(by_files)]
        return Comparison(self._wanted(), self.found)

    def _wait_complete(self):
        try:
            self._wait_stored({instance.name: instance.log.lines for instance in self.instances})
            wait_until(lambda: self.store.count(f'_msg:="{DIRECT}"'), "the record by OTLP is in the store")
        except Failure as failure:
            raise Failure(f"{failure}\n{self._compare().describe()}") from None

    def _check(self):
        comparison = self._compare()
        if not comparison.exact():
            raise Failure(comparison.describe())
        self.duplicates = comparison.duplicates
        records = len(self.found) - comparison.duplicates
        rotations = sum(instance.log.rotations for instance in self.instances)
        parts = sum(instance.log.parts for instance in self.instances)
        if not sum(instance.log.cut_characters for instance in self.instances):
            raise Failure("no line was cut within a character")
        yield (f"{records} records, {rotations} rotations, {parts} continued lines: every field equal",
               f"{comparison.duplicates} duplicates, {self.waiting_at_kill} not yet stored at SIGKILL")

        answers = {key: value for instance in self.instances for key, value in instance.answers.items()}
        second = {200: "Prediction created.", 400: "Prediction exception."}
        found = identifiers(self.found)
        if found.keys() != answers.keys():
            raise Failure(f"{len(found)} ids for {len(answers)} answers")
        for identifier, status in answers.items():
            if found[identifier].keys() != {"Prediction requested.", second[status]}:
                raise Failure(f"{identifier}: {found[identifier]}")
        yield f"{len(answers)} prediction ids, each with both records", "0 missing"

        for instance in self.instances:
            rows = self.store.query(
                f'action:=predict "k8s.pod.name":="{instance.name}" status:* '
                "| stats by (status) count_uniq(prediction_id) ids"
            )
            counts = {row["status"]: int(row["ids"]) for row in rows}
            if counts != {"success": instance.good, "error": instance.bad}:
                raise Failure(f"{instance.name}: {counts}")
        good = sum(instance.good for instance in self.instances)
        bad = sum(instance.bad for instance in self.instances)
        yield "LogsQL: predictions and failures per pod", f"{good} and {bad} in all"

        if self.store.count(f'_msg:="{FOREIGN}"'):
            raise Failure("a pod of another namespace was shipped")
        yield "a pod of another namespace", "not shipped"

        rows = self.store.query(f'_msg:="{PLAIN}" | stats by ("k8s.pod.name", "log.iostream") count() n')
        if len(rows) != len(self.instances) or {row["log.iostream"] for row in rows} != {"stderr"}:
            raise Failure(f"lines that are no JSON: {rows}")
        yield "a line on standard error that is no JSON", "kept as text"

        rows = self.store.query(f'_msg:="{DIRECT}"')
        if not rows or rows[0]["event.duration"] != "42100" or rows[0]["service.name"] != "direct":
            raise Failure(f"by OTLP: {rows}")
        yield "a record sent by OTLP", "stored with its attributes"

        self._check_the_check()
        yield "one record removed, one changed, one added", "each found by the comparison"

    def _check_the_check(self):
        """Checks that the comparison finds a missing, a changed and a duplicate record."""
        wanted = list(self._wanted())
        altered = tuple((name, "0" if name == "event.duration" else value) for name, value in wanted[-1])
        kept = [record for record in self.found if record != wanted[0]]
        if Comparison(wanted, kept).exact():
            raise Failure("a missing record was not found")
        if Comparison(wanted, self.found + [altered + (("x", "y"),)]).exact():
            raise Failure("an altered record was not found")
        if Comparison(wanted, self.found + [wanted[0]]).duplicates != self.duplicates + 1:
            raise Failure("a duplicate was not counted")

    def end(self):
        for instance in self.instances:
            instance.end()
        for process in (self.collector.process, self.store.process):
            if process:
                process.end()


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    for name in ("demo", "collector", "store"):
        parser.add_argument(f"--{name}", required=True, help="path of the program")
    parser.add_argument("--against", required=True, help="names and versions for the table of results")
    options = parser.parse_args()
    # SIGTERM also ends the children and removes the folder.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    with tempfile.TemporaryDirectory(prefix="shipping-") as folder:
        run = None
        try:
            run = Run(options, Path(folder))
            for what, result in run.results():
                report(what, options.against, result)
        except Failure as failure:
            print(f"shipping: {failure}", file=sys.stderr)
            for log in Path(folder).glob("*.log"):
                print(f"--- last lines of {log.name}", *log.read_text().splitlines()[-20:], sep="\n", file=sys.stderr)
            return 1
        finally:
            if run:
                run.end()
    return 0


if __name__ == "__main__":
    sys.exit(main())
