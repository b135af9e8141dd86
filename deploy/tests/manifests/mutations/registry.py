"""Mutations of the manifests, each with the words by which a check must name it.

A mutation changes the rendered objects in place. Its `check` says which check finds it: the schemas, the Pod
Security Standards, the placement in namespaces, the rules, or the running service.
"""

from collections.abc import Callable
from dataclasses import dataclass

import yaml

from facts import NAMESPACE, SERVICE

MUTATIONS = []


@dataclass
class Mutation:
    name: str
    check: str
    reason: str
    change: Callable


def mutation(check, reason):
    """Registers a mutation that `check` must find for `reason`, a regular expression."""

    def register(change):
        MUTATIONS.append(Mutation(change.__name__, check, reason, change))
        return change

    return register


def one(manifests, kind, name=SERVICE):
    return manifests.find(kind, name, NAMESPACE)


def pod(manifests):
    return one(manifests, "Deployment")["spec"]["template"]["spec"]


def app(manifests):
    return pod(manifests)["containers"][0]


def drop(manifests, kind, name=SERVICE):
    manifests.objects.remove(one(manifests, kind, name))


def configure(manifests, change):
    """Changes rest_config.yaml inside its ConfigMap."""
    data = next(m["data"] for m in manifests.of_kind("ConfigMap") if "rest_config.yaml" in m.get("data", {}))
    configuration = yaml.safe_load(data["rest_config.yaml"])
    change(configuration)
    data["rest_config.yaml"] = yaml.safe_dump(configuration)


def volume(manifests, name):
    return next(v for v in pod(manifests)["volumes"] if v["name"] == name)


def mount(manifests, name):
    return next(m for m in app(manifests)["volumeMounts"] if m["name"] == name)
