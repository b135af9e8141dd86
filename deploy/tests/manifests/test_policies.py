"""checkov's policies for Kubernetes, on the deployed manifests and on mutations of them."""

import copy
import json
import os
import re
import subprocess
from pathlib import Path

import pytest
import yaml

import mutations
import rendering

EXCEPTIONS = yaml.safe_load((Path(__file__).parent / "exceptions.yaml").read_text())
# Mutations that checkov finds, and its rule for each.
KNOWN = {
    "capabilities_kept": "CKV_K8S_37",
    "liveness_probe_removed": "CKV_K8S_8",
    "memory_limit_removed": "CKV_K8S_13",
    "privilege_escalation": "CKV_K8S_20",
    "privileged": "CKV_K8S_16",
    "image_latest": "CKV_K8S_14",
    "root_user": "CKV_K8S_40",
    "token_mounted": "CKV_K8S_38",
    "writable_root": "CKV_K8S_22",
}


def write(folder, name, objects):
    folder.mkdir(parents=True, exist_ok=True)
    (folder / (name.replace("/", "-") + ".yaml")).write_text(yaml.safe_dump_all(objects))


@pytest.fixture(scope="session")
def report(everything, tmp_path_factory):
    """Runs checkov once over everything, because its start takes longest."""
    folder = tmp_path_factory.mktemp("checkov")
    # Another test reports what cannot be rendered.
    for name in {rendering.name_of(d) for d in rendering.roots()} & set(everything):
        write(folder / "deployed", name, everything[name].objects)
    overlay = everything["overlays/digitalocean"]
    for mutation in (m for m in mutations.MUTATIONS if m.name in KNOWN):
        changed = rendering.Manifests(overlay.name, copy.deepcopy(overlay.objects))
        mutation.change(changed)
        write(folder / "mutated", mutation.name, changed.of_kind("Deployment"))
    options = ["--framework", "kubernetes", "--skip-download", "--compact", "--output", "json"]
    # `--soft-fail`: the tests below decide on failures.
    done = subprocess.run(
        [os.environ["CHECKOV"], "--directory", folder, *options, "--soft-fail"], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def checks(report, outcome, folder):
    return [c for c in report["results"][f"{outcome}_checks"] if c["file_path"].startswith(f"/{folder}/")]


def excepts(exception, check):
    return exception["check"] == check["check_id"] and re.fullmatch(exception["resources"], check["resource"])


def test_deployed(report):
    found = checks(report, "failed", "deployed")
    unexpected = [
        f"{c['file_path']}: {c['resource']}: {c['check_id']} {c['check_name']}"
        for c in found
        if not any(excepts(e, c) for e in EXCEPTIONS)
    ]
    assert not unexpected, "\n".join(unexpected)
    unused = [e for e in EXCEPTIONS if not any(excepts(e, c) for c in found)]
    assert unused == []
    assert report["summary"]["parsing_errors"] == 0
    passed = len(checks(report, "passed", "deployed"))
    assert passed > len(found)
    (rendering.WORK / "checkov.summary").write_text(
        f"{passed} checks pass, {len(found)} do not, which {len(EXCEPTIONS)} exceptions explain"
    )


@pytest.mark.parametrize("name", sorted(KNOWN))
def test_mutation(report, name):
    found = {c["check_id"] for c in checks(report, "failed", "mutated") if c["file_path"] == f"/mutated/{name}.yaml"}
    assert KNOWN[name] in found
