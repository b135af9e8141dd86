"""Sections and queries of the runbook."""

import re


def sections(text):
    """Returns the second-level headings by the anchors that GitHub gives them, without those in code blocks."""
    found, used = {}, {}
    fenced = False
    for line in text.splitlines():
        if line.startswith("```"):
            fenced = not fenced
        heading = re.fullmatch(r"(#{1,6})\s+(.*?)\s*#*", line)
        if fenced or not heading:
            continue
        anchor = re.sub(r"[^\w\- ]", "", heading[2].lower()).replace(" ", "-")
        used[anchor] = used.get(anchor, -1) + 1
        if used[anchor]:
            anchor = f"{anchor}-{used[anchor]}"
        if heading[1] == "##":
            found[anchor] = heading[2]
    return found


def queries(text):
    """Yields the queries in PromQL code blocks, one per line."""
    for block in re.findall(r"^```promql\n(.*?)^```", text, flags=re.M | re.S):
        yield from (line for line in block.splitlines() if line.strip())


def problems(alerts, text):
    """Yields differences between the runbook and the alerts, each with the address of its section."""
    found = sections(text)
    linked = {}
    for name, address in alerts.items():
        path, _, anchor = address.partition("#")
        if not path.endswith("docs/runbook.md"):
            yield f"{name} links to {address}"
        if found.get(anchor) != name:
            yield f"{name} links to #{anchor}, which is {found.get(anchor, 'no section')}"
        linked[anchor] = name
    for anchor, heading in found.items():
        if anchor not in linked:
            yield f"the section {heading} belongs to no alert"
