"""The network: a small residual CNN (He et al. 2016) with its initial weights drawn from a seed.

Decides layers, sizes and what of a region is looked at: its form alone. Stain and light of a field tell a small network
more than they should, and it goes wrong in the next field; colour is told by fixed features that stand beside it.
Refuses to know how it is trained and what its classes are called.
"""

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn


@dataclass(frozen=True)
class NetworkSettings:
    """Sizes: `edge` is the side in px that regions are looked at with, `dimensions` the length of a feature row."""

    edge: int = 64
    widths: tuple[int, ...] = (16, 32, 64)
    blocks: int = 2
    dimensions: int = 128


class ResidualNetwork(nn.Module):
    """Regions (N, 1, edge, edge) in, features (N, D) by `embed` and logits (N, K) by calling it."""

    def __init__(self, settings: NetworkSettings, *, classes: int) -> None:
        super().__init__()
        first = settings.widths[0]
        self.stem = nn.Sequential(_convolve(1, first, stride=2), nn.BatchNorm2d(first), nn.ReLU())
        stages: list[nn.Module] = []
        width = first
        for place, wider in enumerate(settings.widths):
            for block in range(settings.blocks):
                stages.append(_Block(width, wider, stride=2 if block == 0 and place > 0 else 1))
                width = wider
        self.stages = nn.Sequential(*stages)
        self.project = nn.Sequential(nn.Linear(2 * width, settings.dimensions), nn.BatchNorm1d(settings.dimensions))
        self.head = nn.Linear(settings.dimensions, classes)

    def embed(self, pixels: Tensor) -> Tensor:
        """Features (N, D): mean and maximum over the region, since a small sign may decide, mixed once."""
        maps: Tensor = self.stages(self.stem(pixels))
        pooled = torch.cat([maps.mean(dim=(2, 3)), maps.amax(dim=(2, 3))], dim=1)
        result: Tensor = self.project(pooled)
        return result

    def forward(self, pixels: Tensor) -> Tensor:
        """Logits (N, K)."""
        result: Tensor = self.head(torch.relu(self.embed(pixels)))
        return result


class _Block(nn.Module):
    """Two convolutions beside the identity, or beside a 1 x 1 convolution where width or size change."""

    def __init__(self, width: int, wider: int, *, stride: int) -> None:
        super().__init__()
        self.body = nn.Sequential(
            _convolve(width, wider, stride=stride),
            nn.BatchNorm2d(wider),
            nn.ReLU(),
            _convolve(wider, wider, stride=1),
            nn.BatchNorm2d(wider),
        )
        self.skip = (
            nn.Identity()
            if stride == 1 and width == wider
            else nn.Sequential(nn.Conv2d(width, wider, 1, stride=stride, bias=False), nn.BatchNorm2d(wider))
        )

    def forward(self, maps: Tensor) -> Tensor:
        return torch.relu(self.body(maps) + self.skip(maps))


def _convolve(width: int, wider: int, *, stride: int) -> nn.Conv2d:
    return nn.Conv2d(width, wider, 3, stride=stride, padding=1, bias=False)


def build(settings: NetworkSettings, *, classes: int, seed: int) -> ResidualNetwork:
    """A network whose weights depend on the seed alone (He et al. 2015); the last one of a block begins at zero."""
    network = ResidualNetwork(settings, classes=classes)
    draw_weights(network, torch.Generator().manual_seed(seed))
    for module in network.modules():
        if isinstance(module, _Block):
            last = module.body[-1]
            assert isinstance(last, nn.BatchNorm2d)
            nn.init.zeros_(last.weight)
    return network


def draw_weights(network: nn.Module, generator: torch.Generator) -> None:
    """Weights of convolutions and linear layers from the generator alone, in place."""
    with torch.no_grad():
        for module in network.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu", generator=generator)
            elif isinstance(module, nn.Linear):
                nn.init.normal_(module.weight, std=module.in_features**-0.5, generator=generator)
                nn.init.zeros_(module.bias)


def prepare(pixels: NDArray[np.uint8]) -> Tensor:
    """Regions (N, H, W, 3) uint8 as (N, 1, H, W) float32: grey, each region with mean 0 and deviation 1."""
    scaled = torch.from_numpy(np.ascontiguousarray(pixels)).float().mean(dim=3)
    return standardise(scaled.unsqueeze(1))


def standardise(grey: Tensor) -> Tensor:
    """Regions (N, 1, H, W) in grey levels, each with mean 0 and deviation 1; a region of one grey is all 0."""
    centred = grey - grey.mean(dim=(2, 3), keepdim=True)
    return centred / (centred.std(dim=(2, 3), keepdim=True) + 6.4)
