"""The runbook's sections, by the anchors that GitHub gives their headings."""

import re


def sections(text):
    """The second-level headings by anchor. Headings in blocks of code are none."""
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
    """The queries in blocks of code that are marked as PromQL, one a line."""
    for block in re.findall(r"^```promql\n(.*?)^```", text, flags=re.M | re.S):
        yield from (line for line in block.splitlines() if line.strip())


def problems(alerts, text):
    """What does not fit between the alerts, each with the address of its section, and the runbook."""
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
