#!/usr/bin/env python3
"""Compares schema-provider/schemas.json with the schema of a provider: `terraform providers schema -json` on stdin.

With schema-provider it shows that the program serves the file, with the real provider that the file is correct. The file
has a part of the real schema, so additions of the provider are no difference.
"""

import json
import pathlib
import sys

FLAGS = ("required", "optional", "computed", "sensitive")


def differences(where: str, ours: dict, theirs: dict):
    for name, attribute in ours.get("attributes", {}).items():
        other = theirs.get("attributes", {}).get(name)
        if other is None:
            yield f"{where}.{name}: unknown to the provider"
        elif attribute["type"] != other["type"]:
            yield f"{where}.{name}: the type is {other['type']}, not {attribute['type']}"
        else:
            for flag in FLAGS:
                if attribute.get(flag, False) != other.get(flag, False):
                    yield f"{where}.{name}: {flag} is {other.get(flag, False)}"
    for name, other in theirs.get("attributes", {}).items():
        if other.get("required") and name not in ours.get("attributes", {}):
            yield f"{where}.{name}: required by the provider, missing in the file"
    for name, nested in ours.get("block_types", {}).items():
        other = theirs.get("block_types", {}).get(name)
        if other is None:
            yield f"{where}.{name}: unknown to the provider"
            continue
        for key, absent in (("nesting_mode", None), ("min_items", 0), ("max_items", 0)):
            if nested.get(key, absent) != other.get(key, absent):
                yield f"{where}.{name}: {key} is {other.get(key, absent)}"
        yield from differences(f"{where}.{name}", nested["block"], other["block"])


def main() -> int:
    file = pathlib.Path(__file__).parent / "schema-provider" / "schemas.json"
    ours = json.loads(file.read_text(encoding="utf-8"))
    (theirs,) = json.load(sys.stdin)["provider_schemas"].values()
    found = []
    for kind, schemas in ours.items():
        for name, schema in schemas.items():
            other = theirs.get(kind, {}).get(name)
            if other is None:
                found.append(f"{name}: unknown to the provider")
            elif schema["version"] != other["version"]:
                found.append(f"{name}: the schema's version is {other['version']}")
            else:
                found.extend(differences(name, schema["block"], other["block"]))
    for difference in found:
        print(difference, file=sys.stderr)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
