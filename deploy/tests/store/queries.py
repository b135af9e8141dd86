"""Queries of saved objects: parsed into the query DSL, and evaluated on records without a server.

Both languages of saved objects, KQL ("kuery") and Lucene, are read as far as they agree: `field: value`,
`field: "phrase"`, `field: *`, `field >= 1`, `and`, `or`, `not`, parentheses.
"""

import re

from template import Field

TOKEN = re.compile(r'\s*(?:(?P<quoted>"(?:[^"\\]|\\.)*")|(?P<sign>>=|<=|[():<>])|(?P<word>[^\s():<>"]+))')
RANGES = {">": "gt", ">=": "gte", "<": "lt", "<=": "lte"}
WORD = re.compile(r"\w+")


class Reader:
    def __init__(self, text: str):
        self.tokens = []
        position = 0
        text = text.rstrip()
        while position < len(text):
            match = TOKEN.match(text, position)
            if not match:
                raise ValueError(f"cannot read the query {text!r}")
            self.tokens.append((match.lastgroup, match[match.lastgroup]))
            position = match.end()
        self.text = text
        self.position = 0

    def peek(self, *words: str) -> bool:
        if self.position == len(self.tokens):
            return False
        kind, text = self.tokens[self.position]
        return kind != "quoted" and text.lower() in words

    def take(self, *words: str) -> bool:
        found = self.peek(*words)
        self.position += found
        return found

    def value(self):
        if self.position == len(self.tokens):
            raise ValueError(f"the query {self.text!r} ends too early")
        kind, text = self.tokens[self.position]
        self.position += 1
        return kind, re.sub(r"\\(.)", r"\1", text[1:-1]) if kind == "quoted" else text

    def any_of(self) -> dict:
        parts = [self.all_of()]
        while self.take("or", "||"):
            parts.append(self.all_of())
        return parts[0] if len(parts) == 1 else {"bool": {"should": parts, "minimum_should_match": 1}}

    def all_of(self) -> dict:
        parts = [self.negated()]
        while self.take("and", "&&"):
            parts.append(self.negated())
        return parts[0] if len(parts) == 1 else {"bool": {"filter": parts}}

    def negated(self) -> dict:
        if self.take("not"):
            return {"bool": {"must_not": [self.negated()]}}
        if self.take("("):
            inner = self.any_of()
            if not self.take(")"):
                raise ValueError(f"a parenthesis is open in {self.text!r}")
            return inner
        return self.comparison()

    def comparison(self) -> dict:
        _, field = self.value()
        for sign, name in RANGES.items():
            if self.take(sign):
                return {"range": {field: {name: self.value()[1]}}}
        if not self.take(":"):
            raise ValueError(f"`:` expected after {field} in {self.text!r}")
        if self.take("("):
            values = [self.equality(field)]
            while self.take("or"):
                values.append(self.equality(field))
            if not self.take(")"):
                raise ValueError(f"a parenthesis is open in {self.text!r}")
            return {"bool": {"should": values, "minimum_should_match": 1}}
        return self.equality(field)

    def equality(self, field: str) -> dict:
        kind, value = self.value()
        if field == "_exists_":
            return {"exists": {"field": value}}
        if kind == "word" and value == "*":
            return {"exists": {"field": field}}
        if kind == "word" and "*" in value:
            raise ValueError(f"wildcards within values are not read: {self.text!r}")
        return {"match_phrase" if kind == "quoted" else "match": {field: value}}


def read(query: dict | None) -> dict:
    """Reads `{"query": ..., "language": ...}` of a saved object."""
    if not query or query["query"] in ("", "*", {}):
        return {"match_all": {}}
    if query["language"] not in ("kuery", "lucene"):
        raise ValueError(f"unknown language of a query: {query['language']}")
    reader = Reader(query["query"])
    result = reader.any_of()
    if reader.position != len(reader.tokens):
        raise ValueError(f"what follows cannot be read in {reader.text!r}")
    return result


def read_filter(saved: dict) -> dict:
    """Reads one filter of a saved object."""
    meta = saved.get("meta", {})
    if meta.get("disabled"):
        return {"match_all": {}}
    clause = saved.get("query") or {key: saved[key] for key in ("exists", "range") if key in saved}
    if len(clause) != 1:
        raise ValueError(f"a filter needs exactly one query: {saved}")
    return {"bool": {"must_not": [clause]}} if meta.get("negate") else clause


def all_of(clauses: list[dict]) -> dict:
    return {"bool": {"filter": clauses}}


def fields_in(query: dict) -> set[str]:
    """Lists the fields of a query."""
    (kind, inner), = query.items()
    if kind == "match_all":
        return set()
    if kind == "bool":
        parts = [listed(inner.get(part, [])) for part in ("must", "filter", "should", "must_not")]
        return set().union(*(fields_in(clause) for part in parts for clause in part))
    if kind == "exists":
        return {inner["field"]}
    return {name for name in inner if name != "boost"}


def listed(clauses) -> list[dict]:
    return clauses if isinstance(clauses, list) else [clauses]


def matches(query: dict, record: dict, fields: dict[str, Field]) -> bool:
    """Evaluates a query for one record, as an index with these fields does."""
    (kind, inner), = query.items()
    if kind == "match_all":
        return True
    if kind == "bool":
        def each(part):
            return [matches(clause, record, fields) for clause in listed(inner.get(part, []))]
        should = each("should")
        needed = int(inner.get("minimum_should_match", 0 if "must" in inner or "filter" in inner else 1))
        return (all(each("must") + each("filter")) and not any(each("must_not"))
                and (not should or sum(should) >= needed))
    if kind == "exists":
        return record.get(fields[inner["field"]].source) is not None
    (name, wanted), = inner.items()
    value = record.get(fields[name].source)
    if value is None:
        return False
    if kind == "range":
        return all(in_range(value, key, bound) for key, bound in wanted.items())
    if kind == "terms":
        return value in wanted
    if isinstance(wanted, dict):
        wanted = wanted.get("query", wanted.get("value"))
    if kind in ("term", "match", "match_phrase"):
        return equal(value, wanted, fields[name].type, kind)
    raise ValueError(f"unknown query {kind}")


def in_range(value, key: str, bound) -> bool:
    bound = type(value)(bound)
    return {"gt": value > bound, "gte": value >= bound, "lt": value < bound, "lte": value <= bound}[key]


def equal(value, wanted, type_of_field: str, kind: str) -> bool:
    if type_of_field == "boolean":
        return value == (wanted is True or wanted == "true")
    if type_of_field in ("long", "double"):
        return value == float(wanted)
    if type_of_field in ("match_only_text", "text"):
        words, wanted_words = WORD.findall(value.lower()), WORD.findall(wanted.lower())
        if kind == "match":
            return any(word in words for word in wanted_words)
        return any(words[start:start + len(wanted_words)] == wanted_words for start in range(len(words)))
    return value == wanted
