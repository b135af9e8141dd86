"""Evaluates NetworkPolicies: the flows between pods and their ports."""

import dataclasses
import re

from stack import workload, workloads


@dataclasses.dataclass(frozen=True)
class End:
    """A pod, by its namespace and labels. Without a namespace it is an address outside the cluster."""

    name: str
    namespace: str | None = None
    labels: tuple = ()

    @classmethod
    def of(cls, w):
        return cls(w.name, w.namespace, tuple(sorted(w.labels.items())))


DNS = End("DNS", "kube-system", (("k8s-app", "kube-dns"),))
OPERATOR = End("the operator", "elastic-system", (("control-plane", "elastic-operator"),))
MODEL = End("a model", "model-services", (("app.kubernetes.io/name", "insurance-charges"),))
OUTSIDE = End("an address outside")


def selects(selector, labels):
    if set(selector) - {"matchLabels"}:
        raise AssertionError(f"selector {selector} is more than matchLabels")
    return selector.get("matchLabels", {}).items() <= dict(labels).items()


def peer_matches(peer, policy_namespace, end):
    if end.namespace is None or "ipBlock" in peer:
        return False
    if "namespaceSelector" in peer:
        if not selects(peer["namespaceSelector"], {"kubernetes.io/metadata.name": end.namespace}):
            return False
    elif end.namespace != policy_namespace:
        return False
    return selects(peer.get("podSelector", {}), end.labels)


def opens(policy, direction, other, port, protocol):
    for rule in policy["spec"].get(direction, []):
        peers = rule.get("from" if direction == "ingress" else "to")
        if peers is not None and not any(
            peer_matches(p, policy["metadata"]["namespace"], other) for p in peers
        ):
            continue
        ports = rule.get("ports")
        if ports is None or any(p["port"] == port and p.get("protocol", "TCP") == protocol for p in ports):
            return True
    return False


def side_allows(objects, direction, end, other, port, protocol):
    """Returns whether one side of a flow is open: no policy selects the pod for this direction, or one admits it."""
    if end.namespace is None:
        return True
    policies = [
        p
        for p in objects.of_kind("NetworkPolicy")
        if p["metadata"]["namespace"] == end.namespace
        and direction.capitalize() in p["spec"]["policyTypes"]
        and selects(p["spec"]["podSelector"], end.labels)
    ]
    return not policies or any(opens(p, direction, other, port, protocol) for p in policies)


def allowed(objects, source, target, port, protocol="TCP"):
    return side_allows(objects, "egress", source, target, port, protocol) and side_allows(
        objects, "ingress", target, source, port, protocol
    )


def wanted(objects):
    """Lists the flows that the configurations need: (from, to, port, protocol)."""
    ends = {w.object["kind"]: End.of(w) for w in workloads(objects)}
    elasticsearch, kibana, beat, job = (ends[k] for k in ("Elasticsearch", "Kibana", "Beat", "Job"))
    flows = [
        (elasticsearch, elasticsearch, 9300, "TCP"),
        (elasticsearch, elasticsearch, 9200, "TCP"),
        (OPERATOR, elasticsearch, 9200, "TCP"),
        (kibana, elasticsearch, 9200, "TCP"),
        (beat, OUTSIDE, 443, "TCP"),
        (beat, OUTSIDE, 6443, "TCP"),
    ]
    for w in workloads(objects):
        flows += [(End.of(w), DNS, 53, "UDP"), (End.of(w), DNS, 53, "TCP")]
    services = {
        f"{w.object['metadata']['name']}-{suffix}.{w.namespace}.svc": End.of(w)
        for w in workloads(objects)
        for kind, suffix in (("Elasticsearch", "es-http"), ("Kibana", "kb-http"), ("Logstash", "ls-beats"))
        if w.object["kind"] == kind
    }
    for variable in workload(objects, "Job").pod["containers"][0]["env"]:
        if found := re.fullmatch(r"https://(.*):(\d+)", variable["value"]):
            flows.append((job, services[found[1]], int(found[2]), "TCP"))
    spec = workload(objects, "Beat").object["spec"]
    if "elasticsearchRef" in spec:
        flows.append((beat, elasticsearch, 9200, "TCP"))
    else:
        for host in spec["config"]["output.logstash"]["hosts"]:
            name, _, port = host.partition(":")
            flows.append((beat, services[name], int(port), "TCP"))
        flows.append((ends["Logstash"], elasticsearch, 9200, "TCP"))
    return flows


def problems(objects):
    """Yields needed flows that are closed, and open flows that are not needed."""
    flows = set(wanted(objects))
    for source, target, port, protocol in sorted(flows, key=str):
        if not allowed(objects, source, target, port, protocol):
            yield f"closed: {source.name} to {target.name}, {protocol} {port}"
    ends = [End.of(w) for w in workloads(objects)]
    for source in [*ends, MODEL, OPERATOR]:
        for target in [*ends, OUTSIDE]:
            if source in (MODEL, OPERATOR) and target is OUTSIDE:
                continue
            for port in (80, 443, 5044, 5601, 6443, 9200, 9300, 9600):
                # The policy cannot name the API server's address, so its ports are open everywhere.
                api = source.name.startswith("Beat/") and port in (443, 6443) and target is OUTSIDE
                if (source, target, port, "TCP") in flows or api:
                    continue
                if allowed(objects, source, target, port):
                    yield f"open: {source.name} to {target.name}, TCP {port}"
    for namespace in ("logging-system", "log-shipping"):
        stranger = End(f"a new pod of {namespace}", namespace)
        if allowed(objects, OPERATOR, stranger, 80) or allowed(objects, stranger, OUTSIDE, 80):
            yield f"open: {stranger.name}"

