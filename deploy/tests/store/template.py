"""Fields of the index template and of records."""

import fnmatch
from dataclasses import dataclass

GROUPED = {"keyword", "long", "double", "date", "boolean"}


@dataclass(frozen=True)
class Field:
    name: str
    type: str
    # Key of the record that fills it; differs from the name for multi-fields.
    source: str
    # Whether a value of another type is kept without an index, not refused.
    lenient: bool = False


def fields_of(properties: dict, prefix: str = "") -> dict[str, Field]:
    """Lists a mapping's fields by dotted name, however their names are nested."""
    found = {}
    for key, description in properties.items():
        name = prefix + key
        if "properties" in description:
            found |= fields_of(description["properties"], name + ".")
            continue
        found[name] = Field(name, description["type"], name, description.get("ignore_malformed", False))
        for sub, sub_description in description.get("fields", {}).items():
            found[f"{name}.{sub}"] = Field(f"{name}.{sub}", sub_description["type"], name)
    return found


def flatten(record: dict, prefix: str = "") -> dict:
    """Names the values of a record by dotted names."""
    flat = {}
    for key, value in record.items():
        if isinstance(value, dict):
            flat |= flatten(value, f"{prefix}{key}.")
        else:
            flat[prefix + key] = value
    return flat


def fits(value, kind: str) -> bool:
    """Returns whether a record's value has the JSON type of the field."""
    if value is None:
        return True
    if kind == "long":
        return isinstance(value, int) and not isinstance(value, bool)
    if kind == "double":
        return isinstance(value, (int, float)) and not isinstance(value, bool)
    if kind == "boolean":
        return isinstance(value, bool)
    return isinstance(value, str)


def patterns_for(stream: str, template: dict) -> list[str]:
    return [pattern for pattern in template["index_patterns"] if fnmatch.fnmatchcase(stream, pattern)]
