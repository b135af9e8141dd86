"""One instance of the demo, with its log kept as a container runtime and the
kubelet keep it: CRI lines in <namespace>_<pod>_<uid>/<container>/0.log,
rotated by renaming, compressed one rotation later.
"""

import gzip
import http.client
import json
import os
import re
import shutil
import subprocess
import threading
import time
import uuid
from pathlib import Path

from processes import Failure, wait_until

NAMESPACE = "model-services"
CONTAINER = "insurance-charges"
KEY = "key-of-a-test-run"
QUESTION = {"age": 65, "sex": "male", "bmi": 50, "children": 5, "smoker": True, "region": "southwest"}


class CriLog:
    """Writes the log files of one container."""

    def __init__(self, root, namespace, pod, line_limit):
        self.uid = str(uuid.uuid4())
        self.folder = Path(root) / f"{namespace}_{pod}_{self.uid}" / CONTAINER
        self.folder.mkdir(parents=True)
        self.line_limit = line_limit
        self.lock = threading.Lock()
        self.lines = 0
        self.parts = 0
        self.cut_characters = 0
        self.rotations = 0
        self._open()

    def _open(self):
        flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND
        self.file = os.open(self.folder / "0.log", flags, 0o640)

    def write(self, stream, line):
        """Writes a line (without its newline), in several parts if it is long.

        Parts are cut at bytes, in the middle of a character if need be.
        """
        with self.lock:
            cuts = range(0, max(len(line), 1), self.line_limit)
            for start in cuts:
                tag = b"F" if start + self.line_limit >= len(line) else b"P"
                self.cut_characters += start < len(line) and line[start] & 0xC0 == 0x80
                os.write(self.file, b" ".join([_now(), stream, tag, line[start:start + self.line_limit]]) + b"\n")
            self.lines += 1
            self.parts += len(cuts) - 1

    def rotate(self):
        """Renames 0.log, compresses the file that was renamed before."""
        for old in self.folder.glob("0.log.*"):
            if old.suffix == ".gz":
                continue
            # As the kubelet does: under another name first.
            partial = old.with_name(old.name + ".tmp")
            with open(old, "rb") as source, gzip.open(partial, "wb") as target:
                shutil.copyfileobj(source, target)
            partial.rename(old.with_name(old.name + ".gz"))
            old.unlink()
        with self.lock:
            os.close(self.file)
            # Names have whole seconds; rotations of this test can be closer.
            stamp = time.strftime("%Y%m%d-%H%M%S", time.gmtime(time.time() + self.rotations * 60))
            (self.folder / "0.log").rename(self.folder / f"0.log.{stamp}")
            self._open()
            self.rotations += 1


def _now():
    seconds, nanoseconds = divmod(time.time_ns(), 1_000_000_000)
    return f"{time.strftime('%Y-%m-%dT%H:%M:%S', time.gmtime(seconds))}.{nanoseconds:09d}Z".encode()


class Instance:
    """The demo as a pod."""

    def __init__(self, binary, configuration, keys, root, name, line_limit, good, bad):
        self.name = name
        self.good = good
        self.bad = bad
        self.log = CriLog(root, NAMESPACE, name, line_limit)
        self.records = []
        self.answers = {}
        self.address = None
        # The cluster's configuration, except for settings that need a cluster.
        environment = {
            "REST_CONFIG": str(configuration),
            "ML_SERVICE__SERVER__ADDRESS": "127.0.0.1:0",
            "ML_SERVICE__SERVER__READINESS_DELAY_S": "0",
            "ML_SERVICE__SERVER__API_KEYS__FILE": str(keys),
            "POD_NAME": name,
            "NODE_NAME": f"node-of-{name}",
            "NODE_IP": "192.0.2.10",
        }
        self.child = subprocess.Popen(
            [binary], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, env=environment
        )
        self.reader = threading.Thread(target=self._copy, daemon=True)
        self.reader.start()
        self.questions = self._plan()

    def _copy(self):
        for line in self.child.stdout:
            line = line.rstrip(b"\n")
            self.records.append(json.loads(line))
            if self.address is None:
                found = re.search(rb'"address":"([^"]+)"', line)
                self.address = found and found.group(1).decode()
            self.log.write(b"stdout", line)

    def _plan(self):
        """Yields valid and invalid inputs, the invalid ones spread evenly."""
        total = self.good + self.bad
        for number in range(total):
            bad = (number + 1) * self.bad // total != number * self.bad // total
            if not bad:
                yield dict(QUESTION, age=18 + number % 47, bmi=15 + number % 350 / 10), 200
            elif number % 2:
                yield dict(QUESTION, age=17), 400
            else:
                # Long and not ASCII, so that a line is cut within a character.
                yield dict(QUESTION, region="x" * (number % 9) + "ü" * 50), 400

    def is_ready(self):
        if self.child.poll() is not None:
            raise Failure(f"{self.name} exited with {self.child.returncode}")
        if self.address is None:
            return False
        connection = http.client.HTTPConnection(self.address, timeout=10)
        try:
            connection.request("GET", "/api/health/ready")
            return connection.getresponse().status == 200
        finally:
            connection.close()

    def ask(self, count):
        """Requests the next predictions and keeps the status of each answer by its id."""
        connection = http.client.HTTPConnection(self.address, timeout=30)
        for number in range(count):
            question, expected = next(self.questions)
            headers = {"content-type": "application/json", "x-api-key": KEY}
            if number % 5 == 0:
                headers["traceparent"] = f"00-{uuid.uuid4().hex}-{uuid.uuid4().hex[:16]}-01"
            connection.request(
                "POST",
                "/api/models/insurance_charges_model/prediction",
                json.dumps(question),
                headers,
            )
            response = connection.getresponse()
            identifier = json.loads(response.read())["prediction_id"]
            if response.status != expected or identifier in self.answers:
                raise Failure(f"{self.name}: {identifier} was answered {response.status}")
            self.answers[identifier] = response.status
        connection.close()

    def stop(self):
        """Stops the demo and waits until its last line is in the log."""
        self.child.terminate()
        if self.child.wait(60) != 0:
            raise Failure(f"{self.name} exited with {self.child.returncode}")
        wait_until(lambda: not self.reader.is_alive(), f"{self.name}'s output is read")

    def end(self):
        if self.child.poll() is None:
            self.child.kill()
            self.child.wait()
