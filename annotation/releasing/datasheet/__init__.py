"""The datasheet of a release: who labelled what, how, how well they agree, and what is known to be wrong.

After Gebru et al., "Datasheets for Datasets" (CACM 64:12, 2021): its seven questions in their order, as far as rows
can answer them. Decides the order; the words are those of the modules below, and none of them computes but counts.
"""

from annotation.releasing.content import Content
from annotation.releasing.datasheet import composition, labelling, markdown, model, planning, publishing, shortcomings
from annotation.releasing.datasheet.shortcomings import error_estimate

__all__ = ["error_estimate", "render"]


def render(content: Content) -> str:
    """Markdown; the same text for the same content."""
    facts = content.facts
    answers = facts.get("checklist", {})
    sections = {
        "Motivation": [planning.planned(answers) or publishing.NOT_SAID],
        "Composition": [composition.counts(content), shortcomings.limits(content)],
        "Collection": [labelling.collection(content)],
        "Labelling": [
            planning.protocol(content),
            labelling.process(content),
            labelling.agreement(facts.get("agreement", {}), content.codes),
            labelling.methods(facts.get("side_by_side", ())),
            error_estimate(facts.get("acceptance")),
            labelling.rules(content.rules),
            shortcomings.decisions(content),
        ],
        "Uses": [publishing.uses(answers), model.describe(facts)],
        "Distribution": [publishing.distribution(content)],
        "Maintenance": [publishing.maintenance(content)],
    }
    parts = [_head(content)]
    for title, said in sections.items():
        parts += [f"## {title}", *(part for part in said if part)]
    return "\n\n".join(parts) + "\n"


def _head(content: Content) -> str:
    lines = [f"# Datasheet: {markdown.plain(content.study['name'])}"]
    if content.study.get("is_simulation"):
        lines += ["", "**Simulated: the annotators of this study were programs. Not for use as ground truth.**"]
    cases = len({slide.case for slide in content.slides})
    lines += [
        "",
        f"{len(content.regions)} regions on {len(content.slides)} slides of {cases} cases, "
        f"cut from consistency pass {content.pass_number} ({content.pass_at}) at ledger position {content.position}, "
        f"digest `{content.digest}`.",
    ]
    return "\n".join(lines)
