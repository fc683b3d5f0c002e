"""Writing pixels as a tiled, pyramidal TIFF that OpenSlide opens (vendor generic-tiff) with its pixel size.

Decides tiles, levels and compression; refuses to know what is on the picture. No date, name or description is
written: the same pixels give the same bytes.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import tifffile
from numpy.typing import NDArray
from PIL import Image

TILE_PX = 256
_SMALLEST_LEVEL_PX = 256


def write_pyramid(path: Path, pixels: NDArray[np.uint8], *, um_per_px: float, quality: int = 88) -> None:
    """Write uint8 (H, W, 3) with halved levels down to one tile; the file appears whole or not at all."""
    part = path.with_name(path.name + ".part")
    per_cm = (10_000 / um_per_px, 10_000 / um_per_px)
    with tifffile.TiffWriter(part) as tiff:
        level = pixels
        for index in range(64):
            tiff.write(
                level,
                tile=(TILE_PX, TILE_PX),
                photometric="rgb",
                # tifffile turns RGB into subsampled YCbCr inside the JPEG, as scanners do.
                compression="jpeg",
                subsampling=(2, 2),
                compressionargs={"level": quality},
                subfiletype=1 if index else 0,
                resolution=(per_cm[0] / 2**index, per_cm[1] / 2**index),
                resolutionunit="CENTIMETER",
                software=False,
                metadata=None,
            )
            if max(level.shape) <= _SMALLEST_LEVEL_PX:
                break
            height, width = level.shape[:2]
            size = (max(1, width // 2), max(1, height // 2))
            level = np.asarray(Image.fromarray(level).resize(size, Image.Resampling.BOX))
    part.replace(path)
