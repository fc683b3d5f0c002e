"""Models on disk under the digest of their content: weights in safetensors, a manifest beside them.

Decides what the digest covers and refuses a model in which any byte differs. Refuses to know which
model is active. Nothing is unpickled.
"""

import hashlib
import json
import os
import platform
import shutil
import tempfile
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
from safetensors import SafetensorError
from safetensors.numpy import load as load_tensors
from safetensors.numpy import save as save_tensors

from learning import canonical
from learning.models import Ensemble, OutOfFold
from learning.training import Candidate

_WEIGHTS, _MANIFEST = "weights.safetensors", "manifest.json"
_LIBRARIES = ("numpy", "scipy", "safetensors", "scikit-image")


class RegistryError(Exception):
    """A model is missing, or its files are not those that its digest names."""


@dataclass(frozen=True)
class StoredModel:
    """A verified model: its digest, what its manifest says, and the ensemble ready to predict."""

    digest: str
    manifest: dict[str, Any]
    ensemble: Ensemble

    @property
    def class_codes(self) -> tuple[str, ...]:
        """Class of each column of the probabilities."""
        return tuple(self.manifest["classes"])


def save(folder: Path, candidate: Candidate, manifest_extra: Mapping[str, Any] | None = None) -> str:
    """Write a candidate under `folder/<digest>/` and return the digest (SHA-256, hex).

    The folder of the model appears whole or not at all. Saving the same content again changes nothing.
    `manifest_extra` is part of the content; versions of libraries are written down but are not.
    """
    weights = save_tensors(_list_tensors(candidate.ensemble))
    content = _describe(candidate, weights, manifest_extra or {})
    digest = canonical.compute_digest(content)
    target = folder / digest
    if not target.exists():
        folder.mkdir(parents=True, exist_ok=True)
        _publish(target, weights, _seal({"content": content, "digest": digest, "environment": _list_versions()}))
    load(folder, digest)
    return digest


def load(folder: Path, digest: str) -> StoredModel:
    """Read a model and check every byte of it; raises RegistryError that says which file differs."""
    place = folder / digest
    if not place.is_dir():
        raise RegistryError(f"{place}: there is no model of this digest. Restore it from a backup or train again.")
    manifest = _read_manifest(place / _MANIFEST, digest)
    weights = _read(place / _WEIGHTS)
    if hashlib.sha256(weights).hexdigest() != manifest["content"]["weights_sha256"]:
        raise RegistryError(_tell_damage(place / _WEIGHTS))
    try:
        tensors = load_tensors(weights)
        ensemble = _assemble(tensors, manifest["content"]["temperature"])
    except (SafetensorError, KeyError) as error:
        raise RegistryError(f"{place / _WEIGHTS}: not the tensors of an ensemble ({error}). Train again.") from error
    return StoredModel(digest=digest, manifest=manifest["content"], ensemble=ensemble)


def _list_tensors(ensemble: Ensemble) -> dict[str, np.ndarray]:
    held = ensemble.out_of_fold
    return {
        "weights": np.ascontiguousarray(ensemble.weights),
        "biases": np.ascontiguousarray(ensemble.biases),
        "out_of_fold.folds": held.folds.astype(np.int64),
        "out_of_fold.is_known": held.is_known.astype(np.uint8),
        "out_of_fold.proba": np.ascontiguousarray(held.proba),
    }


def _assemble(tensors: dict[str, np.ndarray], temperature: float) -> Ensemble:
    held = OutOfFold(
        folds=tensors["out_of_fold.folds"],
        proba=tensors["out_of_fold.proba"],
        is_known=tensors["out_of_fold.is_known"].astype(bool),
    )
    return Ensemble(weights=tensors["weights"], biases=tensors["biases"], temperature=temperature, out_of_fold=held)


def _describe(candidate: Candidate, weights: bytes, extra: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "format": "concord-model-1",
        "classes": list(candidate.class_codes),
        "encoder": {"name": candidate.encoder_name, "digest": candidate.encoder_digest},
        "configuration": asdict(candidate.configuration),
        "configuration_digest": candidate.configuration.digest,
        "training_set": candidate.revision_digest,
        "temperature": candidate.ensemble.temperature,
        "metrics": candidate.report,
        "weights_sha256": hashlib.sha256(weights).hexdigest(),
        "extra": dict(extra),
    }


def _list_versions() -> dict[str, str]:
    return {"python": platform.python_version()} | {name: version(name) for name in _LIBRARIES}


def _seal(manifest: dict[str, Any]) -> bytes:
    """The seal covers what the digest leaves out, so that no byte can change unseen."""
    return canonical.encode_json(manifest | {"seal": canonical.compute_digest(manifest)})


def _read_manifest(path: Path, digest: str) -> dict[str, Any]:
    raw = _read(path)
    try:
        manifest = json.loads(raw)
        seal = manifest.pop("seal")
        is_whole = seal == canonical.compute_digest(manifest) and raw == _seal(manifest)
        is_whole = is_whole and canonical.compute_digest(manifest["content"]) == manifest["digest"] == digest
    except (ValueError, KeyError, AttributeError, TypeError) as error:
        raise RegistryError(_tell_damage(path)) from error
    if not is_whole:
        raise RegistryError(_tell_damage(path))
    result: dict[str, Any] = manifest
    return result


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise RegistryError(f"{path}: cannot be read ({error.strerror}). Restore it from a backup.") from error


def _tell_damage(path: Path) -> str:
    return (
        f"{path}: the content is not what the model's digest names; the file was damaged or changed. "
        "Restore it from a backup or train again."
    )


def _publish(target: Path, weights: bytes, manifest: bytes) -> None:
    draft = Path(tempfile.mkdtemp(dir=target.parent, prefix=".draft-"))
    try:
        for name, content in ((_WEIGHTS, weights), (_MANIFEST, manifest)):
            with (draft / name).open("wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
        draft.chmod(0o755)
        try:
            draft.rename(target)
        except OSError:
            # Somebody else published the same content first; `save` checks theirs.
            if not target.is_dir():
                raise
    finally:
        shutil.rmtree(draft, ignore_errors=True)
    _sync(target)
    _sync(target.parent)


def _sync(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
