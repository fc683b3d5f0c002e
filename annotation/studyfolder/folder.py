"""Reading a whole study folder into a plan.

Decides the order of the checks, and that all problems are told at once; refuses to import anything.
"""

from pathlib import Path

from annotation.errors import BadInput
from annotation.studyfolder.definition import read_definition
from annotation.studyfolder.plan import StudyPlan
from annotation.studyfolder.problems import Problems
from annotation.studyfolder.regions import read_regions, read_truth, read_votes
from annotation.studyfolder.slides import Progress, read_slides


def _silent(stage: str, done: int, total: int) -> None:
    """Tell nobody."""


def read_folder(folder: Path, *, progress: Progress = _silent) -> StudyPlan:
    """The plan of the study in `folder`; BadInput with every problem in `details["problems"]`.

    `progress` is called with (what is being checked, done, in all).
    """
    if not folder.is_dir():
        raise BadInput(f"{folder} is not a folder. Give the folder that holds study.toml and slides.csv.")
    problems = Problems()
    parsed = read_definition(folder, problems=problems)
    domains = parsed.definition.domains if parsed and parsed.domains_hold else None
    slides, listed = read_slides(folder, domains=domains, problems=problems, progress=progress)
    progress("regions", 0, 1)
    regions = read_regions(folder, slides=slides, listed=listed, problems=problems)
    if regions is None and parsed is not None:
        parsed.check_tiling()
    codes = [item.code for item in parsed.definition.classes] if parsed else []
    truth = read_truth(folder, regions=regions, codes=codes, problems=problems)
    votes = read_votes(folder, regions=regions, codes=codes, problems=problems)
    progress("regions", 1, 1)
    problems.raise_if_any(folder=folder.name)
    assert parsed is not None  # a missing definition is a problem of its own
    return StudyPlan(
        definition=parsed.definition,
        slides=slides,
        regions=regions.by_slide if regions else None,
        truth=truth,
        votes=votes,
    )
