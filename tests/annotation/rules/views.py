"""Views for tests of rules: plain, clean truth, into which a test plants what it wants found."""

from dataclasses import replace
from typing import Any

import numpy as np

from annotation.policy import Policy
from annotation.rules import Box, Frame, Item, PassView
from annotation.rules.settings import limits

CODES = ("neutrophil", "lymphocyte", "monocyte")


def item(number: int, *, label: str = "neutrophil", sure: float = 0.97, **fields: Any) -> Item:
    """A clean item: settled by consensus, sure of its label, unlike any other; case and split follow the number."""
    rest = (1 - sure) / (len(CODES) - 1)
    posterior = tuple(sure if code == label else rest for code in CODES)
    plain = Item(
        region=f"r{number:05}",
        revision=1,
        label=label,
        given_label=label,
        protocol=1,
        method="dawid-skene",
        posterior=posterior,
        pixel_digest=f"pixels-{number}",
        slide=f"s{number % 7}",
        case=f"c{number % 7}",
        domain=f"lab-{number % 3}",
        split="train" if number % 7 < 5 else "test",
        box=Box(number % 40 * 64, number // 40 * 64, 64, 64),
    )
    return replace(plain, **fields)


def view(*items: Item, **fields: Any) -> PassView:
    """A view of `items` under a default policy, and rules as strict as they are where a study says nothing."""
    values: dict[str, Any] = {"position": 10, "protocol": 1, "codes": CODES, "policy": Policy(), "items": items}
    values["slides"] = {f"s{number}": Frame(4000, 4000, 0.25, 0.25) for number in range(7)}
    rule_values = fields.pop("rule_values", {})
    return PassView(**(values | {"thresholds": limits(rule_values)} | fields))


def clean_items(count: int = 300, *, seed: int = 0) -> list[Item]:
    """Items without any violation, of all classes."""
    rng = np.random.default_rng(seed)
    labels = rng.choice(CODES, size=count)
    sure = rng.uniform(0.9, 1.0, size=count)
    return [
        item(number, label=str(label), sure=float(value))
        for number, (label, value) in enumerate(zip(labels, sure, strict=True))
    ]


def plant(items: list[Item], *, seed: int, share: float = 0.1) -> list[int]:
    """Positions of the items that a test spoils."""
    rng = np.random.default_rng(seed)
    return sorted(rng.choice(len(items), size=int(len(items) * share), replace=False).tolist())
