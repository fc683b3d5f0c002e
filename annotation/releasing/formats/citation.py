"""CITATION.cff (Citation File Format 1.2.0): how to cite a release, as repositories and reference managers read it.

Decides which fields are filled from what a study says of its publication; refuses to guess what it does not say.
"""

import json
import re

from annotation import publication
from annotation.releasing.content import Content

NAME = "CITATION.cff"
_SPDX = re.compile(r"[A-Za-z0-9][A-Za-z0-9.+-]*")


def render(content: Content) -> bytes:
    """The file. Values are JSON strings, which are YAML as well."""
    said = content.facts.get("publication", {})
    names = publication.names(said, "creators")
    lines = [
        "cff-version: 1.2.0",
        "message: " + _text(said.get("citation") or "If you use this data set, please cite it as below."),
        "type: dataset",
        "title: " + _text(content.study["name"]),
        "date-released: " + content.pass_at[:10],
        "version: " + _text(content.digest[:12]),
        "authors:",
        *(f"  - name: {_text(name)}" for name in names or ["The annotators of " + content.study["name"]]),
    ]
    licence = said.get("licence", "")
    if _SPDX.fullmatch(licence):
        lines.append("license: " + licence)
    if said.get("address"):
        lines.append("url: " + _text(said["address"]))
    return ("\n".join(lines) + "\n").encode()


def _text(value: str) -> str:
    return json.dumps(" ".join(value.split()), ensure_ascii=False)
