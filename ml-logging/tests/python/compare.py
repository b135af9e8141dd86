"""Compares ml-logging with python-json-logger, ecs-logging and Python's logging, on the cases in
cases.json.

    python -m venv venv && venv/bin/pip install -r ml-logging/tests/python/requirements.txt
    venv/bin/python ml-logging/tests/python/compare.py            # compares
    venv/bin/python ml-logging/tests/python/compare.py --record   # and keeps what Python said

What Python writes goes to the test `parity`, which makes the same records and compares. Without this
script it uses expected.json, which `--record` writes.
"""

import argparse
import importlib.metadata
import io
import json
import logging
import logging.config
import os
import pathlib
import platform
import subprocess
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent
NAME = "insurance_charges_model_logger"


class HostnameFilter(logging.Filter):
    def filter(self, record):
        record.hostname = "host"
        return True


class EnvironmentInfoFilter(logging.Filter):
    def __init__(self, env_variables):
        super().__init__()
        self.env_variables = env_variables

    def filter(self, record):
        for name in self.env_variables:
            setattr(record, name.lower(), os.environ.get(name, "N/A"))
        return True


MODEL = {
    "action": "predict",
    "model_qualified_name": "insurance_charges_model",
    "model_version": "0.1.0",
}
# The same as in parity.rs.
EVENTS = {
    "bare": (logging.INFO, "Prediction requested.", MODEL),
    "requested": (
        logging.INFO,
        "Prediction requested.",
        MODEL | {"prediction_id": "p-1", "age": 65, "bmi": 50.5},
    ),
    "created": (
        logging.INFO,
        "Prediction created.",
        MODEL | {"status": "success", "age": 65, "charges": 46277.67},
    ),
    "failed": (
        logging.ERROR,
        "Prediction exception.",
        MODEL | {"status": "error", "error_info": "outer: inner"},
    ),
    "values": (
        logging.WARNING,
        'é "quoted" \\ \n',
        {"text": "a\tb\u2028\x1b", "empty": "", "small": 1e-7, "large": 2**63, "yes": True, "none": None},
    ),
}


def written(case):
    """What Python writes for a case."""
    # Those of the services would come from a package that is not published.
    filters = {"host": {"()": HostnameFilter}}
    variables = ["POD_NAME", "NODE_NAME", "NODE_IP"]
    filters["env"] = {"()": EnvironmentInfoFilter, "env_variables": variables}
    used = case.get("filters", [])
    if "env" in used:
        # What the format does not name would follow the event's fields, and here it does not.
        named = [name for name in variables if name.lower() in case["formatter"]["format"]]
        filters["env"]["env_variables"] = named
    stream = io.StringIO()
    handler = {"class": "logging.StreamHandler", "stream": stream, "formatter": "f", "filters": used}
    logging.config.dictConfig(
        {
            "version": 1,
            "disable_existing_loggers": False,
            "formatters": {"f": dict(case["formatter"])},
            "filters": filters,
            "handlers": {"h": handler},
            "root": {"level": "DEBUG", "handlers": ["h"]},
        }
    )
    level, message, fields = EVENTS[case["event"]]
    logging.getLogger(NAME).log(level, message, extra=fields)
    # What is recorded must not tell where.
    return stream.getvalue().removesuffix("\n").replace(str(HERE), "tests/python")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--record", action="store_true")
    arguments = parser.parse_args()
    # ml-logging writes UTC unless it is told otherwise.
    os.environ["TZ"] = "UTC"
    time.tzset()

    cases = json.loads((HERE / "cases.json").read_text())
    packages = ["python-json-logger", "ecs-logging"]
    expected = {
        "versions": {"python": platform.python_version()}
        | {package: importlib.metadata.version(package) for package in packages},
        "written": {case["name"]: written(case) for case in cases},
    }
    text = json.dumps(expected, indent=1, ensure_ascii=True) + "\n"
    with tempfile.TemporaryDirectory() as folder:
        live = pathlib.Path(folder) / "expected.json"
        live.write_text(text)
        command = ["cargo", "test", "--quiet", "-p", "ml-logging", "--test", "parity"]
        environment = os.environ | {"ML_LOGGING_PARITY": str(live)}
        result = subprocess.run(command, cwd=HERE, env=environment, check=False)
    if result.returncode == 0:
        print(f"{len(cases)} cases agree with {expected['versions']}")
        if arguments.record:
            (HERE / "expected.json").write_text(text)
    return result.returncode


if __name__ == "__main__":
    sys.exit(main())
