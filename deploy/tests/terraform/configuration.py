#!/usr/bin/env python3
"""Checks of deploy/terraform that neither Terraform nor checkov makes, with the HCL parser that checkov brings.

Every variable has a type and a description and is used. Every output has a description and carries no credential. The
provider's block is empty, so that its token comes from the environment. The environment pins the provider version that
deploy/versions.env names, and its Kubernetes lies between the two versions that the manifests are held against.
"""

import pathlib
import re
import sys

import hcl2

CREDENTIALS = re.compile(r"kube_config|token|password|secret|client_key|certificate", re.IGNORECASE)


def main(folder: pathlib.Path, provider_version: str, oldest: str, newest: str) -> list[str]:
    modules = sorted({file.parent for file in folder.rglob("*.tf") if ".terraform" not in file.parts})
    if not modules:
        return [f"{folder}: no configuration found"]
    return [fault for module in modules for fault in faults_of(module, provider_version, minor(oldest), minor(newest))]


def faults_of(module: pathlib.Path, provider_version: str, oldest: int, newest: int):
    blocks = {"variable": {}, "output": {}, "provider": {}}
    texts = []
    for file in sorted(module.glob("*.tf")):
        text = file.read_text(encoding="utf-8")
        texts.append(text)
        for kind, named in blocks.items():
            for block in hcl2.loads(text).get(kind, []):
                named.update(block)
    code = "\n".join(texts)

    for name, variable in blocks["variable"].items():
        if not stated(variable, "description") or not stated(variable, "type"):
            yield f"{module.name}: variable {name} lacks a type or a description"
        # A reference in a variable's own validation does not count as a use.
        outside = re.sub(rf'variable "{name}" \{{.*?^\}}', "", code, flags=re.DOTALL | re.MULTILINE)
        if not re.search(rf"\bvar\.{name}\b", outside):
            yield f"{module.name}: variable {name} is not used"
        if name == "kubernetes_version_prefix" and "default" in variable:
            prefix = variable["default"][0]
            if not oldest <= minor(prefix) <= newest:
                yield f"{module.name}: Kubernetes {prefix} is outside of 1.{oldest} to 1.{newest}"
    for name, output in blocks["output"].items():
        if not stated(output, "description"):
            yield f"{module.name}: output {name} lacks a description"
        if "sensitive" in output or CREDENTIALS.search(str(output.get("value"))):
            yield f"{module.name}: output {name} carries a credential"
    for name, provider in blocks["provider"].items():
        arguments = [argument for argument in provider if not argument.startswith("__")]
        if arguments:
            yield f"{module.name}: provider {name} has arguments: {', '.join(arguments)}"
    if blocks["provider"] and f'version = "{provider_version}"' not in code:
        yield f"{module.name}: the provider is not pinned to {provider_version}, as deploy/versions.env has it"


def minor(version: str) -> int:
    return int(version.split(".")[1])


def stated(block: dict, argument: str) -> bool:
    return bool(block.get(argument, [""])[0])


if __name__ == "__main__":
    found = main(pathlib.Path(sys.argv[1]), *sys.argv[2:])
    for fault in found:
        print(fault, file=sys.stderr)
    sys.exit(1 if found else 0)
