"""Training of the network on settled regions: the same data and settings give the same weights, killed or not.

Decides order, loss, schedule and when to write down where it stands. Refuses to know where regions come from and
whether the result will be used.
"""

import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from learning import canonical
from learning.features.cnn import checkpoints
from learning.features.cnn.augment import AugmentSettings, augment
from learning.features.cnn.network import NetworkSettings, ResidualNetwork, build
from learning.models.heads import weigh_classes

_ORDER, _AUGMENT = 0, 1


@dataclass(frozen=True)
class CnnSettings:
    """What shapes a training. `shown` regions are looked at in all, each as often as it takes, and at least once.

    `is_half` computes in bfloat16 where sums allow; `threads` is part of it all, as sums depend on their number.
    """

    network: NetworkSettings = field(default_factory=NetworkSettings)
    augment: AugmentSettings = field(default_factory=AugmentSettings)
    shown: int = 80_000
    batch: int = 64
    rate: float = 3e-3
    warm_up: float = 0.1
    weight_decay: float = 0.05
    smoothing: float = 0.1
    balance: float = 0.5
    average: float = 0.99
    is_half: bool = False
    threads: int = 2
    seed: int = 0
    checkpoint_steps: int = 100


@dataclass
class _State:
    """Everything that changes from step to step."""

    network: ResidualNetwork
    average: dict[str, Tensor]
    optimiser: torch.optim.AdamW
    step: int = 0


def train(
    *,
    pixels: NDArray[np.uint8],
    labels: NDArray[np.integer],
    classes: int,
    settings: CnnSettings,
    checkpoint: Path | None = None,
    report: Callable[[int, int], None] = lambda done, total: None,
) -> ResidualNetwork:
    """Fit a network to regions (N, edge, edge, 3) uint8 with labels (N,) in 0..classes-1.

    With a path, where it stands is written there every `checkpoint_steps`, and a training that was killed goes on from
    there to the same weights. `report` hears of every step, and may raise to stop. Raises ValueError for rows that do
    not fit together; CheckpointError where the disk is full.
    """
    _check(pixels, labels, classes, settings)
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    steps = count_steps(len(labels), settings)
    digest = _identify(pixels, labels, classes, settings)
    with _threads(settings.threads):
        state = _begin(classes, settings, steps, device)
        if checkpoint is not None:
            _resume(state, checkpoint, digest)
        weight = torch.from_numpy(_weigh(labels, classes, settings)).to(device)
        loss_of = nn.CrossEntropyLoss(weight=weight, label_smoothing=settings.smoothing)
        while state.step < steps:
            rows = _draw(len(labels), state.step, settings)
            generator = np.random.default_rng([settings.seed, _AUGMENT, state.step])
            shown = augment(pixels[rows], generator=generator, settings=settings.augment)
            target = torch.from_numpy(labels[rows].astype(np.int64)).to(device)
            _learn(state, shown.to(device), target, loss_of, steps, settings)
            if checkpoint is not None and (state.step % settings.checkpoint_steps == 0 or state.step == steps):
                checkpoints.write(checkpoint, _freeze(state, digest))
            report(state.step, steps)
        state.network.load_state_dict(state.average)
    return state.network.cpu().eval()


def count_steps(items: int, settings: CnnSettings) -> int:
    """Batches in all; every item is shown at least once."""
    return math.ceil(max(settings.shown, items) / settings.batch)


def _begin(classes: int, settings: CnnSettings, steps: int, device: torch.device) -> _State:
    network = build(settings.network, classes=classes, seed=settings.seed).to(device)
    network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    kept = [one for one in network.parameters() if one.ndim > 1]
    free = [one for one in network.parameters() if one.ndim <= 1]
    groups = [{"params": kept, "weight_decay": settings.weight_decay}, {"params": free, "weight_decay": 0.0}]
    optimiser = torch.optim.AdamW(groups, lr=settings.rate, foreach=False)
    average = {name: value.detach().clone() for name, value in network.state_dict().items()}
    return _State(network.train(), average, optimiser)


def _learn(state: _State, shown: Tensor, target: Tensor, loss_of: nn.Module, steps: int, settings: CnnSettings) -> None:
    for group in state.optimiser.param_groups:
        group["lr"] = settings.rate * _schedule((state.step + 0.5) / steps, settings.warm_up)
    with torch.autocast(shown.device.type, dtype=torch.bfloat16, enabled=settings.is_half):
        logits = state.network(shown)
    loss = loss_of(logits.float(), target)
    state.optimiser.zero_grad(set_to_none=True)
    loss.backward()
    state.optimiser.step()
    state.step += 1
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


def _draw(items: int, step: int, settings: CnnSettings) -> NDArray[np.int64]:
    """Rows of one batch: every item once before any comes again, in an order drawn for each round."""
    places = np.arange(step * settings.batch, (step + 1) * settings.batch)
    rounds, within = np.divmod(places, items)
    rows = np.empty(len(places), dtype=np.int64)
    for number in np.unique(rounds).tolist():
        order = np.random.default_rng([settings.seed, _ORDER, number]).permutation(items)
        here = rounds == number
        rows[here] = order[within[here]]
    return rows


def _weigh(labels: NDArray[np.integer], classes: int, settings: CnnSettings) -> NDArray[np.float32]:
    """Weight of each class (K,), 1 where there is nothing of it."""
    weight = np.ones(classes, dtype=np.float32)
    seen, target = np.unique(labels, return_inverse=True)
    own = weigh_classes(target, sample_weight=None, balance=settings.balance)
    weight[seen] = [own[target == place][0] for place in range(len(seen))]
    return weight


def _freeze(state: _State, digest: str) -> checkpoints.Checkpoint:
    memory = {
        f"{index}.{name}": value
        for index, values in state.optimiser.state_dict()["state"].items()
        for name, value in values.items()
    }
    parts = {"network": state.network.state_dict(), "average": state.average, "optimiser": memory}
    return checkpoints.Checkpoint(checkpoints.flatten(parts), step=state.step, digest=digest)


def _resume(state: _State, path: Path, digest: str) -> None:
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


def _identify(pixels: NDArray[np.uint8], labels: NDArray[np.integer], classes: int, settings: CnnSettings) -> str:
    """SHA-256 (hex) over settings and data: a checkpoint of anything else is not gone on from."""
    content = {
        "settings": asdict(settings),
        "classes": classes,
        "labels": canonical.compute_digest(labels.tolist()),
        "shape": list(pixels.shape),
        "sample": canonical.compute_digest(pixels[:: max(1, len(pixels) // 64), ::8, ::8].tolist()),
    }
    return canonical.compute_digest(content)


def _check(pixels: NDArray[np.uint8], labels: NDArray[np.integer], classes: int, settings: CnnSettings) -> None:
    edge = settings.network.edge
    if pixels.dtype != np.uint8 or pixels.shape[1:] != (edge, edge, 3) or len(pixels) != len(labels):
        raise ValueError(
            f"Pixels {pixels.shape} of {pixels.dtype} and {len(labels)} labels do not belong together: "
            f"({len(labels)}, {edge}, {edge}, 3) of uint8 are wanted."
        )
    if len(labels) < 2 or labels.min() < 0 or labels.max() >= classes:
        raise ValueError(f"At least two labels in 0..{classes - 1} are needed to train on.")


@contextmanager
def _threads(count: int) -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(count)
    try:
        yield
    finally:
        torch.set_num_threads(before)
