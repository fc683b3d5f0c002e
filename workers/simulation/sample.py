"""The sample study of the demo: synthetic smears, drawn once and kept.

Decides where they are kept; refuses to know how they are drawn.
"""

import os
import shutil
from pathlib import Path

from learning.slides.synthetic.study import write_study

VERSION = 2
"""Raised when the drawing changes, so that an old folder is not mistaken for a new one."""


def find_or_draw(folder: Path, *, seed: int, cases: int, cells_per_slide: int, processes: int = 2) -> tuple[Path, bool]:
    """The sample study below `folder`, and whether it had to be drawn now."""
    name = f"smears-v{VERSION}-seed{seed}-{cases}x{cells_per_slide}"
    target, part = folder / name, folder / f".{name}.part-{os.getpid()}"
    if target.is_dir():
        return target, False
    folder.mkdir(parents=True, exist_ok=True)
    shutil.rmtree(part, ignore_errors=True)
    try:
        write_study(part, seed=seed, cases=cases, cells_per_slide=cells_per_slide, processes=processes)
        part.rename(target)
    except BaseException:
        shutil.rmtree(part, ignore_errors=True)
        raise
    return target, True
