"""A start without labels: two views of a region are to give the same features, and no two features the same thing.

Barlow Twins (Zbontar et al. 2021, arXiv 2103.03230): the correlations between the features of one view and those of the
other, over a batch, are to be the identity. Decides views, loss and the part that is thrown away afterwards. Refuses to
know labels.
"""

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
from learning.features.cnn.network import NetworkSettings, ResidualNetwork, build, draw_weights

_ORDER, _FIRST, _SECOND, _HEAD = 10, 11, 12, 13


@dataclass(frozen=True)
class PretrainingSettings:
    """`shown` regions are looked at in all, each twice; `off_diagonal` weighs features that say the same."""

    network: NetworkSettings = field(default_factory=NetworkSettings)
    augment: AugmentSettings = field(default_factory=lambda: AugmentSettings(shift=0.08, scale=0.15, gain=0.3))
    loop: LoopSettings = field(default_factory=LoopSettings)
    shown: int = 40_000
    batch: int = 128
    projected: int = 256
    off_diagonal: float = 0.01
    seed: int = 0


class _Twins(nn.Module):
    """The network and what its features are projected by while there are no labels."""

    def __init__(self, network: ResidualNetwork, settings: PretrainingSettings) -> None:
        super().__init__()
        width = settings.projected
        self.network = network
        self.projector = nn.Sequential(
            nn.Linear(settings.network.dimensions, width), nn.BatchNorm1d(width), nn.ReLU(), nn.Linear(width, width)
        )

    def forward(self, views: Tensor) -> Tensor:
        """Projections (N, P) of views (N, 1, H, W)."""
        result: Tensor = self.projector(torch.relu(self.network.embed(views)))
        return result


def pretrain(
    *,
    pixels: NDArray[np.uint8],
    settings: PretrainingSettings,
    checkpoint: Path | None = None,
    report: Callable[[int, int], None] = lambda done, total: None,
) -> ResidualNetwork:
    """A network that has looked at regions (N, edge, edge, 3) uint8; its head has learned nothing.

    For `checkpoint` and `report` see `loop.run`.
    """
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    steps = order.count_steps(len(pixels), shown=settings.shown, batch=settings.batch)
    network = build(settings.network, classes=1, seed=settings.seed)
    twins = _Twins(network, settings)
    draw_weights(twins.projector, torch.Generator().manual_seed(settings.seed + _HEAD))
    twins.to(device)

    def loss_of(step: int) -> Tensor:
        rows = order.draw(len(pixels), step, batch=settings.batch, seed=(settings.seed, _ORDER))
        views = [
            augment(
                pixels[rows],
                generator=np.random.default_rng([settings.seed, purpose, step]),
                settings=settings.augment,
            )
            for purpose in (_FIRST, _SECOND)
        ]
        both = twins(torch.cat(views).to(device))
        return correlate(both[: len(rows)], both[len(rows) :], off_diagonal=settings.off_diagonal)

    content = {"pretraining": asdict(settings), "shape": list(pixels.shape), "sample": order.identify(pixels)}
    with loop.threads(settings.loop.threads):
        loop.run(
            twins,
            loss_of=loss_of,
            steps=steps,
            settings=settings.loop,
            digest=canonical.compute_digest(content),
            checkpoint=checkpoint,
            report=report,
        )
    return network.cpu().eval()


def correlate(first: Tensor, second: Tensor, *, off_diagonal: float) -> Tensor:
    """Distance of the correlations (P, P) between two views' projections (N, P) from the identity; a number."""
    one, other = (_normalise(view) for view in (first, second))
    correlation = one.T @ other / len(one)
    along = torch.diagonal(correlation)
    across = correlation.pow(2).sum() - along.pow(2).sum()
    return (1 - along).pow(2).sum() + off_diagonal * across


def _normalise(rows: Tensor) -> Tensor:
    return (rows - rows.mean(dim=0)) / (rows.std(dim=0) + 1e-5)
