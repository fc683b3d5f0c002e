"""Where training stands, on disk: weights, the optimiser's memory and the step, in one file that is whole or not there.

Decides the file. Refuses to know what is trained. Nothing is unpickled.
"""

import errno
import json
import os
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor


class CheckpointError(Exception):
    """A checkpoint cannot be written, or is not one of this training."""


@dataclass(frozen=True)
class Checkpoint:
    """Tensors by name, the number of steps done, and the digest of what is being trained."""

    tensors: dict[str, Tensor]
    step: int
    digest: str


def write(path: Path, checkpoint: Checkpoint) -> None:
    """Replace the checkpoint at `path`; CheckpointError names the file and the remedy where the disk is full."""
    state = {"format": "concord-checkpoint-1", "step": checkpoint.step, "digest": checkpoint.digest}
    tensors = {name: tensor.contiguous() for name, tensor in checkpoint.tensors.items()}
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, draft = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=".draft")
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(save(tensors, metadata={"state": json.dumps(state)}))
                file.flush()
                os.fsync(file.fileno())
            os.replace(draft, path)
        except BaseException:
            Path(draft).unlink(missing_ok=True)
            raise
    except OSError as error:
        remedy = "Make room on the disk" if error.errno in (errno.ENOSPC, errno.EDQUOT) else "Mend this"
        raise CheckpointError(
            f"{path}: the checkpoint cannot be written ({error.strerror}). {remedy} and try the job again; "
            "the model in use stays."
        ) from error


def read(path: Path, *, digest: str) -> Checkpoint | None:
    """The checkpoint of this training; None where there is none, or where it is of another or damaged."""
    try:
        with safe_open(path, framework="pt") as file:
            state = json.loads((file.metadata() or {}).get("state", "{}"))
            if state.get("digest") != digest:
                return None
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 - not a mapping
    except (OSError, SafetensorError, ValueError):
        return None
    return Checkpoint(tensors=tensors, step=int(state["step"]), digest=digest)


def flatten(parts: Mapping[str, Mapping[str, Tensor]]) -> dict[str, Tensor]:
    """State dictionaries of several things as one, under "part:name"."""
    return {f"{part}:{name}": tensor.detach() for part, state in parts.items() for name, tensor in state.items()}


def pick(tensors: Mapping[str, Tensor], part: str) -> dict[str, Tensor]:
    """The state dictionary of one part."""
    prefix = f"{part}:"
    return {name.removeprefix(prefix): value for name, value in tensors.items() if name.startswith(prefix)}


def as_tensor(number: float) -> Tensor:
    """A number among tensors, exactly."""
    return torch.tensor(number, dtype=torch.float64)
