"""The rendered objects of deploy/kubernetes/logging, and searches in them."""

import os
import re
import subprocess
from pathlib import Path

import yaml

REPOSITORY = Path(__file__).resolve().parents[3]
LOGGING = REPOSITORY / "deploy" / "kubernetes" / "logging"


class Objects(list):
    def of_kind(self, kind):
        return [o for o in self if o["kind"] == kind]

    def one(self, kind, name):
        found = [o for o in self.of_kind(kind) if o["metadata"]["name"] == name]
        if len(found) != 1:
            raise AssertionError(f"{len(found)} objects {kind}/{name}")
        return found[0]


def render(name):
    command = os.environ["KUSTOMIZE_BUILD"].split()
    done = subprocess.run([*command, str(LOGGING / name)], capture_output=True, text=True)
    if done.returncode != 0:
        raise AssertionError(f"{name} cannot be rendered: {done.stderr.strip()}")
    return Objects(o for o in yaml.safe_load_all(done.stdout) if o)


def label(o):
    return f"{o['kind']}/{o['metadata']['name']}"


class Workload:
    """Pods that an object stands for, with the labels that ECK gives them.

    Labels: pkg/controller/*/label of https://github.com/elastic/cloud-on-k8s; deploy/tests/cluster finds the operator's
    pods by the same ones.
    """

    def __init__(self, o, template, labels):
        self.object = o
        self.namespace = o["metadata"]["namespace"]
        self.template = template
        self.labels = {**labels, **template.get("metadata", {}).get("labels", {})}
        self.name = label(o)

    @property
    def pod(self):
        return self.template["spec"]

    def containers(self):
        return self.pod["containers"] + self.pod.get("initContainers", [])

    def volumes(self):
        return {v["name"]: v for v in self.pod.get("volumes", [])}


def workloads(objects):
    for o in objects:
        kind, name, spec = o["kind"], o["metadata"]["name"], o.get("spec", {})
        if kind == "Elasticsearch":
            for node_set in spec["nodeSets"]:
                yield Workload(o, node_set["podTemplate"], {"elasticsearch.k8s.elastic.co/cluster-name": name})
        elif kind == "Kibana":
            yield Workload(o, spec["podTemplate"], {"kibana.k8s.elastic.co/name": name})
        elif kind == "Logstash":
            yield Workload(o, spec["podTemplate"], {"logstash.k8s.elastic.co/name": name})
        elif kind == "Beat":
            yield Workload(o, spec["daemonSet"]["podTemplate"], {"beat.k8s.elastic.co/name": name})
        elif kind == "Job":
            yield Workload(o, spec["template"], {})


def workload(objects, kind):
    found = [w for w in workloads(objects) if w.object["kind"] == kind]
    if len(found) != 1:
        raise AssertionError(f"{len(found)} workloads of kind {kind}")
    return found[0]


UNITS = {"": 1, "Mi": 2**20, "Gi": 2**30}


def size(quantity):
    number, unit = re.fullmatch(r"(\d+)(\D*)", str(quantity)).groups()
    return int(number) * UNITS[unit]


def flat(settings, prefix=""):
    """Returns settings by full dotted name, as Filebeat and Elasticsearch read them: {name: value}."""
    result = {}
    for key, value in settings.items():
        name = f"{prefix}{key}"
        if isinstance(value, dict) and value:
            result |= flat(value, f"{name}.")
        else:
            result[name] = value
    return result


def versions():
    lines = (REPOSITORY / "deploy" / "versions.env").read_text().splitlines()
    return dict(line.split("=", 1) for line in lines if "=" in line and not line.startswith("#"))
