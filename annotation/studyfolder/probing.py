"""What a slide file says of itself: checksum, size, levels, pixel size; and whether it really decodes.

Decides which files are taken as slides; refuses to know studies and rows.
"""

import hashlib
from pathlib import Path
from typing import Any

from learning.slides.contract import SlideReader
from learning.slides.errors import SlideError
from learning.slides.reader import open_slide

# Formats whose pixels lie in companion files: one file under its checksum would not open again.
SEVERAL_FILES = {".mrxs", ".vms", ".vmu", ".dcm"}
_SAMPLE_EDGE = 64


def probe_slide(path: Path) -> dict[str, Any]:
    """Checksum, size_bytes, width, height, levels, um_per_px, objective, vendor and properties of `path`.

    SlideError where it is no slide, can't be decoded, or spreads over several files.
    """
    if path.suffix.lower() in SEVERAL_FILES:
        reason = f"The format {path.suffix} keeps its pixels in several files."
        raise SlideError(path, reason, "Convert it to one pyramidal TIFF or SVS file.")
    with open_slide(path) as reader:
        _decode_samples(reader)
        (width, height) = reader.dimensions
        levels = [
            [size[0], size[1], round(downsample, 6)]
            for size, downsample in zip(reader.level_dimensions, reader.level_downsamples, strict=True)
        ]
        return {
            "checksum": checksum(path),
            "size_bytes": path.stat().st_size,
            "width": width,
            "height": height,
            "levels": levels,
            "um_per_px": reader.pixel_size,
            "objective": reader.objective,
            "vendor": reader.vendor,
            "properties": dict(reader.properties),
        }


def _decode_samples(reader: SlideReader) -> None:
    """Read an overview and squares at the corners and the middle: a truncated file fails on one of them."""
    reader.thumbnail(256)
    width, height = reader.dimensions
    edge = min(_SAMPLE_EDGE, width, height)
    for x in (0, (width - edge) // 2, width - edge):
        for y in (0, (height - edge) // 2, height - edge):
            reader.read(x, y, edge, edge)


def checksum(path: Path) -> str:
    """SHA-256 of the file in hex."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
