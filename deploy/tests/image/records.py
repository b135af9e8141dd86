#!/usr/bin/env python3
"""Compares the records of a log with the answered predictions: each id has exactly two records.

Arguments: the log, one record per line; the file of answered ids. Prints the number of predictions.
"""

import collections
import json
import sys


def main():
    log, answered_file = sys.argv[1:]
    records = collections.defaultdict(list)
    with open(log, encoding="utf-8") as lines:
        for line in lines:
            record = json.loads(line)
            if record.get("action") == "predict":
                records[record["prediction_id"]].append(record["message"])
    with open(answered_file, encoding="utf-8") as lines:
        answered = [line.strip() for line in lines]
    expected = ["Prediction requested.", "Prediction created."]
    problems = [f"{key}: {messages}" for key, messages in records.items() if messages != expected]
    problems += [f"{key}: accepted, not answered" for key in records.keys() - set(answered)]
    problems += [f"{key}: answered, not recorded" for key in set(answered) - records.keys()]
    if len(answered) != len(set(answered)):
        problems.append("an id was answered twice")
    if not answered:
        problems.append("nothing was answered")
    if problems:
        raise SystemExit(f"{len(problems)} problems, among them:\n" + "\n".join(problems[:10]))
    print(len(answered))


if __name__ == "__main__":
    main()
