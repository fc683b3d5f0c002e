"""Names of what background work leaves in the store: features, scores, models.

Decides paths below the store's root from digests alone, so that equal work has one name; refuses to
write anything.
"""

from pathlib import Path

from annotation import store
from annotation.models import Slide, Study


def shard_name(slide: Slide, encoder_digest: str) -> str:
    """Features of one slide's regions: the same pixels, regions and encoder have one file, in any study."""
    file = f"{slide.checksum}-{slide.tiling_digest[:16]}.npy"
    return f"features/{encoder_digest[:16]}/{slide.checksum[:2]}/{file}"


def scores_name(slide: Slide, model_digest: str) -> str:
    """Scores of one slide's regions under the model with this digest."""
    file = f"{slide.checksum}-{slide.tiling_digest[:16]}.npz"
    return f"scores/{model_digest[:16]}/{slide.checksum[:2]}/{file}"


def path_of(name: str) -> Path:
    """Where a stored name lies."""
    return store.root() / name


def models_folder() -> Path:
    """The content-addressed registry of models."""
    return store.root() / "models"


def networks_folder() -> Path:
    """Weights of learned encoders, under the SHA-256 of their bytes."""
    return store.root() / "networks"


def weights_path(digest: str) -> Path:
    """Where the weights with this SHA-256 lie."""
    return networks_folder() / f"{digest}.safetensors"


def checkpoint_path(study: Study, number: int) -> Path:
    """Where the training of a study's encoder stands, until it has ended."""
    return networks_folder() / "unfinished" / f"{study.pk}-{number}.safetensors"


TRAINING, SELECTION, ENCODER, DOMAINS = 1, 2, 3, 4
"""What a seed is for."""


def seed_of(study: Study, purpose: int, number: int = 0) -> int:
    """A seed that depends on the study's own, on what it is for, and on the number of a batch."""
    return (study.seed * 1_000_003 + purpose * 10_007 + number) % 2**31
