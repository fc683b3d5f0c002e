"""The contract every encoder keeps, and what `colour-texture` promises on top."""

import numpy as np
import pytest
from numpy.typing import NDArray

from learning.features import ENCODERS, Encoder, get_encoder

EDGE = 72


def draw_cells(*, count: int, seed: int, edge: int = EDGE, radius: float = 0.3) -> NDArray[np.uint8]:
    """Pale ground with one stained, slightly off-centre disc in each region."""
    generator = np.random.default_rng(seed)
    rows, columns = np.indices((edge, edge))
    regions = np.empty((count, edge, edge, 3))
    for index in range(count):
        row, column = edge / 2 + generator.normal(0, edge / 40, 2)
        inside = np.hypot(rows - row, columns - column) < radius * edge * generator.uniform(0.9, 1.1)
        regions[index] = (228, 222, 230)
        regions[index][inside] = (170, 120, 150)
        regions[index] += generator.normal(0, 5, regions[index].shape)
    return np.clip(regions, 0, 255).astype(np.uint8)


@pytest.fixture(params=sorted(ENCODERS))
def encoder(request: pytest.FixtureRequest) -> Encoder:
    return get_encoder(request.param)


def test_encoder_gives_finite_float16_rows_of_its_dimensions(encoder: Encoder) -> None:
    features = encoder.encode(draw_cells(count=5, seed=0))
    assert features.dtype == np.float16
    assert features.shape == (5, encoder.dimensions)
    assert np.isfinite(features).all()
    assert isinstance(encoder, Encoder)


def test_row_depends_on_its_region_alone(encoder: Encoder) -> None:
    regions = draw_cells(count=37, seed=1)
    together = encoder.encode(regions).astype(np.float32)
    apart = np.concatenate([encoder.encode(regions[[index]]) for index in (0, 15, 16, 36)]).astype(np.float32)
    np.testing.assert_allclose(together[[0, 15, 16, 36]], apart, rtol=2e-3, atol=2e-3)


def test_encoding_twice_gives_the_same_bytes(encoder: Encoder) -> None:
    regions = draw_cells(count=8, seed=2)
    assert encoder.encode(regions).tobytes() == encoder.encode(regions).tobytes()


def test_no_regions_give_no_rows(encoder: Encoder) -> None:
    assert encoder.encode(np.empty((0, EDGE, EDGE, 3), dtype=np.uint8)).shape == (0, encoder.dimensions)


@pytest.mark.parametrize("value", [0, 255])
def test_flat_region_is_described_without_warning(encoder: Encoder, value: int) -> None:
    assert np.isfinite(encoder.encode(np.full((2, EDGE, EDGE, 3), value, dtype=np.uint8))).all()


def test_noise_stays_finite_at_any_size(encoder: Encoder) -> None:
    for shape in ((2, 8, 8, 3), (2, 301, 97, 3)):
        pixels = np.random.default_rng(3).integers(0, 256, shape, dtype=np.uint8)
        assert np.isfinite(encoder.encode(pixels)).all()


@pytest.mark.parametrize(
    "pixels",
    [
        np.zeros((2, EDGE, EDGE, 3), dtype=np.float32),
        np.zeros((2, EDGE, EDGE, 4), dtype=np.uint8),
        np.zeros((EDGE, EDGE, 3), dtype=np.uint8),
    ],
)
def test_wrong_pixels_are_refused_with_their_shape(encoder: Encoder, pixels: np.ndarray) -> None:
    with pytest.raises(ValueError, match=r"uint8 of shape \(N, H, W, 3\)"):
        encoder.encode(pixels)


def test_tiny_regions_are_refused(encoder: Encoder) -> None:
    with pytest.raises(ValueError, match="7 x 9 px are too small"):
        encoder.encode(np.zeros((1, 9, 7, 3), dtype=np.uint8))


def test_digest_is_a_sha256_and_differs_between_encoders() -> None:
    digests = [get_encoder(name).digest for name in ENCODERS]
    assert all(len(digest) == 64 for digest in digests)
    assert len(set(digests)) == len(digests)


def test_unknown_encoder_is_refused_with_the_known_names() -> None:
    with pytest.raises(ValueError, match=r"no encoder named 'magic'.*colour-texture"):
        get_encoder("magic")


def test_colour_texture_hardly_changes_when_a_region_is_turned() -> None:
    """Quarter turns move pixels exactly, so what is left is the half pixel of the ring centre."""
    encoder = get_encoder("colour-texture")
    regions = draw_cells(count=60, seed=4)
    regions[30:] = draw_cells(count=30, seed=5, radius=0.2)
    straight = encoder.encode(regions).astype(np.float32)
    turned = encoder.encode(np.rot90(regions, axes=(1, 2))).astype(np.float32)
    spread = straight.std(axis=0) + 1e-2
    assert np.median(np.abs(straight - turned) / spread) < 0.15


def test_colour_texture_tells_sizes_apart_by_shape_alone() -> None:
    encoder = get_encoder("colour-texture")
    small = encoder.encode(draw_cells(count=20, seed=6, radius=0.2)).astype(np.float32)
    large = encoder.encode(draw_cells(count=20, seed=7, radius=0.33)).astype(np.float32)
    gap = np.abs(small.mean(axis=0) - large.mean(axis=0)) / (small.std(axis=0) + large.std(axis=0) + 1e-3)
    assert (gap > 3).sum() > 20


def test_colour_texture_numbers_are_those_of_this_revision() -> None:
    """When this fails the measurements changed: raise REVISION, then write the new numbers here."""
    features = get_encoder("colour-texture").encode(draw_cells(count=4, seed=8)).astype(np.float64)
    assert features.shape == (4, PINNED_DIMENSIONS)
    found = [features[:, block].mean() for block in np.array_split(np.arange(features.shape[1]), 6)]
    np.testing.assert_allclose(found, PINNED_MEANS, atol=5e-3)


PINNED_DIMENSIONS = 737
PINNED_MEANS = (0.119, 0.215, 0.06, 0.05, 0.063, -0.48)
