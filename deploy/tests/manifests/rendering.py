"""Finds every kustomization under deploy/kubernetes and renders it."""

import os
import shutil
import subprocess
from pathlib import Path

import yaml

REPOSITORY = Path(__file__).resolve().parents[3]
KUBERNETES = REPOSITORY / "deploy" / "kubernetes"
# The directory that .gitignore already excludes. Kustomize takes relative paths only, so it lies in the repository.
WORK = REPOSITORY / "target" / "deploy" / "manifests"


class Manifests:
    """The objects of one rendered kustomization."""

    def __init__(self, name, objects):
        self.name = name
        self.objects = objects

    def of_kind(self, *kinds):
        return [o for o in self.objects if o["kind"] in kinds]

    def find(self, kind, name, namespace):
        for o in self.of_kind(kind):
            if o["metadata"]["name"] == name and o["metadata"].get("namespace") == namespace:
                return o
        return None


def label(o):
    return f"{o['kind']}/{o['metadata']['name']}"


def kustomizations():
    """Lists the directories to render, and marks the components among them.

    Parts, which another kustomization includes, are rendered with that one; bases and overlays also alone.
    """
    found = {file.parent: yaml.safe_load(file.read_text()) for file in sorted(KUBERNETES.rglob("kustomization.yaml"))}
    included = {(d / r).resolve() for d, content in found.items() for r in content.get("resources", [])}
    return [
        (directory, content["kind"] == "Component")
        for directory, content in found.items()
        if directory not in included or directory.name == "base" or directory.parent.name == "overlays"
    ]


def name_of(directory):
    return "/".join(directory.relative_to(KUBERNETES).parts)


def base_of(component):
    """Names the base of a component of X/components: X/base if it exists, otherwise X."""
    parent = component.parent.parent
    base = parent / "base"
    return base if (base / "kustomization.yaml").is_file() else parent


def roots():
    """Lists the kustomizations that are applied directly."""
    return [d for d, is_component in kustomizations() if not is_component and d.name != "base"]


def build(directory):
    command = os.environ["KUSTOMIZE_BUILD"].split()
    done = subprocess.run([*command, str(directory)], capture_output=True, text=True)
    if done.returncode != 0:
        raise AssertionError(f"{directory} cannot be rendered: {done.stderr.strip()}")
    return done.stdout


def build_with(name, directory, components):
    """Renders a kustomization with additional components."""
    wrapper = WORK / "wrappers" / name
    shutil.rmtree(wrapper, ignore_errors=True)
    wrapper.mkdir(parents=True)
    kustomization = {
        "apiVersion": "kustomize.config.k8s.io/v1beta1",
        "kind": "Kustomization",
        "resources": [os.path.relpath(directory, wrapper)],
        "components": [os.path.relpath(component, wrapper) for component in components],
    }
    (wrapper / "kustomization.yaml").write_text(yaml.safe_dump(kustomization))
    return build(wrapper)


def parse(name, text):
    return Manifests(name, [o for o in yaml.safe_load_all(text) if o])


def render_all():
    """Renders everything and keeps the text under target/deploy/manifests/rendered.

    Returns the manifests by name, and the messages about those that cannot be rendered.
    """
    rendered = WORK / "rendered"
    shutil.rmtree(rendered, ignore_errors=True)
    rendered.mkdir(parents=True)
    result, failures = {}, []
    for directory, is_component in kustomizations():
        name = name_of(directory)
        try:
            if is_component:
                text = build_with(name.replace("/", "-"), base_of(directory), [directory])
            else:
                text = build(directory)
        except AssertionError as e:
            failures.append(str(e))
            continue
        (rendered / (name.replace("/", "-") + ".yaml")).write_text(text)
        result[name] = parse(name, text)
    return result, failures
