"""Records logs of rest-model-service with the published logging decorators, for the test `python`.

    git clone https://github.com/schmidtbri/logging-for-ml-models checkout
    python -m venv venv && venv/bin/pip install -r benches/service/python/requirements.txt
    venv/bin/python log-store/tests/python/record.py checkout

Writes ../it/cases/python-{ids,threads,plain}.log. The name of the host and paths are replaced.
"""
import http.client
import json
import os
import pathlib
import platform
import socket
import subprocess
import sys
import tempfile
import threading
import time

import yaml

HERE = pathlib.Path(__file__).resolve().parent
CASES = HERE.parent / "it" / "cases"
PREDICTION = "/api/models/insurance_charges_model/prediction"

CONTEXT = "%(asctime)s %(hostname)s %(pod_name)s %(node_name)s %(process)s %(thread)s %(pathname)s %(lineno)s %(levelname)s %(message)s"
IDS = {"class_path": "ml_model_logging.prediction_id_decorator.PredictionIDDecorator"}


def logging_decorator(*ids):
    return {"class_path": "ml_model_logging.logging_decorator.LoggingDecorator",
            "configuration": {"input_fields": [*ids, "age", "bmi"], "output_fields": [*ids, "charges"]}}


# Revision of the decorators, decorators, format: those of the published configurations. The second revision
# has no decorator for ids, and its format has neither process nor thread.
RECORDINGS = {
    "ids": ("88a78de", [IDS, logging_decorator("prediction_id")], CONTEXT),
    "threads": ("88a78de", [logging_decorator()], CONTEXT),
    "plain": ("dd8520b", [logging_decorator()], "%(asctime)s %(node_ip)s %(name)s %(levelname)s %(message)s"),
}


def configuration(decorators, format):
    names = {"hostname": "HostnameFilter"} if "hostname" in format else {}
    variables = [name.upper() for name in ("pod_name", "node_name", "node_ip") if name in format]
    filters = {name: {"()": f"ml_model_logging.filters.{filter}"} for name, filter in names.items()}
    filters["environment"] = {"()": "ml_model_logging.filters.EnvironmentInfoFilter", "env_variables": variables}
    return {
        "service_title": "Insurance Charges Model Service",
        "models": [{"class_path": "model.InsuranceChargesModel", "create_endpoint": True, "decorators": decorators}],
        "logging": {
            "version": 1, "disable_existing_loggers": False,
            "formatters": {"json": {"class": "pythonjsonlogger.json.JsonFormatter", "format": format}},
            "filters": filters,
            "handlers": {"stdout": {"class": "logging.StreamHandler", "level": "INFO", "stream": "ext://sys.stdout",
                                    "formatter": "json", "filters": list(filters)}},
            "loggers": {"root": {"level": "INFO", "handlers": ["stdout"], "propagate": False}},
        },
    }


def request(port, method, path, body=None):
    connection = http.client.HTTPConnection("127.0.0.1", port)
    connection.request(method, path, body and json.dumps(body), {"content-type": "application/json"})
    return connection.getresponse().status


def predict(port):
    """Sends predictions: two that succeed, one that fails, one that is invalid, and three at the same time."""
    for body, status in [({"age": 25, "bmi": 21.0}, 200), ({"age": 33, "bmi": 28.5, "prediction_id": "order-4711"}, 200),
                         ({"age": 17, "bmi": 30.25}, 500), ({"age": "old", "bmi": 30.0}, 400)]:
        if request(port, "POST", PREDICTION, body) != status:
            sys.exit(f"{body}: expected {status}")
    threads = [threading.Thread(target=request, args=(port, "POST", PREDICTION, {"age": age, "bmi": 30.0})) for age in (64, 62, 63)]
    for thread in threads:
        thread.start()
        time.sleep(0.05)
    for thread in threads:
        thread.join()
    if request(port, "POST", PREDICTION, {"age": 45, "bmi": 24.5}) != 200:
        sys.exit("the last prediction failed")


def record(checkout, name, revision, decorators, format):
    with tempfile.TemporaryDirectory() as folder, socket.create_server(("127.0.0.1", 0)) as server:
        archive = subprocess.run(["git", "-C", checkout, "archive", revision, "ml_model_logging"], check=True, stdout=subprocess.PIPE)
        subprocess.run(["tar", "-x", "-C", folder], check=True, input=archive.stdout)
        pathlib.Path(folder, "model.py").write_text((HERE / "model.py").read_text())
        config, log = pathlib.Path(folder, "rest_config.yaml"), pathlib.Path(folder, "log")
        config.write_text(yaml.safe_dump(configuration(decorators, format)))
        environment = {**os.environ, "PYTHONPATH": folder, "REST_CONFIG": str(config), "TZ": "UTC"}
        with log.open("wb") as output:
            service = subprocess.Popen(
                [sys.executable, "-m", "uvicorn", "rest_model_service.main:app", "--fd", str(server.fileno())],
                cwd=folder, env=environment, pass_fds=[server.fileno()], stdout=output, stderr=output)
        port = server.getsockname()[1]
        try:
            while request(port, "GET", "/api/health/ready") != 200:
                time.sleep(0.05)
            predict(port)
        finally:
            service.terminate()
            service.wait()
        text = log.read_text()
    for own, neutral in [(folder, "/app"), (str(pathlib.Path(sys.prefix)), "/app/venv"), (sys.base_prefix, "/usr"), (platform.uname()[1], "insurance-0")]:
        text = text.replace(own, neutral)
    (CASES / f"python-{name}.log").write_text(text)


for name, recording in RECORDINGS.items():
    record(sys.argv[1], name, *recording)
