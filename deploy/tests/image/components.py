#!/usr/bin/env python3
"""Compares the dependency list of a binary, a list of components and Cargo.lock.

Arguments: the section `.dep-v0` of the binary (zlib, JSON: the format of cargo-auditable), the CycloneDX file, Cargo.lock.
Prints the number of packages of each.
"""

import json
import sys
import tomllib
import zlib


def main():
    section, components, lock = sys.argv[1:]
    with open(section, "rb") as file:
        # The section may be padded with zeros.
        audit = json.loads(zlib.decompressobj().decompress(file.read()))
    with open(components, encoding="utf-8") as file:
        document = json.load(file)
    with open(lock, "rb") as file:
        locked = {(package["name"], package["version"]) for package in tomllib.load(file)["package"]}

    # Without a kind a package is a dependency at run time, otherwise one of the build.
    binary = {(p["name"], p["version"]) for p in audit["packages"] if p.get("kind", "runtime") == "runtime"}
    listed = {(component["name"], component["version"]) for component in document["components"]}
    root = document["metadata"]["component"]
    problems = [f"not in Cargo.lock: {package}" for package in sorted((binary | listed) - locked)]
    problems += [f"in the binary, not in the list: {p}" for p in sorted(binary - listed - {(root["name"], root["version"])})]
    names = {name for name, _ in binary | listed}
    problems += [f"part of the training: {name}" for name in sorted(names & {"smartcore", "csv", "indicatif"})]
    problems += [f"missing: {name}" for name in sorted({"ml-model-service", "opentelemetry", "tikv-jemallocator"} - names)]
    if document["bomFormat"] != "CycloneDX" or root["name"] != "insurance-charges":
        problems.append("not the list of components of the demo")
    problems += [f"no licence: {c['name']}" for c in document["components"] if not c.get("licenses")]
    if problems:
        raise SystemExit("\n".join(problems))
    print(f"{len(binary)} packages in the binary, {len(listed)} in the list")


if __name__ == "__main__":
    main()
