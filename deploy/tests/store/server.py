"""Store servers on free ports, and their HTTP API."""

import json
import select
import subprocess
import time
import urllib.error
import urllib.request
from pathlib import Path

START_LIMIT_S = 600
STOP_LIMIT_S = 60
HEAP = "512m"


class Server:
    """A node built by Maven in `build`, with its data in `folder`. Use as a context manager."""

    def __init__(self, name: str, main_class: str, build: Path, folder: Path):
        self.name = name
        self.main_class = main_class
        self.build = build
        self.folder = folder

    def __enter__(self):
        self.folder.mkdir(parents=True)
        jars = (self.build / "class-path").read_text().strip()
        command = ["java", f"-Xms{HEAP}", f"-Xmx{HEAP}", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1",
                   "-cp", f"{self.build / 'classes'}:{jars}", self.main_class, str(self.folder / "node")]
        if (self.build / "all-jars").exists():
            command.append(str(self.build / "all-jars"))
        self.errors = self.folder / "stderr"
        start = time.monotonic()
        with self.errors.open("wb") as errors:
            self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=errors)
        try:
            self.address = f"http://127.0.0.1:{self._port()}"
        except BaseException:
            self._stop()
            raise
        self.start_s = time.monotonic() - start
        return self

    def __exit__(self, *_):
        self._stop()

    def _port(self) -> int:
        readable, _, _ = select.select([self.process.stdout], [], [], START_LIMIT_S)
        line = self.process.stdout.readline() if readable else b""
        if not line.strip():
            raise RuntimeError(f"{self.name} did not start:\n{self.errors.read_text()[-4000:]}")
        return int(line)

    def _stop(self):
        # The node ends when its standard input does.
        self.process.stdin.close()
        try:
            self.process.wait(STOP_LIMIT_S)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.process.stdout.close()

    def resident_mib(self) -> int:
        """Largest resident size so far."""
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        return next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmHWM:")) // 1024

    def call(self, method: str, path: str, body=None) -> tuple[int, dict]:
        """Sends `body`, an object or lines of JSON, and returns the status and the answer's object."""
        if isinstance(body, bytes):
            kind, data = "application/x-ndjson", body
        else:
            kind, data = "application/json", None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.address + path, data, {"content-type": kind}, method=method)
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                return answer.status, json.load(answer)
        except urllib.error.HTTPError as error:
            return error.code, json.loads(error.read())

    def expect(self, method: str, path: str, body=None) -> dict:
        """Like `call`; any status except 200 raises an error with the server's reason."""
        status, answer = self.call(method, path, body)
        if status != 200:
            raise AssertionError(f"{self.name}: {method} {path}: {status} {json.dumps(answer)[:1500]}")
        return answer

    def create(self, stream: str, documents: list[dict]) -> list[dict]:
        """Loads documents into a data stream and returns the outcome of each."""
        lines = "".join('{"create":{}}\n' + json.dumps(document) + "\n" for document in documents)
        answer = self.expect("POST", f"/{stream}/_bulk?refresh=true", lines.encode())
        return [item["create"] for item in answer["items"]]
