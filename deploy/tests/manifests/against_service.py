"""Compares the rendered manifests with the running service."""

import re
import time

import container
from facts import Contradiction, Facts

PREDICTION = "/api/models/insurance_charges_model/prediction"
INPUT = {"age": 65, "sex": "male", "bmi": 50, "children": 5, "smoker": True, "region": "southwest"}
# Enough for pools and buffers to grow. The benchmarks apply more load.
PREDICTIONS = 200
UNITS = {"Ki": 2**10, "Mi": 2**20, "Gi": 2**30}


def quantity(text):
    number, unit = re.fullmatch(r"(\d+)([KMG]i)", text).groups()
    return int(number) * UNITS[unit]


def probes(running):
    startup = running.facts.probe("startup")
    budget = startup.get("periodSeconds", 10) * startup.get("failureThreshold", 3)
    path = startup["httpGet"]["path"]
    try:
        running.wait_for(lambda: running.ask(path)[0] == 200, f"200 from the startupProbe's {path}", min(budget, 10))
    except Contradiction as e:
        yield str(e)
    for name in ("readiness", "liveness"):
        path = running.facts.probe(name)["httpGet"]["path"]
        status, _ = running.ask(path)
        if status != 200:
            yield f"{name}Probe: {path} is answered {status}"


def predictions(running, key):
    status, _ = running.ask(PREDICTION, body=INPUT)
    if status != 401:
        yield f"a prediction without a key is answered {status}"
    statuses = {running.ask(PREDICTION, key, INPUT)[0] for _ in range(PREDICTIONS)}
    if statuses != {200}:
        yield f"predictions with a key of the Secret are answered {sorted(statuses)}"


def records(running):
    def all_logged():
        own = [r for r in running.records() if r.get("action") == "predict"]
        return own if len(own) >= 2 * PREDICTIONS else None

    try:
        own = running.wait_for(all_logged, f"{2 * PREDICTIONS} records of predictions", 10)
    except Contradiction as e:
        yield str(e)
        return
    if len({r["prediction_id"] for r in own}) != PREDICTIONS:
        yield "records do not have two per prediction_id"
    expected = {
        "pod_name": container.DOWNWARD["metadata.name"],
        "node_name": container.DOWNWARD["spec.nodeName"],
        "node_ip": container.DOWNWARD["status.hostIP"],
    }
    last = own[-1]
    for field, value in expected.items():
        if last.get(field) != value:
            yield f"records have {field} = {last.get(field)}, the pod {value}"
    for field in ("@timestamp", "log.level", "ecs.version", "host.name", "model_qualified_name"):
        if field not in last:
            yield f"records lack the ECS field {field}"


def metrics(running, secret):
    for monitor in running.facts.manifests.of_kind("PodMonitor"):
        for endpoint in monitor["spec"]["podMetricsEndpoints"]:
            path = endpoint.get("path", "/metrics")
            status, _ = running.ask(path)
            if status != 401:
                yield f"{path} without a key is answered {status}, not 401"
            key_name = endpoint.get("authorization", {}).get("credentials", {}).get("key")
            if key_name not in secret:
                yield f"the Secret has no key {key_name}, which the PodMonitor names"
                continue
            status, text = running.ask(path, secret[key_name])
            if status != 200 or "model_predictions_total{" not in text:
                yield f"{path} with the PodMonitor's key {key_name} is answered {status}"


def memory(running, key):
    status, text = running.ask("/metrics", key)
    if status != 200:
        yield f"/metrics is answered {status}: the use of memory is unknown"
        return
    used = int(float(re.search(r"^process_resident_memory_bytes (\S+)$", text, re.MULTILINE).group(1)))
    limit = quantity(running.facts.container["resources"]["limits"]["memory"])
    if used > limit / 2:
        yield f"the service uses {used >> 20} MiB after {PREDICTIONS} predictions, more than half of its limit"


def problems(manifests, secret=None):
    """Yields each contradiction between the manifests and the behaviour of the service."""
    secret = secret or container.make_secret()
    key = next(iter(secret.get("api-keys", "").split()), None)
    try:
        with container.Container(Facts(manifests), secret) as running:
            yield from probes(running)
            yield from predictions(running, key)
            yield from records(running)
            yield from metrics(running, secret)
            yield from memory(running, key)
    except Contradiction as e:
        yield str(e)


def shutdown_problems(manifests):
    """Sends SIGTERM as the kubelet does: readiness is refused, requests are served, the exit code is 0 within the grace."""
    facts = Facts(manifests)
    secret = container.make_secret()
    key = secret["metrics-key"]
    delay = facts.configuration()["server"]["readiness_delay_s"]
    ready = facts.probe("readiness")["httpGet"]["path"]
    with container.Container(facts, secret) as running:
        running.wait_for(lambda: running.ask(ready)[0] == 200, f"200 from {ready}")
        begin = time.monotonic()
        running.terminate()
        running.wait_for(lambda: running.ask(ready)[0] == 503, "refused readiness", delay)
        while time.monotonic() < begin + delay * 0.8:
            status, _ = running.ask(PREDICTION, key, INPUT)
            if status != 200:
                yield f"a prediction during readiness_delay_s is answered {status}"
                break
            time.sleep(0.1)
        code = running.process.wait(timeout=facts.pod["terminationGracePeriodSeconds"])
        took = time.monotonic() - begin
        if code != 0:
            yield f"exit code {code} after SIGTERM"
        if took < delay:
            yield f"the service ended after {took:.1f} s, before its readiness_delay_s of {delay}"
