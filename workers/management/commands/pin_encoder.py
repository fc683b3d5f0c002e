"""`manage.py pin_encoder FILE`: an exported encoder is tried, put into the store, and pinned by its SHA-256."""

import hashlib
import time
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

import numpy as np
from django.core.management.base import BaseCommand, CommandError

from annotation import encoders, store
from annotation.encoders import Exported
from learning.errors import EncoderError
from learning.features.onnx import KEYS, Network, add_metadata, open_network

_TIMED_PICTURES = 8


class Command(BaseCommand):
    help = (
        "Try an ONNX file (one float32 input of RGB pictures (N, 3, H, W), one row of numbers each) and put it into "
        "the store's folder 'encoders'. What is said here and not by the file's metadata (concord.mean, concord.std, "
        "concord.edge, concord.output) is written into the copy, so that the SHA-256 pins it too. Prints the line for "
        "study.toml. Exit code 1 when the file is not fit; nothing is stored then."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", type=Path, help="the exported network, weights inside")
        parser.add_argument("--name", help="its name in the store (default: that of FILE)")
        parser.add_argument("--mean", metavar="R,G,B", help="subtracted from pixels of 0 to 1 (default: ImageNet's)")
        parser.add_argument("--std", metavar="R,G,B", help="what they are then divided by (default: ImageNet's)")
        parser.add_argument("--edge", metavar="PX", help="side of the pictures where the file leaves it free (224)")
        parser.add_argument("--output", metavar="NAME", help="the output with the features, where there are several")

    def handle(self, *args: Any, **options: Any) -> None:
        source: Path = options["file"]
        file = options["name"] or source.name
        said = {key: options[key.removeprefix("concord.")] for key in KEYS}
        try:
            stored = encoders.stored_name(file)
            known = {key: text for key, text in said.items() if text is not None}
            content = add_metadata(source.read_bytes(), known, file=file)
            network = open_network(content, file=file)
        except OSError as error:
            raise CommandError(f"{source} can't be read: {error.strerror}.") from error
        except EncoderError as error:
            raise CommandError(str(error)) from error
        except ValueError as error:
            raise CommandError(f"{error}. Give another with --name.") from error
        exported = Exported(file, hashlib.sha256(content).hexdigest())
        _keep(exported, content, stored)
        self.stdout.write(_describe(network, exported))


def _keep(exported: Exported, content: bytes, stored: str) -> None:
    """Write file and pin; another file of the name stays, as studies may have pinned it."""
    path = exported.path
    if path.is_symlink() or (path.exists() and path.read_bytes() != content):
        raise CommandError(
            f"The store has another file '{exported.file}', which studies may have pinned. Give this one another name "
            "with --name."
        )
    if not path.exists():
        store.put_bytes(stored, content)
    encoders.write_pin(exported)


def _describe(network: Network, exported: Exported) -> str:
    mean, std = (", ".join(f"{value:g}" for value in values) for values in (network.mean, network.std))
    return (
        f"{exported.file}: regions are shown as {network.edge} x {network.edge} px and give {network.dimensions:,} "
        f"numbers each.\nNormalised by mean {mean} and deviation {std}; about {_time(network) * 1000:,.3g} ms a region "
        f"and core here.\nIt lies in the store's folder '{encoders.FOLDER}'. In study.toml, below [policy]:\n\n"
        f'encoder = "{exported.name}"'
    )


def _time(network: Network) -> float:
    """Seconds a region."""
    count = min(_TIMED_PICTURES, network.batch)
    pictures = np.zeros((count, network.edge, network.edge, 3), dtype=np.uint8)
    begun = time.perf_counter()
    network.describe(pictures)
    return (time.perf_counter() - begun) / count
