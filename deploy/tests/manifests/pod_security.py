"""Checks workloads against the Pod Security Standards that the labels of their namespace enforce.

https://kubernetes.io/docs/concepts/security/pod-security-standards/. A cluster decides the same at admission; here
it is found without one, and for workloads too, which admission only warns about.
"""

from facts import WORKLOADS
from rendering import label

ENFORCE = "pod-security.kubernetes.io/enforce"
LEVELS = ("privileged", "baseline", "restricted")
VOLUMES = {
    "configMap",
    "csi",
    "downwardAPI",
    "emptyDir",
    "ephemeral",
    "persistentVolumeClaim",
    "projected",
    "secret",
}
HOST = ("hostNetwork", "hostPID", "hostIPC")


def restricted(pod):
    context = pod.get("securityContext", {})
    for key in HOST:
        if pod.get(key):
            yield f"{key} is true"
    for volume in pod.get("volumes", []):
        for kind in set(volume) - {"name"} - VOLUMES:
            yield f"volume {volume['name']} is a {kind}"
    for container in pod.get("containers", []) + pod.get("initContainers", []):
        own = container.get("securityContext", {})
        name = container["name"]
        if own.get("privileged"):
            yield f"container {name} is privileged"
        if own.get("allowPrivilegeEscalation") is not False:
            yield f"container {name}: allowPrivilegeEscalation is not false"
        if own.get("runAsNonRoot", context.get("runAsNonRoot")) is not True:
            yield f"container {name}: runAsNonRoot is not true"
        if own.get("runAsUser", context.get("runAsUser")) == 0:
            yield f"container {name} runs as root"
        profile = own.get("seccompProfile", context.get("seccompProfile", {})).get("type")
        if profile not in ("RuntimeDefault", "Localhost"):
            yield f"container {name}: seccompProfile is {profile}"
        capabilities = own.get("capabilities", {})
        if "ALL" not in capabilities.get("drop", []):
            yield f"container {name} does not drop ALL capabilities"
        if set(capabilities.get("add", [])) - {"NET_BIND_SERVICE"}:
            yield f"container {name} adds capabilities"
        if any("hostPort" in port for port in container.get("ports", [])):
            yield f"container {name} takes a port of its node"


def problems(manifests, levels):
    """Yields violations; `levels` maps each namespace to the level that its labels enforce."""
    for namespace in manifests.of_kind("Namespace"):
        level = namespace["metadata"].get("labels", {}).get(ENFORCE)
        if level not in LEVELS:
            yield f"{label(namespace)} enforces no pod security ({level})"
    for workload in manifests.of_kind(*WORKLOADS):
        level = levels.get(workload["metadata"].get("namespace"))
        if level == "restricted":
            for problem in restricted(workload["spec"]["template"]["spec"]):
                yield f"{label(workload)}: {problem}, against `restricted`"


def enforced(everything):
    """Collects {namespace: level} from all rendered manifests."""
    return {
        n["metadata"]["name"]: n["metadata"].get("labels", {}).get(ENFORCE)
        for manifests in everything
        for n in manifests.of_kind("Namespace")
    }
