"""Mistakes about the cluster: identity, resources, availability, network, monitoring, schemas and namespaces."""

from facts import NAMESPACE
from mutations.registry import app, configure, drop, mutation, one, pod

# Identity and security


@mutation("pod-security", r"runs as root, against `restricted`")
def root_user(m):
    pod(m)["securityContext"]["runAsUser"] = 0


@mutation("rules", r"runAsUser is 1000, not 65532")
def another_user(m):
    pod(m)["securityContext"]["runAsUser"] = 1000


@mutation("pod-security", r"runAsNonRoot is not true")
def run_as_non_root_removed(m):
    del pod(m)["securityContext"]["runAsNonRoot"]
    del app(m)["securityContext"]["runAsNonRoot"]


@mutation("pod-security", r"is privileged")
def privileged(m):
    app(m)["securityContext"]["privileged"] = True


@mutation("pod-security", r"allowPrivilegeEscalation is not false")
def privilege_escalation(m):
    del app(m)["securityContext"]["allowPrivilegeEscalation"]


@mutation("pod-security", r"does not drop ALL")
def capabilities_kept(m):
    del app(m)["securityContext"]["capabilities"]


@mutation("pod-security", r"seccompProfile is None")
def no_seccomp_profile(m):
    del pod(m)["securityContext"]["seccompProfile"]


@mutation("pod-security", r"volume host is a hostPath")
def host_path(m):
    pod(m)["volumes"].append({"name": "host", "hostPath": {"path": "/var/log"}})


@mutation("pod-security", r"Namespace/model-services enforces no pod security")
def namespace_without_enforcement(m):
    del one_namespace(m)["metadata"]["labels"]["pod-security.kubernetes.io/enforce"]


def one_namespace(m):
    return next(n for n in m.of_kind("Namespace") if n["metadata"]["name"] == NAMESPACE)


@mutation("rules", r"readOnlyRootFilesystem")
def writable_root(m):
    del app(m)["securityContext"]["readOnlyRootFilesystem"]


@mutation("rules", r"automountServiceAccountToken is not false")
def token_mounted(m):
    del pod(m)["automountServiceAccountToken"]


@mutation("rules", r"ServiceAccount is not among the manifests")
def default_service_account(m):
    del pod(m)["serviceAccountName"]


# Resources and availability


@mutation("rules", r"no limit of memory")
def memory_limit_removed(m):
    del app(m)["resources"]["limits"]


@mutation("rules", r"request 64Mi and limit 128Mi differ")
def memory_overcommitted(m):
    app(m)["resources"]["requests"]["memory"] = "64Mi"


@mutation("rules", r"limit of CPU")
def cpu_limit(m):
    app(m)["resources"]["limits"]["cpu"] = "500m"


@mutation("rules", r"no request of CPU")
def cpu_request_removed(m):
    del app(m)["resources"]["requests"]["cpu"]


@mutation("service", r"more than half of its limit")
def memory_limit_too_small(m):
    app(m)["resources"]["limits"]["memory"] = "4Mi"


@mutation("rules", r"names replicas")
def replicas_beside_the_autoscaler(m):
    one(m, "Deployment")["spec"]["replicas"] = 3


@mutation("rules", r"fewer than 3 replicas")
def one_replica(m):
    one(m, "HorizontalPodAutoscaler")["spec"]["minReplicas"] = 1


@mutation("rules", r"no single PodDisruptionBudget")
def disruption_budget_removed(m):
    drop(m, "PodDisruptionBudget")


@mutation("rules", r"counts the pods of older roll-outs")
def spread_without_template_hash(m):
    del pod(m)["topologySpreadConstraints"][0]["matchLabelKeys"]


@mutation("rules", r"not spread over the nodes")
def spread_removed(m):
    del pod(m)["topologySpreadConstraints"]


@mutation("overlay", r"has no tag of its own")
def image_without_tag(m):
    app(m)["image"] = app(m)["image"].rpartition(":")[0]


@mutation("overlay", r"has no tag of its own")
def image_latest(m):
    app(m)["image"] = app(m)["image"].rpartition(":")[0] + ":latest"


@mutation("overlay", r"nodeSelector is \{\}, not \{'workload': 'model-services'\}")
def any_node_pool(m):
    del pod(m)["nodeSelector"]


# Network and monitoring


@mutation("rules", r"no NetworkPolicy denies everything")
def default_deny_removed(m):
    drop(m, "NetworkPolicy", "default-deny")


@mutation("rules", r"no NetworkPolicy denies everything")
def egress_not_denied(m):
    one(m, "NetworkPolicy", "default-deny")["spec"]["policyTypes"] = ["Ingress"]


@mutation("rules", r"insurance-charges-clients admits every namespace")
def every_namespace_admitted(m):
    one(m, "NetworkPolicy", "insurance-charges-clients")["spec"]["ingress"][0]["from"] = [{"namespaceSelector": {}}]


@mutation("rules", r"insurance-charges-clients opens port 8080")
def another_port_opened(m):
    one(m, "NetworkPolicy", "insurance-charges-clients")["spec"]["ingress"][0]["ports"][0]["port"] = 8080


@mutation("rules", r"no NetworkPolicy admits the Prometheus")
def prometheus_shut_out(m):
    drop(m, "NetworkPolicy", "insurance-charges-monitoring")


@mutation("rules", r"PodMonitor/insurance-charges asks port metrics")
def pod_monitor_of_another_port(m):
    one(m, "PodMonitor")["spec"]["podMetricsEndpoints"][0]["port"] = "metrics"


@mutation("rules", r"takes its key from Secret None")
def pod_monitor_without_key(m):
    del one(m, "PodMonitor")["spec"]["podMetricsEndpoints"][0]["authorization"]


@mutation("service", r"the Secret has no key token")
def pod_monitor_of_another_key(m):
    one(m, "PodMonitor")["spec"]["podMetricsEndpoints"][0]["authorization"]["credentials"]["key"] = "token"


@mutation("service", r"/metrics .* is answered 404")
def metrics_off(m):
    configure(m, lambda c: c.pop("metrics"))


@mutation("rules", r"Ingress/insurance-charges serves insurance-charges\.example\.com without TLS")
def ingress_without_tls(m):
    del one(m, "Ingress")["spec"]["tls"]


@mutation("rules", r"no NetworkPolicy lets the service send to http://collector\.log-shipping:4318")
def otlp_shut_in(m):
    drop(m, "NetworkPolicy", "insurance-charges-otlp")


@mutation("rules", r"no NetworkPolicy lets the service resolve collector\.log-shipping")
def names_shut_in(m):
    del one(m, "NetworkPolicy", "insurance-charges-otlp")["spec"]["egress"][0]


@mutation("rules", r"insurance-charges-otlp lets the service send anywhere")
def egress_to_anywhere(m):
    del one(m, "NetworkPolicy", "insurance-charges-otlp")["spec"]["egress"][1]["to"]


# Schemas


@mutation("schema", r"securityContext.*'runAsNonroot' was unexpected")
def misspelt_key(m):
    app(m)["securityContext"]["runAsNonroot"] = True


@mutation("schema", r"containerPort: '8000' is not of type")
def port_as_text(m):
    app(m)["ports"][0]["containerPort"] = "8000"


@mutation("schema", r"has no HorizontalPodAutoscaler of autoscaling/v2beta2")
def removed_api_version(m):
    one(m, "HorizontalPodAutoscaler")["apiVersion"] = "autoscaling/v2beta2"


@mutation("schema", r"PodMonitor/insurance-charges: spec\.podMetricsEndpoints\.0: .*'bearerToken' was unexpected")
def misspelt_key_of_the_operator(m):
    one(m, "PodMonitor")["spec"]["podMetricsEndpoints"][0]["bearerToken"] = "x"


@mutation("schema", r"PrometheusRule/\S+: spec\.groups\.0\.rules\.0: 'expr' is a required property")
def rule_without_expression(m):
    del m.of_kind("PrometheusRule")[0]["spec"]["groups"][0]["rules"][0]["expr"]


@mutation("placement", r"PodDisruptionBudget/insurance-charges is in no namespace")
def object_without_namespace(m):
    del one(m, "PodDisruptionBudget")["metadata"]["namespace"]


@mutation("placement", r"Service/insurance-charges is in namespace default, which no manifest makes")
def object_in_another_namespace(m):
    one(m, "Service")["metadata"]["namespace"] = "default"


@mutation("schema", r"metadata\.labels\.x: True is not of type 'string'")
def label_that_is_no_text(m):
    one(m, "PodMonitor")["metadata"]["labels"]["x"] = True
