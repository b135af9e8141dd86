"""kubectl, polling, and the table of results."""

import json
import os
import pathlib
import subprocess
import sys
import time

SCRATCH = pathlib.Path(os.environ["SCRATCH"])
# The parts of the repository that documents and overlays refer to.
CLONE = SCRATCH / "clone"
AGAINST = "Kubernetes " + os.environ["CLUSTER_VERSION"]


class Failure(Exception):
    """A failed check; the text has the finding."""


def require(condition, text):
    if not condition:
        raise Failure(text)


def command(arguments, stdin=None, fails=False, folder=None):
    """Returns the output of a command on both streams. With `fails`, an exit status of zero is the failure."""
    done = subprocess.run(
        arguments,
        check=False,
        cwd=folder,
        input=stdin,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    if (done.returncode != 0) != fails:
        raise Failure(f"{' '.join(arguments)}: status {done.returncode}: {done.stdout.strip()}")
    return done.stdout


def kubectl(*arguments, stdin=None, fails=False):
    return command(["kubectl", *arguments], stdin, fails)


def get(*arguments):
    """Returns the items of a list, or one object."""
    found = json.loads(kubectl("get", *arguments, "-o", "json"))
    return found["items"] if found["kind"].endswith("List") else found


def eventually(seconds, check, *arguments):
    """Polls until the check succeeds and returns its result; raises its last failure after the deadline."""
    deadline = time.monotonic() + seconds
    while True:
        try:
            return check(*arguments)
        except Failure:
            if time.monotonic() > deadline:
                raise
        time.sleep(0.3)


def render(folder):
    """Returns the objects of a kustomization, by (kind, name)."""
    text = kubectl("create", "--dry-run=client", "--validate=false", "-o", "json", "-k", str(folder))
    # Depending on its version, kubectl prints a list or one object after the other.
    decoder, objects, at = json.JSONDecoder(), [], 0
    while at < len(text):
        value, at = decoder.raw_decode(text, at)
        objects += value["items"] if value["kind"] == "List" else [value]
        while at < len(text) and text[at].isspace():
            at += 1
    return {(o["kind"], o["metadata"]["name"]): o for o in objects}


def selector(labels):
    return ",".join(f"{key}={value}" for key, value in labels.items())


def everything():
    """Lists the objects of the cluster that an overlay could leave behind."""
    kinds = kubectl("api-resources", "--verbs=list,delete", "-o", "name").split()
    # Events are history; leases belong to the nodes.
    kinds = [k for k in kinds if not k.startswith(("events", "leases."))]
    columns = "custom-columns=KIND:.kind,NAMESPACE:.metadata.namespace,NAME:.metadata.name"
    lines = kubectl("get", ",".join(kinds), "--all-namespaces", "--no-headers", "-o", columns).splitlines()
    found = {" ".join(line.split()) for line in lines if "No resources found" not in line}
    # The operator's own objects.
    return {line for line in found if " elastic-system " not in line}


def as_written(script, change=lambda script: script):
    """Runs the commands of a document unchanged, from the root of the repository."""
    command(["bash", "-euo", "pipefail", "-c", change(script)], folder=CLONE)


def block(document, holding):
    """Returns the only command block of a Markdown file that contains the text."""
    blocks = (CLONE / document).read_text(encoding="utf-8").split("```sh\n")[1:]
    found = [b.partition("```")[0] for b in blocks if holding in b.partition("```")[0]]
    require(len(found) == 1, f"{document}: {len(found)} blocks with {holding}")
    return found[0]


class Results:
    """Prints each check and appends it to the file that DEPLOY_RESULTS names."""

    def __init__(self):
        self.file = os.environ.get("DEPLOY_RESULTS")
        self.failed = 0

    def check(self, what, function, *arguments):
        """Runs one check. A failure is recorded, and the other checks continue."""
        try:
            detail = function(*arguments)
            result = f"ok{f': {detail}' if detail else ''}"
        except Failure as failure:
            self.failed += 1
            result = "FAILED: " + " ".join(str(failure).split())
        print(f"  {what}: {result}", file=sys.stdout if result.startswith("ok") else sys.stderr, flush=True)
        if self.file:
            with open(self.file, "a", encoding="utf-8") as out:
                out.write(f"{what}\t{AGAINST}\t{result}\n")
        return result.startswith("ok")
