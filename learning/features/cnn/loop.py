"""Steps of a training, whatever is learned: rate, averaged weights, checkpoints, and where it goes on when killed.

Decides how a step is taken and what is written down. Refuses to know the loss and the data.
"""

import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor, nn

from learning.features.cnn import checkpoints


@dataclass(frozen=True)
class LoopSettings:
    """AdamW (Loshchilov and Hutter 2019) at `rate`, warmed up over a share of the steps, then down on a cosine.

    `average`: how much of the averaged weights is kept in a step. `threads` is part of it all, as sums depend on it.
    """

    rate: float = 3e-3
    warm_up: float = 0.1
    weight_decay: float = 0.05
    average: float = 0.99
    threads: int = 2
    checkpoint_steps: int = 100


@dataclass
class State:
    """Everything that changes from step to step."""

    network: nn.Module
    average: dict[str, Tensor]
    optimiser: torch.optim.AdamW
    step: int = 0


def run(
    network: nn.Module,
    *,
    loss_of: Callable[[int], Tensor],
    steps: int,
    settings: LoopSettings,
    digest: str,
    checkpoint: Path | None,
    report: Callable[[int, int], None],
) -> None:
    """Take `steps` steps down `loss_of(step)`, which calls the network; its weights are the averaged ones afterwards.

    With a path, where it stands is written there every `checkpoint_steps` under `digest`, and a training of that digest
    goes on from there to the same weights. `report` hears of every step, and may raise to stop. Raises CheckpointError
    where the disk is full.
    """
    state = _begin(network, settings)
    if checkpoint is not None:
        _resume(state, checkpoint, digest)
    while state.step < steps:
        for group in state.optimiser.param_groups:
            group["lr"] = settings.rate * _schedule((state.step + 0.5) / steps, settings.warm_up)
        loss = loss_of(state.step)
        state.optimiser.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        state.optimiser.step()
        state.step += 1
        _average(state, settings)
        if checkpoint is not None and (state.step % settings.checkpoint_steps == 0 or state.step == steps):
            checkpoints.write(checkpoint, _freeze(state, digest))
        report(state.step, steps)
    network.load_state_dict(state.average)


@contextmanager
def threads(count: int) -> Iterator[None]:
    """Torch on so many threads, and as before afterwards."""
    before = torch.get_num_threads()
    torch.set_num_threads(count)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def _begin(network: nn.Module, settings: LoopSettings) -> State:
    network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    kept = [one for one in network.parameters() if one.ndim > 1]
    free = [one for one in network.parameters() if one.ndim <= 1]
    groups = [{"params": kept, "weight_decay": settings.weight_decay}, {"params": free, "weight_decay": 0.0}]
    optimiser = torch.optim.AdamW(groups, lr=settings.rate, foreach=False)
    average = {name: value.detach().clone() for name, value in network.state_dict().items()}
    return State(network.train(), average, optimiser)


def _average(state: State, settings: LoopSettings) -> None:
    # Early weights are soon forgotten, so that a short training is averaged over what it has.
    keep = min(settings.average, state.step / (state.step + 10))
    with torch.no_grad():
        for name, value in state.network.state_dict().items():
            own = state.average[name]
            own.copy_(torch.lerp(value, own, keep) if value.is_floating_point() else value)


def _schedule(done: float, warm_up: float) -> float:
    """Share of the full rate: linear up, then down on a cosine (Loshchilov and Hutter 2017)."""
    if done < warm_up:
        return done / warm_up
    return 0.5 * (1 + math.cos(math.pi * (done - warm_up) / (1 - warm_up)))


def _freeze(state: State, digest: str) -> checkpoints.Checkpoint:
    memory = {
        f"{index}.{name}": value
        for index, values in state.optimiser.state_dict()["state"].items()
        for name, value in values.items()
    }
    parts = {"network": state.network.state_dict(), "average": state.average, "optimiser": memory}
    return checkpoints.Checkpoint(checkpoints.flatten(parts), step=state.step, digest=digest)


def _resume(state: State, path: Path, digest: str) -> None:
    found = checkpoints.read(path, digest=digest)
    if found is None:
        return
    state.network.load_state_dict(checkpoints.pick(found.tensors, "network"))
    for name, value in checkpoints.pick(found.tensors, "average").items():
        state.average[name].copy_(value)
    memory: dict[int, dict[str, Tensor]] = {}
    for name, value in checkpoints.pick(found.tensors, "optimiser").items():
        index, _, key = name.partition(".")
        memory.setdefault(int(index), {})[key] = value
    state.optimiser.load_state_dict({**state.optimiser.state_dict(), "state": memory})
    state.step = found.step
