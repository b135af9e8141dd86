"""Runs every query of the dashboard and the runbook on a Prometheus that has the alert rules and scrapes the demo under
load.
"""

import argparse
import copy
import json
import math
import re
import sys
import tempfile
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
DEPLOY = HERE.parents[1]
sys.path.insert(0, str(HERE.parent))

import runbook  # noqa: E402
from dashboard import ALL, Dashboard, legend  # noqa: E402
from processes import Failure, wait_until  # noqa: E402
from results import report  # noqa: E402
from servers import JOB, Demo, ScrapingPrometheus  # noqa: E402

GENERATED = DEPLOY / "kubernetes/components/monitoring/generated"
CONFIGURATION = DEPLOY / "kubernetes/base/rest_config.yaml"
RUNBOOK = DEPLOY.parent / "docs/runbook.md"
MODEL = "insurance_charges_model"
ROUNDS, GOOD, BAD = 12, 20, 4


class Run:
    def __init__(self, binary, folder):
        self.demo = self.prometheus = None
        self.binary, self.folder = binary, folder
        self.dashboard = Dashboard.read(GENERATED / "dashboard.grafana.json")
        self.runbook = RUNBOOK.read_text(encoding="utf-8")

    def start(self):
        self.demo = Demo(self.binary, CONFIGURATION, self.folder)
        self.prometheus = ScrapingPrometheus(GENERATED / "rules.yaml", self.demo, self.folder)
        self.started = time.time()
        version = self.prometheus.get("status/buildinfo")["version"]
        self.against = f"Prometheus {version}"

    def results(self):
        yield self._structure()
        self.start()
        self._load()
        yield self._counts()
        yield self._rules()
        yield self._sections()
        yield self._panels()
        yield self._values()
        yield self._misspelt()
        yield self._runbook_queries()
        yield self._absence()

    def _structure(self):
        if problems := list(self.dashboard.problems()):
            raise Failure("dashboard: " + "; ".join(problems))
        spoilt = [
            lambda content: content["panels"][1].update(id=content["panels"][0]["id"]),
            lambda content: content["panels"][1].update(gridPos=content["panels"][0]["gridPos"]),
            lambda content: content["panels"][1]["gridPos"].update(w=25),
            lambda content: content["panels"][0]["targets"].append(content["panels"][0]["targets"][0]),
            lambda content: content["panels"][0]["targets"][0]["datasource"].update(uid="abc"),
            lambda content: content["panels"][0].update(datasource=None),
            lambda content: content["panels"][0]["targets"][0].update(expr='up{job=~"$job", x="$nothing"}'),
            lambda content: content["panels"][0]["targets"][0].update(expr="up"),
        ]
        for number, spoil in enumerate(spoilt):
            content = copy.deepcopy(self.dashboard.content)
            spoil(content)
            if not list(Dashboard(content).problems()):
                raise Failure(f"the defects of dashboard {number} are not found")
        panels = len(self.dashboard.panels)
        return f"{panels} panels: ids, places, data source, variables", "the file", f"valid; {len(spoilt)} defects found"

    def _load(self):
        def total(status):
            return self.prometheus.value(f'sum(model_predictions_total{{job="{JOB}",status="{status}"}})')

        # The first samples have no predictions.
        wait_until(lambda: total("success") == 0, "a first scrape")
        for _ in range(ROUNDS):
            self.demo.predict(GOOD, BAD)
            wait_until(lambda: total("success") == self.demo.good and total("error") == self.demo.bad, "a scrape")

    def _counts(self):
        """Compares the counts in Prometheus with the requests sent."""
        good, bad = self.demo.good, self.demo.bad
        route = f'job="{JOB}",handler="/api/models/{{qualified_name}}/prediction",method="POST"'
        expected = {
            f'sum(model_predictions_total{{job="{JOB}",model="{MODEL}",status="success"}})': good,
            f'sum(model_predictions_total{{job="{JOB}",model="{MODEL}",status="error"}})': bad,
            f'http_requests_total{{{route},status="2xx"}}': good,
            f'http_requests_total{{{route},status="4xx"}}': bad,
            f'sum(model_prediction_duration_seconds_count{{job="{JOB}"}})': good + bad,
            f'sum(log_records_total{{job="{JOB}",outcome=~"lost|dropped"}})': 0,
            f'sum(log_records_total{{job="{JOB}",outcome="written"}}) >= bool {2 * (good + bad)}': 1,
            f'model_service_ready{{job="{JOB}"}}': 1,
            "sum(up)": 2,
        }
        for query, value in expected.items():
            found = self.prometheus.value(query)
            if found != value:
                raise Failure(f"{query} is {found}, not {value}")
        return f"{good} predictions, {bad} refused inputs", self.against, f"{good} and {bad} counted"

    def _rules(self):
        alerts = self.prometheus.alerts()
        for name, rule in alerts.items():
            if rule["health"] != "ok" or rule.get("lastError"):
                raise Failure(f"{name} is {rule['health']}: {rule.get('lastError')}")
            if rule["state"] != "inactive":
                raise Failure(f"{name} is {rule['state']}")
        return f"{len(alerts)} alert rules on the scraped demo", self.against, "evaluated, none active"

    def _sections(self):
        alerts = {name: rule["annotations"]["runbook_url"] for name, rule in self.prometheus.alerts().items()}
        if problems := list(runbook.problems(alerts, self.runbook)):
            raise Failure("runbook: " + "; ".join(problems))
        first = next(iter(alerts))
        for text in (self.runbook.replace(f"## {first}", f"## {first} now"), self.runbook + "\n## Another\n"):
            if not list(runbook.problems(alerts, text)):
                raise Failure("a wrong section of the runbook is not found")
        return "the runbook's sections", "runbook_url of each alert", f"{len(alerts)} of {len(alerts)}"

    def _queries(self, job, rate_interval):
        jobs = self.dashboard.jobs(self.prometheus.get)
        for panel, target in self.dashboard.targets():
            yield panel, target, self.dashboard.query(target, job, jobs, rate_interval)

    def _has_data(self, query):
        """Returns the series of a range query that have a number, as a panel shows them."""
        parameters = {"query": query, "start": self.started, "end": time.time(), "step": 1}
        result = self.prometheus.get("query_range", parameters)["result"]
        return [s for s in result if any(math.isfinite(float(value)) for _, value in s["values"])]

    def _panels(self):
        jobs = self.dashboard.jobs(self.prometheus.get)
        if jobs != [JOB]:
            raise Failure(f"the selectable jobs are {jobs}")
        count = 0
        for job in (JOB, ALL):
            # Grafana: the larger of four scrape intervals, and one interval and one step.
            for panel, target, query in self._queries(job, "4s"):
                series = self._has_data(query)
                if not series:
                    raise Failure(f"{panel['title']}: no data: {query}")
                for one in series:
                    if missing := legend(target, one["metric"])[1]:
                        raise Failure(f"{panel['title']}: its legend has {missing}, which its series lack")
                count += 1
        return "queries of the dashboard, for one job and for all", self.against, f"{count} of {count} return data"

    def _values(self):
        """Checks the values of the panels over the whole load."""
        window = math.ceil(time.time() - self.started) + 2
        for job in (JOB, ALL):
            shown = {}
            for panel, target, query in self._queries(job, f"{window}s"):
                found = {legend(target, labels)[0]: value for labels, value in self.prometheus.query(query)}
                shown.setdefault(panel["title"], {}).update(found)
            unknown = shown.keys() ^ EXPECTED.keys()
            if unknown:
                raise Failure(f"panels that are missing or unexpected: {sorted(unknown)}")
            for title, is_plausible in EXPECTED.items():
                if not is_plausible(shown[title], window, self.demo):
                    raise Failure(f"{title}, job {job}: {shown[title]} over {window} s")
        return "values of the panels, for one job and for all", "the requests sent", f"{len(EXPECTED)} panels plausible"

    def _misspelt(self):
        count = 0
        for _, _, query in self._queries(ALL, "4s"):
            for metric in set(re.findall(r"\b(\w+)\{", query)):
                if self._has_data(re.sub(rf"\b{metric}\b", f"{metric}x", query)):
                    raise Failure(f"{metric}, misspelt, returns data in {query}")
                count += 1
        return "misspelt metrics in these queries", self.against, f"{count} of {count} return nothing"

    def _runbook_queries(self):
        names = set(self.prometheus.get("label/__name__/values"))
        queries = list(runbook.queries(self.runbook))
        if not queries:
            raise Failure("the runbook has no queries")
        for query in queries:
            self.prometheus.query(query)
            if unknown := set(re.findall(r"\b([a-z]\w+)\{", query)) - names:
                raise Failure(f"runbook: unknown metrics {unknown}: {query}")
        return "queries of the runbook", self.against, f"{len(queries)} of {len(queries)} valid, every metric exists"

    def _absence(self):
        if self.demo.process.stop() != 0:
            raise Failure("the demo did not exit with 0")
        alert = "ModelServiceNotReady"
        # The series of the other service come from the same process, so they end as well.
        wait_until(lambda: self.prometheus.alerts()[alert]["state"] == "pending", f"{alert} is pending")
        return "stop of the demo", self.against, f"{alert} becomes pending"

    def end(self):
        for server in (self.prometheus, self.demo):
            if server:
                server.process.end()


def near(value, wanted):
    """Prometheus extrapolates a rate to the borders of its window, by at most a tenth here."""
    return wanted * 0.9 <= value <= wanted * 1.1


def latency(shown, names, limit=1):
    values = [shown.get(name, math.nan) for name in names]
    return len(shown) == len(names) and values == sorted(values) and 0 < values[0] and values[-1] < limit


def failed_share(shown, _window, demo):
    return shown.keys() == {MODEL} and math.isclose(shown[MODEL], demo.bad / (demo.good + demo.bad), rel_tol=0.01)


def predictions(shown, window, demo):
    wanted = {"success": demo.good, "error": demo.bad}
    found = {name.split()[-1]: value * window for name, value in shown.items()}
    return found.keys() == wanted.keys() and all(near(found[status], wanted[status]) for status in wanted)


def requests(shown, window, demo):
    wanted = {"2xx": demo.good, "4xx": demo.bad}
    # The first request creates the series, so there is no sample before it.
    return shown.keys() == wanted.keys() and all(
        wanted[status] * 0.8 <= shown[status] * window <= wanted[status] * 1.1 for status in wanted
    )


def records(shown, window, demo):
    lost = sum(value for name, value in shown.items() if not name.endswith(" written"))
    return len(shown) == 3 and lost == 0 and near(sum(shown.values()) * window, 2 * (demo.good + demo.bad))


# Expected values of each panel: series by legend.
EXPECTED = {
    "Instances that accept traffic": lambda shown, *_: shown == {"ready": 1, "scraped": 1},
    "Predictions": predictions,
    "Failed predictions": failed_share,
    "Requests for predictions": requests,
    "Latency of predictions": lambda shown, *_: latency(shown, [f"{MODEL} p50", f"{MODEL} p95", f"{MODEL} p99"]),
    "Latency of requests": lambda shown, *_: latency(shown, ["p50", "p95", "p99"]),
    "Log records": records,
    "Log queue": lambda shown, *_: len(shown) == 1 and 0 <= min(shown.values()) < 1 << 20,
    "CPU": lambda shown, *_: len(shown) == 1 and 0 < min(shown.values()) < 64,
    "Memory": lambda shown, *_: len(shown) == 1 and 1 << 20 < min(shown.values()) < 1 << 30,
}


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--demo", required=True, help="path of the program")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="metrics-") as folder:
        run = Run(options.demo, Path(folder))
        try:
            for line in run.results():
                report(*line)
        except Failure as failure:
            print(f"metrics: {failure}", file=sys.stderr)
            for log in sorted(Path(folder).glob("*.log")):
                lines = [line[:200] for line in log.read_text(encoding="utf-8").splitlines()[-8:]]
                print(f"--- last lines of {log.name}", *lines, sep="\n", file=sys.stderr)
            return 1
        finally:
            run.end()
    return 0


if __name__ == "__main__":
    sys.exit(main())
