"""Small study folders for tests: two real PNG slides, four regions, two classes; any part can be replaced."""

from pathlib import Path

import numpy as np
from PIL import Image

TOML = """\
name = "Small study"
task = "classify"
region = { width = 32, height = 32 }
domains = ["lab"]

[[classes]]
code = "round"
name = "Round cell"
colour = "#112233"
key = "r"
definition = "A round cell."

[[classes]]
code = "long"
name = "Long cell"
colour = "#445566"
key = "l"
definition = "A long cell."

[[classes]]
code = "not-evaluable"
name = "Not evaluable"
colour = "#888888"
key = "0"
special = true

[policy]
batch_size = 4
audit_rate = 0.5
"""
SLIDES = "path,case,lab\nslides/a.png,case-1,north\nslides/b.png,case-2,south\n"
REGIONS = (
    "id,slide,x,y,width,height\n"
    "r1,slides/a.png,0,0,32,32\n"
    "r2,slides/a.png,40,10,32,32\n"
    "r3,slides/b.png,0,0,32,32\n"
    "r4,slides/b.png,96,48,32,32\n"
)
TRUTH = "region,label,borderline\nr1,round,\nr2,long,round\nr3,round,\nr4,long,\n"
VOTES = "region,annotator,label,seconds\nr1,Ada,round,2.5\nr1,Bob,long,\nr3,Ada,round,1\n"


def write_png(path: Path, *, seed: int, width: int = 128, height: int = 80) -> None:
    """A slide of coloured noise that no other seed repeats."""
    path.parent.mkdir(parents=True, exist_ok=True)
    pixels = np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)
    Image.fromarray(pixels).save(path)


def write_folder(folder: Path, **files: str | None) -> Path:
    """A folder that holds; an argument such as `slides` replaces that table, None leaves it out."""
    folder.mkdir(parents=True, exist_ok=True)
    texts = {"study": TOML, "slides": SLIDES, "regions": REGIONS, "truth": TRUTH, "votes": VOTES, **files}
    for name, text in texts.items():
        if text is not None:
            path = folder / ("study.toml" if name == "study" else f"{name}.csv")
            path.write_text(text, encoding="utf-8")
    write_png(folder / "slides" / "a.png", seed=1)
    write_png(folder / "slides" / "b.png", seed=2)
    return folder
