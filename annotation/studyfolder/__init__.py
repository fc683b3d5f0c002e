"""A study folder as a checked plan: reading `study.toml` and its tables, with every problem listed at once.

Decides whether a folder may be imported; refuses to know rows, the store, or who asked.
"""

from annotation.studyfolder.definition import read_text
from annotation.studyfolder.folder import read_folder
from annotation.studyfolder.gold import read_gold
from annotation.studyfolder.plan import (
    ClassPlan,
    Definition,
    RegionPlan,
    SlidePlan,
    StudyPlan,
    TruthPlan,
    VotePlan,
)
from annotation.studyfolder.probing import probe_slide
from annotation.studyfolder.problems import Problem, Problems
from annotation.studyfolder.writing import write_definition

__all__ = [
    "ClassPlan",
    "Definition",
    "Problem",
    "Problems",
    "RegionPlan",
    "SlidePlan",
    "StudyPlan",
    "TruthPlan",
    "VotePlan",
    "probe_slide",
    "read_folder",
    "read_gold",
    "read_text",
    "write_definition",
]
