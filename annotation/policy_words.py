"""The policy in the words of people: what each value is called, what it changes, and which ones a manager sees first.

Decides wording, grouping and what is offered; refuses to know limits and defaults, which are `policy`'s.
"""

from dataclasses import dataclass, fields
from typing import Any, Literal, get_args, get_origin

from annotation import encoders
from annotation.policy import ENCODERS, Policy


@dataclass(frozen=True, slots=True)
class Words:
    label: str
    hint: str
    unit: Literal["", "%", "min"] = ""


MAIN: dict[str, Words] = {
    "min_overlap": Words("People for each region, at least", "One is cheap and unchecked; two show disagreement."),
    "max_overlap": Words("People for each region, at most", "Then an adjudicator decides."),
    "fixed_overlap": Words("Same number for every region", "0: as many as each region needs, between the two above."),
    "target_confidence": Words("Settled from this probability", "Higher asks more people about hard regions.", "%"),
    "audit_rate": Words("Cases kept for measuring", "Never trained on. Too few, and quality can't be measured.", "%"),
    "show_suggestions": Words("Show the model's suggestion", "Faster, and it biases people towards the model."),
    "suggestion_control_share": Words("Annotations without one", "So that the bias can be measured.", "%"),
    "repeat_rate": Words("Repeats", "The same region again, unmarked: how steady is each person?", "%"),
    "gold_rate": Words("Regions with known truth", "Mixed in unmarked; only where the study has such regions.", "%"),
    "qualification_regions": Words("Regions of the entry test", "Before a person's first real region; 0: no test."),
    "default_quota": Words("Settled regions of each class, at least", "For classes without a quota of their own."),
}
ADVANCED: dict[str, Words] = {
    "consensus": Words("How answers are weighed", "dawid-skene weighs people by their reliability; majority counts."),
    "selection": Words("How regions are chosen", "learned: by a model; random: by chance alone."),
    "opinions_first": Words("A begun region before a new one", "by-gain: unless it is worth less than any new one."),
    "single_reliability": Words("Reliability for a single answer", "From which one answer may settle a region.", "%"),
    "model_may_support": Words("The model may end or prolong the asking", "It never votes on the label."),
    "planted_check_rate": Words("Early stops asked again", "Measures what stopping early costs.", "%"),
    "rare_share": Words("A class is rare below this share", "One answer never settles a rare class.", "%"),
    "lease_minutes": Words("A region is held for", "Without any input.", "min"),
    "undo_minutes": Words("An answer can be taken back for", "By the one who gave it.", "min"),
    "show_old_answer": Words("Show people their own old answer", "When classes change and a region is asked again."),
    "max_skips": Words("Skips before an adjudicator sees it", ""),
    "repeat_after_answers": Words("Answers before a repeat", "So that the region is forgotten."),
    "gold_feedback": Words("Tell people what gold was", "They learn, and they learn which regions were tests."),
    "qualification_share": Words("Right answers that pass the entry test", "Else a manager decides.", "%"),
    "drift_window": Words("Checks that tell whether a person has fallen off", "The last ones, against all before."),
    "wrong_suggestion_rate": Words("Suggestions wrong on purpose", "Measures how far they sway people.", "%"),
    "batch_size": Words("Regions in a batch", "Smaller follows the model more closely."),
    "watermark": Words("Draw the next batch below", "Of the last batch still open.", "%"),
    "random_share": Words("Drawn at random", "Shows whether ranking helps; never withdrawn.", "%"),
    "pilot_regions": Words("Settled regions of a pilot", "Half drawn by chance, to learn what ranking saves; 0: none."),
    "audit_share": Words("Audit regions in a batch", "While any of them wait.", "%"),
    "gallery_batch": Words("Regions in a gallery, at most", "What one person may hold at a time."),
    "encoder": Words(
        "What turns pixels into features",
        "study-cnn: a network that learns from this study's regions. An exported one is pinned first: "
        "manage.py pin_encoder FILE.",
    ),
    "encoder_first_revisions": Words("Settled regions before a study-cnn is trained", "Fewer teach it too little."),
    "encoder_growth": Words("A newer study-cnn after more settled regions", "Of what the last was trained on.", "%"),
    "first_model_revisions": Words("Settled regions before the first model", ""),
    "retrain_every_revisions": Words("New model after settled regions", ""),
    "retrain_every_minutes": Words("… or after this time", "", "min"),
    "refit_every_answers": Words("Answers between two estimates of reliability", ""),
    "gate_min_items": Words("Audit regions before the gate looks at them", ""),
    "tile_min_tissue": Words("Tissue in a square that becomes a region", "0 cuts the glass too.", "%"),
    "test_share": Words("Cases for testing, in a release", "", "%"),
    "validation_share": Words("Cases for validation, in a release", "", "%"),
    "release_crops": Words("Releases hold the regions as pictures, too", "Large, and slower to cut."),
    "release_model": Words("Releases hold the model, too", "Only one that is not worse than the worst person."),
}


def described() -> list[dict[str, Any]]:
    """Every value of the policy with its words, kind and default; those a manager sees first come first."""
    known = {field.name: field for field in fields(Policy)}
    order = [*MAIN, *ADVANCED, *(name for name in known if name not in MAIN | ADVANCED)]
    return [_describe(known[name]) for name in order if name in known]


def _describe(field: Any) -> dict[str, Any]:
    words = MAIN.get(field.name) or ADVANCED.get(field.name) or Words(field.name.replace("_", " "), "")
    choices = list(get_args(field.type)) if get_origin(field.type) is Literal else []
    if field.name == "encoder":
        choices = [*ENCODERS, *encoders.offered()]
    kind = "choice" if choices else {bool: "bool", int: "int", float: "float"}.get(field.type, "text")
    return {
        "key": field.name,
        "label": words.label,
        "hint": words.hint,
        "unit": words.unit,
        "kind": kind,
        "choices": choices,
        "default": field.default,
        "main": field.name in MAIN,
    }
