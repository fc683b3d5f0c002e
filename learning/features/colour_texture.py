"""The instant default encoder: colour, form and texture measured directly, nothing learned.

Decides which measurements make up the vector. Refuses to know slides, labels and classes.
"""

import hashlib
import json
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from learning.features import colour, masks, polar, shape, stain, texture
from learning.features.encoder import check_pixels, resize_regions
from learning.features.masks import BoolArray
from learning.features.stain import FloatArray

# Raise when any number this encoder gives changes: the digest keeps old shards apart from new ones.
REVISION = 1
_BLOCK = 16
_RED, _GREEN = 0, 1


@dataclass(frozen=True)
class ColourTexture:
    """Measured description of a stained region; turning the region hardly changes it. See `Encoder`."""

    name: str = "colour-texture"
    input_edge: int = 72

    @cached_property
    def digest(self) -> str:
        """SHA-256 (hex) over name, input edge and revision of the measurements."""
        settings = {"name": self.name, "input_edge": self.input_edge, "revision": REVISION}
        return hashlib.sha256(json.dumps(settings, sort_keys=True).encode()).hexdigest()

    @cached_property
    def dimensions(self) -> int:
        """Length D of a row."""
        result: int = _encode_block(np.full((1, self.input_edge, self.input_edge, 3), 255, dtype=np.uint8)).shape[1]
        return result

    def encode(self, pixels: NDArray[np.uint8]) -> NDArray[np.float16]:
        """Describe regions (N, H, W, 3) uint8 of any one size as (N, D) float16, every number finite."""
        check_pixels(pixels)
        features = np.empty((len(pixels), self.dimensions), dtype=np.float16)
        for start in range(0, len(pixels), _BLOCK):
            block = resize_regions(pixels[start : start + _BLOCK], edge=self.input_edge)
            features[start : start + _BLOCK] = _encode_block(block)
        return features


def _encode_block(pixels: NDArray[np.uint8]) -> FloatArray:
    density = stain.measure_density(pixels)
    smooth = ndimage.gaussian_filter(density, sigma=(0, 0.8, 0.8, 0), truncate=2.5)
    darkness = smooth @ np.full(3, 1 / 3, dtype=np.float32)
    central = masks.find_object(darkness)
    nucleus = masks.find_nucleus(smooth[..., _RED], darkness, central)
    return np.concatenate(
        [
            _describe_colour(pixels, smooth, central, nucleus),
            shape.describe_shape(central),
            shape.describe_shape(nucleus),
            _describe_rings(smooth, central),
            _describe_texture(density, smooth, central),
        ],
        axis=1,
    )


def _describe_colour(
    pixels: NDArray[np.uint8], smooth: FloatArray, central: BoolArray, nucleus: BoolArray
) -> FloatArray:
    half = smooth[:, ::2, ::2]
    inside, dark = central[:, ::2, ::2], nucleus[:, ::2, ::2]
    parts = np.stack([np.ones_like(inside), inside, dark, inside & ~dark, ~inside], axis=-1)
    channels = np.concatenate([half, stain.separate_stains(half)], axis=-1)
    return colour.describe_colour(density=channels, lab=stain.convert_to_lab(pixels), parts=parts)


def _describe_rings(smooth: FloatArray, central: BoolArray) -> FloatArray:
    """Once at a fixed scale, which keeps size, and once relative to the object, which cancels it."""
    centre = shape.locate_centre(central)
    own = 1.3 * np.maximum(np.sqrt(central.sum(axis=(1, 2)) / np.pi), 3.0).astype(np.float32)
    fixed = np.full(len(smooth), smooth.shape[1] / 2, dtype=np.float32)
    rings = [polar.describe_rings(smooth, centre=centre, radius=radius) for radius in (fixed, own)]
    return np.concatenate(rings, axis=1)


def _describe_texture(density: FloatArray, smooth: FloatArray, central: BoolArray) -> FloatArray:
    red, green = np.ascontiguousarray(smooth[..., _RED]), np.ascontiguousarray(smooth[..., _GREEN])
    return np.concatenate(
        [
            texture.count_patterns(green, central),
            texture.count_patterns(green, np.ones_like(central)),
            texture.measure_bands(density[..., :2], central),
            texture.measure_variogram(green),
            texture.measure_variogram(red),
            texture.count_directions(green),
            texture.count_directions(red),
        ],
        axis=1,
    )
