"""Runs a panel's aggregations on a server and compares the answer with the records."""

import math
from collections import Counter, defaultdict
from datetime import datetime

from panels import Aggregation, Panel
from queries import matches
from template import Field

# Dashboards derive the interval from the time they show; here it is the running time of the instances.
AUTOMATIC_MS = 1000
CALENDAR_MS = {"s": 1000, "m": 60_000, "h": 3_600_000, "d": 86_400_000}
BARS = 20


def milliseconds(timestamp: str) -> int:
    return round(datetime.fromisoformat(timestamp.replace("Z", "+00:00")).timestamp() * 1000)


class Run:
    """One panel on one server. `records` are all records of the panel's index."""

    def __init__(self, panel: Panel, records: list[dict], fields: dict[str, Field]):
        self.panel = panel
        self.fields = fields
        self.records = [record for record in records if matches(panel.query, record, fields)]
        # The sums of each bucket aggregation by its key, for comparison with the requests.
        self.counted: dict[str, Counter] = defaultdict(Counter)

    def value(self, record: dict, aggregation: Aggregation):
        return record.get(self.fields[aggregation.field].source)

    def values(self, records: list[dict], aggregation: Aggregation) -> list:
        values = (self.value(record, aggregation) for record in records)
        return sorted(value for value in values if value is not None)

    def interval(self, aggregation: Aggregation) -> float:
        given = aggregation.params["interval"]
        if aggregation.kind == "date_histogram":
            return AUTOMATIC_MS if given == "auto" else int(given[:-1] or 1) * CALENDAR_MS[given[-1]]
        if given != "auto":
            return float(given)
        values = self.values(self.records, aggregation)
        return max((values[-1] - values[0]) / BARS, 1e-6) if values else 1.0

    # The request.

    def body(self) -> dict:
        body = {"size": 0, "track_total_hits": True, "query": self.panel.server_query}
        if self.panel.columns:
            sort = [{name: {"order": order}} for name, order in self.panel.sort]
            return body | {"size": 1000, "sort": sort}
        return body | {"aggs": self.level(self.panel.buckets)}

    def level(self, buckets: list[Aggregation]) -> dict:
        if not buckets:
            return {each.id: self.request(each) for each in self.panel.metrics if each.kind != "count"}
        first, inner = buckets[0], self.level(buckets[1:])
        ordered_by = [each for each in self.panel.metrics if each.id == first.params.get("order", [None])[0]]
        inner |= {each.id: self.request(each) for each in ordered_by if each.kind != "count"}
        return {first.id: self.request(first) | ({"aggs": inner} if inner else {})}

    def request(self, aggregation: Aggregation) -> dict:
        kind, params = aggregation.kind, {"field": aggregation.field}
        if kind == "percentiles":
            params["percents"] = aggregation.params["percents"]
        elif kind == "terms":
            by, direction = aggregation.params["order"]
            if any(each.id == by and each.kind == "count" for each in self.panel.metrics):
                by = "_count"
            params |= {"size": aggregation.params["size"], "order": {by: direction}}
        elif kind == "date_histogram":
            params |= {"fixed_interval": f"{self.interval(aggregation)}ms", "min_doc_count": 0}
        elif kind == "histogram":
            params |= {"interval": self.interval(aggregation), "min_doc_count": 1}
        return {kind: params}

    # The expected answer.

    def check(self, answer: dict):
        total = answer["hits"]["total"]
        self.same("records", (total["value"], total["relation"]), (len(self.records), "eq"))
        assert self.records, f"{self.panel.title}: shows nothing"
        if self.panel.columns:
            self.check_hits(answer["hits"]["hits"])
        else:
            self.check_level(self.panel.buckets, self.records, answer.get("aggregations", {}))

    def same(self, what: str, found, wanted):
        assert found == wanted, f"{self.panel.title}: {what}: {found}, but the records say {wanted}"

    def check_hits(self, hits: list[dict]):
        times = [hit["sort"][0] for hit in hits]
        self.same("order", times, sorted((milliseconds(each["@timestamp"]) for each in self.records), reverse=True))

    def check_level(self, buckets: list[Aggregation], records: list[dict], answer: dict):
        if not buckets:
            for metric in self.panel.metrics:
                if metric.kind != "count":
                    self.check_metric(metric, records, answer[metric.id])
            return
        first = buckets[0]
        wanted = self.partition(first, records)
        found = {self.key(first, each): each for each in answer[first.id]["buckets"] if each["doc_count"]}
        counts = {key: each["doc_count"] for key, each in found.items()}
        if first.kind == "terms" and len(wanted) > first.params["size"]:
            # The server chooses among equally frequent values.
            most = sorted((len(each) for each in wanted.values()), reverse=True)[:first.params["size"]]
            self.same(f"{first.field}, most frequent", sorted(counts.values(), reverse=True), most)
        else:
            self.same(first.field, counts, {key: len(each) for key, each in wanted.items()})
        for key, bucket in found.items():
            self.same(f"{first.field} = {key}", bucket["doc_count"], len(wanted[key]))
            self.counted[self.fields[first.field].source][key] += bucket["doc_count"]
            self.check_level(buckets[1:], wanted[key], bucket)

    def key(self, aggregation: Aggregation, bucket: dict):
        if aggregation.kind == "histogram":
            return round(bucket["key"] / self.interval(aggregation))
        return bucket["key"]

    def partition(self, aggregation: Aggregation, records: list[dict]) -> dict:
        parts = defaultdict(list)
        for record in records:
            value = self.value(record, aggregation)
            if value is None:
                continue
            if aggregation.kind == "date_histogram":
                interval = self.interval(aggregation)
                value = milliseconds(value) // interval * interval
            elif aggregation.kind == "histogram":
                value = math.floor(value / self.interval(aggregation))
            parts[value].append(record)
        return parts

    def check_metric(self, metric: Aggregation, records: list[dict], answer: dict):
        values = self.values(records, metric)
        if metric.kind == "percentiles":
            self.check_percentiles(metric, values, answer["values"])
            return
        functions = {"avg": lambda: sum(values) / len(values), "min": lambda: values[0], "max": lambda: values[-1],
                     "sum": lambda: sum(values), "cardinality": lambda: len(set(values))}
        wanted = functions[metric.kind]()
        assert math.isclose(answer["value"], wanted, rel_tol=1e-9), f"{self.panel.title}: {answer}, not {wanted}"

    def check_percentiles(self, metric: Aggregation, values: list, answer: dict):
        assert values, f"{self.panel.title}: no value of {metric.field}"
        for percent in metric.params["percents"]:
            found = answer[f"{float(percent)}"]
            rank = percent / 100 * (len(values) - 1)
            # Servers estimate from a digest, with a precision of a few neighbouring values.
            slack = 1 + len(values) // 50
            low = values[max(math.floor(rank) - slack, 0)]
            high = values[min(math.ceil(rank) + slack, len(values) - 1)]
            assert low <= found <= high, f"{self.panel.title}: p{percent} = {found}, not within {low} to {high}"
