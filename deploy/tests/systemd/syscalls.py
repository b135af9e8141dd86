#!/usr/bin/env python3
"""Holds what a program did, as `strace` saw it, against what a unit lets it do.

Arguments: the unit, the trace. Looked at: SystemCallFilter, RestrictAddressFamilies, MemoryDenyWriteExecute.
Prints how many different system calls there were.
"""

import collections
import re
import subprocess
import sys

# `PID name(arguments` begins a call. Lines about signals, exits and resumed calls have another form.
CALL = re.compile(r"^\d+\s+([a-z_0-9]+)\((.*)$")


def groups():
    """The groups of system calls that this systemd knows: name to members, which may be groups."""
    listing = subprocess.run(
        ["systemd-analyze", "syscall-filter", "--no-pager"], check=True, capture_output=True, text=True
    ).stdout
    found, current = {}, None
    for line in listing.splitlines():
        word = line.strip()
        if word.startswith("#") or not word:
            continue
        if not line.startswith(" "):
            current = found.setdefault(word, set())
        else:
            current.add(word)
    return found


def expand(name, known):
    if not name.startswith("@"):
        return {name}
    return set().union(*(expand(member, known) for member in known[name]))


def settings(unit):
    found = collections.defaultdict(list)
    with open(unit, encoding="utf-8") as lines:
        for line in lines:
            key, equals, value = line.strip().partition("=")
            if equals and not key.startswith("#"):
                found[key].append(value)
    return found


def allowed_calls(values):
    known = groups()
    # An allow list of systemd holds @default, whether named or not.
    allowed = expand("@default", known)
    for value in values:
        names = set().union(*(expand(name, known) for name in value.removeprefix("~").split()))
        allowed = allowed - names if value.startswith("~") else allowed | names
    return allowed


def main():
    unit, trace = sys.argv[1:]
    rules = settings(unit)
    allowed = allowed_calls(rules["SystemCallFilter"])
    families = set(" ".join(rules["RestrictAddressFamilies"]).split())
    no_new_code = rules["MemoryDenyWriteExecute"] == ["yes"]
    seen, problems = set(), set()
    with open(trace, encoding="utf-8", errors="replace") as lines:
        for line in lines:
            call = CALL.match(line)
            if not call:
                continue
            name, arguments = call.groups()
            seen.add(name)
            if name not in allowed:
                problems.add(f"{name} is not in the filter")
            if name == "socket" and arguments.split(",")[0] not in families:
                problems.add(f"socket of {arguments.split(',')[0]}")
            writable = name == "mmap" and "PROT_WRITE" in arguments
            if no_new_code and "PROT_EXEC" in arguments and (writable or name.endswith("mprotect")):
                problems.add(f"{name} makes memory executable: {arguments}")
    if problems or not {"execve", "accept4", "exit_group"} <= seen:
        raise SystemExit("\n".join(sorted(problems)) or f"not a trace of a whole run: {sorted(seen)}")
    print(len(seen))


if __name__ == "__main__":
    main()
