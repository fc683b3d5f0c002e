"""A definition as the text of a study.toml; reading it again gives the same definition.

Decides the order and form of its keys; refuses to know where the definition came from.
"""

import json
from collections.abc import Iterable, Mapping
from typing import Any

from annotation.studyfolder.plan import ClassPlan, Definition


def write_definition(definition: Definition) -> str:
    """The text of `definition`: the same for the same definition."""
    parts = [list(_head(definition))]
    parts += [list(_class(item)) for item in definition.classes]
    parts += [
        [f"[{name}]", *(f"{key} = {_value(value)}" for key, value in sorted(table.items()))]
        for name, table in _tables(definition)
        if table
    ]
    parts += [list(_rule(code, said)) for code, said in sorted(definition.rules.items()) if said]
    return "\n\n".join("\n".join(lines) for lines in parts) + "\n"


def _tables(definition: Definition) -> Iterable[tuple[str, Mapping[str, Any]]]:
    yield "policy", definition.policy
    yield "checklist", definition.checklist
    yield "publication", definition.publication


def _head(definition: Definition) -> Iterable[str]:
    size = definition.region_um_per_px
    yield f"name = {_value(definition.name)}"
    yield f"task = {_value(definition.task)}"
    edges = f"width = {definition.region_width}, height = {definition.region_height}"
    yield f"region = {{ {edges}{'' if size is None else f', um_per_px = {_value(size)}'} }}"
    yield f"domains = [{', '.join(_value(name) for name in definition.domains)}]"
    yield f"seed = {definition.seed}"
    if definition.guideline:
        yield f"guideline = {_value(definition.guideline)}"


def _class(item: ClassPlan) -> Iterable[str]:
    yield "[[classes]]"
    values: Mapping[str, Any] = {
        "code": item.code,
        "name": item.name,
        "colour": item.colour,
        "key": item.key,
        "definition": item.definition,
    }
    yield from (f"{key} = {_value(value)}" for key, value in values.items())
    if item.parent:
        yield f"parent = {_value(item.parent)}"
    if item.is_special:
        yield "special = true"
    if item.quota is not None:
        yield f"quota = {item.quota}"


def _rule(code: str, said: Mapping[str, Any]) -> Iterable[str]:
    yield f"[rules.{code}]"
    for key, value in sorted(said.items()):
        inner = ", ".join(f"{name} = {_value(one)}" for name, one in sorted(value.items())) if _is_table(value) else ""
        yield f"{key} = {{ {inner} }}" if _is_table(value) else f"{key} = {_value(value)}"


def _is_table(value: Any) -> bool:
    return isinstance(value, Mapping)


def _value(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return repr(value)
    text = str(value)
    if "\n" not in text:
        return f'"{_escape(text)}"'
    # Several lines stay lines, so that people can read and mend them.
    return '"""\n' + "\n".join(_escape(line) for line in text.split("\n")) + '"""'


def _escape(text: str) -> str:
    # A JSON string is a TOML string, except that TOML wants DEL escaped too.
    return json.dumps(text, ensure_ascii=False)[1:-1].replace("\x7f", "\\u007f")
