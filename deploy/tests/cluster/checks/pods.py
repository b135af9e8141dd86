"""Checks for all pods."""

import copy
import json

from kube import get, kubectl, require


def contexts(spec):
    """Returns the security contexts of the pod and of its containers."""
    return [
        each.setdefault("securityContext", {}) for each in (spec, *spec.get("initContainers", []), *spec["containers"])
    ]


def of_all(change):
    def mutate(spec):
        for context in contexts(spec):
            change(context)

    return mutate


# Each one removes one requirement of the standard `restricted`.
MUTATIONS = {
    "user 0": lambda spec: contexts(spec)[0].update(runAsUser=0),
    "runAsNonRoot absent": of_all(lambda context: context.pop("runAsNonRoot", None)),
    "privilege escalation": lambda spec: contexts(spec)[-1].update(allowPrivilegeEscalation=True),
    "capabilities kept": lambda spec: contexts(spec)[-1].pop("capabilities"),
    "no seccomp": of_all(lambda context: context.pop("seccompProfile", None)),
    "host path": lambda spec: spec.setdefault("volumes", []).append({"name": "host", "hostPath": {"path": "/var/log"}}),
    "host network": lambda spec: spec.update(hostNetwork=True),
}


def refuses_mutations(namespace, spec):
    pod = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "mutated", "namespace": namespace}, "spec": spec}
    create = ("create", "--dry-run=server", "-f", "-")
    # The unchanged pod must pass, or the refusals below would show nothing.
    kubectl(*create, stdin=json.dumps(pod))
    for what, mutate in MUTATIONS.items():
        mutated = copy.deepcopy(pod)
        mutate(mutated["spec"])
        printed = kubectl(*create, stdin=json.dumps(mutated), fails=True)
        require('violates PodSecurity "restricted' in printed, f"{what}: {printed}")
    return ", ".join(MUTATIONS)


def has_port(pod, port):
    ports = [p for c in pod["spec"]["containers"] for p in c.get("ports", [])]
    return any(port in (p.get("name"), p["containerPort"]) for p in ports)


def no_token(pods):
    for pod in pods:
        sources = [s for v in pod["spec"].get("volumes", []) for s in v.get("projected", {}).get("sources", [])]
        require(not any("serviceAccountToken" in s for s in sources), pod["metadata"]["name"])


def references(pod):
    """Yields (kind, name, key or None) of each object that a kubelet needs to start the pod."""
    spec = pod["spec"]
    yield "serviceaccount", spec["serviceAccountName"], None

    def source(kind, name, reference):
        if reference.get("optional"):
            return
        yield kind, name, None
        for item in reference.get("items", []):
            yield kind, name, item["key"]

    for volume in spec.get("volumes", []):
        for part in (volume, *volume.get("projected", {}).get("sources", [])):
            if "configMap" in part:
                yield from source("configmap", part["configMap"]["name"], part["configMap"])
            if "secret" in part:
                yield from source("secret", part["secret"].get("secretName") or part["secret"]["name"], part["secret"])
            if "persistentVolumeClaim" in part:
                yield "persistentvolumeclaim", part["persistentVolumeClaim"]["claimName"], None
    for each in (*spec.get("initContainers", []), *spec["containers"]):
        for variable in each.get("env", []):
            for field, kind in (("configMapKeyRef", "configmap"), ("secretKeyRef", "secret")):
                reference = variable.get("valueFrom", {}).get(field)
                if reference and not reference.get("optional"):
                    yield kind, reference["name"], reference["key"]
        for whole in each.get("envFrom", []):
            for field, kind in (("configMapRef", "configmap"), ("secretRef", "secret")):
                if field in whole and not whole[field].get("optional"):
                    yield kind, whole[field]["name"], None


def references_exist(pods):
    """kwok starts pods whose ConfigMap or Secret is missing; a kubelet does not."""
    require(pods, "no pod")
    wanted = {(pod["metadata"]["namespace"], *reference) for pod in pods for reference in references(pod)}
    for namespace, kind, name, key in sorted(wanted, key=str):
        found = get("--namespace", namespace, kind, name)
        if key is not None:
            keys = {**found.get("data", {}), **found.get("binaryData", {})}
            require(key in keys, f"{kind} {name} has no key {key}")
    return f"{len(wanted)} references"
