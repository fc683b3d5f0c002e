"""The changelog of a release: what it changed against the one before, in a page; region by region in a table.

Decides the words; what counts as a change is decided by `diff`.
"""

from annotation.releasing.content import Content

NAME, TABLE = "changelog.md", "changes.csv"
_SAID = {
    "relabelled": "got another label",
    "removed": "left the data set",
    "moved": "moved to another split",
    "added": "joined",
    "unchanged": "are as they were",
}


def render(content: Content) -> bytes:
    """Markdown; for the first release a sentence that it is the first."""
    lines = [f"# Changes of {' '.join(str(content.study['name']).split())}", ""]
    if content.earlier is None:
        lines.append(f"This is the first release: {len(content.regions)} regions.")
        return ("\n".join(lines) + "\n").encode()
    earlier = content.earlier
    lines += [
        f"Against release {earlier.number} (`{earlier.digest}`), under protocol {content.protocol}:",
        "",
        *(f"- {earlier.counts[kind]} regions {said}" for kind, said in _SAID.items()),
    ]
    if earlier.flows:
        lines += ["", "| from | to | regions |", "| --- | --- | --- |"]
        lines += [f"| {old} | {new} | {count} |" for (old, new), count in earlier.flows.items()]
    lines += ["", f"`{TABLE}` has them region by region."]
    return ("\n".join(lines) + "\n").encode()
