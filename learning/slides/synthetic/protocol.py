"""The text of a study.toml: classes, the size of regions, domains and policy.

Decides the order and form of its keys; refuses to know which study it is.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class StudyClass:
    """A class of the protocol; `share` is its mean frequency among the regions (0 for special outcomes)."""

    code: str
    name: str
    colour: str
    key: str
    definition: str
    share: float = 0.0
    quota: int = 0
    special: bool = False


def describe_study(
    *,
    name: str,
    region: tuple[int, float | None],
    domains: Sequence[str] = ("lab",),
    classes: Iterable[StudyClass],
    policy: Mapping[str, float | int],
) -> str:
    """Return the text of study.toml; `region` is the edge in pixels and their size in µm (None: level-0 pixels)."""
    edge, um_per_px = region
    size = "" if um_per_px is None else f", um_per_px = {um_per_px}"
    lines = [
        f"name = {_quote(name)}",
        'task = "classify"',
        f"region = {{ width = {edge}, height = {edge}{size} }}",
        f"domains = {_quote(list(domains))}",
        "",
    ]
    for item in classes:
        texts = ("code", "name", "colour", "key", "definition")
        lines += ["[[classes]]", *(f"{key} = {_quote(getattr(item, key))}" for key in texts)]
        lines += [f"quota = {item.quota}"] if item.quota else []
        lines += ["special = true"] if item.special else []
        lines += [""]
    lines += ["[policy]", *(f"{key} = {value}" for key, value in policy.items()), ""]
    return "\n".join(lines)


def _quote(value: str | list[str]) -> str:
    # JSON's strings and lists of strings are TOML's as well.
    return json.dumps(value, ensure_ascii=False)
