"""Compares the records of the demo with those of the store.

The store keeps every value as text. A record becomes the sorted pairs of its fields, as text, and the two sides are compared
as multisets of these.
"""

from collections import Counter
from datetime import datetime, timezone


def text(value):
    """Converts a JSON value to the store's text, or to None if the store omits it."""
    if value is None or value == "":
        return None
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value)


def instant(value):
    """Converts a time to milliseconds since 1970. Further digits must be zeros."""
    whole, _, fraction = value.removesuffix("Z").partition(".")
    if fraction[3:].strip("0"):
        return value
    seconds = datetime.fromisoformat(whole).replace(tzinfo=timezone.utc).timestamp()
    return str(int(seconds) * 1000 + int(fraction[:3].ljust(3, "0")))


def flat(fields):
    return tuple(sorted((name, value) for name, value in fields.items() if value is not None))


def expected(record, renamed, extra):
    """Converts a record of the demo to its form in the store."""
    fields = {renamed.get(name, name): text(value) for name, value in record.items()}
    fields["_time"] = instant(fields["_time"])
    return flat(fields | extra)


def stored(document, ignored):
    """Returns a document of the store without the fields added on the way."""
    fields = {name: value or None for name, value in document.items() if name not in ignored}
    fields["_time"] = instant(fields["_time"])
    return flat(fields)


class Comparison:
    """`wanted` and `found` are lists of flat records."""

    def __init__(self, wanted, found):
        wanted, found = Counter(wanted), Counter(found)
        self.missing = wanted - found
        self.duplicates = sum(max(count - wanted[record], 0) for record, count in found.items() if record in wanted)
        # Stored but never written: changed or foreign records.
        self.altered = Counter({record: count for record, count in found.items() if record not in wanted})

    def exact(self):
        return not self.missing and not self.altered

    def describe(self):
        lines = [f"{self.missing.total()} missing, {self.altered.total()} altered, {self.duplicates} duplicates"]
        lines += [f"  missing: {dict(record)}" for record in list(self.missing)[:3]]
        lines += [f"  altered: {dict(record)}" for record in list(self.altered)[:3]]
        return "\n".join(lines)


def identifiers(records):
    """Counts the records of each prediction id by message."""
    found = {}
    for record in records:
        fields = dict(record)
        if fields.get("action") == "predict":
            found.setdefault(fields["prediction_id"], Counter())[fields["_msg"]] += 1
    return found
