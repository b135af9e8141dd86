"""Each rule fails for a mutation, with the expected message. A mutation is one change of the rendered objects."""

import copy

import filebeat_settings
import flows
import pipeline
import pytest
import rules
import stack

PRODUCTION = "overlays/digitalocean"
WITH_LOGSTASH = "overlays/digitalocean-logstash"


def pod(objects, kind):
    return stack.workload(objects, kind).pod


def container(objects, kind):
    return pod(objects, kind)["containers"][0]


def spec(objects, kind):
    return stack.workload(objects, kind).object["spec"]


def default_config(objects):
    return spec(objects, "Beat")["config"]["filebeat.autodiscover"]["providers"][0]["hints.default_config"]


def versions(objects):
    return rules.versions_agree(objects, stack.versions()["ELASTIC_STACK_VERSION"])


def output(objects):
    return spec(objects, "Beat")["config"]["output.elasticsearch"]


def no_roles(objects):
    spec(objects, "Elasticsearch")["auth"]["roles"] = []


def secret(objects, name):
    objects.one("Secret", name)["metadata"]["name"] = "other"


def policy(objects, name):
    found = [p for p in objects.of_kind("NetworkPolicy") if p["metadata"]["name"] == name]
    for each in found:
        objects.remove(each)


MUTATIONS = {
    "another version": (versions, "has version", lambda o: spec(o, "Kibana").update(version="9.0.0")),
    "another image": (versions, "image curl", lambda o: container(o, "Job").update(image="curl:8")),
    "roles renamed": (rules.references_resolve, "no Secret elasticsearch-roles", lambda o: secret(o, "elasticsearch-roles")),
    "unknown cluster": (
        rules.references_resolve,
        "no Elasticsearch search",
        lambda o: spec(o, "Kibana").update(elasticsearchRef={"name": "search"}),
    ),
    "wrong namespace": (
        rules.references_resolve,
        "no Elasticsearch elasticsearch in log-shipping",
        lambda o: spec(o, "Beat")["elasticsearchRef"].pop("namespace"),
    ),
    "unknown ConfigMap": (
        rules.references_resolve,
        "no ConfigMap",
        lambda o: pod(o, "Job")["volumes"][0].update(configMap={"name": "logging-setup"}),
    ),
    "unknown certificate": (
        rules.references_resolve,
        "no Secret elasticsearch-http",
        lambda o: pod(o, "Job")["volumes"][3].update(secret={"secretName": "elasticsearch-http"}),
    ),
    "unknown volume": (
        rules.references_resolve,
        "mounts logs, which is no volume",
        lambda o: container(o, "Beat")["volumeMounts"][0].update(name="logs"),
    ),
    "unknown account": (
        rules.references_resolve,
        "no ServiceAccount",
        lambda o: pod(o, "Beat").update(serviceAccountName="beats"),
    ),
    "limit below the heap": (
        rules.memory_fits,
        "a heap of 1280 MiB",
        lambda o: container(o, "Kibana").update(resources={"requests": {"memory": "1Gi"}, "limits": {"memory": "1Gi"}}),
    ),
    "heap unset": (rules.memory_fits, "sets no heap", lambda o: container(o, "Kibana").pop("env")),
    "request below the limit": (
        rules.memory_fits,
        "requests 1Gi",
        lambda o: container(o, "Elasticsearch")["resources"]["requests"].update(memory="1Gi"),
    ),
    "limit of CPU": (
        rules.memory_fits,
        "limit of CPU",
        lambda o: container(o, "Beat")["resources"]["limits"].update(cpu="100m"),
    ),
    "heap fixed": (
        rules.memory_fits,
        "derives its heap",
        lambda o: container(o, "Elasticsearch").update(env=[{"name": "ES_JAVA_OPTS", "value": "-Xmx1g"}]),
    ),
    "mmap": (
        rules.elasticsearch_is_sound,
        "vm.max_map_count",
        lambda o: spec(o, "Elasticsearch")["nodeSets"][0]["config"].pop("node.store.allow_mmap"),
    ),
    "two nodes": (
        rules.elasticsearch_is_sound,
        "two nodes",
        lambda o: spec(o, "Elasticsearch")["nodeSets"][0].update(count=2),
    ),
    "quorum by hand": (
        rules.elasticsearch_is_sound,
        "ECK's to set",
        lambda o: spec(o, "Elasticsearch")["nodeSets"][0]["config"].update({"discovery.zen.minimum_master_nodes": 1}),
    ),
    "no TLS": (
        rules.elasticsearch_is_sound,
        "TLS is off",
        lambda o: spec(o, "Elasticsearch").update(http={"tls": {"selfSignedCertificate": {"disabled": True}}}),
    ),
    "records deleted with the object": (
        rules.elasticsearch_is_sound,
        "deletes the records",
        lambda o: spec(o, "Elasticsearch").pop("volumeClaimDeletePolicy"),
    ),
    "claim of another name": (
        rules.elasticsearch_is_sound,
        "ECK mounts",
        lambda o: spec(o, "Elasticsearch")["nodeSets"][0]["volumeClaimTemplates"][0]["metadata"].update(name="data"),
    ),
    "pool not chosen": (rules.on_their_pool, "nodeSelector is None", lambda o: pod(o, "Kibana").pop("nodeSelector")),
    "taint not tolerated": (rules.on_their_pool, "does not tolerate", lambda o: pod(o, "Job").pop("tolerations")),
    "nodes on one machine": (rules.on_their_pool, "share a machine", lambda o: pod(o, "Elasticsearch").pop("affinity")),
    "class of the cluster": (
        rules.on_their_pool,
        "no storage class",
        lambda o: spec(o, "Elasticsearch")["nodeSets"][0]["volumeClaimTemplates"][0]["spec"].pop("storageClassName"),
    ),
    "Filebeat everywhere": (rules.on_their_pool, "runs elsewhere", lambda o: pod(o, "Beat").pop("nodeSelector")),
    "no roles": (rules.roles_are_small, "no role model_log_shipper", no_roles),
    "user of ECK": (
        rules.roles_are_small,
        "ECK's user may manage",
        lambda o: output(o).pop("username"),
    ),
    "password of no user": (
        rules.references_resolve,
        "no Secret shipper in log-shipping",
        lambda o: container(o, "Beat")["env"][2]["valueFrom"]["secretKeyRef"].update(name="shipper"),
    ),
    "token": (
        rules.only_filebeat_has_power,
        "automountServiceAccountToken",
        lambda o: pod(o, "Elasticsearch").update(automountServiceAccountToken=True),
    ),
    "no token": (
        rules.only_filebeat_has_power,
        "automountServiceAccountToken",
        lambda o: pod(o, "Beat").pop("automountServiceAccountToken"),
    ),
    "whole log folder": (
        rules.only_filebeat_has_power,
        "mounts /var/log of",
        lambda o: pod(o, "Beat")["volumes"][0].update(hostPath={"path": "/var/log"}),
    ),
    "writable logs": (
        rules.only_filebeat_has_power,
        "may write pod-logs",
        lambda o: container(o, "Beat")["volumeMounts"][0].pop("readOnly"),
    ),
    "registry lost": (
        rules.only_filebeat_has_power,
        "does not outlive",
        lambda o: pod(o, "Beat")["volumes"].pop(1),
    ),
    "capabilities": (
        rules.only_filebeat_has_power,
        "keeps capabilities",
        lambda o: container(o, "Kibana")["securityContext"].pop("capabilities"),
    ),
    "root": (
        rules.only_filebeat_has_power,
        "runs as root",
        lambda o: container(o, "Job")["securityContext"].update(runAsUser=0),
    ),
    "no seccomp": (
        rules.only_filebeat_has_power,
        "no seccompProfile",
        lambda o: pod(o, "Beat")["securityContext"].pop("seccompProfile"),
    ),
    "any user": (
        rules.only_filebeat_has_power,
        "runAsNonRoot is not set",
        lambda o: pod(o, "Elasticsearch")["securityContext"].pop("runAsNonRoot"),
    ),
    "writable root": (
        rules.only_filebeat_has_power,
        "writes its root",
        lambda o: container(o, "Beat")["securityContext"].pop("readOnlyRootFilesystem"),
    ),
    "secrets readable": (
        rules.only_filebeat_has_power,
        "ClusterRole/filebeat",
        lambda o: o.one("ClusterRole", "filebeat")["rules"][0]["resources"].append("secrets"),
    ),
    "namespace open": (
        rules.only_filebeat_has_power,
        "does not enforce restricted",
        lambda o: o.one("Namespace", "logging-system")["metadata"]["labels"].clear(),
    ),
    "no default policy": (flows.problems, "open:", lambda o: policy(o, "default-deny")),
    "no names": (flows.problems, "to DNS, UDP 53", lambda o: policy(o, "names")),
    "no policy for Kibana": (flows.problems, "closed: Job/logging-setup to Kibana", lambda o: policy(o, "kibana")),
    "no policy for Filebeat": (flows.problems, "closed: Beat/filebeat to Elastic", lambda o: policy(o, "filebeat")),
    "operator shut out": (
        flows.problems,
        "closed: the operator to Elasticsearch",
        lambda o: o.one("NetworkPolicy", "elasticsearch")["spec"]["ingress"][0]["from"].pop(),
    ),
    "Elasticsearch open to all": (
        flows.problems,
        "open: Job/logging-setup to Elasticsearch/elasticsearch, TCP 9300",
        lambda o: o.one("NetworkPolicy", "elasticsearch")["spec"]["ingress"].append({})
        or o.one("NetworkPolicy", "logging-setup")["spec"]["egress"].append({}),
    ),
    "pods without annotation": (
        filebeat_settings.problems,
        "without the annotation",
        lambda o: default_config(o).update(enabled=True),
    ),
    "misspelt setting of the input": (
        filebeat_settings.problems,
        "unknown setting close.on_state_change.remove ",
        lambda o: default_config(o).update({"close.on_state_change.remove": False}),
    ),
    "misspelt setting of a parser": (
        filebeat_settings.problems,
        "unknown setting expand_key of the parser",
        lambda o: default_config(o)["parsers"][1]["ndjson"].update(expand_key=True),
    ),
    "parsers swapped": (
        filebeat_settings.problems,
        "parsers are",
        lambda o: default_config(o)["parsers"].reverse(),
    ),
    "id of the container": (
        filebeat_settings.problems,
        "restarted container",
        lambda o: default_config(o).update(
            id="${data.kubernetes.pod.uid}-${data.kubernetes.container.name}-${data.kubernetes.container.id}"
        ),
    ),
    "files known by name": (
        filebeat_settings.problems,
        "recognised by its content",
        lambda o: default_config(o).pop("file_identity.fingerprint"),
    ),
    "all nodes": (
        filebeat_settings.problems,
        "all nodes",
        lambda o: spec(o, "Beat")["config"]["filebeat.autodiscover"]["providers"][0].pop("node"),
    ),
    "own template": (
        filebeat_settings.problems,
        "setup.template.enabled is not false",
        lambda o: spec(o, "Beat")["config"].pop("setup.template.enabled"),
    ),
    "misspelt condition": (
        filebeat_settings.problems,
        "unknown condition equal.action",
        lambda o: output(o)["indices"][0].update({"when.and": [{"equal.action": "predict"}]}),
    ),
    "misspelt setting of the output": (
        filebeat_settings.problems,
        "unknown setting output.elasticsearch.indexes",
        lambda o: output(o).update(indexes=[]),
    ),
}


@pytest.mark.parametrize("name", MUTATIONS)
def test_rule_fails(rendered, name):
    rule, message, change = MUTATIONS[name]
    objects = rendered[PRODUCTION]
    before = copy.deepcopy(objects)
    assert list(rule(objects)) == []
    change(objects)
    assert objects != before, "the mutation changes nothing"
    found = list(rule(objects))
    assert any(message in f for f in found), found


def text():
    return (stack.LOGGING / "components/logstash/pipeline.conf").read_text()


PIPELINES = {
    "unknown option": ("unknown option ssl of beats", "ssl_enabled => true\n    ssl_certificate", "ssl => true\n    ssl_certificate"),
    "unknown filter": ("unknown filter mutated", "mutate { remove_field", "mutated { remove_field"),
    "unknown variable": ("nothing sets LOG_ES_USER", "${LOGS_ES_USER}", "${LOG_ES_USER}"),
    "other port": ("the Service leads to [5044]", "port => 5044", "port => 5045"),
    "no TLS": ("without TLS", "ssl_enabled => true\n    ssl_certificate", "ssl_enabled => false\n    ssl_certificate"),
    "key elsewhere": ("is not mounted", "/etc/logstash-beats/tls.key", "/etc/logstash/tls.key"),
}


@pytest.mark.parametrize("name", PIPELINES)
def test_pipeline_fails(rendered, name):
    message, old, new = PIPELINES[name]
    assert old in text()
    found = list(pipeline.problems(rendered[WITH_LOGSTASH], text().replace(old, new, 1)))
    assert any(message in f for f in found), found


@pytest.mark.parametrize("old", ['}\n\nfilter', '== ', '=> [', 'if [action]'])
def test_pipeline_is_parsed(old):
    assert old in text()
    with pytest.raises(Exception, match="Expected|expected"):
        pipeline.parse(text().replace(old, "", 1))


def test_logstash_object_fails(rendered):
    changes = {
        "belong to the cluster": lambda o: spec(o, "Logstash")["elasticsearchRefs"][0].update(clusterName="eck"),
        "not where the pipeline": lambda o: spec(o, "Logstash")["pipelines"][0].update({"path.config": "/pipeline"}),
        "certificate does not name": lambda o: spec(o, "Logstash")["services"][1].pop("tls"),
        "survive a restart": lambda o: spec(o, "Logstash")["config"].pop("queue.type"),
        "would be dropped": lambda o: spec(o, "Logstash")["config"].pop("dead_letter_queue.enable"),
    }
    for message, change in changes.items():
        objects = copy.deepcopy(rendered[WITH_LOGSTASH])
        change(objects)
        found = list(pipeline.problems(objects, text()))
        assert any(message in f for f in found), (message, found)


def test_flows_through_logstash_fail(rendered):
    objects = rendered[WITH_LOGSTASH]
    policy(objects, "logstash")
    found = list(flows.problems(objects))
    assert "closed: Beat/filebeat to Logstash/logstash, TCP 5044" in found
    assert "closed: Logstash/logstash to Elasticsearch/elasticsearch, TCP 9200" in found
