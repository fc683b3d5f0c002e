"""The command line of synthetic studies: python -m learning.slides.synthetic OUT.

Decides arguments and exit codes only.
"""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path

from learning.slides.synthetic.study import write_study


def main(arguments: list[str] | None = None) -> int:
    """Write the study and say what it holds; 2 where the arguments are refused."""
    parser = argparse.ArgumentParser(
        prog="python -m learning.slides.synthetic",
        description="Write a study folder of synthetic blood smears with regions and truth.",
    )
    parser.add_argument("out", type=Path, help="the folder to write; new or empty")
    parser.add_argument("--seed", type=int, default=0, help="one seed, the same bytes (default 0)")
    parser.add_argument("--cases", type=int, default=48, help="patients, dealt to three labs (default 48)")
    parser.add_argument("--slides-per-case", type=int, default=1, help="default 1")
    parser.add_argument("--cells-per-slide", type=int, default=25, help="regions on each slide (default 25)")
    parser.add_argument("--edge", type=int, default=96, help="edge of a region in 0.2 µm pixels (default 96)")
    parser.add_argument("--processes", type=int, default=2, help="slides made at once (default 2)")
    options = parser.parse_args(arguments)
    started = time.monotonic()
    numbers = {key: value for key, value in vars(options).items() if key != "out"}
    try:
        folder = write_study(options.out, **numbers)
    except (ValueError, OSError) as error:
        print(f"Nothing written: {error}", file=sys.stderr)
        return 2
    slides = options.cases * options.slides_per_case
    megabytes = sum(file.stat().st_size for file in folder.rglob("*") if file.is_file()) / 1e6
    print(
        f"{folder}: {slides} slides, {slides * options.cells_per_slide} regions, {megabytes:.0f} MB, "
        f"{time.monotonic() - started:.0f} s."
    )
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
