"""The encoder `study-cnn`: what a trained network makes of a region, seen from all sides.

Decides how features are read off the network. Refuses to know how it was trained.
"""

import hashlib
import json
import os
import tempfile
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors import SafetensorError, safe_open
from safetensors.torch import load_file, save_file

from learning.errors import EncoderError
from learning.features.cnn.network import NetworkSettings, ResidualNetwork, prepare
from learning.features.encoder import check_pixels, resize_regions

# Raise when the same weights would give other numbers: the digest keeps old shards apart from new ones.
REVISION = 1
_BLOCK = 64
VIEWS = 4


class WeightsError(EncoderError):
    """A file of weights is missing, damaged, or none of ours."""


@dataclass(frozen=True)
class StudyCnn:
    """Features of a trained network, the mean over four turns. See `Encoder`.

    `beside`: digest of the encoder whose features are kept in the same rows, before these; "" where there are none.
    """

    network: ResidualNetwork
    settings: NetworkSettings
    weights_digest: str
    beside: str = ""
    name: str = "study-cnn"

    @property
    def input_edge(self) -> int:
        """Side in px of what the network looks at."""
        return self.settings.edge

    @property
    def dimensions(self) -> int:
        """Length D of a row."""
        return self.settings.dimensions

    @cached_property
    def digest(self) -> str:
        """SHA-256 (hex) over name, weights and revision."""
        content = {"name": self.name, "weights": self.weights_digest, "beside": self.beside, "revision": REVISION}
        return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()

    def encode(self, pixels: NDArray[np.uint8]) -> NDArray[np.float16]:
        """Describe regions (N, H, W, 3) uint8 of any one size as (N, D) float16, every number finite."""
        check_pixels(pixels)
        features = np.empty((len(pixels), self.dimensions), dtype=np.float16)
        with torch.inference_mode():
            for start in range(0, len(pixels), _BLOCK):
                block = prepare(resize_regions(pixels[start : start + _BLOCK], edge=self.input_edge))
                views = [torch.rot90(block, turn, (2, 3)) for turn in range(VIEWS)]
                mean = torch.stack([self.network.embed(view) for view in views]).mean(dim=0)
                features[start : start + len(block)] = mean.clamp(-6e4, 6e4).numpy()
        return features


def save(path: Path, network: ResidualNetwork, settings: NetworkSettings) -> str:
    """Write the weights as safetensors and return the SHA-256 (hex) of the file."""
    tensors = {name: value.contiguous() for name, value in network.state_dict().items() if not name.startswith("head.")}
    path.parent.mkdir(parents=True, exist_ok=True)
    save_file(tensors, path, metadata={"settings": json.dumps(asdict(settings))})
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def store(folder: Path, network: ResidualNetwork, settings: NetworkSettings, *, beside: str) -> StudyCnn:
    """Keep the weights in `folder` under the SHA-256 of their bytes, whole or not at all; the encoder they make."""
    folder.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=folder, prefix=".", suffix=".draft")
    os.close(handle)
    draft = Path(name)
    try:
        digest = save(draft, network, settings)
        with draft.open("rb") as file:
            os.fsync(file.fileno())
        draft.chmod(0o644)
        draft.replace(folder / f"{digest}.safetensors")
    finally:
        draft.unlink(missing_ok=True)
    return load(folder / f"{digest}.safetensors", digest=digest, beside=beside)


def load(path: Path, *, digest: str, beside: str = "") -> StudyCnn:
    """Read weights and check every byte; WeightsError says which file differs."""
    try:
        with path.open("rb") as file:
            found = hashlib.file_digest(file, "sha256").hexdigest()
        if found != digest:
            reason = f"SHA-256 is {found}, not {digest}"
            raise WeightsError(f"{path.name}: {reason}. Restore it from a backup or train again.")
        with safe_open(path, framework="pt") as opened:
            kept = json.loads(opened.metadata()["settings"])
        settings = NetworkSettings(**{**kept, "widths": tuple(kept["widths"])})
        network = ResidualNetwork(settings, classes=1)
        network.load_state_dict(load_file(path), strict=False)
    except (OSError, SafetensorError, KeyError, TypeError, ValueError, RuntimeError) as error:
        raise WeightsError(f"{path.name}: cannot be read as weights of study-cnn ({error}). Train again.") from error
    return StudyCnn(network.eval(), settings, digest, beside)
