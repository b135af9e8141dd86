"""A VictoriaLogs server, and queries in LogsQL."""

import json
import urllib.error
import urllib.parse
import urllib.request

from processes import Process, free_port


class Store:
    def __init__(self, binary, folder):
        self.url = f"http://127.0.0.1:{free_port()}"
        self.process = Process(
            "VictoriaLogs",
            [
                binary,
                f"-httpListenAddr={self.url.removeprefix('http://')}",
                f"-storageDataPath={folder / 'store'}",
                "-retentionPeriod=100y",
            ],
            folder / "store.log",
        )
        self.process.wait_ready(self._is_ready)

    def _is_ready(self):
        try:
            with urllib.request.urlopen(f"{self.url}/health", timeout=10) as answer:
                return answer.status == 200
        except urllib.error.URLError:
            return False

    def query(self, text):
        """Returns all rows of a query, each as an object of strings."""
        body = urllib.parse.urlencode({"query": text}).encode()
        with urllib.request.urlopen(f"{self.url}/select/logsql/query", body, timeout=60) as answer:
            return [json.loads(line) for line in answer]

    def count(self, filter_text="*"):
        return int(self.query(f"{filter_text} | stats count() n")[0]["n"])
