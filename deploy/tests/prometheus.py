"""Client of a Prometheus server."""

import json
import urllib.error
import urllib.parse
import urllib.request

from processes import Failure


class Prometheus:
    """The HTTP API of the server at `url`."""

    def __init__(self, url):
        self.url = url

    def is_ready(self):
        try:
            with urllib.request.urlopen(f"{self.url}/-/ready", timeout=10) as answer:
                return answer.status == 200
        except (urllib.error.URLError, OSError):
            return False

    def get(self, path, parameters=()):
        """Returns the data of an answer."""
        address = f"{self.url}/api/v1/{path}?{urllib.parse.urlencode(parameters)}"
        try:
            with urllib.request.urlopen(address, timeout=60) as answer:
                return json.load(answer)["data"]
        except urllib.error.HTTPError as error:
            raise Failure(f"{path} {parameters}: {error.read().decode()}") from None

    def query(self, text):
        """Returns the series of an instant query: labels and value."""
        result = self.get("query", {"query": text})["result"]
        return [(series["metric"], float(series["value"][1])) for series in result]

    def value(self, text):
        """Returns the value of a query with one series, or None."""
        found = self.query(text)
        return found[0][1] if len(found) == 1 else None

    def alerts(self):
        """Returns the alerting rules by name."""
        groups = self.get("rules")["groups"]
        return {rule["name"]: rule for group in groups for rule in group["rules"]}
