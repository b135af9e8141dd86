"""Static rules for the rendered manifests.

Each rule takes the facts and yields one sentence per mistake.
"""

import posixpath
import urllib.parse

from facts import NAMESPACE, SERVICE, Contradiction, Facts
from rendering import label

# Defaults of the service (docs/configuration.md), in seconds.
READINESS_DELAY, DRAIN_LIMIT, FLUSH_LIMIT = 0, 15, 10
USER = 65532


def matches(selector, labels):
    wanted = selector.get("matchLabels", {})
    return not selector.get("matchExpressions") and all(labels.get(k) == v for k, v in wanted.items())


def ports(facts):
    host, port = facts.config_port()
    if facts.ports.get("http") != port:
        yield f"containerPort http is {facts.ports.get('http')}, the service listens on {port}"
    if host not in ("0.0.0.0", "[::]"):
        yield f"the service listens on {host}, which nothing outside the pod reaches"


def probes(facts):
    for name in ("startup", "readiness", "liveness"):
        probe = facts.probe(name)
        get = probe.get("httpGet")
        if get is None:
            yield f"{name}Probe is no httpGet, and the image has no shell"
        elif get["port"] not in facts.ports:
            yield f"{name}Probe asks port {get['port']}, which is no named port of the container"
    readiness = facts.probe("readiness")
    notices = readiness.get("periodSeconds", 10) * readiness.get("failureThreshold", 3)
    delay = facts.configuration().get("server", {}).get("readiness_delay_s", READINESS_DELAY)
    if delay < notices:
        yield f"readiness_delay_s is {delay}, the readinessProbe notices a refusal after {notices} s only"


def termination(facts):
    configuration = facts.configuration()
    server = configuration.get("server", {})
    needed = (
        server.get("readiness_delay_s", READINESS_DELAY)
        + server.get("drain_limit_s", DRAIN_LIMIT)
        + configuration.get("logging", {}).get("flush_limit_s", FLUSH_LIMIT)
    )
    grace = facts.pod.get("terminationGracePeriodSeconds", 30)
    if grace < needed:
        yield f"terminationGracePeriodSeconds is {grace}, the service may need {needed} s"


def files(facts):
    present = facts.files()
    configuration = facts.configuration()
    facts.configuration_text()
    key_file = configuration.get("server", {}).get("api_keys", {}).get("file")
    if key_file is None:
        yield "the configuration names no api_keys.file: every client that reaches the port has access"
    elif present.get(key_file, ("",))[0] != "Secret":
        yield f"api_keys.file is {key_file}, which no Secret is mounted as"
    for name, handler in configuration.get("logging", {}).get("handlers", {}).items():
        path = handler.get("filename")
        writable = [m.path for m in facts.mounts if not m.read_only]
        if path and not any(posixpath.commonpath([path, w]) == w for w in writable):
            yield f"logging handler {name} writes {path}, but the root file system is read-only"
    for path, (kind, name, _, _) in present.items():
        if kind == "ConfigMap" and name == SERVICE:
            yield f"{path} comes from ConfigMap {name} without a hash in its name: a change would not roll out"


def environment(facts):
    filters = facts.configuration().get("logging", {}).get("filters", {})
    named = [v for f in filters.values() for v in f.get("env_variables", [])]
    if not named:
        yield "no filter of the log names an environment variable: records do not say their pod"
    expected = {"POD_NAME": "metadata.name", "NODE_NAME": "spec.nodeName", "NODE_IP": "status.hostIP"}
    for name in {*named, *expected}:
        source = facts.env.get(name, {}).get("valueFrom", {}).get("fieldRef", {}).get("fieldPath")
        if source is None:
            yield f"variable {name} does not come from the downward API"
        elif expected.get(name, source) != source:
            yield f"variable {name} is {source}, not {expected[name]}"
        if name not in named:
            yield f"the filters of the log leave out {name}"
    if facts.pod.get("enableServiceLinks", True):
        yield "enableServiceLinks is not false: variables of Services could be taken for ML_SERVICE_*"


def identity(facts):
    context = facts.pod.get("securityContext", {})
    own = facts.container.get("securityContext", {})
    for key in ("runAsUser", "runAsGroup"):
        value = own.get(key, context.get(key))
        if value != USER:
            yield f"{key} is {value}, not {USER}"
    if own.get("readOnlyRootFilesystem") is not True:
        yield "readOnlyRootFilesystem is not true"
    if facts.pod.get("automountServiceAccountToken", True):
        yield "automountServiceAccountToken is not false"
    account = facts.manifests.find("ServiceAccount", facts.pod.get("serviceAccountName", "default"), NAMESPACE)
    if account is None:
        yield "the pod's ServiceAccount is not among the manifests"
    elif account.get("automountServiceAccountToken", True):
        yield f"{label(account)}: automountServiceAccountToken is not false"


def resources(facts):
    wanted = facts.container.get("resources", {})
    requests, limits = wanted.get("requests", {}), wanted.get("limits", {})
    if "cpu" not in requests:
        yield "no request of CPU: the autoscaler has nothing to measure by"
    if "cpu" in limits:
        yield "a limit of CPU throttles"
    if "memory" not in limits:
        yield "no limit of memory"
    elif requests.get("memory") != limits["memory"]:
        yield f"memory: request {requests.get('memory')} and limit {limits['memory']} differ"


def service(facts):
    found = facts.manifests.find("Service", SERVICE, NAMESPACE)
    if found is None:
        yield f"no Service {SERVICE}"
        return
    spec = found["spec"]
    if spec.get("type", "ClusterIP") != "ClusterIP":
        yield f"{label(found)} is of type {spec['type']}: public without TLS"
    if not matches({"matchLabels": spec["selector"]}, facts.labels):
        yield f"{label(found)} selects no pod of the Deployment"
    for port in spec["ports"]:
        if port["targetPort"] not in facts.ports:
            yield f"{label(found)}: targetPort {port['targetPort']} is no named port of the container"
    if not matches(facts.deployment["spec"]["selector"], facts.labels):
        yield "the Deployment's selector does not match its pods"


def network(facts):
    policies = [p for p in facts.manifests.of_kind("NetworkPolicy") if p["metadata"].get("namespace") == NAMESPACE]
    deny = [
        p
        for p in policies
        if not p["spec"]["podSelector"]
        and set(p["spec"].get("policyTypes", [])) == {"Ingress", "Egress"}
        and not p["spec"].get("ingress")
        and not p["spec"].get("egress")
    ]
    if not deny:
        yield f"no NetworkPolicy denies everything in {NAMESPACE} by default"
    opened = 0
    for policy in policies:
        if policy in deny:
            continue
        if not matches(policy["spec"]["podSelector"], facts.labels):
            yield f"{label(policy)} selects no pod of the Deployment"
        if not policy["spec"]["podSelector"]:
            yield f"{label(policy)} opens every pod of the namespace"
        for rule in policy["spec"].get("egress", []):
            if not rule.get("to"):
                yield f"{label(policy)} lets the service send anywhere"
        for rule in policy["spec"].get("ingress", []):
            if not rule.get("from") or {} in (p.get("namespaceSelector") for p in rule["from"]):
                yield f"{label(policy)} admits every namespace"
            for port in rule.get("ports", [{}]):
                if port.get("port") not in facts.ports:
                    yield f"{label(policy)} opens port {port.get('port')}, which is no named port of the container"
                opened += 1
    if not opened:
        yield "no NetworkPolicy opens the port: nothing reaches the service"


def availability(facts):
    scalers = [
        h for h in facts.manifests.of_kind("HorizontalPodAutoscaler") if h["spec"]["scaleTargetRef"]["name"] == SERVICE
    ]
    budgets = facts.manifests.of_kind("PodDisruptionBudget")
    if not scalers:
        return
    if "replicas" in facts.deployment["spec"]:
        yield "the Deployment names replicas, which undoes the autoscaler's choice at every apply"
    for scaler in scalers:
        target = scaler["spec"]["scaleTargetRef"]
        if (target["kind"], target["apiVersion"]) != ("Deployment", "apps/v1"):
            yield f"{label(scaler)} scales no Deployment"
        if scaler["spec"].get("minReplicas", 1) < 3:
            yield f"{label(scaler)} keeps fewer than 3 replicas"
    fitting = [b for b in budgets if matches(b["spec"]["selector"], facts.labels)]
    if [b["spec"].get("maxUnavailable") for b in fitting] != [1]:
        yield "no single PodDisruptionBudget with maxUnavailable 1 selects the pods"
    spread = facts.pod.get("topologySpreadConstraints", [])
    if not any(c["topologyKey"] == "kubernetes.io/hostname" for c in spread):
        yield "pods are not spread over the nodes"
    for constraint in spread:
        if "pod-template-hash" not in constraint.get("matchLabelKeys", []):
            yield f"spread over {constraint['topologyKey']} counts the pods of older roll-outs"
        if not matches(constraint["labelSelector"], facts.labels):
            yield f"spread over {constraint['topologyKey']} selects no pod of the Deployment"


def monitoring(facts):
    for monitor in facts.manifests.of_kind("PodMonitor"):
        if not matches(monitor["spec"]["selector"], facts.labels):
            yield f"{label(monitor)} selects no pod of the Deployment"
        if monitor["metadata"].get("namespace") != NAMESPACE:
            yield f"{label(monitor)} is not in {NAMESPACE}, where its Secret is"
        secrets = {name for kind, name, _, _ in facts.files().values() if kind == "Secret"}
        for endpoint in monitor["spec"]["podMetricsEndpoints"]:
            if endpoint.get("port") not in facts.ports:
                yield f"{label(monitor)} asks port {endpoint.get('port')}, which is no named port of the container"
            credentials = endpoint.get("authorization", {}).get("credentials", {})
            if credentials.get("name") not in secrets:
                yield f"{label(monitor)} takes its key from Secret {credentials.get('name')}, not from the service's"
        allowed = [
            peer
            for policy in facts.manifests.of_kind("NetworkPolicy")
            for rule in policy["spec"].get("ingress", [])
            for peer in rule.get("from", [])
            if peer.get("podSelector", {}).get("matchLabels", {}).get("app.kubernetes.io/name") == "prometheus"
        ]
        if not allowed:
            yield f"no NetworkPolicy admits the Prometheus of {label(monitor)}"


def publishing(facts):
    for ingress in facts.manifests.of_kind("Ingress"):
        secured = {h for t in ingress["spec"].get("tls", []) if t.get("secretName") for h in t.get("hosts", [])}
        for rule in ingress["spec"]["rules"]:
            if rule.get("host") not in secured:
                yield f"{label(ingress)} serves {rule.get('host')} without TLS"
            for path in rule["http"]["paths"]:
                backend = path["backend"]["service"]
                target = facts.manifests.find("Service", backend["name"], NAMESPACE)
                names = [p["name"] for p in target["spec"]["ports"]] if target else []
                if backend["port"].get("name") not in names:
                    yield f"{label(ingress)} sends to {backend}, which no Service has"


def shipping(facts):
    if facts.template["metadata"].get("annotations", {}).get("co.elastic.logs/enabled") != "true":
        yield "the pods lack the annotation co.elastic.logs/enabled: Filebeat passes over them"
    handlers = facts.configuration().get("logging", {}).get("handlers", {})
    if not any(h.get("stream") == "ext://sys.stdout" for h in handlers.values()):
        yield "no handler of the log writes to standard output, which is all that is shipped"


def exporting(facts):
    endpoint = facts.env.get("OTEL_EXPORTER_OTLP_ENDPOINT", {}).get("value")
    if endpoint is None:
        return
    url = urllib.parse.urlsplit(endpoint)
    namespace = url.hostname.split(".")[1]
    opened = {
        (peer.get("namespaceSelector", {}).get("matchLabels", {}).get("kubernetes.io/metadata.name"), p["port"])
        for policy in facts.manifests.of_kind("NetworkPolicy")
        for rule in policy["spec"].get("egress", [])
        for peer in rule.get("to", [])
        for p in rule.get("ports", [])
    }
    if (namespace, url.port) not in opened:
        yield f"no NetworkPolicy lets the service send to {endpoint}"
    if ("kube-system", 53) not in opened:
        yield f"no NetworkPolicy lets the service resolve {url.hostname}"


def secrets(facts):
    for secret in facts.manifests.of_kind("Secret"):
        yield f"{label(secret)} is in the manifests: secrets belong in no file"


RULES = (
    ports,
    probes,
    termination,
    files,
    environment,
    identity,
    resources,
    service,
    network,
    availability,
    monitoring,
    publishing,
    shipping,
    exporting,
    secrets,
)


def problems(manifests):
    """Applies every rule to manifests that contain the service."""
    try:
        facts = Facts(manifests)
    except Contradiction as e:
        yield str(e)
        return
    for rule in RULES:
        try:
            yield from rule(facts)
        except Contradiction as e:
            yield str(e)
