import io

import numpy as np
import pytest
from PIL import Image
from scipy import ndimage

from learning.features.rows import FeatureRows
from learning.review import near_duplicates, registration
from learning.review.look import Look
from learning.review.near_duplicates import find_near_duplicates, propose
from learning.review.purity import measure_purity

EDGE = registration.EDGE


def pictures(count, *, edge=EDGE, seed=0):
    """Pictures of smooth random patches: each unlike the others."""
    generator = np.random.default_rng(seed)
    noise = ndimage.gaussian_filter(generator.normal(size=(count, edge, edge, 3)), sigma=(0, 3, 3, 0))
    return np.clip(150 + 40 * noise / noise.std(), 0, 255).astype(np.uint8)


def encode_anew(picture, quality):
    file = io.BytesIO()
    Image.fromarray(picture).save(file, "JPEG", quality=quality)
    return np.asarray(Image.open(file).convert("RGB"))


CHANGES = {
    "rotated": lambda wide: np.rot90(wide[2:-2, 2:-2]),
    "flipped": lambda wide: wide[2:-2, 2:-2][:, ::-1],
    "turned over": lambda wide: np.rot90(wide[2:-2, 2:-2], 3)[:, ::-1],
    "encoded": lambda wide: encode_anew(wide[2:-2, 2:-2], 50),
    "shifted": lambda wide: wide[:-4, 4:],
    "all of it": lambda wide: np.rot90(encode_anew(wide[4:, 2:-2].copy(), 70), 2),
}


@pytest.mark.parametrize("name", CHANGES)
def test_each_change_is_seen_through_and_strangers_are_not_taken_for_it(name, monkeypatch):
    # Two dozen pictures span a space in which even duplicates are far apart; see the benchmark for real ones.
    monkeypatch.setitem(near_duplicates.LEAST_COSINE, "perceptual", 0.4)
    wide = pictures(12, edge=EDGE + 4)
    plain = wide[:, 2:-2, 2:-2]
    changed = np.stack([CHANGES[name](one) for one in wide])
    pixels = np.concatenate([plain, changed])
    read = []

    def take(rows):
        read.append(len(rows))
        return pixels[rows]

    hashes = Look().encode(pixels)[:, :-1]
    found = find_near_duplicates(
        [("perceptual", FeatureRows([hashes]))], digests=[""] * len(pixels), read=take, seed=0, similarity=0.95
    )
    assert {(one.first, one.second) for one in found} == {(at, at + 12) for at in range(12)}
    assert {one.kind for one in found} == {"perceptual"} and sum(read) <= len(pixels) * 3


def test_equal_digests_are_pairs_without_a_look_at_pixels():
    pixels = pictures(3)
    hashes = FeatureRows([Look().encode(pixels)[:, :-1]])
    found = find_near_duplicates(
        [("perceptual", hashes)],
        digests=["a", "b", "a"],
        read=lambda rows: pixels[rows],
        seed=0,
        similarity=0.95,
    )
    assert [(one.first, one.second, one.kind) for one in found] == [(0, 2, "pixels")]


def test_neighbours_found_by_blocks_are_those_of_the_whole_matrix(monkeypatch):
    features = np.random.default_rng(0).normal(size=(150, 6)).astype(np.float16)
    whole = propose(FeatureRows([features]), least=0.8, seed=0)
    monkeypatch.setattr(near_duplicates, "_BLOCK", 32)
    assert np.array_equal(propose(FeatureRows([features[:70], features[70:]]), least=0.8, seed=0), whole)
    assert len(whole) and (whole[:, 0] < whole[:, 1]).all()


def test_a_flat_picture_correlates_with_nothing():
    flat = np.full((2, EDGE, EDGE, 3), 200, dtype=np.uint8)
    details = registration.prepare(flat)
    assert registration.compare(details[0], details[1]) < 0.5


def disc(*centres, edge=EDGE, radius=10):
    picture = np.full((edge, edge, 3), 235, dtype=np.uint8)
    rows, columns = np.indices((edge, edge))
    for down, across in centres:
        picture[np.hypot(rows - down, columns - across) < radius] = (90, 60, 160)
    return picture


def test_purity_is_the_share_of_the_middle_thing():
    lobed = disc((32, 32), (40, 42), radius=8)
    pair = disc((36, 12), (36, 60))
    beside = disc((36, 36), (10, 66), radius=12)
    purity = measure_purity(np.stack([disc((36, 36)), lobed, pair, beside, disc()]))
    assert purity[0] == purity[1] == purity[4] == 1
    assert 0.4 < purity[2] < 0.6 and 0.5 < purity[3] < 0.8
