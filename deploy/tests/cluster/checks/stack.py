"""The overlays of the logging stack: the Elastic operator's pods, pools, volumes."""

import dataclasses

import pods as podchecks
from kube import CLONE, as_written, block, eventually, get, render, require, selector


@dataclasses.dataclass
class Promise:
    """`pool`: the nodes of the store and its readers. Shippers run on the nodes of the models."""

    pool: str | None
    elastic: bool = True
    logstash: bool = False


@dataclasses.dataclass
class Workload:
    """Pods that must run or have run. `count` is None for one pod on each node that ships logs."""

    kind: str
    name: str
    namespace: str
    labels: dict
    count: int | None

    def pods(self):
        found = get("--namespace", self.namespace, "pods", "--selector", selector(self.labels))
        return [p for p in found if p["status"]["phase"] == ("Succeeded" if self.kind == "Job" else "Running")]


def workloads(objects):
    """Yields the workloads of the overlay, with those of the operator
    (labels: https://github.com/elastic/cloud-on-k8s, pkg/controller/*/labels)."""
    for (kind, name), o in objects.items():
        namespace, spec = o["metadata"].get("namespace"), o.get("spec", {})
        if kind in ("Deployment", "StatefulSet"):
            yield Workload(kind, name, namespace, spec["selector"]["matchLabels"], spec.get("replicas", 1))
        elif kind == "Job":
            yield Workload(kind, name, namespace, {"batch.kubernetes.io/job-name": name}, 1)
        elif kind == "DaemonSet":
            yield Workload(kind, name, namespace, spec["selector"]["matchLabels"], None)
        elif kind == "Elasticsearch":
            count = sum(node_set["count"] for node_set in spec["nodeSets"])
            yield Workload(kind, name, namespace, {"elasticsearch.k8s.elastic.co/cluster-name": name}, count)
        elif kind in ("Kibana", "Logstash"):
            yield Workload(kind, name, namespace, {f"{kind.lower()}.k8s.elastic.co/name": name}, spec.get("count", 1))
        elif kind == "Beat":
            yield Workload(kind, name, namespace, {"beat.k8s.elastic.co/name": name}, None)


def run(results, overlay, promise, apply):
    title = f"logging {overlay.name}"
    if promise.elastic:
        results.check(f"{title}: the users, by the commands of README.md", make_users)
    results.check(f"{title}: kubectl apply -k, strict validation, no warning", apply, overlay)
    objects = render(overlay)
    results.check(f"{title}: every object of the overlay exists", objects_exist, objects)
    if promise.logstash:
        results.check(f"{title}: Secret with Logstash's authority, copied for Filebeat", eventually, 60, copy_authority)
    found = list(workloads(objects))
    results.check(f"{title}: workloads exist", lambda: require(found, "no workload"))
    for workload in found:
        each = f"{title}, {workload.kind} {workload.name}"
        if not results.check(f"{each}: all pods admitted and running", eventually, 120, all_run, workload):
            continue
        # The operator may create a Secret after the pod that waits for it.
        results.check(f"{each}: the objects that pods mount and read exist", eventually, 60, references, workload)
        if workload.count is None:
            continue
        if promise.pool:
            results.check(f"{each}: pods on the nodes of their pool", on_pool, workload, promise.pool)
        results.check(f"{each}: PodSecurity refuses mutated pods", mutated, workload)
    results.check(f"{title}: claims have their volumes", eventually, 60, claims_bound, objects)
    if promise.elastic:
        results.check(f"{title}: the operator has no complaint", no_complaint, objects)


def make_users():
    as_written(block("deploy/kubernetes/logging/README.md", "elasticsearch-setup-user"))


def copy_authority():
    """Runs the commands in the first comment of the component."""
    file = CLONE / "deploy/kubernetes/logging/components/logstash/kustomization.yaml"
    lines = [line[4:] for line in file.read_text(encoding="utf-8").splitlines() if line.startswith("#   ")]
    as_written("\n".join(lines))


def references(workload):
    return podchecks.references_exist(workload.pods())


def objects_exist(objects):
    for (kind, name), o in objects.items():
        group = o["apiVersion"].rpartition("/")[0]
        where = ("--namespace", o["metadata"]["namespace"]) if "namespace" in o["metadata"] else ()
        get(*where, f"{kind}.{group}" if group else kind, name)
    return f"{len(objects)} objects"


def all_run(workload):
    pods = workload.pods()
    nodes = {p["spec"]["nodeName"] for p in pods}
    if workload.count is None:
        serving = {n["metadata"]["name"] for n in get("nodes", "--selector", "workload=model-services")}
        require(serving <= nodes, f"on {sorted(nodes)} only")
    else:
        require(len(pods) == workload.count, f"{len(pods)} pods of {workload.count}; {complaints(workload.namespace)}")
    return f"{len(pods)} on {', '.join(sorted(nodes))}"


def complaints(namespace):
    events = get("--namespace", namespace, "events", "--field-selector", "type=Warning")
    return "; ".join(
        sorted({f"{e['involvedObject']['kind']} {e['involvedObject']['name']}: {e['message']}" for e in events})
    )


def on_pool(workload, pool):
    allowed = {n["metadata"]["name"] for n in get("nodes", "--selector", f"workload={pool}")}
    used = {p["spec"]["nodeName"] for p in workload.pods()}
    require(used <= allowed, f"on {sorted(used)}")


def mutated(workload):
    spec = workload.pods()[0]["spec"]
    # Set by the scheduler, which a pod with a node name would bypass.
    del spec["nodeName"]
    return podchecks.refuses_mutations(workload.namespace, spec)


def claims_bound(objects):
    namespaces = {o["metadata"]["namespace"] for o in objects.values() if "namespace" in o["metadata"]}
    claims = [c for namespace in namespaces for c in get("--namespace", namespace, "persistentvolumeclaims")]
    waiting = [c["metadata"]["name"] for c in claims if c["status"]["phase"] != "Bound"]
    require(not waiting, f"unbound: {waiting}")
    return f"{len(claims)} claims"


def no_complaint(objects):
    """Checks the operator's events, which report mistakes that the schemas cannot find."""
    found = []
    for (kind, name), o in objects.items():
        if "k8s.elastic.co" not in o["apiVersion"]:
            continue
        namespace = o["metadata"]["namespace"]
        fields = f"type=Warning,involvedObject.kind={kind},involvedObject.name={name}"
        events = get("--namespace", namespace, "events", "--field-selector", fields)
        found += [
            f"{kind} {name}: {e['reason']}: {e['message']}"
            for e in events
            if e["reason"] in ("Validation", "ReconciliationError")
        ]
    require(not found, "; ".join(sorted(set(found))))
