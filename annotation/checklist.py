"""The questions a data set for AI in pathology is asked, and where they come from.

Decides sections, questions and which of them a study answers before it opens; refuses to judge an answer. The wording
is ours. The questions follow Homeyer et al., "Recommendations on compiling test datasets for evaluating artificial
intelligence solutions in pathology" (Modern Pathology 35, 2022), Montezuma et al., "Annotation practices in
computational pathology" (Modern Pathology 36, 2023), and Gebru et al., "Datasheets for Datasets" (CACM 64:12, 2021).
"""

from collections.abc import Mapping
from dataclasses import dataclass

LONGEST_ANSWER = 4000
SOURCES = (
    "Homeyer et al., Recommendations on compiling test datasets for evaluating artificial intelligence solutions in "
    "pathology, Modern Pathology 35 (2022)",
    "Montezuma et al., Annotation practices in computational pathology, Modern Pathology 36 (2023)",
    "Gebru et al., Datasheets for Datasets, Communications of the ACM 64:12 (2021)",
)


@dataclass(frozen=True, slots=True)
class Question:
    """One question; `key` names its answer in study.toml and in releases, for good."""

    key: str
    asks: str
    hint: str
    is_needed: bool = False


@dataclass(frozen=True, slots=True)
class Section:
    title: str
    questions: tuple[Question, ...]


SECTIONS = (
    Section(
        "Purpose and cases",
        (
            Question(
                "purpose",
                "What is the data set for, and what is it not for?",
                "The intended use: the question a model will answer, for which patients, at which step of the work.",
                is_needed=True,
            ),
            Question(
                "inclusion",
                "Which cases are included, and which are excluded?",
                "Criteria, period and place; how cases were drawn (all in a row, at random, chosen).",
                is_needed=True,
            ),
            Question(
                "subgroups",
                "Which subgroups must be represented, and with how many cases each?",
                "Diagnoses, grades, ages, rare appearances, artefacts: what a model will meet in use.",
            ),
            Question(
                "permission",
                "On what ground may the images be used?",
                "Consent or waiver, ethics vote, de-identification, licence.",
                is_needed=True,
            ),
        ),
    ),
    Section(
        "Domains",
        (
            Question(
                "domains",
                "Which sources of technical variation are covered, and which are not?",
                "Laboratories, fixation and stain protocols, scanners, magnification, age of the slides.",
                is_needed=True,
            ),
            Question(
                "image_quality",
                "What was done about image quality?",
                "Focus, folds, bubbles, pen marks: kept, left out, or marked as not evaluable.",
            ),
        ),
    ),
    Section(
        "Classes",
        (
            Question(
                "class_basis",
                "On what are the class definitions based?",
                "A classification, guideline or consensus of named experts; who agreed to it.",
                is_needed=True,
            ),
            Question(
                "borderline",
                "What do annotators do with borderline and unclear regions?",
                "Which special outcome is for what; whether the more likely class is given when in doubt.",
                is_needed=True,
            ),
        ),
    ),
    Section(
        "Annotators",
        (
            Question(
                "annotators",
                "Who annotates, with which qualification and experience?",
                "Roles and years, not names. Who adjudicates.",
                is_needed=True,
            ),
            Question(
                "training",
                "How are annotators trained, and how is it checked before they begin?",
                "Guideline read, practice set, agreement asked for before real work.",
                is_needed=True,
            ),
            Question(
                "blinding",
                "What do annotators know while they annotate?",
                "Others' answers are hidden always. Say what else is: diagnosis, case, origin, suggestions of a model.",
                is_needed=True,
            ),
            Question(
                "conditions",
                "Under which conditions do they work?",
                "Screen, time at a stretch, pay or interest that could matter.",
            ),
        ),
    ),
    Section(
        "Quality",
        (
            Question(
                "quality_targets",
                "Which quality must be reached before a release?",
                "Agreement, confidence, regions per class and domain, share of regions with two opinions.",
                is_needed=True,
            ),
            Question(
                "disagreement",
                "How are disagreements settled, and how is the remaining doubt kept?",
                "Adaptive overlap and adjudication are built in; say what is special to this study.",
            ),
            Question(
                "upkeep",
                "Who answers for the data set after its release, and how are errors reported?",
                "A person or group, an address, what leads to a new version.",
            ),
        ),
    ),
)

SECONDS = "seconds_per_answer"
"""How long an answer is expected to take: an assumption for the plan, kept with the answers."""
QUESTIONS = {question.key: question for section in SECTIONS for question in section.questions}
KEYS = (*QUESTIONS, SECONDS)


def missing(answers: Mapping[str, str]) -> list[Question]:
    """The needed questions that have no answer."""
    return [one for one in QUESTIONS.values() if one.is_needed and not answers.get(one.key, "").strip()]


def seconds_per_answer(answers: Mapping[str, str]) -> float | None:
    """The expected time for an answer; None where it is not said or is no time."""
    try:
        value = float(answers.get(SECONDS, ""))
    except ValueError:
        return None
    return value if 0 < value < 86_400 else None
