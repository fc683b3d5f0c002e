"""The encoder `onnx:<file>`: any network exported to ONNX that makes a row of numbers of a picture, by onnxruntime.

Decides what such a file must be like and how pixels are shown to it. Refuses to know where files are kept and who may
name them. All that determines the numbers is inside the file, so that its SHA-256 alone pins them.
"""

from __future__ import annotations

import hashlib
import importlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache
from pathlib import Path
from stat import S_ISREG
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from learning.errors import EncoderError
from learning.features.encoder import check_pixels, resize_regions

if TYPE_CHECKING:
    import onnxruntime

# Raise when the same file would give other numbers: the digest keeps old shards apart from new ones.
REVISION = 1
# ImageNet's, as most exported encoders were trained with; of pixels from 0 to 1.
MEAN = (0.485, 0.456, 0.406)
STD = (0.229, 0.224, 0.225)
EDGE = 224
SMALLEST_EDGE, LARGEST_EDGE = 8, 2048
BATCH = 32
KEYS = ("concord.mean", "concord.std", "concord.edge", "concord.output")
"""What the metadata of a file may say; see `docs/study-folder.md`."""

_LARGEST = float(np.finfo(np.float16).max)
_PROVIDERS = ("CUDAExecutionProvider", "CPUExecutionProvider")
_EXPORT = "Export it again, in one file and with one output (torch.onnx.export(..., external_data=False))."


@dataclass(frozen=True)
class OnnxEncoder:
    """Features of an exported network. See `Encoder`.

    The file is read when pixels are to be encoded, and every byte of it is checked then; the digest needs no file.
    `encode` may be called from several threads; each call computes in its own thread.
    """

    path: Path
    sha256: str
    name: str

    @cached_property
    def digest(self) -> str:
        """SHA-256 (hex) over the file's, what is assumed where the file says nothing, and the revision."""
        content = {"file": self.sha256, "mean": MEAN, "std": STD, "edge": EDGE, "revision": REVISION}
        return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()

    @property
    def dimensions(self) -> int:
        """Length D of a row."""
        return self._network.dimensions

    @property
    def input_edge(self) -> int:
        """Side in px of what the network looks at."""
        return self._network.edge

    def encode(self, pixels: NDArray[np.uint8]) -> NDArray[np.float16]:
        """Describe regions (N, H, W, 3) uint8 of any one size as (N, D) float16, every number finite."""
        check_pixels(pixels)
        network = self._network
        features = np.empty((len(pixels), network.dimensions), dtype=np.float16)
        for start in range(0, len(pixels), network.batch):
            block = resize_regions(pixels[start : start + network.batch], edge=network.edge)
            features[start : start + len(block)] = network.describe(block)
        return features

    @property
    def _network(self) -> Network:
        try:
            stat = self.path.lstat()
        except OSError as error:
            raise EncoderError(_say_missing(self.path.name, self.sha256)) from error
        if not S_ISREG(stat.st_mode):
            raise EncoderError(
                f"The encoder's file '{self.path.name}' is a link or a folder. Put the file itself there."
            )
        return _open(self.path, self.sha256, stat.st_size, stat.st_mtime_ns)


@dataclass(frozen=True)
class Network:
    """An opened file: what it takes (`edge` px, `batch` pictures at a time) and what it gives (D `dimensions`)."""

    file: str
    session: onnxruntime.InferenceSession
    source: str
    output: str
    edge: int
    batch: int
    is_fixed: bool
    mean: tuple[float, ...]
    std: tuple[float, ...]
    dimensions: int = 0

    def describe(self, pixels: NDArray[np.uint8]) -> NDArray[np.float16]:
        """Rows (N, D) of at most `batch` pictures (N, edge, edge, 3)."""
        rows = self.run(pixels).reshape(len(pixels), -1)
        if not np.isfinite(rows).all():
            raise EncoderError(f"'{self.file}' gives numbers that are not finite. Export it with 32-bit weights.")
        result: NDArray[np.float16] = np.clip(rows, -_LARGEST, _LARGEST).astype(np.float16)
        return result

    def run(self, pixels: NDArray[np.uint8]) -> NDArray[Any]:
        """What the network gives for these pictures, in its own shape and type."""
        shown = np.zeros((self.batch if self.is_fixed else len(pixels), 3, self.edge, self.edge), dtype=np.float32)
        given = shown[: len(pixels)]
        given[:] = pixels.transpose(0, 3, 1, 2)
        scale = np.array(self.std, dtype=np.float32) * np.float32(255)
        given -= (np.array(self.mean, dtype=np.float32) * np.float32(255))[:, None, None]
        given /= scale[:, None, None]
        try:
            result = np.asarray(self.session.run([self.output], {self.source: shown})[0])
        except Exception as error:  # onnxruntime's errors share no base of their own
            size = f"{self.edge} x {self.edge} px"
            raise EncoderError(
                f"'{self.file}' can't be run on pictures of {size} ({_first_line(error)}). {_EXPORT}"
            ) from error
        return result[: len(pixels)] if self.is_fixed else result


def open_network(content: bytes, *, file: str) -> Network:
    """Open the bytes of a model and try it once; EncoderError names the `file` and what is wrong with it."""
    session = _start(content, file)
    said = {key: value for key, value in session.get_modelmeta().custom_metadata_map.items() if key in KEYS}
    source, batch, fixed_edge = _check_input(session, file)
    network = Network(
        file=file,
        session=session,
        source=source,
        output=_choose_output(session, said.get("concord.output", ""), file),
        edge=_choose_edge(said, fixed_edge, file),
        batch=batch or BATCH,
        is_fixed=batch is not None,
        mean=_read_colours(said, "concord.mean", MEAN, file),
        std=_read_colours(said, "concord.std", STD, file),
    )
    return replace(network, dimensions=_try(network))


def add_metadata(content: bytes, values: Mapping[str, str], *, file: str) -> bytes:
    """The bytes of a model that says `values` besides; EncoderError where it says one of them already.

    Appended, as protocol buffers allow: two messages one behind the other are one message with the fields of both.
    """
    for key in values:
        if key.encode() in content:
            raise EncoderError(
                f"'{file}' says {key} itself. Leave --{key.removeprefix('concord.')} away, or export anew."
            )
    added = (_field(14, _field(1, key.encode()) + _field(2, text.encode())) for key, text in values.items())
    return content + b"".join(added)


@lru_cache(maxsize=1)
def _open(path: Path, sha256: str, size: int, mtime_ns: int) -> Network:
    """The network of a file; kept, as a study's slides are encoded one after the other."""
    try:
        content = path.read_bytes()
    except OSError as error:
        raise EncoderError(_say_missing(path.name, sha256)) from error
    found = hashlib.sha256(content).hexdigest()
    if found != sha256:
        raise EncoderError(
            f"The encoder's file '{path.name}' has SHA-256 {found}, not {sha256} as pinned. Restore the file, or pin "
            "the new one with 'manage.py pin_encoder' under another name."
        )
    return open_network(content, file=path.name)


def _say_missing(file: str, sha256: str) -> str:
    return (
        f"The encoder's file '{file}' can't be read from the store's folder 'encoders'. Put the file with SHA-256 "
        f"{sha256} there with 'manage.py pin_encoder FILE'."
    )


def _start(content: bytes, file: str) -> onnxruntime.InferenceSession:
    # Imported when needed: only studies with such an encoder pay for it.
    runtime = importlib.import_module("onnxruntime")
    runtime.disable_telemetry_events()
    options = runtime.SessionOptions()
    # Blocks are encoded side by side, and so may workers be: threads that wait for each other would only be in the way.
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 3
    # Weights in other files would not be pinned; nothing can lie below this name.
    options.add_session_config_entry("session.model_external_initializers_file_folder_path", "/dev/null/none")
    providers = [name for name in _PROVIDERS if name in runtime.get_available_providers()]
    try:
        session: onnxruntime.InferenceSession = runtime.InferenceSession(content, options, providers=providers)
    except Exception as error:  # onnxruntime's errors share no base of their own
        if "xternal data" in str(error):
            raise EncoderError(f"'{file}' keeps its weights in another file, which no pin covers. {_EXPORT}") from error
        raise EncoderError(f"'{file}' can't be opened as an ONNX model ({_first_line(error)}). {_EXPORT}") from error
    return session


def _check_input(session: onnxruntime.InferenceSession, file: str) -> tuple[str, int | None, int | None]:
    """Name of the one input, its batch and its edge where they are fixed."""
    inputs = session.get_inputs()
    listed = ", ".join(f"{one.name} {one.type} {one.shape}" for one in inputs) or "none"
    wanted = f"'{file}' must have one input, float32 of shape (N, 3, H, W), but it has: {listed}."
    if len(inputs) != 1 or inputs[0].type != "tensor(float)" or len(inputs[0].shape) != 4:
        raise EncoderError(f"{wanted} Export it with a batch of RGB pictures as its only input.")
    batch, channels, height, width = (one if isinstance(one, int) else None for one in inputs[0].shape)
    if channels not in (3, None):
        raise EncoderError(f"{wanted} Export it with the three channels in second place.")
    if height is not None and width is not None and height != width:
        raise EncoderError(f"'{file}' takes {width} x {height} px, but regions are squares. Export it for one.")
    return inputs[0].name, batch, height if height is not None else width


def _choose_output(session: onnxruntime.InferenceSession, asked: str, file: str) -> str:
    outputs = {one.name: one.shape for one in session.get_outputs()}
    listed = ", ".join(f"{name} {shape}" for name, shape in outputs.items())
    if asked and asked not in outputs:
        raise EncoderError(f"'{file}' has no output '{asked}' (concord.output). It has: {listed}.")
    if not asked and len(outputs) > 1:
        raise EncoderError(
            f"'{file}' has {len(outputs)} outputs: {listed}. Say which one holds the features: "
            "'manage.py pin_encoder FILE --output NAME'."
        )
    return asked or next(iter(outputs))


def _choose_edge(said: Mapping[str, str], fixed: int | None, file: str) -> int:
    text = said.get("concord.edge", "")
    if text and not (text.isascii() and text.isdigit()):
        raise EncoderError(f"'{file}': concord.edge is {text!r}, not a number of pixels.")
    edge = int(text) if text else fixed or EDGE
    if fixed is not None and edge != fixed:
        raise EncoderError(f"'{file}' takes {fixed} x {fixed} px, but its concord.edge is {edge}. Leave --edge away.")
    if not SMALLEST_EDGE <= edge <= LARGEST_EDGE:
        raise EncoderError(f"'{file}' takes {edge} x {edge} px; {SMALLEST_EDGE} to {LARGEST_EDGE} can be shown to it.")
    return edge


def _read_colours(said: Mapping[str, str], key: str, default: tuple[float, ...], file: str) -> tuple[float, ...]:
    """Three numbers, for red, green and blue of pixels from 0 to 1."""
    if key not in said:
        return default
    try:
        values = tuple(float(one) for one in said[key].split(","))
    except ValueError:
        values = ()
    good = len(values) == 3 and all(np.isfinite(values)) and (key != "concord.std" or min(values) > 0)
    if not good:
        form = "three numbers such as 0.5,0.5,0.5, for red, green and blue of pixels from 0 to 1"
        above = ", above 0" if key == "concord.std" else ""
        raise EncoderError(f"'{file}': {key} is {said[key]!r}, but must be {form}{above}.")
    return values


def _try(network: Network) -> int:
    """Length D of a row, as the network gives it: declared shapes may be free or wrong."""
    count = network.batch if network.is_fixed else 2
    found = network.run(np.full((count, network.edge, network.edge, 3), 255, dtype=np.uint8))
    flat = found.ndim == 2 or (found.ndim == 4 and found.shape[2:] == (1, 1))
    if not flat or len(found) != count or found.dtype.kind != "f" or not found.shape[1]:
        raise EncoderError(
            f"'{network.file}' gives {found.dtype} of shape {found.shape} for {count} pictures; a row of numbers for "
            "each is wanted, (N, D) or (N, D, 1, 1). Export it with the pooled features as its output."
        )
    return int(found.shape[1])


def _first_line(error: Exception) -> str:
    return str(error).strip().split("\n")[0][:300]


def _field(number: int, content: bytes) -> bytes:
    """A length-delimited field of a protocol buffer."""
    return bytes([number << 3 | 2]) + _varint(len(content)) + content


def _varint(value: int) -> bytes:
    low, rest = value & 0x7F, value >> 7
    return bytes([low | 0x80]) + _varint(rest) if rest else bytes([low])
