"""Changes one place of the alert rules at a time; the tests of the rules must fail each time."""

import os
import re
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from results import report  # noqa: E402

SERVICE = r" and on \(namespace, job\) group by \(namespace, job\) \([^()]*\)"
INSTANCE = r" and on \(namespace, job, instance\) group by \(namespace, job, instance\) \([^()]*\)"
# A regular expression and its replacement.
MUTATIONS = {
    "any service may be ready": (r'absent\(model_service_ready\{[^}]*\}', "absent(model_service_ready"),
    "an instance that is not ready counts": (r"absent\((model_service_ready\{[^}]*\}) == 1\)", r"absent(\1)"),
    "fewer server errors": ("> 0.01", "> 0.004"),
    "more server errors": ("> 0.01", "> 0.03"),
    "every status is a server error": (r"status=~\"5\.\+\"", 'status=~"..+"'),
    "every route counts": (r"handler=~\"[^\"]*\"", 'handler!=""'),
    "the server errors of every service": (SERVICE, ""),
    "fewer failed predictions": (r"> 0\.2(?!\d)", "> 0.1"),
    "more failed predictions": (r"> 0\.2(?!\d)", "> 0.4"),
    "successes are failures": ('status="error"', 'status="success"'),
    "less latency": (r"> 0\.25", "> 0.1"),
    "more latency": (r"> 0\.25", "> 0.5"),
    "the median of the latency": (r"histogram_quantile\(0\.99", "histogram_quantile(0.5"),
    "every model": (r"model=~\"[^\"]*\"", 'model!=""'),
    "dropped records do not count": (r"lost\|dropped", "lost"),
    "lost records do not count": (r"lost\|dropped", "dropped"),
    "written records count": (r"lost\|dropped", "lost|dropped|written"),
    "the lost records of every instance": (INSTANCE, ""),
}


def mutants(rules):
    """Yields each name with the changed text. A pattern without a match is an error, because it tests nothing."""
    for name, (pattern, replacement) in MUTATIONS.items():
        # The file folds long expressions.
        mutant, count = re.subn(pattern.replace(" ", r"\s+"), replacement, rules)
        if count == 0:
            raise SystemExit(f"metrics: {name}: nothing in the rules matches {pattern}")
        yield name, mutant
    for number, duration in enumerate(re.finditer(r"for: \"?(\w+)\"?", rules)):
        other = "0m" if duration[1] != "0m" else "5m"
        yield f"duration {number}: {other}", rules[: duration.start()] + f"for: {other}" + rules[duration.end():]
    for metric in sorted(set(re.findall(r"\b(\w+)\{", rules))):
        yield f"{metric} misspelt", re.sub(rf"\b{metric}\b", f"{metric}_misspelt", rules)


def main():
    rules, tests = (Path(path).read_text(encoding="utf-8") for path in sys.argv[1:3])
    tests, count = re.subn(r"^rule_files: .*$", "rule_files: [rules.yaml]", tests, flags=re.M)
    if count != 1:
        raise SystemExit("metrics: the tests name no file of rules")
    with tempfile.TemporaryDirectory(prefix="metrics-") as parent, ThreadPoolExecutor(os.cpu_count()) as pool:

        def passes(text):
            with tempfile.TemporaryDirectory(dir=parent) as folder:
                (Path(folder) / "tests.yaml").write_text(tests, encoding="utf-8")
                (Path(folder) / "rules.yaml").write_text(text, encoding="utf-8")
                command = ["promtool", "test", "rules", "tests.yaml"]
                result = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
            if "FAILED" not in result.stdout + result.stderr and result.returncode:
                raise SystemExit(f"metrics: promtool did not run the tests: {result.stdout}{result.stderr}")
            return result.returncode == 0

        if not passes(rules):
            raise SystemExit("metrics: the tests of the rules fail")
        found = list(mutants(rules))
        passed = pool.map(passes, [mutant for _, mutant in found])
        survivors = [name for (name, _), survives in zip(found, passed) if survives]
    if survivors:
        raise SystemExit("metrics: the tests pass although: " + "; ".join(survivors))
    cases = len(re.findall(r"^ +- name: ", tests, flags=re.M))
    report("alert rules", "promtool", f"{cases} cases pass; {len(found)} changed rules fail")


if __name__ == "__main__":
    main()
