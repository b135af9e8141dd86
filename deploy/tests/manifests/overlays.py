"""Rules for overlays, which are deployed, and not for bases."""

from facts import Facts

# The labels that deploy/terraform gives the node pools.
NODE_SELECTORS = {"overlays/digitalocean": {"workload": "model-services"}, "overlays/local": {}}
# The last part of the data streams' names.
ENVIRONMENTS = {"overlays/digitalocean": "production", "overlays/local": "local"}


def problems(manifests):
    facts = Facts(manifests)
    for container in facts.pod["containers"]:
        _, _, tag = container["image"].rpartition("/")[2].partition(":")
        if tag in ("", "latest"):
            yield f"image {container['image']} has no tag of its own"
    expected = NODE_SELECTORS[manifests.name]
    selector = facts.pod.get("nodeSelector", {})
    if selector != expected:
        yield f"nodeSelector is {selector}, not {expected}"
    environment = facts.labels.get("environment")
    if environment != ENVIRONMENTS[manifests.name]:
        yield f"label environment is {environment}, not {ENVIRONMENTS[manifests.name]}"
