"""Every object must be in a namespace of the manifests; otherwise `kubectl apply` uses that of the context."""

from rendering import label

CLUSTER_SCOPED = {
    "ClusterRole",
    "ClusterRoleBinding",
    "CustomResourceDefinition",
    "Namespace",
    "PriorityClass",
    "StorageClass",
}


def made(everything):
    """Collects the names of the namespaces in all rendered manifests."""
    return {n["metadata"]["name"] for manifests in everything for n in manifests.of_kind("Namespace")}


def problems(manifests, namespaces):
    for o in manifests.objects:
        namespace = o["metadata"].get("namespace")
        if o["kind"] in CLUSTER_SCOPED:
            continue
        if namespace is None:
            yield f"{label(o)} is in no namespace"
        elif namespace not in namespaces:
            yield f"{label(o)} is in namespace {namespace}, which no manifest makes"
