"""Mistakes about the service: its ports, probes, delays, files, environment and records."""

from facts import NAMESPACE, SERVICE
from mutations.registry import app, configure, mount, mutation, one, pod, volume

# Ports


@mutation("rules", r"containerPort http is 80, the service listens on 8000")
def container_port_80(m):
    app(m)["ports"][0]["containerPort"] = 80


@mutation("rules", r"containerPort http is 8000, the service listens on 9000")
def service_listens_elsewhere(m):
    configure(m, lambda c: c["server"].update(address="0.0.0.0:9000"))


@mutation("rules", r"listens on 127\.0\.0\.1")
def service_listens_on_loopback(m):
    configure(m, lambda c: c["server"].update(address="127.0.0.1:8000"))


@mutation("rules", r"targetPort web is no named port")
def service_sends_to_another_port(m):
    one(m, "Service")["spec"]["ports"][0]["targetPort"] = "web"


@mutation("rules", r"Service/insurance-charges selects no pod")
def service_selects_nothing(m):
    one(m, "Service")["spec"]["selector"] = {"app": "insurance-charges"}


@mutation("rules", r"is of type LoadBalancer")
def public_load_balancer(m):
    one(m, "Service")["spec"]["type"] = "LoadBalancer"


# Probes


@mutation("rules", r"no livenessProbe")
def liveness_probe_removed(m):
    del app(m)["livenessProbe"]


@mutation("rules", r"no startupProbe")
def startup_probe_removed(m):
    del app(m)["startupProbe"]


@mutation("rules", r"readinessProbe asks port metrics")
def probe_of_another_port(m):
    app(m)["readinessProbe"]["httpGet"]["port"] = "metrics"


@mutation("rules", r"livenessProbe is no httpGet")
def probe_by_a_shell(m):
    probe = app(m)["livenessProbe"]
    del probe["httpGet"]
    probe["exec"] = {"command": ["sh", "-c", "true"]}


@mutation("service", r"readinessProbe: /ready is answered 401")
def probe_of_an_unknown_path(m):
    app(m)["readinessProbe"]["httpGet"]["path"] = "/ready"


@mutation("service", r"livenessProbe: /api/models is answered 401")
def probe_that_needs_a_key(m):
    app(m)["livenessProbe"]["httpGet"]["path"] = "/api/models"


@mutation("service", r"no 200 from the startupProbe's /startup")
def startup_probe_of_an_unknown_path(m):
    app(m)["startupProbe"]["httpGet"]["path"] = "/startup"


# Delays


@mutation("rules", r"terminationGracePeriodSeconds is 30, the service may need 50 s")
def grace_period_of_the_default(m):
    del pod(m)["terminationGracePeriodSeconds"]


@mutation("rules", r"terminationGracePeriodSeconds is 60, the service may need 80 s")
def longer_drain(m):
    configure(m, lambda c: c["server"].update(drain_limit_s=60))


@mutation("rules", r"readiness_delay_s is 0")
def no_readiness_delay(m):
    configure(m, lambda c: c["server"].pop("readiness_delay_s"))


# Files


@mutation("rules", r"api_keys\.file is /run/secrets/insurance-charges/api-keys, which no Secret")
def secret_mounted_elsewhere(m):
    mount(m, "api-keys")["mountPath"] = "/etc/keys"


@mutation("rules", r"api_keys\.file is .*, which no Secret")
def secret_under_another_name(m):
    volume(m, "api-keys")["secret"]["items"][0]["path"] = "keys"


@mutation("rules", r"names no api_keys\.file")
def no_api_keys(m):
    configure(m, lambda c: c["server"].pop("api_keys"))


@mutation("rules", r"REST_CONFIG is /etc/insurance-charges/rest_config\.yaml, which no volume mounts")
def configuration_mounted_elsewhere(m):
    mount(m, "configuration")["mountPath"] = "/configuration"


@mutation("rules", r"no ConfigMap insurance-charges-old")
def configuration_of_another_name(m):
    volume(m, "configuration")["configMap"]["name"] = "insurance-charges-old"


@mutation("rules", r"without a hash in its name")
def configuration_without_hash(m):
    next(c for c in m.of_kind("ConfigMap") if "rest_config.yaml" in c["data"])["metadata"]["name"] = SERVICE
    volume(m, "configuration")["configMap"]["name"] = SERVICE


@mutation("rules", r"handler file writes /var/log/app\.jsonl, but the root file system is read-only")
def log_file_on_a_read_only_root(m):
    handler = {"class": "FileHandler", "filename": "/var/log/app.jsonl"}
    configure(m, lambda c: c["logging"]["handlers"].update(file=handler))


@mutation("rules", r"Secret/insurance-charges-api-keys is in the manifests")
def secret_in_a_file(m):
    metadata = {"name": "insurance-charges-api-keys", "namespace": NAMESPACE}
    m.objects.append({"apiVersion": "v1", "kind": "Secret", "metadata": metadata, "stringData": {"api-keys": "x"}})


@mutation("service", r"Secret insurance-charges-api-keys has no key keys")
def secret_of_another_key(m):
    volume(m, "api-keys")["secret"]["items"][0]["key"] = "keys"


@mutation("service", r"check-config: .*server\.api_keys\.file: .*cannot be read")
def key_file_missing(m):
    configure(m, lambda c: c["server"].update(api_keys={"file": "/run/secrets/insurance-charges/keys"}))


def decorated(*decorators):
    """Returns the configuration of the model with these decorators instead of its own."""
    return {"qualified_name": "insurance_charges_model", "decorators": list(decorators)}


@mutation("service", r"check-config: .*unknown field `agee`; did you mean `age`")
def configuration_with_a_typo(m):
    fields = {"input_fields": ["agee"], "output_fields": ["charges"]}
    configure(m, lambda c: c.update(models=[decorated("prediction_id", {"logging": fields})]))


@mutation("service-as-root", r"check-config: .*cannot be read: Permission denied")
def key_file_of_another_group(m):
    del pod(m)["securityContext"]["fsGroup"]


# Environment and records


@mutation("rules", r"POD_NAME does not come from the downward API")
def pod_name_removed(m):
    app(m)["env"] = [e for e in app(m)["env"] if e["name"] != "POD_NAME"]


@mutation("rules", r"variable NODE_IP is status\.podIP, not status\.hostIP")
def node_ip_of_the_pod(m):
    next(e for e in app(m)["env"] if e["name"] == "NODE_IP")["valueFrom"]["fieldRef"]["fieldPath"] = "status.podIP"


@mutation("rules", r"filters of the log leave out NODE_NAME")
def filter_without_node_name(m):
    names = ["POD_NAME", "NODE_IP"]
    configure(m, lambda c: c["logging"]["filters"]["environment"].update(env_variables=names))


@mutation("rules", r"enableServiceLinks")
def service_links(m):
    del pod(m)["enableServiceLinks"]


@mutation("service", r"records have pod_name = None")
def handler_without_its_filter(m):
    configure(m, lambda c: c["logging"]["handlers"]["stdout"].update(filters=["host"]))


@mutation("service", r"records lack the ECS field @timestamp")
def plain_json_formatter(m):
    configure(m, lambda c: c["logging"]["formatters"].update(ecs={"class": "JsonFormatter"}))


@mutation("service", r"no 400 records of predictions")
def predictions_not_logged(m):
    configure(m, lambda c: c.update(models=[decorated("prediction_id")]))


@mutation("rules", r"no handler of the log writes to standard output")
def log_to_standard_error(m):
    configure(m, lambda c: c["logging"]["handlers"]["stdout"].update(stream="ext://sys.stderr"))


@mutation("rules", r"annotation co\.elastic\.logs/enabled")
def shipping_annotation_removed(m):
    del one(m, "Deployment")["spec"]["template"]["metadata"]["annotations"]


@mutation("overlay", r"label environment is None, not production")
def environment_removed(m):
    del one(m, "Deployment")["spec"]["template"]["metadata"]["labels"]["environment"]
