"""The overlays of the service: admission, pool, roll-out, autoscaler, eviction."""

import collections
import dataclasses
import json
import shutil

import pods as podchecks
from kube import (
    SCRATCH,
    Failure,
    as_written,
    block,
    eventually,
    get,
    kubectl,
    render,
    require,
    selector,
)


@dataclasses.dataclass
class Promise:
    """`pool`: the value of the nodes' label `workload`, or None for a cluster whose nodes have none."""

    pool: str | None
    high_availability: bool
    monitoring: bool


class Service:
    """An applied overlay."""

    def __init__(self, overlay):
        self.overlay = overlay
        self.objects = render(overlay)
        deployments = [o for (kind, _), o in self.objects.items() if kind == "Deployment"]
        require(len(deployments) == 1, f"{len(deployments)} Deployments")
        self.deployment = deployments[0]
        self.name = self.deployment["metadata"]["name"]
        self.namespace = self.deployment["metadata"]["namespace"]
        self.selector = selector(self.deployment["spec"]["selector"]["matchLabels"])

    def in_namespace(self, *arguments):
        return ("--namespace", self.namespace, *arguments)

    def live(self):
        return get(*self.in_namespace("deployment", self.name))

    def of_kind(self, kind):
        return [o for (k, _), o in self.objects.items() if k == kind]

    def roll_out(self):
        kubectl(*self.in_namespace("rollout", "status", f"deployment/{self.name}", "--timeout=90s"))

    def pods(self):
        """Returns the pods that are not terminating."""
        found = get(*self.in_namespace("pods", "--selector", self.selector))
        return [p for p in found if "deletionTimestamp" not in p["metadata"] and p["status"]["phase"] == "Running"]

    def replica_sets(self):
        found = get(*self.in_namespace("replicasets", "--selector", self.selector))
        return {r["metadata"]["name"]: r for r in found}


def run(results, overlay, promise, apply):
    """Applies the overlay and checks it. Returns the folders to delete."""
    name = overlay.name
    folders = [overlay]
    service = Service(overlay)
    if promise.pool is None:
        # A cluster on one machine has one node, without the pools' labels.
        for node in get("nodes", "--selector", "workload"):
            kubectl("cordon", node["metadata"]["name"])
    try:
        results.check(f"{name}: the commands of docs/deployment.md", install, service)
        results.check(f"{name}: kubectl apply -k, strict validation, no warning", apply, overlay)
        rolled_out = results.check(f"{name}: pods admitted under PodSecurity, Deployment available", available, service)
        if rolled_out:
            checks(results, service, promise, apply, folders)
    finally:
        for node in get("nodes"):
            kubectl("uncordon", node["metadata"]["name"])
    return folders


def checks(results, service, promise, apply, folders):
    name = service.overlay.name
    results.check(f"{name}: every object of the overlay exists", objects_exist, service)
    results.check(f"{name}: pods on the nodes of their pool", on_pool, service, promise.pool)
    results.check(f"{name}: what pods mount and read exists", podchecks.references_exist, service.pods())
    results.check(f"{name}: pods hold no token of their ServiceAccount", podchecks.no_token, service.pods())
    results.check(f"{name}: endpoints of the Service are the ready pods", endpoints, service)
    results.check(f"{name}: each NetworkPolicy selects pods, its ports are theirs", policies, service)
    results.check(f"{name}: PodSecurity refuses mutated pods", mutated_pods, service)
    if promise.monitoring:
        results.check(f"{name}: PodMonitor finds pods, port and key; PrometheusRule accepted", monitoring, service)
    if promise.high_availability:
        results.check(f"{name}: autoscaler finds its Deployment, holds minReplicas", autoscaler, service)
        results.check(f"{name}: at maxReplicas all pods run, spread over the pool", spread, service, promise.pool)
        results.check(f"{name}: applying again keeps the autoscaler's replicas", keeps_replicas, service, apply)
        results.check(f"{name}: a drained node's pods move", drain, service)
        results.check(f"{name}: eviction stops at the disruption budget", eviction, service)
    results.check(f"{name}: applying again changes nothing", idempotent, service, apply)
    results.check(f"{name}: a changed configuration rolls out, and back", configuration, service, apply, folders)
    results.check(f"{name}: a roll-out as root is refused, the old pods stay", refused_roll_out, service, apply)


def install(service):
    script = block("docs/deployment.md", "create secret generic")
    as_written(script, lambda text: text.replace("overlays/digitalocean", f"overlays/{service.overlay.name}"))


def available(service):
    service.roll_out()
    require(service.pods(), "no pod")
    return f"{len(service.pods())} pods"


def objects_exist(service):
    counted = collections.Counter()
    for (kind, name), o in service.objects.items():
        group = o["apiVersion"].rpartition("/")[0]
        get(*service.in_namespace(f"{kind}.{group}" if group else kind, name))
        counted[kind] += 1
    return ", ".join(f"{n} {kind}" for kind, n in sorted(counted.items()))


def pool_nodes(pool):
    chosen = ("nodes", "--selector", f"workload={pool}" if pool else "!workload")
    return {n["metadata"]["name"] for n in get(*chosen)}


def on_pool(service, pool):
    used = {p["spec"]["nodeName"] for p in service.pods()}
    require(used <= pool_nodes(pool), f"on {sorted(used)}")
    return ", ".join(sorted(used))


def endpoints(service):
    (rendered,) = service.of_kind("Service")

    def ready():
        slices = get(
            *service.in_namespace(
                "endpointslices", "--selector", f"kubernetes.io/service-name={rendered['metadata']['name']}"
            )
        )
        addresses = {
            a for s in slices for e in s["endpoints"] or [] if e["conditions"]["ready"] for a in e["addresses"]
        }
        expected = {p["status"]["podIP"] for p in service.pods()}
        require(addresses == expected, f"{sorted(addresses)}, not {sorted(expected)}")
        ports = {p["port"] for s in slices for p in s["ports"] or []}
        declared = {
            p["containerPort"] for c in service.deployment["spec"]["template"]["spec"]["containers"] for p in c["ports"]
        }
        require(ports and ports <= declared, f"ports {ports}, not {declared}")
        return f"{len(addresses)} on port {ports}"

    return eventually(30, ready)


def policies(service):
    pods = service.pods()
    found = service.of_kind("NetworkPolicy")
    require(found, "none")
    for policy in found:
        name, spec = policy["metadata"]["name"], policy["spec"]
        require("matchExpressions" not in spec["podSelector"], f"{name}: expressions are not checked here")
        labels = spec["podSelector"].get("matchLabels", {})
        chosen = [p for p in pods if labels.items() <= p["metadata"]["labels"].items()]
        require(chosen, f"{name} selects no pod")
        for rule in spec.get("ingress", []):
            for port in rule.get("ports", []):
                require(podchecks.has_port(chosen[0], port["port"]), f"{name}: the pods have no port {port['port']}")
    return f"{len(found)} policies"


def mutated_pods(service):
    return podchecks.refuses_mutations(service.namespace, service.live()["spec"]["template"]["spec"])


def monitoring(service):
    (monitor,) = service.of_kind("PodMonitor")
    require(service.of_kind("PrometheusRule"), "no PrometheusRule")
    chosen = get(*service.in_namespace("pods", "--selector", selector(monitor["spec"]["selector"]["matchLabels"])))
    require(chosen, "the PodMonitor selects no pod")
    for endpoint in monitor["spec"]["podMetricsEndpoints"]:
        require(podchecks.has_port(chosen[0], endpoint["port"]), f"no port {endpoint['port']}")
        key = endpoint["authorization"]["credentials"]
        secret = get(*service.in_namespace("secret", key["name"]))
        require(key["key"] in secret["data"], f"the Secret has no key {key['key']}")
    rules = [r["spec"]["groups"] for r in service.of_kind("PrometheusRule")]
    return f"{len(chosen)} pods, {sum(len(g['rules']) for groups in rules for g in groups)} rules"


def autoscaler(service):
    (rendered,) = service.of_kind("HorizontalPodAutoscaler")

    def able():
        live = get(*service.in_namespace("hpa", rendered["metadata"]["name"]))
        conditions = {c["type"]: c for c in live.get("status", {}).get("conditions", [])}
        require(conditions.get("AbleToScale", {}).get("status") == "True", f"{conditions}")
        require(service.live()["spec"]["replicas"] == rendered["spec"]["minReplicas"], "not at minReplicas")

    eventually(60, able)
    service.roll_out()
    return f"{rendered['spec']['minReplicas']} replicas"


def spread(service, pool):
    (rendered,) = service.of_kind("HorizontalPodAutoscaler")
    most = rendered["spec"]["maxReplicas"]
    # The autoscaler writes to this subresource. Without metrics, this test does.
    kubectl(*service.in_namespace("scale", "deployment", service.name, f"--replicas={most}"))
    service.roll_out()

    def all_run():
        require(len(service.pods()) == most, f"{len(service.pods())} pods of {most}")

    eventually(30, all_run)
    on_pool(service, pool)
    per_node = collections.Counter(p["spec"]["nodeName"] for p in service.pods())
    counts = sorted(per_node[node] for node in pool_nodes(pool))
    require(counts[-1] - counts[0] <= 1, f"per node: {counts}")
    return f"{most} pods, per node: {counts}"


def keeps_replicas(service, apply):
    before = service.live()["spec"]["replicas"]
    apply(service.overlay)
    after = service.live()["spec"]["replicas"]
    require(before == after, f"{before} became {after}")


def drain(service):
    node = service.pods()[0]["spec"]["nodeName"]
    try:
        kubectl("drain", node, "--ignore-daemonsets", "--delete-emptydir-data", "--timeout=120s")
        service.roll_out()
        used = {p["spec"]["nodeName"] for p in service.pods()}
        require(node not in used and len(service.pods()) == service.live()["spec"]["replicas"], f"on {sorted(used)}")
    finally:
        kubectl("uncordon", node)
    return node


def eviction(service):
    """Uses up the budget: no node admits the evicted pods."""
    for node in get("nodes"):
        kubectl("cordon", node["metadata"]["name"])
    (budget,) = service.of_kind("PodDisruptionBudget")
    allowed = get(*service.in_namespace("poddisruptionbudget", budget["metadata"]["name"]))["status"][
        "disruptionsAllowed"
    ]
    require(allowed >= 1, "the budget allows no disruption: no node could be drained")
    evicted = 0
    try:
        for pod in service.pods():
            name = pod["metadata"]["name"]
            body = {
                "apiVersion": "policy/v1",
                "kind": "Eviction",
                "metadata": {"name": name, "namespace": service.namespace},
            }
            path = f"/api/v1/namespaces/{service.namespace}/pods/{name}/eviction"
            try:
                kubectl("create", "--raw", path, "-f", "-", stdin=json.dumps(body))
                evicted += 1
            except Failure as failure:
                require("disruption budget" in str(failure), str(failure))
                break
    finally:
        for node in get("nodes"):
            kubectl("uncordon", node["metadata"]["name"])
    require(evicted == allowed, f"{evicted} evicted, {allowed} allowed")
    service.roll_out()
    return f"{evicted} evicted, the next refused"


def idempotent(service, apply):
    generation = service.live()["metadata"]["generation"]
    apply(service.overlay)
    require(service.live()["metadata"]["generation"] == generation, "the Deployment changed")


def configuration_of(service):
    """Returns the names of the ConfigMaps that the current pods mount."""
    return {v["configMap"]["name"] for p in service.pods() for v in p["spec"]["volumes"] if "configMap" in v}


def configuration(service, apply, folders):
    """Copies all folders and changes one line of the configuration."""
    tree = service.overlay.parent.parent
    changed = SCRATCH / f"changed-{service.overlay.name}"
    shutil.copytree(tree, changed)
    files = sorted(changed.rglob("rest_config*.yaml"))
    require(files, "no rest_config.yaml")
    for file in files:
        file.write_text(file.read_text(encoding="utf-8") + "# changed\n", encoding="utf-8")
    folders.append(changed / service.overlay.relative_to(tree))

    old_maps, old_sets = configuration_of(service), set(service.replica_sets())
    apply(folders[-1])
    service.roll_out()

    def replaced():
        maps = configuration_of(service)
        require(maps and not maps & old_maps, f"{maps} after {old_maps}")
        new = set(service.replica_sets()) - old_sets
        require(len(new) == 1, f"new ReplicaSets: {new}")

    eventually(30, replaced)
    podchecks.references_exist(service.pods())
    kubectl(*service.in_namespace("rollout", "undo", f"deployment/{service.name}"))
    service.roll_out()

    def back():
        require(configuration_of(service) == old_maps, f"{configuration_of(service)}, not {old_maps}")

    eventually(30, back)
    podchecks.references_exist(service.pods())
    apply(service.overlay)
    service.roll_out()


def refused_roll_out(service, apply):
    tree = service.overlay.parent.parent
    mutated = tree / "overlays" / f"{service.overlay.name}-as-root"
    mutated.mkdir()
    patch = [{"op": "replace", "path": "/spec/template/spec/securityContext/runAsUser", "value": 0}]
    kustomization = {
        "apiVersion": "kustomize.config.k8s.io/v1beta1",
        "kind": "Kustomization",
        "resources": [f"../{service.overlay.name}"],
        "patches": [{"target": {"kind": "Deployment"}, "patch": json.dumps(patch)}],
    }
    (mutated / "kustomization.yaml").write_text(json.dumps(kustomization), encoding="utf-8")
    before = {p["metadata"]["name"] for p in service.pods()}
    kubectl("apply", "-k", str(mutated))

    def refused():
        conditions = {c["type"]: c for c in service.live()["status"]["conditions"]}
        message = conditions.get("ReplicaFailure", {}).get("message", "")
        require('violates PodSecurity "restricted' in message, f"conditions: {list(conditions)} {message}")

    eventually(60, refused)
    now = {p["metadata"]["name"] for p in service.pods()}
    require(now == before, f"pods {sorted(now)}, before {sorted(before)}")
    apply(service.overlay)
    service.roll_out()
