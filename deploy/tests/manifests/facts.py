"""Facts about the service in the rendered manifests: pod template, configuration, mounted files."""

import posixpath
from dataclasses import dataclass

import yaml

SERVICE = "insurance-charges"
NAMESPACE = "model-services"
# Kinds that hold a pod template at spec.template.
WORKLOADS = ("Deployment", "DaemonSet", "StatefulSet", "Job")


class Contradiction(Exception):
    """The manifests contradict each other, so further checks are impossible."""


def need(value, message):
    if value is None:
        raise Contradiction(message)
    return value


@dataclass
class Mount:
    path: str
    volume: dict
    read_only: bool


class Facts:
    """The Deployment of the service with its related objects."""

    def __init__(self, manifests):
        self.manifests = manifests
        self.deployment = need(
            manifests.find("Deployment", SERVICE, NAMESPACE), f"no Deployment {SERVICE} in {NAMESPACE}"
        )
        self.template = self.deployment["spec"]["template"]
        self.labels = self.template["metadata"]["labels"]
        self.pod = self.template["spec"]
        containers = [c for c in self.pod["containers"] if c["name"] == SERVICE]
        self.container = need(containers[0] if containers else None, f"no container {SERVICE}")
        self.ports = {p["name"]: p["containerPort"] for p in self.container.get("ports", []) if "name" in p}
        self.env = {e["name"]: e for e in self.container.get("env", [])}
        volumes = {v["name"]: v for v in self.pod.get("volumes", [])}
        self.mounts = []
        for m in self.container.get("volumeMounts", []):
            volume = need(volumes.get(m["name"]), f"volumeMount {m['name']}: there is no such volume")
            self.mounts.append(Mount(m["mountPath"], volume, m.get("readOnly", False)))

    def config_map(self, name):
        return need(
            self.manifests.find("ConfigMap", name, NAMESPACE), f"no ConfigMap {name}, which a volume or variable names"
        )

    def files(self):
        """Maps each path in the container to its source: ('ConfigMap' or 'Secret', object's name, key, mode)."""
        found = {}
        for mount in self.mounts:
            if "configMap" in mount.volume:
                source = mount.volume["configMap"]
                keys = self.config_map(source["name"]).get("data", {})
                kind, name = "ConfigMap", source["name"]
            elif "secret" in mount.volume:
                source = mount.volume["secret"]
                kind, name, keys = "Secret", source["secretName"], None
            else:
                continue
            items = source.get("items")
            if items is None:
                items = [{"key": key, "path": key} for key in need(keys, f"Secret {name}: `items` must name its keys")]
            for item in items:
                if keys is not None:
                    need(keys.get(item["key"]), f"ConfigMap {name} has no key {item['key']}")
                mode = item.get("mode", source.get("defaultMode", 0o644))
                found[posixpath.join(mount.path, item["path"])] = (kind, name, item["key"], mode)
        return found

    def configuration_path(self):
        variable = need(self.env.get("REST_CONFIG"), "the container has no variable REST_CONFIG")
        return need(variable.get("value"), "REST_CONFIG has no value")

    def configuration_text(self):
        path = self.configuration_path()
        source = need(self.files().get(path), f"REST_CONFIG is {path}, which no volume mounts")
        if source[0] != "ConfigMap":
            raise Contradiction(f"REST_CONFIG is {path}, which is no ConfigMap")
        return self.config_map(source[1])["data"][source[2]]

    def configuration(self):
        return yaml.safe_load(self.configuration_text())

    def config_port(self):
        address = self.configuration().get("server", {}).get("address")
        host, _, port = need(address, "the configuration has no server.address").rpartition(":")
        return host, int(port)

    def probe(self, name):
        return need(self.container.get(f"{name}Probe"), f"the container has no {name}Probe")
