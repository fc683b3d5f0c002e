"""The card of the model in a release: what it was trained on, what it is worth beside people, how it is used.

Decides words and the recipe; the numbers are those that the pass has pinned.
"""

from collections.abc import Mapping
from typing import Any

from annotation.releasing.datasheet import markdown

FACT = "model"
"""The fact of a pass that holds the card."""
FOLDER = "model"


def describe(facts: Mapping[str, Any]) -> str:
    """The model card, for the datasheet; nothing where the study wanted no model in its releases."""
    card = facts.get(FACT)
    if not card:
        return ""
    title = "### The model that comes with it"
    if not card["accepted"]:
        return f"{title}\n\nNo model is part of this release. {card['reason']}"
    worst = card["worst"]
    parts = [
        title,
        f"An ensemble trained on the truth of {card['trained_on']} regions outside the audit sample (model "
        f"{card['number']}, digest `{card['digest']}`), which tells apart {len(card['classes'])} classes from features "
        f"of the encoder `{card['encoder']['name']}` (digest `{card['encoder']['digest']}`).",
        f"Judged on {card['items']} regions of {card['cases']} cases: the report half of the audit sample, on which "
        f"nothing was trained, chosen or ranked. Intervals are 95 % and take whole cases as drawn. {card['reason']}",
        markdown.table(
            ["measure", "model", f"worst person ({worst['name']}, {worst['answers']} regions)"],
            [
                ("right on that person's regions", markdown.percent(worst["model"]), markdown.percent(worst["person"])),
                ("right", markdown.percent(card["right"]), "-"),
                ("macro-F1", markdown.estimate(card["macro_f1"]), "-"),
                ("log-loss (nats)", f"{card['nll']:.3f}", "-"),
                ("calibration error", f"{card['ece']:.3f}", "-"),
            ],
        ),
        markdown.table(
            ["class", "regions", "recall", "precision"],
            [
                (code, one["items"], markdown.percent(one["recall"]), _percent(one["precision"]))
                for code, one in card["per_class"].items()
            ],
        ),
        markdown.table(
            ["domain", "regions", "right"],
            [(name, one["items"], markdown.percent(one["right"])) for name, one in card["domains"].items()],
        ),
        "People helped to make the truth that they are measured against, so the comparison leans towards them. The "
        "model has seen nothing but slides like those of this data set; it is no medical device.",
        "```python\n" + "\n".join(recipe(card)) + "\n```",
    ]
    return "\n\n".join(parts)


def recipe(card: Mapping[str, Any]) -> list[str]:
    """Three lines that use the model, run in the release's folder with Concord on the path."""
    return [
        "from pathlib import Path; from learning import features, registry",
        f'model = registry.load(Path("{FOLDER}"), "{card["digest"]}")  # checks every byte',
        f'proba = model.ensemble.mean_proba(features.get_encoder("{card["encoder"]["name"]}").encode(pixels))',
    ]


def _percent(bounds: list[float] | None) -> str:
    return markdown.percent(bounds) if bounds else "-"
