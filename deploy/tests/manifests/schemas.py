"""Strict schemas: an unknown key is a mistake, as with `--validate=strict`.

Built-in kinds take the schemas of the package kubernetes-validate. Kinds of operators take the schemas of the
operators' own CustomResourceDefinitions, out of their Go modules.
"""

import copy
import functools
import importlib.resources
import json
import os
from pathlib import Path

import jsonschema
import referencing
import yaml

from rendering import label

OBJECT_META = "io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta"
POD_TEMPLATE = "io.k8s.api.core.v1.PodTemplateSpec"


class Loader(yaml.CSafeLoader):
    """Reads `=`, an operator that the definitions of Prometheus allow, as text (PyYAML issue 89)."""


Loader.add_constructor("tag:yaml.org,2002:value", Loader.construct_yaml_str)


class KubernetesSchemas:
    """The schemas of one version of Kubernetes."""

    def __init__(self, version):
        self.version = version
        packaged = importlib.resources.files("kubernetes_validate") / "kubernetes-json-schema"
        self.directory = packaged / f"v{version}-local-strict"
        if not self.directory.is_dir():
            raise AssertionError(f"kubernetes-validate has no schemas of Kubernetes {version}")
        definitions = json.loads((self.directory / "_definitions.json").read_text())
        self.definitions_id = definitions["$id"]
        self.registry = referencing.Resource.from_contents(definitions) @ referencing.Registry()

    @functools.cache
    def of_kind(self, kind, api_version):
        group, _, version = api_version.rpartition("/")
        stem = f"{kind.lower()}-{group.split('.')[0]}-{version}" if group else f"{kind.lower()}-{version}"
        file = self.directory / f"{stem}.json"
        if not file.is_file():
            return None
        return jsonschema.Draft202012Validator(json.loads(file.read_text()), registry=self.registry)

    @functools.cache
    def of_definition(self, name):
        schema = {"$ref": f"{self.definitions_id}#/$defs/{name}"}
        return jsonschema.Draft202012Validator(schema, registry=self.registry)


def strict(schema, preserved=False):
    """Turns the structural schema of a CustomResourceDefinition into a JSON schema that refuses unknown keys.

    `preserved`: the list around it has x-kubernetes-preserve-unknown-fields, which holds for its items.
    """
    if not isinstance(schema, dict):
        return schema
    schema = copy.copy(schema)
    # Formats of Go, such as int64; the types next to them suffice.
    schema.pop("format", None)
    for key in ("properties", "patternProperties"):
        if key in schema:
            schema[key] = {name: strict(value) for name, value in schema[key].items()}
    preserved = preserved or schema.get("x-kubernetes-preserve-unknown-fields", False)
    if "items" in schema:
        schema["items"] = strict(schema["items"], preserved)
    if "additionalProperties" in schema:
        schema["additionalProperties"] = strict(schema["additionalProperties"])
    if schema.get("x-kubernetes-int-or-string"):
        schema.pop("anyOf", None)
        schema["type"] = ["integer", "string"]
    if schema.get("type") == "object" and "additionalProperties" not in schema and not preserved:
        schema["additionalProperties"] = False
    if schema.pop("nullable", False) and isinstance(schema.get("type"), str):
        schema["type"] = [schema["type"], "null"]
    return schema


def custom_resource_definitions():
    """Reads the files and directories that CRD_PATHS names, separated by colons: {(kind, apiVersion): validator}."""
    validators = {}
    for path in map(Path, os.environ["CRD_PATHS"].split(":")):
        files = sorted(path.glob("*.yaml")) if path.is_dir() else [path]
        for definition in (d for file in files for d in yaml.load_all(file.read_text(), Loader)):
            if not definition or definition["kind"] != "CustomResourceDefinition":
                continue
            spec = definition["spec"]
            for version in spec["versions"]:
                if not version["served"]:
                    continue
                schema = strict(version["schema"]["openAPIV3Schema"])
                for name in ("apiVersion", "kind"):
                    schema["properties"].setdefault(name, {"type": "string"})
                # The server checks it as ObjectMeta; so does problems().
                schema["properties"]["metadata"] = {"type": "object"}
                key = (spec["names"]["kind"], f"{spec['group']}/{version['name']}")
                validators[key] = jsonschema.Draft202012Validator(schema)
    if not validators:
        raise AssertionError("no CustomResourceDefinition at CRD_PATHS")
    return validators


def pod_templates(value):
    """Yields the values of all keys `podTemplate`, which CRDs leave unspecified."""
    if isinstance(value, dict):
        for key, child in value.items():
            if key == "podTemplate":
                yield child
            yield from pod_templates(child)
    elif isinstance(value, list):
        for child in value:
            yield from pod_templates(child)


def violations(validator, value, *path):
    """Yields place and message of each violation; `path` is the place of the value in the object."""
    for error in validator.iter_errors(value):
        place = ".".join(str(part) for part in (*path, *error.absolute_path))
        yield f"{place or 'the object'}: {error.message[:300]}"


def problems(manifests, kubernetes, custom):
    """Yields every violation of the schemas, and every object whose kind has none."""
    for o in manifests.objects:
        kind = (o["kind"], o["apiVersion"])
        validator = custom.get(kind) or kubernetes.of_kind(*kind)
        if validator is None:
            yield f"{label(o)}: Kubernetes {kubernetes.version} has no {' of '.join(kind)}"
            continue
        found = list(violations(validator, o))
        if kind in custom:
            found += violations(kubernetes.of_definition(OBJECT_META), o["metadata"], "metadata")
            for template in pod_templates(o):
                found += violations(kubernetes.of_definition(POD_TEMPLATE), template, "podTemplate")
        for violation in found:
            yield f"{label(o)}: {violation} (Kubernetes {kubernetes.version})"
