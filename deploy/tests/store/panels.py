"""Panels of the generated dashboards, read from the saved objects of Kibana and of OpenSearch Dashboards.

Both forms are read into the same panels, so that one program can run them. Unknown elements are an error, so that a panel
of a new kind cannot pass unchecked.
"""

import dataclasses
import json
from pathlib import Path

import queries

RECORDS = "___records___"


@dataclasses.dataclass
class Aggregation:
    id: str
    kind: str
    field: str | None = None
    params: dict = dataclasses.field(default_factory=dict)


@dataclasses.dataclass
class Panel:
    title: str
    index: str
    # The query for a server, and for `queries.matches`.
    server_query: dict
    query: dict
    buckets: list[Aggregation] = dataclasses.field(default_factory=list)
    metrics: list[Aggregation] = dataclasses.field(default_factory=list)
    # Of a panel that shows records.
    columns: list[str] = dataclasses.field(default_factory=list)
    sort: list = dataclasses.field(default_factory=list)

    def fields(self) -> set[str]:
        """Lists every field that the panel names."""
        named = {each.field for each in self.buckets + self.metrics if each.field} | queries.fields_in(self.query)
        return named | set(self.columns) | {name for name, _ in self.sort}


class SavedObjects:
    """The objects of one file. Ids are unique, and references have a target."""

    def __init__(self, file: Path, versions: tuple[str, ...]):
        self.objects = [json.loads(line) for line in file.read_text().splitlines()]
        self.by_id = {(each["type"], each["id"]): each for each in self.objects}
        assert len(self.by_id) == len(self.objects), f"{file.name}: an id stands twice"
        for each in self.objects:
            where = f"{file.name}: {each['type']} {each['id']}"
            for version in versions:
                assert each.get(version), f"{where} has no {version}"
            for reference in each["references"]:
                key = reference["type"], reference["id"]
                assert key in self.by_id, f"{where} refers to {key}, which is not in the file"
        dashboards = self.of_type("dashboard")
        assert len(dashboards) == 1, f"{file.name}: {len(dashboards)} dashboards"
        self.dashboard = dashboards[0]

    def of_type(self, kind: str) -> list[dict]:
        return [each for each in self.objects if each["type"] == kind]

    def follow(self, origin: dict, name: str) -> dict:
        """Returns the object that `origin` refers to by `name`."""
        found = [each for each in origin["references"] if each["name"] == name]
        assert len(found) == 1, f"{origin.get('id')} has {len(found)} references named {name}"
        return self.by_id[found[0]["type"], found[0]["id"]]

    def search_source(self, origin: dict) -> tuple[str, dict, dict]:
        """Returns index, query for a server and query to answer of a saved object's search source."""
        source = json.loads(origin["attributes"]["kibanaSavedObjectMeta"]["searchSourceJSON"])
        index = self.follow(origin, source["indexRefName"])["attributes"]["title"]
        return index, *read_query(source.get("query"), source.get("filter", []))

    def saved_search(self, origin: dict, title: str) -> Panel:
        attributes = origin["attributes"]
        panel = Panel(title, *self.search_source(origin), columns=attributes["columns"], sort=attributes["sort"])
        assert panel.columns and panel.sort, f"{title} shows no columns"
        return panel


def read_query(saved: dict | None, filters: list[dict]) -> tuple[dict, dict]:
    read = queries.read(saved)
    clauses = [queries.read_filter(each) for each in filters]
    server = read
    if saved and saved["language"] == "lucene" and saved["query"]:
        server = {"query_string": {"query": saved["query"]}}
    return queries.all_of([server, *clauses]), queries.all_of([read, *clauses])


def opensearch_panels(objects: SavedObjects) -> list[Panel]:
    found = []
    for placed in json.loads(objects.dashboard["attributes"]["panelsJSON"]):
        shown = objects.follow(objects.dashboard, placed["panelRefName"])
        title = shown["attributes"]["title"]
        if shown["type"] == "search":
            found.append(objects.saved_search(shown, title))
            continue
        assert shown["type"] == "visualization", shown["type"]
        state = json.loads(shown["attributes"]["visState"])
        if state["type"] == "input_control_vis":
            found += [control(objects, shown, each) for each in state["params"]["controls"]]
            continue
        panel = Panel(title, *objects.search_source(shown))
        for each in state["aggs"]:
            if each["enabled"]:
                read_vis_aggregation(panel, each)
        assert panel.metrics, f"{title} has no metric"
        found.append(panel)
    return found


def control(objects: SavedObjects, origin: dict, described: dict) -> Panel:
    """A control that lists the values of a field."""
    assert described["type"] == "list", described["type"]
    index = objects.follow(origin, described["indexPatternRefName"])["attributes"]["title"]
    return list_of_values(described["label"], index, described["fieldName"], described["options"]["size"])


def list_of_values(title: str, index: str, name: str, size: int) -> Panel:
    everything = {"match_all": {}}
    terms = Aggregation("values", "terms", name, {"size": size, "order": ("_count", "desc")})
    return Panel(f"control {title}", index, everything, everything, [terms], [Aggregation("count", "count")])


def read_vis_aggregation(panel: Panel, saved: dict):
    kind, params = saved["type"], saved["params"]
    name = params.get("field")
    bucket = saved["schema"] != "metric"
    if kind == "count":
        read = Aggregation(saved["id"], kind)
    elif kind == "percentiles":
        read = Aggregation(saved["id"], kind, name, {"percents": params["percents"]})
    elif kind in ("avg", "min", "max", "sum", "cardinality"):
        read = Aggregation(saved["id"], kind, name)
    elif kind == "terms":
        assert not params["missingBucket"], f"{panel.title}: a bucket for missing values is not read"
        # The order is by `_key` or by the metric of this id.
        order = params["orderBy"], params["order"]
        read = Aggregation(saved["id"], kind, name, {"size": params["size"], "order": order})
    elif kind in ("date_histogram", "histogram"):
        read = Aggregation(saved["id"], kind, name, {"interval": params["interval"]})
    else:
        raise ValueError(f"{panel.title}: unknown aggregation {kind}")
    assert bucket == (kind in ("terms", "date_histogram", "histogram")), f"{panel.title}: {kind} as {saved['schema']}"
    (panel.buckets if bucket else panel.metrics).append(read)


def kibana_panels(objects: SavedObjects) -> list[Panel]:
    attributes = objects.dashboard["attributes"]
    found = []
    for placed in json.loads(attributes["panelsJSON"]):
        index, title = placed["panelIndex"], placed["title"]
        assert placed["version"], f"{title} has no version"
        if placed["type"] == "search":
            shown = objects.follow(objects.dashboard, f"{index}:{placed['panelRefName']}")
            found.append(objects.saved_search(shown, title))
        elif placed["type"] == "lens":
            found += lens_panels(objects, index, title, placed["embeddableConfig"]["attributes"])
        else:
            raise ValueError(f"{title}: unknown panel {placed['type']}")
    controls = json.loads(attributes["controlGroupInput"]["panelsJSON"]) if "controlGroupInput" in attributes else {}
    for key, each in controls.items():
        assert each["type"] == "optionsListControl", each["type"]
        view = objects.follow(objects.dashboard, f"controlGroup_{key}:optionsListDataView")
        described = each["explicitInput"]
        found.append(list_of_values(described["title"], view["attributes"]["title"], described["fieldName"], 10))
    return found


def lens_panels(objects: SavedObjects, index: str, title: str, attributes: dict) -> list[Panel]:
    """Reads each layer of a Lens panel that holds its state by value."""
    state = attributes["state"]
    found = []
    for key, layer in state["datasourceStates"]["formBased"]["layers"].items():
        name = f"indexpattern-datasource-layer-{key}"
        view = objects.follow(attributes, name)
        assert view is objects.follow(objects.dashboard, f"{index}:{name}"), f"{title}: two views for one layer"
        panel = Panel(title, view["attributes"]["title"], *read_query(state["query"], state["filters"]))
        assert sorted(layer["columnOrder"]) == sorted(layer["columns"]), f"{title}: order and columns differ"
        for column in layer["columnOrder"]:
            read_lens_column(panel, column, layer["columns"][column])
        assert panel.metrics, f"{title} has no metric"
        assert used_columns(state["visualization"]) == set(layer["columns"]), f"{title}: not every column is shown"
        found.append(panel)
    assert found, f"{title} has no layer"
    return found


def used_columns(visualization: dict) -> set[str]:
    """Lists the columns of a visualization with one layer."""
    used = {visualization[key] for key in ("metricAccessor", "breakdownByAccessor") if key in visualization}
    used |= {each["columnId"] for each in visualization.get("columns", [])}
    for layer in visualization.get("layers", []):
        used |= {layer[key] for key in ("xAccessor", "splitAccessor") if key in layer} | set(layer["accessors"])
    return used


def read_lens_column(panel: Panel, column: str, saved: dict):
    kind, params, name = saved["operationType"], saved.get("params", {}), saved["sourceField"]
    assert "filter" not in saved, f"{panel.title}: a filter of a column is not read"
    if kind == "count":
        assert name == RECORDS, f"{panel.title}: a count of {name} is not read"
        read = Aggregation(column, kind)
    elif kind == "percentile":
        read = Aggregation(column, "percentiles", name, {"percents": [params["percentile"]]})
    elif kind == "median":
        read = Aggregation(column, "percentiles", name, {"percents": [50]})
    elif kind in ("average", "min", "max", "sum", "unique_count"):
        names = {"average": "avg", "unique_count": "cardinality"}
        read = Aggregation(column, names.get(kind, kind), name)
    elif kind == "terms":
        assert not params["missingBucket"], f"{panel.title}: a bucket for missing values is not read"
        order = params["orderBy"]["columnId"] if params["orderBy"]["type"] == "column" else "_key"
        read = Aggregation(column, kind, name, {"size": params["size"], "order": (order, params["orderDirection"])})
    elif kind == "date_histogram":
        read = Aggregation(column, kind, name, {"interval": params["interval"]})
    elif kind == "range" and params["type"] == "histogram":
        read = Aggregation(column, "histogram", name, {"interval": "auto"})
    else:
        raise ValueError(f"{panel.title}: unknown operation {kind}")
    (panel.buckets if saved["isBucketed"] else panel.metrics).append(read)
