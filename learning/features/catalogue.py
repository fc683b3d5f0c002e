"""Encoders by name.

Decides which names a study may ask for. Refuses to know what an encoder does.
"""

from collections.abc import Callable

from learning.features.colour_texture import ColourTexture
from learning.features.encoder import Encoder

ENCODERS: dict[str, Callable[[], Encoder]] = {"colour-texture": ColourTexture}


def get_encoder(name: str) -> Encoder:
    """The encoder of this name. Raises ValueError that lists the known names for any other."""
    if name not in ENCODERS:
        known = ", ".join(sorted(ENCODERS))
        raise ValueError(f"There is no encoder named {name!r}. Known encoders: {known}.")
    return ENCODERS[name]()
