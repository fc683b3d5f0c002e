"""What a region may look like and be the same: turned, mirrored, moved, larger, lit and stained a little differently.

Decides kinds and strengths. Refuses to know labels. Everything is drawn from the generator it is given.
"""

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from learning.features.cnn.network import standardise


@dataclass(frozen=True)
class AugmentSettings:
    """Strengths: `shift` as a share of the side, `scale` of the size, `gain` and `offset` of a channel's density."""

    shift: float = 0.05
    scale: float = 0.1
    gain: float = 0.15
    offset: float = 0.04


def augment(pixels: NDArray[np.uint8], *, generator: np.random.Generator, settings: AugmentSettings) -> Tensor:
    """Regions (N, H, W, 3) as the network is shown them, (N, 1, H, W): at any angle, every other one mirrored."""
    grey = _stain(pixels, generator, settings)
    moves = torch.from_numpy(_draw_moves(len(pixels), generator, settings))
    grid = functional.affine_grid(moves, list(grey.shape), align_corners=False)
    # What comes in from beyond the edge is the region's own reflection: nothing black to learn from.
    moved = functional.grid_sample(grey, grid, padding_mode="reflection", align_corners=False)
    return standardise(moved)


def _draw_moves(count: int, generator: np.random.Generator, settings: AugmentSettings) -> NDArray[np.float32]:
    """Affine maps (N, 2, 3) in the units of `affine_grid`, where a side is 2 long."""
    angle = generator.uniform(0, 2 * np.pi, count)
    scale = np.exp(generator.uniform(-settings.scale, settings.scale, count))
    mirror = np.where(generator.random(count) < 0.5, -1.0, 1.0)
    moves = np.empty((count, 2, 3), dtype=np.float32)
    moves[:, 0, 0], moves[:, 0, 1] = np.cos(angle) * scale * mirror, -np.sin(angle) * scale
    moves[:, 1, 0], moves[:, 1, 1] = np.sin(angle) * scale * mirror, np.cos(angle) * scale
    moves[:, :, 2] = 2 * settings.shift * generator.uniform(-1, 1, (count, 2))
    return moves


def _stain(pixels: NDArray[np.uint8], generator: np.random.Generator, settings: AugmentSettings) -> Tensor:
    """Grey levels (N, 1, H, W) after each channel's optical density took a gain and an offset."""
    count = len(pixels)
    gain = 1 + settings.gain * generator.uniform(-1, 1, (count, 1, 1, 3))
    offset = settings.offset * generator.uniform(-1, 1, (count, 1, 1, 3))
    density = torch.log(256 / (torch.from_numpy(pixels).float() + 1))
    changed = density * torch.from_numpy(gain).float() + torch.from_numpy(offset).float()
    return (256 * torch.exp(-changed) - 1).clamp(0, 255).mean(dim=3).unsqueeze(1)
