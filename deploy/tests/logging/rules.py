"""Rules for the rendered stack. Each rule yields a message for every violation."""

import base64
import re

import yaml

import stack
from stack import label, size, workloads


def versions_agree(objects, wanted):
    """The stack has one version everywhere, that of deploy/versions.env."""
    for o in objects:
        if o["apiVersion"].split("/")[0].endswith("k8s.elastic.co") and o["spec"].get("version") != wanted:
            yield f"{label(o)} has version {o['spec'].get('version')}, not {wanted}"
    for w in workloads(objects):
        for container in w.containers():
            image = container.get("image")
            if image and image != f"docker.elastic.co/elasticsearch/elasticsearch:{wanted}":
                yield f"{w.name}: image {image} is not the one that ECK runs Elasticsearch with"


# Created by hand, as in README.md; created by ECK (pkg/controller/common/certificates, Namer and public/internal names).
BY_HAND = {
    ("logging-system", "elasticsearch-setup-user"),
    ("logging-system", "elasticsearch-shipper-user"),
    ("log-shipping", "elasticsearch-shipper-user"),
    ("log-shipping", "logstash-ca"),
}


def made_by_eck(objects):
    for kind, suffix in (("Elasticsearch", "es"), ("Kibana", "kb"), ("Logstash", "ls")):
        for o in objects.of_kind(kind):
            for part in ("http-certs-public", "http-certs-internal"):
                yield o["metadata"]["namespace"], f"{o['metadata']['name']}-{suffix}-{part}"


def references_resolve(objects):
    """Referenced objects exist, or ECK creates them, or README.md has the command that creates them."""
    secrets = {(o["metadata"]["namespace"], o["metadata"]["name"]) for o in objects.of_kind("Secret")}
    secrets |= BY_HAND | set(made_by_eck(objects))
    for w in workloads(objects):
        for volume in w.volumes().values():
            if "secret" in volume and (w.namespace, volume["secret"]["secretName"]) not in secrets:
                yield f"{w.name}: no Secret {volume['secret']['secretName']} in {w.namespace}"
            if "configMap" in volume and not exists(objects, "ConfigMap", w.namespace, volume["configMap"]["name"]):
                yield f"{w.name}: no ConfigMap {volume['configMap']['name']} in {w.namespace}"
        account = w.pod.get("serviceAccountName")
        if account and not exists(objects, "ServiceAccount", w.namespace, account):
            yield f"{w.name}: no ServiceAccount {account} in {w.namespace}"
        # ECK adds the volumes of data by these names.
        eck = {"elasticsearch-data", "logstash-data"}
        for container in w.containers():
            for variable in container.get("env", []):
                key = variable.get("valueFrom", {}).get("secretKeyRef")
                if key and (w.namespace, key["name"]) not in secrets:
                    yield f"{w.name}: no Secret {key['name']} in {w.namespace}"
            for mount in container.get("volumeMounts", []):
                if mount["name"] not in w.volumes().keys() | eck:
                    yield f"{w.name}: {container['name']} mounts {mount['name']}, which is no volume"
    for o in objects:
        spec = o.get("spec", {})
        for reference in [spec.get("elasticsearchRef"), *spec.get("elasticsearchRefs", [])]:
            if reference:
                namespace = reference.get("namespace", o["metadata"]["namespace"])
                if not exists(objects, "Elasticsearch", namespace, reference["name"]):
                    yield f"{label(o)}: no Elasticsearch {reference['name']} in {namespace}"
        auth = spec.get("auth", {})
        for reference in [*auth.get("roles", []), *auth.get("fileRealm", [])]:
            if (o["metadata"]["namespace"], reference["secretName"]) not in secrets:
                yield f"{label(o)}: no Secret {reference['secretName']}"


def exists(objects, kind, namespace, name):
    return any(
        o["metadata"]["name"] == name and o["metadata"].get("namespace") == namespace for o in objects.of_kind(kind)
    )


def memory_fits(objects):
    """Memory request and limit are equal, CPU has no limit, and heaps leave room below the memory limit."""
    for w in workloads(objects):
        for container in w.containers():
            resources = container.get("resources")
            if resources is None:
                # An init container of ECK, which sets its own.
                if container["name"] == "logstash-internal-init-config":
                    continue
                yield f"{w.name}: {container['name']} has no resources"
                continue
            limit, request = resources["limits"]["memory"], resources["requests"]["memory"]
            if size(limit) != size(request):
                yield f"{w.name}: {container['name']} requests {request} of memory, its limit is {limit}"
            if "cpu" in resources["limits"]:
                yield f"{w.name}: {container['name']} has a limit of CPU"
            environment = {e["name"]: e.get("value", "") for e in container.get("env", [])}
            heap = heap_of(environment)
            if heap is not None and heap > 0.7 * size(limit):
                yield f"{w.name}: a heap of {heap >> 20} MiB in {limit}"
            if w.object["kind"] == "Kibana" and heap is None:
                yield f"{w.name}: NODE_OPTIONS sets no heap"
            if w.object["kind"] == "Elasticsearch" and "ES_JAVA_OPTS" in environment:
                yield f"{w.name}: Elasticsearch derives its heap, ES_JAVA_OPTS would fix it"


def heap_of(environment):
    if found := re.search(r"--max-old-space-size=(\d+)", environment.get("NODE_OPTIONS", "")):
        return int(found[1]) << 20
    if found := re.search(r"-Xmx(\d+)m", environment.get("LS_JAVA_OPTS", "")):
        return int(found[1]) << 20
    return None


def elasticsearch_is_sound(objects):
    """A majority survives the loss of a node, no privileged container is needed, TLS is on, claims are kept."""
    (o,) = objects.of_kind("Elasticsearch")
    spec = o["spec"]
    masters = 0
    for node_set in spec["nodeSets"]:
        config = stack.flat(node_set["config"])
        if config.get("node.store.allow_mmap") is not False:
            yield f"{label(o)}: node.store.allow_mmap is not false: the node needs vm.max_map_count"
        if "master" in config.get("node.roles", ["master"]):
            masters += node_set["count"]
        for name in config:
            if name.startswith(("discovery.", "cluster.initial", "xpack.security")):
                yield f"{label(o)}: {name} is ECK's to set"
        claims = [c["metadata"]["name"] for c in node_set["volumeClaimTemplates"]]
        if claims != ["elasticsearch-data"]:
            yield f"{label(o)}: claims {claims}; ECK mounts elasticsearch-data"
    if masters == 2:
        yield f"{label(o)}: two nodes stop with either of them"
    if spec.get("http", {}).get("tls", {}).get("selfSignedCertificate", {}).get("disabled"):
        yield f"{label(o)}: TLS is off"
    if spec.get("volumeClaimDeletePolicy") != "DeleteOnScaledownOnly":
        yield f"{label(o)}: deleting it deletes the records"


POOL = {"workload": "logging-system"}


def on_their_pool(objects):
    """In production, all pods except Filebeat are on the tainted pool, with three nodes on three machines."""
    for w in workloads(objects):
        selector, tolerations = w.pod.get("nodeSelector"), w.pod.get("tolerations", [])
        if w.object["kind"] == "Beat":
            if selector != {"workload": "model-services"} or tolerations:
                yield f"{w.name}: runs elsewhere than the models do"
            continue
        if selector != POOL:
            yield f"{w.name}: nodeSelector is {selector}"
        if not any(t["key"] == "workload" and t.get("value") == POOL["workload"] for t in tolerations):
            yield f"{w.name}: does not tolerate its pool"
    elasticsearch = stack.workload(objects, "Elasticsearch")
    node_set = elasticsearch.object["spec"]["nodeSets"][0]
    if node_set["count"] < 3:
        yield f"{elasticsearch.name}: {node_set['count']} nodes"
    terms = elasticsearch.pod.get("affinity", {}).get("podAntiAffinity", {}).get(
        "requiredDuringSchedulingIgnoredDuringExecution", []
    )
    apart = [t for t in terms if t["topologyKey"] == "kubernetes.io/hostname"]
    if not any(t["labelSelector"]["matchLabels"].items() <= elasticsearch.labels.items() for t in apart):
        yield f"{elasticsearch.name}: two nodes may share a machine"
    for o in objects:
        owners = [o["spec"], *o["spec"].get("nodeSets", [])] if "spec" in o else []
        for claim in (c for owner in owners for c in owner.get("volumeClaimTemplates", [])):
            if claim["spec"].get("storageClassName") != "do-block-storage":
                yield f"{label(o)}: claim {claim['metadata']['name']} has no storage class of its own"


def roles(objects):
    """Returns the roles of the Secrets that Elasticsearch reads, by name."""
    (o,) = objects.of_kind("Elasticsearch")
    result = {}
    for reference in o["spec"]["auth"]["roles"]:
        secret = objects.one("Secret", reference["secretName"])
        result |= yaml.safe_load(base64.b64decode(secret["data"]["roles.yml"]))
    return result


WRITERS = {"model_log_shipper", "eck_logstash_user_role"}


def roles_are_small(objects):
    """Shippers may only add documents to log streams; the loader has no privileges on an index."""
    found = roles(objects)
    shipper = "eck_logstash_user_role" if objects.of_kind("Logstash") else "model_log_shipper"
    if shipper not in found:
        yield f"no role {shipper}"
    output = stack.flat(stack.workload(objects, "Beat").object["spec"]["config"])
    if not objects.of_kind("Logstash"):
        for name in ("username", "password"):
            if output.get(f"output.elasticsearch.{name}") != f"${{ELASTICSEARCH_{name.upper()}}}":
                yield f"output.elasticsearch.{name}: ECK's user may manage and read every log"
    for name, role in found.items():
        if name in WRITERS:
            if role["cluster"] != ["monitor"]:
                yield f"{name}: cluster privileges {role['cluster']}"
            for index in role["indices"]:
                if index["names"] != ["logs-*-*"] or sorted(index["privileges"]) != ["auto_configure", "create_doc"]:
                    yield f"{name}: {index['privileges']} on {index['names']}"
        elif "indices" in role:
            yield f"{name}: has privileges on {role['indices']}"
    if set(found.get("model_logging_setup", {}).get("cluster", [])) != {"monitor", "manage_index_templates"}:
        yield "model_logging_setup: cannot load templates, or can do more"


def only_filebeat_has_power(objects):
    """Only Filebeat has tokens, host paths and root; it may only read pods and their context."""
    for w in workloads(objects):
        beat = w.object["kind"] == "Beat"
        if w.pod.get("automountServiceAccountToken") is not beat:
            yield f"{w.name}: automountServiceAccountToken is {w.pod.get('automountServiceAccountToken')}"
        context = w.pod.get("securityContext", {})
        if context.get("seccompProfile") != {"type": "RuntimeDefault"}:
            yield f"{w.name}: no seccompProfile for all containers, those of ECK's included"
        if not beat and context.get("runAsNonRoot") is not True:
            yield f"{w.name}: runAsNonRoot is not set for all containers, those of ECK's included"
        paths = {v["hostPath"]["path"]: v["name"] for v in w.volumes().values() if "hostPath" in v}
        if not beat and paths:
            yield f"{w.name}: mounts {sorted(paths)} of the node"
        for container in w.containers():
            context = container.get("securityContext", {})
            if context.get("runAsUser") == 0 and not beat:
                yield f"{w.name}: {container['name']} runs as root"
            if context.get("capabilities") != {"drop": ["ALL"]} or context.get("allowPrivilegeEscalation") is not False:
                yield f"{w.name}: {container['name']} keeps capabilities"
            if context.get("readOnlyRootFilesystem") is not True:
                yield f"{w.name}: {container['name']} writes its root file system"
            for mount in container.get("volumeMounts", []):
                if mount["name"] in paths.values() and mount["name"] != "beat-data" and not mount.get("readOnly"):
                    yield f"{w.name}: {container['name']} may write {mount['name']} of the node"
        if beat:
            if not paths.get("/var/lib/log-shipping/filebeat") == "beat-data":
                yield f"{w.name}: the registry does not outlive the pod"
            for path in paths:
                if path not in ("/var/log/pods", "/var/lib/log-shipping/filebeat"):
                    yield f"{w.name}: mounts {path} of the node"
    for role in objects.of_kind("ClusterRole"):
        for rule in role["rules"]:
            if not set(rule["resources"]) <= {"pods", "namespaces", "nodes"} or rule["apiGroups"] != [""]:
                yield f"{label(role)}: {rule['resources']}"
            if not set(rule["verbs"]) <= {"get", "list", "watch"}:
                yield f"{label(role)}: {rule['verbs']}"
    for namespace, level in (("logging-system", "restricted"), ("log-shipping", "privileged")):
        labels = objects.one("Namespace", namespace)["metadata"]["labels"]
        if labels.get("pod-security.kubernetes.io/enforce") != level:
            yield f"Namespace/{namespace}: does not enforce {level}"


RULES = (references_resolve, memory_fits, elasticsearch_is_sound, roles_are_small, only_filebeat_has_power)
