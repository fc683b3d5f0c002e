"""Training of the network on settled regions: the same data and settings give the same weights, killed or not.

Decides the loss and what a class weighs in it. Refuses to know where regions come from and whether the result will be
used.
"""

import hashlib
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from learning import canonical
from learning.features.cnn import loop, order
from learning.features.cnn.augment import AugmentSettings, augment
from learning.features.cnn.loop import LoopSettings
from learning.features.cnn.network import NetworkSettings, ResidualNetwork, build
from learning.models.heads import weigh_classes

_ORDER, _AUGMENT = 0, 1


@dataclass(frozen=True)
class CnnSettings:
    """What shapes a training. `shown` regions are looked at in all, each as often as it takes, and at least once.

    `is_half` computes in bfloat16 where sums allow; `balance` is the power of a class's weight, `smoothing` the
    probability that is spread over all classes.
    """

    network: NetworkSettings = field(default_factory=NetworkSettings)
    augment: AugmentSettings = field(default_factory=AugmentSettings)
    loop: LoopSettings = field(default_factory=LoopSettings)
    shown: int = 90_000
    batch: int = 64
    smoothing: float = 0.1
    balance: float = 0.5
    is_half: bool = False
    seed: int = 0


def train(
    *,
    pixels: NDArray[np.uint8],
    labels: NDArray[np.integer],
    classes: int,
    settings: CnnSettings,
    start: ResidualNetwork | None = None,
    checkpoint: Path | None = None,
    report: Callable[[int, int], None] = lambda done, total: None,
) -> ResidualNetwork:
    """Fit a network to regions (N, edge, edge, 3) uint8 with labels (N,) in 0..classes-1.

    `start`: a network of the same sizes whose layers, but for the head, are begun with. For `checkpoint` and `report`
    see `loop.run`. Raises ValueError for rows that do not fit together; CheckpointError where the disk is full.
    """
    _check(pixels, labels, classes, settings)
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    network = build(settings.network, classes=classes, seed=settings.seed)
    if start is not None:
        begun = {name: value for name, value in start.state_dict().items() if not name.startswith("head.")}
        network.load_state_dict(begun, strict=False)
    digest = _identify(network, pixels, labels, classes, settings)
    network.to(device)
    weight = torch.from_numpy(_weigh(labels, classes, settings)).to(device)
    entropy = nn.CrossEntropyLoss(weight=weight, label_smoothing=settings.smoothing)

    def loss_of(step: int) -> Tensor:
        rows = order.draw(len(labels), step, batch=settings.batch, seed=(settings.seed, _ORDER))
        generator = np.random.default_rng([settings.seed, _AUGMENT, step])
        shown = augment(pixels[rows], generator=generator, settings=settings.augment).to(device)
        target = torch.from_numpy(labels[rows].astype(np.int64)).to(device)
        with torch.autocast(device.type, dtype=torch.bfloat16, enabled=settings.is_half):
            logits = network(shown)
        result: Tensor = entropy(logits.float(), target)
        return result

    with loop.threads(settings.loop.threads):
        loop.run(
            network,
            loss_of=loss_of,
            steps=order.count_steps(len(labels), shown=settings.shown, batch=settings.batch),
            settings=settings.loop,
            digest=digest,
            checkpoint=checkpoint,
            report=report,
        )
    return network.cpu().eval()


def _weigh(labels: NDArray[np.integer], classes: int, settings: CnnSettings) -> NDArray[np.float32]:
    """Weight of each class (K,), 1 where there is nothing of it."""
    weight = np.ones(classes, dtype=np.float32)
    seen, target = np.unique(labels, return_inverse=True)
    own = weigh_classes(target, sample_weight=None, balance=settings.balance)
    weight[seen] = [own[target == place][0] for place in range(len(seen))]
    return weight


def _identify(
    network: ResidualNetwork,
    pixels: NDArray[np.uint8],
    labels: NDArray[np.integer],
    classes: int,
    settings: CnnSettings,
) -> str:
    """SHA-256 (hex) over settings, start and data: a checkpoint of anything else is not gone on from."""
    content = {
        "settings": asdict(settings),
        "start": hashlib.sha256(b"".join(one.detach().numpy().tobytes() for one in network.parameters())).hexdigest(),
        "classes": classes,
        "labels": canonical.compute_digest(labels.tolist()),
        "shape": list(pixels.shape),
        "sample": order.identify(pixels),
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
