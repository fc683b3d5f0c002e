"""Every state and kind of a row, and the one table of moves between states that are allowed.

Decides what may follow what; refuses to know who moves a row or why.
"""

from django.db.models import TextChoices


class StudyState(TextChoices):
    DRAFT = "draft", "draft: not yet open to annotators"
    RUNNING = "running", "running: annotators work"
    DRAINING = "draining", "draining: what was begun is finished, nothing new is queued"
    CLOSED = "closed", "closed: no work is handed out"


class Role(TextChoices):
    ANNOTATOR = "annotator"
    ADJUDICATOR = "adjudicator"
    MANAGER = "manager"


class Task(TextChoices):
    CLASSIFY = "classify", "one class for a region"


class AnswerKind(TextChoices):
    """What an answer holds; `classify` asks for CLASS, the others are stored and validated already."""

    CLASS = "class", "one class"
    CLASSES = "classes", "several classes"
    ORDINAL = "ordinal", "a grade on a scale"
    SHAPES = "shapes", "geometries with a class each"
    WITHDRAWN = "withdrawn", "the author took the answer back"


class MappingKind(TextChoices):
    """How a class of an older protocol continues in the next one."""

    SAME = "same"
    RENAMED = "renamed"
    MERGED = "merged"
    SPLIT = "split"
    RETIRED = "retired"
    REDEFINED = "redefined"


EXACT_MAPPINGS = frozenset({MappingKind.SAME, MappingKind.RENAMED, MappingKind.MERGED})


class SlideState(TextChoices):
    REGISTERED = "registered"
    TILED = "tiled", "tiled: its regions exist"
    FAILED = "failed"


class AuditHalf(TextChoices):
    NONE = "", "not in the audit sample"
    GATE = "gate", "gates models"
    REPORT = "report", "opened only for a release's report"


class RegionState(TextChoices):
    POOL = "pool", "never queued"
    QUEUED = "queued", "collecting opinions"
    ADJUDICATION = "adjudication", "waits for an adjudicator"
    SETTLED = "settled"
    EXCLUDED = "excluded", "left out of the dataset, with a reason"


class Stratum(TextChoices):
    """Why a region was picked; random and audit picks have known probabilities and are never withdrawn."""

    COLD = "cold", "cold start"
    RANKED = "ranked"
    RANDOM = "random", "random share"
    AUDIT = "audit", "audit sample"
    RECHECK = "recheck", "asked again by a consistency pass"


WITHDRAWABLE_STRATA = frozenset({Stratum.COLD, Stratum.RANKED})


class PickState(TextChoices):
    OPEN = "open"
    SETTLED = "settled"
    ADJUDICATION = "adjudication"
    SUPERSEDED = "superseded"


class AssignmentKind(TextChoices):
    LABEL = "label"
    REPEAT = "repeat", "the annotator's own earlier region again"
    GOLD = "gold", "a region with known truth"
    ADJUDICATE = "adjudicate"
    RECHECK = "recheck"
    QUALIFY = "qualify", "a region of the qualification set"
    VERIFY = "verify", "asked blind again, to measure what is still wrong"
    SWAY = "sway", "under a suggestion that is wrong on purpose, to measure how far it sways"


SLOT_KINDS = frozenset({AssignmentKind.LABEL, AssignmentKind.RECHECK})
"""Assignments that take a slot of a pick and whose answers are evidence for its truth."""


class AssignmentState(TextChoices):
    LEASED = "leased"
    SUBMITTED = "submitted"
    RELEASED = "released"
    SKIPPED = "skipped"
    EXPIRED = "expired"
    WITHDRAWN = "withdrawn", "submitted, then undone"


class Method(TextChoices):
    """How a ground-truth revision came about."""

    MAJORITY = "majority"
    DAWID_SKENE = "dawid-skene"
    ADJUDICATION = "adjudication"
    WITHDRAWAL = "withdrawal", "an answer it rested on was taken back"
    CONSISTENCY = "consistency", "decided while resolving a finding"
    MAPPING = "mapping", "carried over to a new protocol"
    RESTORE = "restore"


class ModelState(TextChoices):
    CANDIDATE = "candidate"
    ACTIVE = "active"
    REJECTED = "rejected"
    RETIRED = "retired"


class GoldSource(TextChoices):
    """Where the truth of a gold region was known from."""

    FILE = "file", "a file that came with the study"
    ADJUDICATED = "adjudicated", "an adjudicator's decision"


class SampleState(TextChoices):
    OPEN = "open", "people are being asked"
    CLOSED = "closed", "every region has its verdict"
    ABANDONED = "abandoned", "given up before all had answered"


class JobKind(TextChoices):
    TILE_SLIDE = "tile-slide"
    EMBED_SLIDE = "embed-slide"
    SELECT_BATCH = "select-batch"
    REFIT_CONSENSUS = "refit-consensus"
    TRAIN_MODEL = "train-model"
    TRAIN_ENCODER = "train-encoder"
    SCORE_SLIDE = "score-slide"
    WATCH_DOMAINS = "watch-domains"
    CONSISTENCY_PASS = "consistency-pass"
    ANCHOR_LEDGER = "anchor-ledger"


class JobState(TextChoices):
    READY = "ready"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"


LIVE_JOBS = frozenset({JobState.READY, JobState.RUNNING})


class PassState(TextChoices):
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"


class Severity(TextChoices):
    BLOCKER = "blocker"
    WARNING = "warning"


class FindingState(TextChoices):
    OPEN = "open"
    RESOLVED = "resolved"
    WAIVED = "waived"


MOVES: dict[type[TextChoices], dict[str, frozenset[str]]] = {
    StudyState: {
        StudyState.DRAFT: frozenset({StudyState.RUNNING}),
        StudyState.RUNNING: frozenset({StudyState.DRAINING, StudyState.CLOSED}),
        StudyState.DRAINING: frozenset({StudyState.RUNNING, StudyState.CLOSED}),
        StudyState.CLOSED: frozenset({StudyState.RUNNING, StudyState.DRAINING}),
    },
    SlideState: {
        SlideState.REGISTERED: frozenset({SlideState.TILED, SlideState.FAILED}),
        SlideState.FAILED: frozenset({SlideState.REGISTERED}),
        SlideState.TILED: frozenset(),
    },
    RegionState: {
        RegionState.POOL: frozenset({RegionState.QUEUED, RegionState.EXCLUDED}),
        RegionState.QUEUED: frozenset(
            {RegionState.POOL, RegionState.SETTLED, RegionState.ADJUDICATION, RegionState.EXCLUDED}
        ),
        RegionState.ADJUDICATION: frozenset({RegionState.SETTLED, RegionState.QUEUED, RegionState.EXCLUDED}),
        RegionState.SETTLED: frozenset({RegionState.QUEUED, RegionState.ADJUDICATION, RegionState.EXCLUDED}),
        RegionState.EXCLUDED: frozenset({RegionState.QUEUED}),
    },
    PickState: {
        PickState.OPEN: frozenset({PickState.SETTLED, PickState.ADJUDICATION, PickState.SUPERSEDED}),
        PickState.ADJUDICATION: frozenset({PickState.SETTLED, PickState.OPEN}),
        PickState.SETTLED: frozenset({PickState.OPEN}),
        PickState.SUPERSEDED: frozenset({PickState.OPEN}),  # where an answer it had gathered settled the region
    },
    AssignmentState: {
        AssignmentState.LEASED: frozenset(
            {
                AssignmentState.SUBMITTED,
                AssignmentState.RELEASED,
                AssignmentState.SKIPPED,
                AssignmentState.EXPIRED,
            }
        ),
        AssignmentState.SUBMITTED: frozenset({AssignmentState.WITHDRAWN}),
        AssignmentState.RELEASED: frozenset(),
        AssignmentState.SKIPPED: frozenset(),
        AssignmentState.EXPIRED: frozenset(),
        AssignmentState.WITHDRAWN: frozenset(),
    },
    ModelState: {
        ModelState.CANDIDATE: frozenset({ModelState.ACTIVE, ModelState.REJECTED}),
        ModelState.ACTIVE: frozenset({ModelState.RETIRED}),
        ModelState.RETIRED: frozenset({ModelState.ACTIVE}),
        ModelState.REJECTED: frozenset({ModelState.ACTIVE}),
    },
    JobState: {
        JobState.READY: frozenset({JobState.RUNNING, JobState.FAILED}),
        JobState.RUNNING: frozenset({JobState.READY, JobState.DONE, JobState.FAILED}),
        JobState.FAILED: frozenset({JobState.READY}),
        JobState.DONE: frozenset({JobState.READY}),
    },
    PassState: {
        PassState.RUNNING: frozenset({PassState.DONE, PassState.FAILED}),
        PassState.FAILED: frozenset({PassState.RUNNING}),
        PassState.DONE: frozenset(),
    },
    SampleState: {
        SampleState.OPEN: frozenset({SampleState.CLOSED, SampleState.ABANDONED}),
        SampleState.CLOSED: frozenset(),
        SampleState.ABANDONED: frozenset(),
    },
    FindingState: {
        FindingState.OPEN: frozenset({FindingState.RESOLVED, FindingState.WAIVED}),
        FindingState.RESOLVED: frozenset({FindingState.OPEN}),
        FindingState.WAIVED: frozenset({FindingState.OPEN}),
    },
}


def may_move(current: str, target: str, *, of: type[TextChoices]) -> bool:
    """Whether a row in state `current` may go to `target`."""
    return target in MOVES[of].get(current, frozenset())
