"""Runs setup/load against a stand-in for both servers. deploy/tests/store runs it against the real ones."""

import json
import os
import subprocess
import time

import pytest
import stack
from stand_in import Certificate, Server

LOAD = stack.LOGGING / "base" / "setup" / "load"
GENERATED = os.environ["GENERATED"]
SERVICE = "insurance_charges_model_service"
# With characters that are special in curl's configuration.
PASSWORD = 'a"b\\c$d e'


def load(url, **variables):
    environment = {
        "PATH": os.environ["PATH"],
        "ELASTICSEARCH_URL": url,
        "GENERATED": GENERATED,
        "SERVICE": SERVICE,
        "DEADLINE_S": "30",
        **variables,
    }
    return subprocess.run(["sh", LOAD], env=environment, capture_output=True, text=True, timeout=120)


@pytest.fixture
def credentials(tmp_path):
    (tmp_path / "username").write_text("logging-setup")
    (tmp_path / "password").write_text(PASSWORD)
    return str(tmp_path)


def generated(name):
    return json.loads((stack.Path(GENERATED) / name).read_text())


def test_loads_twice_over_tls(tmp_path, credentials):
    server = Server(user=("logging-setup", PASSWORD), unready=2)
    certificate = Certificate(tmp_path)
    with server.running(certificate) as url:
        ca = str(certificate.certificate)
        variables = {"CREDENTIALS": credentials, "ELASTICSEARCH_CA": ca, "KIBANA_CA": ca, "KIBANA_URL": url}
        for _ in range(2):
            done = load(url, **variables)
            assert done.returncode == 0, done.stderr
            assert PASSWORD not in done.stderr + done.stdout
    assert server.templates == {
        f"/_component_template/{SERVICE}@lifecycle": generated("lifecycle.json"),
        f"/_index_template/{SERVICE}": generated("index-template.json"),
    }
    dashboard = (stack.Path(GENERATED) / "dashboard.kibana.ndjson").read_bytes()
    assert len(server.imported) == 2 and all(dashboard in body for body in server.imported)


def test_leaves_the_lifecycle_out():
    server = Server()
    with server.running() as url:
        done = load(url, LIFECYCLE="false")
    assert done.returncode == 0, done.stderr
    assert server.templates[f"/_component_template/{SERVICE}@lifecycle"] == {"template": {}}
    assert not server.imported


def test_loads_the_dashboard_of_opensearch():
    server = Server()
    with server.running() as url:
        done = load(url, LIFECYCLE="false", KIBANA_URL=url, DASHBOARD="dashboard.opensearch.ndjson")
    assert done.returncode == 0, done.stderr
    assert (stack.Path(GENERATED) / "dashboard.opensearch.ndjson").read_bytes() in server.imported[0]


FAILURES = {
    "a template is refused": ({"fail": {"/_index_template/": 400}}, {}, "PUT /_index_template/"),
    "a component is refused": ({"fail": {"/_component_template/": 403}}, {}, "PUT /_component_template/"),
    "the import is refused": ({"fail": {"/api/saved_objects/": 403}}, {}, "import of dashboard.kibana.ndjson"),
    "objects are refused": ({"refuse_import": True}, {}, '"success":false'),
    "never healthy": ({"unready": 10_000}, {"DEADLINE_S": "2"}, "is not ready after 2 s"),
    "wrong password": ({"user": ("logging-setup", "other")}, {"DEADLINE_S": "1"}, "no such user"),
    "neither true nor false": ({}, {"LIFECYCLE": "no"}, "LIFECYCLE is true or false"),
}


@pytest.mark.parametrize("name", FAILURES)
def test_fails(name, credentials):
    server, variables, message = FAILURES[name]
    with Server(**server).running() as url:
        started = time.monotonic()
        done = load(url, KIBANA_URL=url, CREDENTIALS=credentials, **variables)
    assert done.returncode != 0
    assert message in done.stderr
    assert time.monotonic() - started < 60


def test_refuses_an_unknown_certificate(tmp_path):
    certificate = Certificate(tmp_path)
    with Server().running(certificate) as url:
        done = load(url, DEADLINE_S="1")
    assert done.returncode != 0
    assert "certificate" in done.stderr


def test_nothing_listens():
    with Server().running() as url:
        pass
    done = load(url, DEADLINE_S="1")
    assert done.returncode != 0
    assert "is not ready after 1 s" in done.stderr
