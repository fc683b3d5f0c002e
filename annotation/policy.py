"""The numbers and choices that steer one study, with their defaults and limits.

Decides what a policy may say; refuses to know how each value is used. Stored as JSON on the study.
"""

from dataclasses import asdict, dataclass, fields
from typing import Any, Literal, get_args, get_origin

from annotation import encoders
from annotation.errors import BadInput

Consensus = Literal["dawid-skene", "majority"]
Selection = Literal["learned", "random"]
OpinionsFirst = Literal["always", "by-gain"]
LEARNED_ENCODER = "study-cnn"
"""A network trained on the study's own settled regions; until there is one, and beside it, `colour-texture`."""
# The names of `learning.features.ENCODERS`, which is beyond what this package imports, and the learned one. Any other
# is an exported one's.
ENCODERS = ("colour-texture", LEARNED_ENCODER)
LARGEST_BATCH = 200
SMALLEST_WINDOW = 20
MOST_WRONG_SUGGESTIONS = 0.5
_KINDS = {int: "a whole number", float: "a number", bool: "true or false", str: "a text"}


@dataclass(frozen=True, slots=True)
class Policy:
    """One study's policy. Shares and rates are fractions of one."""

    # overlap and settlement
    consensus: Consensus = "dawid-skene"
    fixed_overlap: int = 0  # 0: adaptive between min_overlap and max_overlap
    min_overlap: int = 2
    max_overlap: int = 5
    target_confidence: float = 0.9
    single_reliability: float = 0.95  # of one answer, when it may settle: classes taken as even, or by the model
    model_may_support: bool = False  # what a model expects may end or prolong the asking
    planted_check_rate: float = 0.05  # share of early stops that get further blind opinions
    rare_share: float = 0.05  # a class below this share of the settled truth is rare

    # queue
    opinions_first: OpinionsFirst = "always"  # by-gain: begun regions that are worth less than any new one wait
    lease_minutes: float = 15.0
    undo_minutes: float = 10.0
    gallery_batch: int = 60  # regions one person may hold at once, in the gallery
    max_skips: int = 3
    show_old_answer: bool = False  # to its author, where a region is asked again after its class has changed
    gold_rate: float = 0.0
    repeat_rate: float = 0.0
    repeat_after_answers: int = 50
    gold_feedback: bool = False  # whether who answers gold is told what it is
    qualification_regions: int = 0  # asked before a person's first real region; 0: nobody has to qualify
    qualification_share: float = 0.8  # of them right
    drift_window: int = 50  # a person's last checks, which are compared with all before

    # selection
    selection: Selection = "learned"
    batch_size: int = 60
    watermark: float = 0.5  # a new batch is drawn when open picks fall under this share of a batch
    random_share: float = 0.1
    pilot_regions: int = 0  # settled in a pilot that draws half of each batch by chance; 0: no pilot
    audit_share: float = 0.2  # of a batch, while audit regions wait
    audit_rate: float = 0.25  # share of cases in the audit sample

    # learning
    encoder: str = "colour-texture"
    encoder_first_revisions: int = 500  # settled regions before a study-cnn is trained
    encoder_growth: float = 0.5  # more settled regions, as a share of what the last study-cnn was trained on
    retrain_every_revisions: int = 100
    retrain_every_minutes: float = 30.0
    first_model_revisions: int = 40
    refit_every_answers: int = 100
    gate_min_items: int = 30
    show_suggestions: bool = False
    suggestion_control_share: float = 0.1
    wrong_suggestion_rate: float = 0.0  # of the suggestions shown, to measure how far they sway people

    # release
    default_quota: int = 0
    tile_min_tissue: float = 0.25
    test_share: float = 0.2
    validation_share: float = 0.1
    release_crops: bool = False  # whether releases hold the regions as pictures, too
    release_model: bool = False  # whether releases hold the active model, where it is not worse than the worst person

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def parse(cls, values: dict[str, Any]) -> "Policy":
        """A policy from defaults and `values`; BadInput names every unknown key and every value out of range."""
        known = {field.name: field for field in fields(cls)}
        problems = [f"unknown policy key '{key}'" for key in values if key not in known]
        cleaned = {}
        for key, value in values.items():
            if key in known:
                try:
                    cleaned[key] = _cast(key, value, known[key].type)
                except ValueError as error:
                    problems.append(str(error))
        if not problems:
            policy = cls(**cleaned)
            problems = list(_range_problems(policy))
        if problems:
            raise BadInput("The policy does not hold: " + "; ".join(problems) + ".", problems=problems)
        return policy

    @classmethod
    def accept(cls, values: dict[str, Any]) -> "Policy":
        """As `parse`, for values that are about to be stored: BadInput also where there is no such encoder, or where an
        exported one's file is not the one that was pinned.

        What is stored already is not asked again: a study outlives an encoder, and only its new features stop.
        """
        policy = cls.parse(values)
        if policy.encoder in ENCODERS:
            return policy
        if encoders.is_exported(policy.encoder):
            problem = encoders.find_problem(policy.encoder)
        else:
            known = ", ".join((*ENCODERS, encoders.FORM))
            problem = f"'encoder' must be one of {known}, not '{policy.encoder}'"
        if problem:
            raise BadInput(f"The policy does not hold: {problem}.", problems=[problem])
        return policy


def _cast(key: str, value: Any, kind: Any) -> Any:
    if get_origin(kind) is Literal:
        if value not in get_args(kind):
            raise ValueError(f"'{key}' must be one of {', '.join(get_args(kind))}, not {value!r}")
        return value
    if kind is float and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    if kind is not bool and isinstance(value, bool) or not isinstance(value, kind):
        raise ValueError(f"'{key}' must be {_KINDS[kind]}, not {value!r}")
    return value


_SHARES = (
    "planted_check_rate rare_share gold_rate repeat_rate watermark random_share audit_share audit_rate "
    "suggestion_control_share wrong_suggestion_rate qualification_share test_share validation_share tile_min_tissue "
    "target_confidence single_reliability"
).split()
_POSITIVE = (
    "min_overlap max_overlap lease_minutes undo_minutes gallery_batch max_skips batch_size retrain_every_revisions "
    "retrain_every_minutes first_model_revisions refit_every_answers gate_min_items encoder_first_revisions "
    "encoder_growth"
).split()


_FROM_ZERO = {
    "qualification_regions": "0 (nobody has to qualify) or a number of regions",
    "fixed_overlap": "0 (adaptive) or a number of people",
    "pilot_regions": "0 (no pilot) or a number of regions",
}


def _range_problems(policy: Policy) -> "list[str]":
    problems = [f"'{key}' must lie between 0 and 1" for key in _SHARES if not 0 <= getattr(policy, key) <= 1]
    problems += [f"'{key}' must be above 0" for key in _POSITIVE if getattr(policy, key) <= 0]
    problems += [f"'{key}' must be {said}" for key, said in _FROM_ZERO.items() if getattr(policy, key) < 0]
    if policy.max_overlap < policy.min_overlap:
        problems.append("'max_overlap' must not be below 'min_overlap'")
    if policy.gallery_batch > LARGEST_BATCH:
        problems.append(f"'gallery_batch' must be at most {LARGEST_BATCH}")
    if policy.drift_window < SMALLEST_WINDOW:
        problems.append(f"'drift_window' must be at least {SMALLEST_WINDOW}: fewer checks tell nothing")
    if policy.wrong_suggestion_rate > MOST_WRONG_SUGGESTIONS:
        problems.append(f"'wrong_suggestion_rate' must be at most {MOST_WRONG_SUGGESTIONS}: else nobody heeds them")
    if policy.target_confidence <= 0.5:
        problems.append("'target_confidence' must be above 0.5")
    if policy.test_share + policy.validation_share >= 1:
        problems.append("'test_share' and 'validation_share' leave nothing to train on")
    return problems
