"""The table of what was checked, which deploy/tests/run prints."""

import os


def report(what: str, against: str, result: str):
    print(f"{what} | {against} | {result}", flush=True)
    if "DEPLOY_RESULTS" in os.environ:
        with open(os.environ["DEPLOY_RESULTS"], "a") as results:
            results.write(f"{what}\t{against}\t{result}\n")
