"""Asks ml-logs, jq, DuckDB and VictoriaLogs the questions of the page, about the same log. `compare` runs it.

Each program may first load the log into a form of its own. The answers are compared, so that all do the same work.
"""
import argparse
import http.client
import json
import os
import pathlib
import resource
import socket
import statistics
import subprocess
import sys
import time
import urllib.parse

DAY = "2026-11-24"
RANGE = f"from={DAY}T00:00:00Z&to={DAY}T23:59:59.999Z"
LOW, HIGH = 10_000, 10_000.5
QUESTIONS = ["overview", "filter", "prediction", "failures", "field"]
NUMBERS = r"[^ ]*[0-9][^ ]*"


def cpu(pid):
    """CPU seconds of a process."""
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return sum(map(int, fields[11:13])) / os.sysconf("SC_CLK_TCK")


def peak_mib(pid):
    line = next(line for line in pathlib.Path(f"/proc/{pid}/status").read_text().splitlines() if line.startswith("VmHWM"))
    return int(line.split()[1]) / 1024


def size(path):
    files = [path] if path.is_file() else [file for file in path.rglob("*") if file.is_file()]
    return sum(file.stat().st_size for file in files)


def wait(condition):
    while not condition():
        time.sleep(0.02)


class Server:
    """A program that is asked over HTTP."""

    def __init__(self, command, port=None):
        self.process = subprocess.Popen(command, stderr=subprocess.PIPE if port is None else subprocess.DEVNULL, text=True)
        if port is None:
            line = next(line for line in self.process.stderr if "http://" in line)
            port = int(line.split("http://127.0.0.1:")[1].split()[0])
        self.port = port

    def ask(self, path, **form):
        connection = http.client.HTTPConnection("127.0.0.1", self.port)
        connection.request("POST" if form else "GET", path, urllib.parse.urlencode(form) or None,
                           {"content-type": "application/x-www-form-urlencoded"} if form else {})
        answer = connection.getresponse()
        text = answer.read().decode()
        if answer.status != 200:
            sys.exit(f"{path}: {text}")
        return text

    def measured(self, question):
        before, started = cpu(self.process.pid), time.monotonic()
        answer = question()
        return answer, time.monotonic() - started, cpu(self.process.pid) - before

    def stop(self):
        self.process.terminate()
        self.process.wait()


def asked(ask, questions, rounds):
    """Asks each question several times. Returns the answers, and the medians of time and CPU time."""
    answers, times = {}, {}
    for name, question in questions.items():
        runs = [ask(question) for _ in range(rounds)]
        answers[name] = runs[0][0]
        # A process's CPU time has steps of 10 ms, which an average evens out.
        times[name] = (statistics.median(run[1] for run in runs), statistics.mean(run[2] for run in runs))
    return answers, times


def ml_logs(arguments, folder):
    store = folder / "ml-logs"
    started = time.monotonic()
    server = Server([arguments.ml_logs, "serve", arguments.log, "--store", store, "--address", "127.0.0.1:0"])
    get = lambda path: json.loads(server.ask(path))
    wait(lambda: get("/api/health")["records"] == arguments.records)
    load = (time.monotonic() - started, cpu(server.process.pid))

    def overview():
        totals = get(f"/api/overview?{RANGE}")["totals"]
        return totals["success"] + totals["error"]

    questions = {
        "overview": overview,
        "filter": lambda: len(get(f"/api/predictions?{RANGE}&limit=10000&filter=age%3E60+charges%3D{LOW}..{HIGH}")["predictions"]),
        "prediction": lambda: len(get(f"/api/predictions/{arguments.id}")["records"]),
        "failures": lambda: sum(group["count"] for group in get(f"/api/failures?{RANGE}")["failures"]),
        "field": lambda: get(f"/api/fields/age?{RANGE}")["count"],
    }
    answers, times = asked(server.measured, questions, 9)
    peak = peak_mib(server.process.pid)
    # The end moves the write-ahead log into the file.
    server.stop()
    return load, size(store), peak, answers, times


def victoria_logs(arguments, folder):
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    store = folder / "victoria-logs"
    server = Server([arguments.victoria_logs, f"-storageDataPath={store}", f"-httpListenAddr=127.0.0.1:{port}", "-retentionPeriod=100y",
                     "-loggerLevel=ERROR"], port)

    def is_open():
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", port)) == 0

    def query(text):
        return [json.loads(line) for line in server.ask("/select/logsql/query", query=f"_time:{DAY}Z {text}").splitlines()]

    def count(text):
        return sum(int(row["n"]) for row in query(text))

    wait(is_open)
    started = time.monotonic()
    connection = http.client.HTTPConnection("127.0.0.1", port)
    with open(arguments.log, "rb") as log:
        connection.request("POST", "/insert/jsonline?_time_field=asctime&_msg_field=message&_stream_fields=hostname,model_qualified_name", log,
                           {"content-length": str(os.path.getsize(arguments.log))})
    connection.getresponse().read()
    server.ask("/internal/force_flush")
    wait(lambda: count("| count() n") == arguments.records)
    load = (time.monotonic() - started, cpu(server.process.pid))
    quantiles = "count() n, quantile(0.5, duration_ms) p50, quantile(0.95, duration_ms) p95, quantile(0.99, duration_ms) p99"

    def overview():
        count(f"status:* | stats by (hostname) {quantiles}")
        count(f"status:* | stats by (model_qualified_name, model_version) {quantiles}")
        return count(f"status:* | stats by (_time:5m, status) {quantiles}")

    questions = {
        "overview": overview,
        "filter": lambda: len(query(f"age:>60 prediction_id:in(_time:{DAY}Z charges:range[{LOW}, {HIGH}] | fields prediction_id)")),
        "prediction": lambda: len(query(f'prediction_id:="{arguments.id}"')),
        "failures": lambda: count("status:=error | collapse_nums at error_info | stats by (model_qualified_name, error_info) "
                                  "count() n, min(_time) first, max(_time) last"),
        "field": lambda: count("age:* | stats by (age) count() n"),
    }
    answers, times = asked(server.measured, questions, 5)
    peak = peak_mib(server.process.pid)
    server.stop()
    return load, size(store), peak, answers, times


def duckdb_child(log, database, identifier):
    """Loads, asks, and prints the result. A process of its own, so that its memory can be measured."""
    import duckdb

    def used():
        usage = resource.getrusage(resource.RUSAGE_SELF)
        return usage.ru_utime + usage.ru_stime

    connection = duckdb.connect(database)
    started, before = time.monotonic(), used()
    columns = {
        "asctime": "TIMESTAMP", "hostname": "VARCHAR", "process": "INTEGER", "thread": "INTEGER", "name": "VARCHAR", "pathname": "VARCHAR",
        "lineno": "INTEGER", "levelname": "VARCHAR", "message": "VARCHAR", "model_qualified_name": "VARCHAR", "model_version": "VARCHAR",
        "prediction_id": "UUID", "age": "INTEGER", "bmi": "DOUBLE", "status": "VARCHAR", "duration_ms": "DOUBLE", "error_info": "VARCHAR",
        "charges": "DOUBLE"}
    # One row per prediction.
    connection.execute(f"""
        CREATE TABLE predictions AS
        WITH records AS MATERIALIZED (SELECT * FROM read_json('{log}', format = 'newline_delimited', columns = {columns})),
             requests AS (SELECT * EXCLUDE (status, duration_ms, error_info, charges) FROM records WHERE status IS NULL),
             answers AS (SELECT prediction_id, asctime AS answered, levelname AS answer_level, message AS answer_message, status, duration_ms,
                                error_info, charges FROM records WHERE status IS NOT NULL)
        SELECT * FROM requests FULL JOIN answers USING (prediction_id) ORDER BY asctime""")
    connection.execute("CHECKPOINT")
    load = (time.monotonic() - started, used() - before)
    quantiles = "count(*) AS n, quantile_cont(duration_ms, [0.5, 0.95, 0.99]) FROM predictions WHERE status IS NOT NULL GROUP BY ALL"

    def rows(text):
        return connection.execute(text).fetchall()

    def overview():
        rows(f"SELECT hostname, {quantiles}")
        rows(f"SELECT model_qualified_name, model_version, {quantiles}")
        return sum(row[2] for row in rows(f"SELECT time_bucket(INTERVAL '5 minutes', asctime), status, {quantiles}"))

    questions = {
        "overview": overview,
        "filter": lambda: len(rows(f"SELECT * FROM predictions WHERE age > 60 AND charges BETWEEN {LOW} AND {HIGH} ORDER BY asctime DESC")),
        "prediction": lambda: 2 * len(rows(f"SELECT * FROM predictions WHERE prediction_id = '{identifier}'")),
        "failures": lambda: sum(row[2] for row in rows(
            f"SELECT model_qualified_name, regexp_replace(error_info, '{NUMBERS}', '#', 'g'), count(*), min(answered), max(answered) "
            "FROM predictions WHERE status = 'error' GROUP BY ALL")),
        "field": lambda: sum(row[1] for row in rows("SELECT age, count(*) FROM predictions WHERE age IS NOT NULL GROUP BY age")),
    }

    def measured(question):
        before, started = used(), time.monotonic()
        answer = question()
        return answer, time.monotonic() - started, used() - before

    answers, times = asked(measured, questions, 9)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps((load, size(pathlib.Path(database)), peak, answers, times)))


def duckdb(arguments, folder):
    command = [sys.executable, __file__, "--duckdb", str(folder / "duckdb"), "--id", arguments.id, arguments.log]
    return json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout)


def jq(arguments, folder):
    peak = 0

    def run(program):
        nonlocal peak
        started = time.monotonic()
        process = subprocess.Popen(["jq", "-c", "-n", program, arguments.log], stdout=subprocess.PIPE)
        answer = json.loads(process.stdout.read())
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        peak = max(peak, usage.ru_maxrss / 1024)
        return answer, time.monotonic() - started, usage.ru_utime + usage.ru_stime

    quantiles = "def summary: sort | {n: length, p50: .[length / 2 | floor], p95: .[length * 0.95 | floor], p99: .[length * 0.99 | floor]};"
    groups = "group_by(.[$by]) | map(map(.[3]) | summary)"
    questions = {
        # By ten minutes: a prefix of the time.
        "overview": f"{quantiles} [inputs | select(.status) | [.asctime[:15] + .status, .hostname, .model_version, .duration_ms]]"
                    f" | [range(3) as $by | {groups}] | .[0] | map(.n) | add",
        "filter": "reduce inputs as $record ({ages: {}, found: []}; if $record.age > 60 then .ages[$record.prediction_id] = $record.age"
                  f" elif $record.charges >= {LOW} and $record.charges <= {HIGH} and .ages[$record.prediction_id] then .found += [$record]"
                  " else . end) | .found | length",
        "prediction": f'[inputs | select(.prediction_id == "{arguments.id}")] | length',
        "failures": f'[inputs | select(.status == "error") | [.asctime, (.error_info | gsub("{NUMBERS}"; "#"))]]'
                    " | group_by(.[1]) | map({n: length, first: (map(.[0]) | min), last: (map(.[0]) | max)}) | map(.n) | add",
        "field": "reduce (inputs | .age | values | tostring) as $age ({}; .[$age] += 1) | add",
    }
    answers, times = asked(run, questions, 1)
    return (0, 0), 0, peak, answers, times


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--ml-logs")
    parser.add_argument("--victoria-logs")
    parser.add_argument("--id", required=True)
    parser.add_argument("--duckdb", help="only loads into this database and asks it")
    parser.add_argument("log")
    arguments = parser.parse_args()
    if arguments.duckdb:
        return duckdb_child(arguments.log, arguments.duckdb, arguments.id)
    with open(arguments.log, "rb") as log:
        arguments.records = sum(1 for _ in log)
    folder = pathlib.Path(arguments.log).parent
    print(f"{arguments.records // 2:,} predictions, log of {size(pathlib.Path(arguments.log)) / 1e6:,.0f} MB\n")
    print("Time in ms, CPU time in ms in brackets.\n")
    print(f"| program | load, s | disk, MB | memory, MiB | {' | '.join(QUESTIONS)} |\n|---|{'---|' * (3 + len(QUESTIONS))}")
    expected = None
    for name, run in [("ml-logs", ml_logs), ("DuckDB", duckdb), ("VictoriaLogs", victoria_logs), ("jq", jq)]:
        load, disk, memory, answers, times = run(arguments, folder)
        cells = [f"{load[0]:.1f} ({load[1]:.1f})", f"{disk / 1e6:.0f}", f"{memory:.0f}"]
        cells += [f"{1e3 * times[question][0]:,.1f} ({1e3 * times[question][1]:,.0f})" for question in QUESTIONS]
        print(f"| {name} | {' | '.join(cells)} |", flush=True)
        expected = expected or answers
        if answers != expected:
            sys.exit(f"{name} answers {answers}, ml-logs {expected}")


main()
