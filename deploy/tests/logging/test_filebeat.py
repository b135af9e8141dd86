"""Runs Filebeat with the shipped settings: log files of the demo in, documents at a stand-in for Elasticsearch out.

Filebeat is 7.17, the newest that can be built from its Go module; the settings are for the version of deploy/versions.env.
What 7.17 does not know is left out, see `settings`: how a rotated file is recognised. The container runtime, the kubelet
and the API server are imitated.
"""

import copy
import json
import os
import subprocess

import kubernetes_stand_in
import pipeline
import pytest
import stack
import yaml
from container import KEY, CriLog, Instance
from processes import Process, wait_until
from stand_in import Server

CONFIGURATION = stack.REPOSITORY / "deploy" / "kubernetes" / "base" / "rest_config.yaml"
SHIPPED = {"co.elastic.logs/enabled": "true"}
MODEL, SERVICE = "logs-insurance_charges_model-production", "logs-insurance_charges_model_service-production"
USER = ("log-shipper", "p0123456789abcdef")
PANIC = "thread 'main' panicked at src/main.rs:1:1:"
# The container runtime divides longer lines.
LINE_LIMIT = 16 * 1024
# Since 8.10 (https://www.elastic.co/docs/reference/beats/filebeat/filebeat-input-filestream, fingerprint).
NOT_IN_7 = ("file_identity.fingerprint", "prospector.scanner.fingerprint")


def settings(objects, kubeconfig, logs, url):
    """Returns the shipped settings with the addresses and folders of this test, without those that Filebeat 7.17 lacks."""
    config = copy.deepcopy(stack.workload(objects, "Beat").object["spec"]["config"])
    (provider,) = config["filebeat.autodiscover"]["providers"]
    provider["kube_config"] = str(kubeconfig)
    default = stack.flat(provider["hints.default_config"])
    provider["hints.default_config"] = {k: v for k, v in default.items() if not k.startswith(NOT_IN_7)}
    provider["hints.default_config"]["prospector.scanner.check_interval"] = "100ms"
    provider["hints.default_config"]["paths"] = [p.replace("/var/log/pods", str(logs), 1) for p in default["paths"]]
    # ECK adds this for elasticsearchRef. There is no TLS here.
    config["output.elasticsearch"]["hosts"] = [url]
    return config


class Run:
    """The demo as two pods, a third pod without the annotation, and Filebeat."""

    def __init__(self, objects, folder, change):
        self.objects, self.folder, self.change = objects, folder, change
        self.logs = folder / "pods"
        self.server = Server(user=USER, reject=lambda action, document: document.get("age") == "old")
        self.instances = []
        self.filebeat = None

    def start_pods(self):
        keys = self.folder / "api-keys"
        keys.write_text(f"{KEY}\n")
        for name in ("charges-a", "charges-b"):
            self.instances.append(Instance(os.environ["DEMO"], CONFIGURATION, keys, self.logs, name, LINE_LIMIT, 60, 20))
        self.other = CriLog(self.logs, "model-services", "other", LINE_LIMIT)
        self.other.write(b"stdout", b'{"message":"not for Filebeat"}')
        for instance in self.instances:
            wait_until(instance.is_ready, instance.name)
        a, b = self.instances
        return [
            kubernetes_stand_in.pod(a.log, a.name, "model-services", SHIPPED, {"environment": "production"}),
            kubernetes_stand_in.pod(b.log, b.name, "model-services", SHIPPED, {}),
            kubernetes_stand_in.pod(self.other, "other", "model-services", {}, {"environment": "production"}),
        ]

    def start_filebeat(self, kubeconfig, url):
        config = settings(self.objects, kubeconfig, self.logs, url)
        self.change(config)
        file = self.folder / "filebeat.yml"
        file.write_text(yaml.safe_dump(config))
        file.chmod(0o600)
        command = [os.environ["FILEBEAT"], "-e", "-c", str(file), "--path.home", str(self.folder / "home")]
        environment = {
            "PATH": os.environ["PATH"],
            "NODE_NAME": kubernetes_stand_in.NODE,
            "ELASTICSEARCH_USERNAME": USER[0],
            "ELASTICSEARCH_PASSWORD": USER[1],
        }
        done = subprocess.run([*command, "test", "config"], env=environment, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        self.filebeat = Process("Filebeat", command, self.folder / "filebeat.log", environment)

    def go(self):
        """Ships through a SIGKILL and a rotation until the stand-in has a document for every line."""
        pods = self.start_pods()
        a, b = self.instances
        with kubernetes_stand_in.running(pods, self.folder) as kubeconfig, self.server.running() as url:
            self.start_filebeat(kubeconfig, url)
            for instance in self.instances:
                instance.ask(30)
            a.log.write(b"stderr", PANIC.encode())
            a.log.write(b"stdout", json.dumps({"message": "wrong", "age": "old"}).encode())
            a.log.write(b"stdout", json.dumps({"message": "long", "text": "x" * 3 * LINE_LIMIT}).encode())
            wait_until(lambda: len(self.server.documents) > 100, "Filebeat ships")
            assert self.filebeat.kill()
            for instance in self.instances:
                instance.ask(20)
            a.log.rotate()
            for instance in self.instances:
                instance.ask(10)
            self.start_filebeat(kubeconfig, url)
            for instance in self.instances:
                instance.ask(20)
                instance.stop()
            # Each line of the log, the three written above included.
            lines = a.log.lines + b.log.lines
            wait_until(lambda: len(self.server.documents) >= lines, f"{lines} documents", 120)
            # Not SIGTERM, because 7.17 may then deadlock (filestream's updateWriter.Close).
            assert self.filebeat.kill()

    def end(self):
        for instance in self.instances:
            instance.end()
        if self.filebeat:
            self.filebeat.end()


def runs(rendered_once, folder, change=lambda config: None):
    run = Run(rendered_once["base"], folder, change)
    try:
        run.go()
        yield run
    finally:
        run.end()


@pytest.fixture(scope="module")
def run(rendered_once, tmp_path_factory):
    """One run for all checks."""
    yield from runs(rendered_once, tmp_path_factory.mktemp("filebeat"))


def of_index(run, index):
    return [document for _, action, document in run.server.documents if action["_index"] == index]


def test_every_record_once_and_unchanged(run):
    """All fields of all records of both pods are in the stream for the record and the pod's label."""
    a, b = run.instances
    for instance, environment in ((a, "production"), (b, "default")):
        for predictions, stream in ((True, MODEL), (False, SERVICE)):
            wanted = [r for r in instance.records if (r.get("action") == "predict") is predictions]
            found = [
                stack.flat(d)
                for d in of_index(run, stream.replace("production", environment))
                if d.get("pod_name") == instance.name
            ]
            assert len(found) == len(wanted) > 0
            left = [{key: d.get(key) for key in r} for r, d in zip(sorted_by_id(wanted), sorted_by_id(found))]
            for record, document in zip(sorted_by_id(wanted), left):
                document["@timestamp"] = record["@timestamp"]
                assert document == record


def sorted_by_id(records):
    return sorted(records, key=lambda r: (r.get("prediction_id") or "", r["@timestamp"], r["message"], str(sorted(r.items()))))


def test_two_records_of_each_prediction(run):
    a = run.instances[0]
    ids = [d["prediction_id"] for d in of_index(run, MODEL)]
    assert sorted(ids) == sorted(2 * list(a.answers))


def test_times_are_the_records(run):
    written = {r["@timestamp"][:23] for r in run.instances[0].records if r.get("action") == "predict"}
    assert {d["@timestamp"][:23] for d in of_index(run, MODEL)} == written


def test_documents_are_created_by_an_id_of_the_line(run):
    operations = {operation for operation, _, _ in run.server.documents}
    ids = [action["_id"] for _, action, _ in run.server.documents]
    assert operations == {"create"}
    assert len(set(ids)) == len(ids)
    # After the kill Filebeat may send some lines again.
    for first, second in run.server.repeated:
        assert of_the_line(first) == of_the_line(second)


def of_the_line(document):
    """Returns the document without fields that depend on the time of sending and the file's name at that time."""
    log = {key: value for key, value in document["log"].items() if key != "file"}
    return {key: value for key, value in document.items() if key != "agent"} | {"log": log}


def test_text_and_long_lines_arrive(run):
    documents = of_index(run, SERVICE)
    (panic,) = [d for d in documents if d.get("message") == PANIC]
    assert panic["stream"] == "stderr" and "name" not in panic.get("host", {})
    (long,) = [d for d in documents if d.get("message") == "long"]
    assert len(long["text"]) == 3 * LINE_LIMIT


def test_refused_records_are_kept(run):
    (rejected,) = of_index(run, "logs-insurance_charges_model_service-rejected")
    assert '"age":"old"' in rejected["message"] and "refused by this test" in json.dumps(rejected)


def test_pods_without_annotation_are_not_shipped(run):
    assert not [d for _, _, d in run.server.documents if "not for Filebeat" in d.get("message", "")]


def test_logstash_writes_to_the_same_streams(run):
    """The pipeline routes the documents that Filebeat has sent, without their @metadata."""
    text = (stack.LOGGING / "components/logstash/pipeline.conf").read_text()
    for _, action, document in run.server.documents:
        if action["_index"].endswith("-rejected"):
            continue
        fields = json.loads(json.dumps(document)) | {"@metadata": {"_id": action["_id"]}}
        assert pipeline.destination(text, fields) == (action["_index"], action["_id"])


def break_settings(config):
    """With these settings, all pods are shipped as raw lines without ids."""
    (provider,) = config["filebeat.autodiscover"]["providers"]
    provider["hints.default_config"] |= {"enabled": True, "parsers": [{"ndjson": {"target": ""}}]}
    del config["processors"]


CHECKS = [value for name, value in list(globals().items()) if name.startswith("test_")]


@pytest.fixture(scope="module")
def broken(rendered_once, tmp_path_factory):
    yield from runs(rendered_once, tmp_path_factory.mktemp("broken"), break_settings)


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
def test_broken_settings_are_found_by(check, broken):
    with pytest.raises((AssertionError, KeyError, ValueError)):
        check(broken)
