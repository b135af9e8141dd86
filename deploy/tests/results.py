"""The table of results, which deploy/tests/run prints."""

import os


def report(what: str, against: str, result: str):
    """Prints one line of the table and appends it to the file that DEPLOY_RESULTS names."""
    print(f"{what}: {result} ({against})", flush=True)
    if target := os.environ.get("DEPLOY_RESULTS"):
        with open(target, "a", encoding="utf-8") as file:
            file.write(f"{what}\t{against}\t{result}\n")
