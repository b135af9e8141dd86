"""Records what Python's `logging.config.dictConfig` reads and writes, for `tests/it/python_files.rs`.

    python3.13 ml-logging/tests/python/dict_config.py > ml-logging/tests/python/dict_config.json

Needs PyYAML. The result has three parts. `names` are the keys and classes of the schema, found in the library
itself. `examples` are those of the tables in docs/dict-config.md, each of which must be a valid file. `files` is
what each file in the folder `files` writes when all loggers log at all levels.
"""

import contextlib
import inspect
import io
import json
import logging
import logging.config
import logging.handlers
import os
import pathlib
import re
import subprocess
import sys
import tempfile

import yaml

HERE = pathlib.Path(__file__).parent
TABLES = HERE.parents[2] / "docs" / "dict-config.md"
LOGGERS = ["app", "app.requests", "app.db.backend", "foo", "foo.bar", "server", "server.error", "other"]
LEVELS = ["debug", "info", "warning", "error"]
TIME = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(,\d{3})?")


def keys(*functions):
    """The keys that functions read from a mapping."""
    read = r"""config(?:_copy)?(?:\.get|\.pop)?[\[(]'([^']+)'|'([^']+)' in config|kwargs\.pop\('([^']+)'"""
    found = re.findall(read, "".join(inspect.getsource(function) for function in functions))
    return {name for names in found for name in names if name}


def parameters(base):
    """The names and the parameters of a class and its subclasses."""
    names = set()
    for module in [logging, logging.handlers]:
        for name, kind in vars(module).items():
            if inspect.isclass(kind) and issubclass(kind, base) and not name.startswith("_"):
                given = inspect.signature(kind.__init__).parameters
                names |= {name, *given} - {"self"}
    return names


def schema():
    reader = logging.config.DictConfigurator
    record = logging.makeLogRecord({"asctime": "", "message": ""})
    formatters = keys(reader.configure_formatter)
    return {
        "The file": keys(reader.configure) - {"level"},
        "Formatters": formatters | parameters(logging.Formatter) | {"."},
        "Filters": keys(reader.configure_filter) | parameters(logging.Filter),
        "Handlers": keys(reader.configure_handler, reader._configure_queue_handler) - {"formatters"}
        | parameters(logging.Handler),
        "Loggers": keys(reader.common_logger_config, reader.configure_logger),
        "Fields": set(vars(record)),
    }


def whole(section, example):
    """The file that an example of a section stands for. `tests/it/python_files.rs` has the same."""
    parts = {
        "The file": "{}\n",
        "Formatters": "version: 1\nformatters: {{f: {}}}\n",
        "Filters": "version: 1\nfilters: {{f: {}}}\n",
        "Handlers": "version: 1\nhandlers: {{h: {}, other: {{class: logging.StreamHandler}}}}\n",
        "Loggers": "version: 1\nfilters: {{f: {{name: a}}}}\nloggers: {{a: {}}}\n",
        "Fields": "version: 1\nformatters: {{f: {{format: \"{}\"}}}}\n",
        "Values": "version: 1\n{}\n",
    }
    handler = "handlers: {h: {class: logging.StreamHandler}}\n"
    text = parts[section].format(example)
    text += "" if "handlers: {h" in text or text.startswith("{") else handler
    return text if "root:" in text else text + "root: {handlers: [h]}\n"


def rows():
    section = None
    for line in TABLES.read_text().splitlines():
        if line.startswith("## "):
            section = line[3:]
        elif line.startswith("| ") and "`" in line:
            _, example, _ = line.strip("| ").split(" | ")
            yield section, example.strip("`").replace("\\n", "\n")


def written(path):
    """What a configuration writes."""
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, __file__, str(path.resolve())]
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=True)
        files = {name.name: name.read_text() for name in sorted(pathlib.Path(folder).iterdir())}
    streams = {"stdout": done.stdout, "stderr": done.stderr, **files}
    return {name: TIME.sub("TIME", text) for name, text in streams.items()}


def log(path):
    # The documentation has this difference: records without a handler are dropped.
    logging.lastResort = logging.NullHandler()
    logging.config.dictConfig(yaml.safe_load(pathlib.Path(path).read_text()))
    for name in LOGGERS:
        for level in LEVELS:
            getattr(logging.getLogger(name), level)(f"{level} of {name}")


def main():
    names = {section: sorted(found) for section, found in schema().items()}
    os.chdir(tempfile.mkdtemp())
    examples = []
    for section, example in rows():
        try:
            # Some classes write about what is missing on this system.
            with contextlib.redirect_stdout(io.StringIO()):
                logging.config.dictConfig(yaml.safe_load(whole(section, example)))
        except Exception as error:
            raise SystemExit(f"{section}: {example}: {error} {error.__cause__}") from error
        examples.append(example)
    files = {path.name: written(path) for path in sorted((HERE / "files").iterdir())}
    result = {"python": sys.version.split()[0], "names": names, "examples": examples, "files": files}
    print(json.dumps(result, indent=1))


if __name__ == "__main__":
    log(sys.argv[1]) if len(sys.argv) > 1 else main()
