"""The Grafana dashboard: its defects, and its queries as Grafana sends them."""

import json
import re
from pathlib import Path

SOURCE = {"type": "prometheus", "uid": "${datasource}"}
ALL = "$__all"


class Dashboard:
    def __init__(self, content):
        self.content = content
        self.panels = content["panels"]
        self.variables = {variable["name"]: variable for variable in content["templating"]["list"]}

    @classmethod
    def read(cls, path):
        return cls(json.loads(Path(path).read_text(encoding="utf-8")))

    def problems(self):
        """Yields what Grafana would refuse or show wrongly."""
        yield from repeated("id of a panel", [panel["id"] for panel in self.panels])
        yield from repeated("title", [panel["title"] for panel in self.panels])
        yield from self._overlaps()
        for panel in self.panels:
            yield from repeated(f"refId of {panel['title']}", [target["refId"] for target in panel["targets"]])
            if not panel["targets"]:
                yield f"{panel['title']} has no query"
        for place, source in references(self.content):
            if source != SOURCE:
                yield f"{place} is {source}"
        known = set(self.variables) | {"__rate_interval"}
        for name in set(re.findall(r"\$\{?(\w+)", json.dumps(self.content))) - known - {"__all"}:
            yield f"${name} is not defined"
        for panel, target in self.targets():
            if 'job=~"$job"' not in target["expr"]:
                yield f"{panel['title']} {target['refId']} shows jobs that are not selected"

    def _overlaps(self):
        taken = {}
        for panel in self.panels:
            at = panel["gridPos"]
            if at["x"] < 0 or at["y"] < 0 or at["w"] < 1 or at["h"] < 1 or at["x"] + at["w"] > 24:
                yield f"{panel['title']} is outside the page"
            for x in range(at["x"], at["x"] + at["w"]):
                for y in range(at["y"], at["y"] + at["h"]):
                    other = taken.setdefault((x, y), panel)
                    if other is not panel:
                        yield f"{panel['title']} covers {other['title']}"
                        return

    def targets(self):
        for panel in self.panels:
            for target in panel["targets"]:
                yield panel, target

    def jobs(self, get):
        """Returns the values of the variable `job`, as Grafana evaluates `label_values(SERIES, job)`."""
        query = self.variables["job"]["query"]["query"]
        found = re.fullmatch(r"label_values\((.*), *(\w+)\)", query)
        return get(f"label/{found[2]}/values", {"match[]": found[1]})

    def query(self, target, job, jobs, rate_interval):
        """Returns a query with its variables replaced; `job` is one of `jobs` or ALL."""
        return target["expr"].replace("$__rate_interval", rate_interval).replace("$job", self._job(job, jobs))

    def _job(self, job, jobs):
        if job != ALL:
            return escaped(job)
        if value := self.variables["job"].get("allValue"):
            return value
        return escaped(jobs[0]) if len(jobs) == 1 else "(" + "|".join(map(escaped, jobs)) + ")"


def escaped(value):
    """Escapes the value of a variable for a regular expression in a PromQL string."""
    return re.sub(r"[\\^$*+?.()|\[\]{}]", lambda found: "\\\\" + found[0], value)


def legend(target, labels):
    """Returns the legend of a series, and the labels that the legend names and the series lacks."""
    missing = [name for name in re.findall(r"\{\{ *(\w+) *\}\}", target["legendFormat"]) if name not in labels]
    name = re.sub(r"\{\{ *(\w+) *\}\}", lambda found: labels.get(found[1], ""), target["legendFormat"])
    return name, missing


def repeated(what, values):
    for value in sorted({str(value) for value in values if values.count(value) > 1}):
        yield f"{what} twice: {value}"


def references(value, place="dashboard"):
    """Yields every reference to a data source, with its place."""
    if isinstance(value, dict):
        for key, inner in value.items():
            if key == "datasource":
                yield f"{place}.{key}", inner
            else:
                yield from references(inner, f"{place}.{key}")
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from references(inner, f"{place}[{index}]")
