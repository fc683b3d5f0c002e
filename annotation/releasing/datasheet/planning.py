"""Why a data set was made and by which rules: the checklist of the study, its protocol, and the versions before.

Decides the words; the answers are those of the study's managers.
"""

from collections.abc import Iterator, Mapping

from annotation import checklist
from annotation.releasing.content import Content, Version
from annotation.releasing.datasheet import markdown


def planned(answers: Mapping[str, str]) -> str:
    """What the study's managers said when they planned it; nothing where they were not asked."""
    parts = []
    for section in checklist.SECTIONS:
        said = [(one.asks, answers[one.key]) for one in section.questions if answers.get(one.key)]
        if said:
            lines = (f"**{asks}**\n\n{markdown.quoted(answer)}" for asks, answer in said)
            parts += [f"### {section.title}", *lines]
    if not parts:
        return ""
    sources = "Questions after: " + "; ".join(checklist.SOURCES) + "."
    return "\n\n".join(["How the data set was planned, in the words of its managers:", *parts, sources])


def protocol(content: Content) -> str:
    """The classes and the guideline in force, and how earlier versions continue in them."""
    rows = [
        (item.code, item.name, "yes" if item.is_special else "", item.definition, markdown.dash(item.quota))
        for item in content.classes
    ]
    guideline = content.guideline.strip()
    quoted = markdown.quoted(guideline) if guideline else "None was written."
    table = markdown.table(["class", "name", "special outcome", "definition", "quota"], rows)
    parts = [f"### Protocol {content.protocol}", table, "Guideline:", quoted, *_history(content.versions)]
    return "\n\n".join(parts)


def _history(versions: tuple[Version, ...]) -> Iterator[str]:
    if len(versions) < 2:
        return
    yield "Versions of the protocol, the last one in force:"
    for one in versions:
        by = f", by {one.by}" if one.by else ""
        yield f"**Version {one.number}** ({one.at[:10]}{by})"
        if one.summary:
            yield markdown.quoted(one.summary)
        if one.mappings:
            rows = [(source, kind, markdown.dash(target)) for source, target, kind in one.mappings]
            yield markdown.table(["class before", "how it goes on", "class after"], rows)
