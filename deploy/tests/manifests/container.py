"""Runs the service as the rendered manifests describe it, without a container.

Every volume becomes a folder of a temporary root, with the modes and the group that the kubelet would give it. Paths
in the configuration are led into that root. The process has the environment of the container and nothing else, and
its user and group if the tests run as root.
"""

import json
import os
import secrets
import shutil
import signal
import subprocess
import tempfile
import time
import urllib.error
import urllib.request
from pathlib import Path

import yaml

from facts import Contradiction

# Values of the downward API.
DOWNWARD = {"metadata.name": "insurance-charges-5d7f-x2k9p", "spec.nodeName": "node-3", "status.hostIP": "10.1.2.3"}
DEADLINE_S = 30
IS_ROOT = os.geteuid() == 0


def led_into(root, value):
    """Prefixes each absolute path of a configuration with `root`."""
    if isinstance(value, dict):
        return {k: led_into(root, v) for k, v in value.items()}
    if isinstance(value, list):
        return [led_into(root, v) for v in value]
    if isinstance(value, str) and value.startswith("/"):
        return f"{root}{value}"
    return value


class Container:
    """One running service; a context manager that ends it."""

    def __init__(self, facts, secret):
        """`secret` is the content of the Secret that the manifests name: {key: text}."""
        self.facts = facts
        self.secret = secret
        self.folder = Path(tempfile.mkdtemp(prefix="manifests-"))
        self.folder.chmod(0o755)
        self.root = self.folder / "root"
        self.root.mkdir()
        self.process = None
        self.address = None

    def __enter__(self):
        try:
            self.lay_files()
            self.start()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        if self.process and self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        shutil.rmtree(self.folder)

    def lay_files(self):
        group = self.facts.pod.get("securityContext", {}).get("fsGroup")
        for path, (kind, name, key, mode) in self.facts.files().items():
            if kind == "Secret":
                if key not in self.secret:
                    raise Contradiction(f"Secret {name} has no key {key}: the pod would not start")
                text = self.secret[key]
            else:
                text = self.facts.config_map(name)["data"][key]
            file = Path(f"{self.root}{path}")
            file.parent.mkdir(parents=True, exist_ok=True)
            if path == self.facts.configuration_path():
                text = yaml.safe_dump(led_into(self.root, yaml.safe_load(text)), sort_keys=False)
            file.write_text(text)
            if group is not None:
                # As the kubelet does for volumes of a pod with fsGroup.
                mode |= 0o440
                if IS_ROOT:
                    os.chown(file, 0, group)
            file.chmod(mode)

    def environment(self):
        found = {}
        for name, variable in self.facts.env.items():
            if "value" in variable:
                found[name] = variable["value"]
                continue
            path = variable.get("valueFrom", {}).get("fieldRef", {}).get("fieldPath")
            if path not in DOWNWARD:
                raise Contradiction(f"variable {name}: {path} is not among the known fields of the downward API")
            found[name] = DOWNWARD[path]
        found["REST_CONFIG"] = f"{self.root}{self.facts.configuration_path()}"
        return found

    def identity(self):
        if not IS_ROOT:
            return {}
        context = {
            **self.facts.pod.get("securityContext", {}),
            **self.facts.container.get("securityContext", {}),
        }
        groups = [context["fsGroup"]] if "fsGroup" in context else []
        return {"user": context.get("runAsUser", 0), "group": context.get("runAsGroup", 0), "extra_groups": groups}

    def run(self, *arguments):
        """Starts a copy of the program, because the user may have no access to the original folder."""
        program = self.folder / "insurance-charges"
        if not program.exists():
            shutil.copy(os.environ["DEMO"], program)
            program.chmod(0o755)
        self.log = self.folder / "log"
        with self.log.open("wb") as log:
            return subprocess.Popen(
                [program, *arguments],
                cwd="/",
                env=self.environment(),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                **self.identity(),
            )

    def check_config(self):
        """Returns what `check-config` reports, or None if it finds nothing."""
        process = self.run("check-config")
        code = process.wait(timeout=DEADLINE_S)
        return None if code == 0 else self.log.read_text().replace(str(self.root), "").strip()

    def start(self):
        complaint = self.check_config()
        if complaint is not None:
            raise Contradiction(f"check-config: {complaint}")
        # Port 0, because the manifests' port may be in use on this machine.
        self.process = self.run("--address", "127.0.0.1:0")
        self.address = self.wait_for(self.find_address, "the address in the log")

    def records(self):
        """Returns the complete records of the log."""
        lines = self.log.read_text().split("\n")[:-1]
        return [json.loads(line) for line in lines if line.startswith("{")]

    def find_address(self):
        return next((r["address"] for r in self.records() if "address" in r), None)

    def wait_for(self, condition, what, deadline_s=DEADLINE_S):
        deadline = time.monotonic() + deadline_s
        while True:
            value = condition()
            if value:
                return value
            if self.process.poll() is not None:
                raise Contradiction(f"the service exited with {self.process.returncode}: {self.log.read_text()}")
            if time.monotonic() > deadline:
                raise Contradiction(f"no {what} within {deadline_s} s")
            time.sleep(0.02)

    def ask(self, path, key=None, body=None):
        """Returns status and text of one request, 0 if there was no answer."""
        request = urllib.request.Request(f"http://{self.address}{path}")
        if key is not None:
            request.add_header("authorization", f"Bearer {key}")
        if body is not None:
            request.data = json.dumps(body).encode()
            request.add_header("content-type", "application/json")
        try:
            with urllib.request.urlopen(request, timeout=10) as response:
                return response.status, response.read().decode()
        except urllib.error.HTTPError as e:
            return e.code, e.read().decode()
        except OSError as e:
            return 0, str(e)

    def terminate(self):
        self.process.send_signal(signal.SIGTERM)


def make_secret():
    """Returns the Secret that the commands of base/kustomization.yaml create."""
    keys = [secrets.token_hex(32) for _ in range(2)]
    return {"api-keys": "".join(f"{key}\n" for key in keys), "metrics-key": keys[1]}
