"""Applies each overlay, runs its checks, deletes it."""

import pathlib
import shutil
import sys

import service
import stack
from kube import CLONE, Failure, Results, eventually, everything, kubectl, require

# Expectations for each overlay. An overlay that is not listed fails, so that every new one is checked.
SERVICE_OVERLAYS = {
    "local": service.Promise(pool=None, high_availability=False, monitoring=False),
    "digitalocean": service.Promise(pool="model-services", high_availability=True, monitoring=True),
}
STACKS = {
    "local": stack.Promise(pool=None),
    "digitalocean": stack.Promise(pool="logging-system"),
    "digitalocean-logstash": stack.Promise(pool="logging-system", logstash=True),
    "collector": stack.Promise(pool=None, elastic=False),
}


def overlays(folder):
    return sorted(path.parent for path in folder.glob("overlays/*/kustomization.yaml"))


def apply(folder):
    printed = kubectl("apply", "-k", str(folder))
    # `apply` warns when it adds its annotation to a namespace that `kubectl create` made.
    warnings = [w for w in printed.splitlines() if "Warning" in w and "last-applied-configuration" not in w]
    require(not warnings, "; ".join(warnings))
    return f"{len(printed.splitlines())} objects"


def nothing_left(before, folders):
    for folder in folders:
        kubectl("delete", "-k", str(folder), "--ignore-not-found", "--timeout=180s")

    def same():
        left = everything() - before
        require(not left, "left behind: " + ", ".join(sorted(left)))

    eventually(120, same)


def main():
    # In a copy, because variants of an overlay and the documents' commands write files.
    source = pathlib.Path(sys.argv[1])
    shutil.copytree(source / "docs", CLONE / "docs")
    shutil.copytree(source / "deploy" / "kubernetes", CLONE / "deploy" / "kubernetes")
    copy = CLONE / "deploy" / "kubernetes"
    results = Results()

    found = overlays(copy)
    results.check(
        "overlays: each one has its checks",
        lambda: require({f.name for f in found} == set(SERVICE_OVERLAYS), ", ".join(f.name for f in found)),
    )
    for overlay in found:
        promise = SERVICE_OVERLAYS.get(overlay.name)
        if promise is None:
            continue
        print(f"overlay {overlay.name}", flush=True)
        before = everything()
        folders = service.run(results, overlay, promise, apply)
        results.check(f"{overlay.name}: deleting leaves nothing behind", nothing_left, before, folders)

    found = overlays(copy / "logging") + [copy / "logging" / "collector"]
    results.check(
        "logging: each overlay has its checks",
        lambda: require({f.name for f in found} == set(STACKS), ", ".join(f.name for f in found)),
    )
    for overlay in found:
        if overlay.name not in STACKS:
            continue
        print(f"logging {overlay.name}", flush=True)
        before = everything()
        stack.run(results, overlay, STACKS[overlay.name], apply)
        results.check(f"logging {overlay.name}: deleting leaves nothing behind", nothing_left, before, [overlay])

    if results.failed:
        sys.exit(f"cluster: {results.failed} checks failed")


if __name__ == "__main__":
    try:
        main()
    except Failure as failure:
        sys.exit(f"cluster: {failure}")
