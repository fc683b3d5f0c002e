"""Embedding a slide file: regions a second from disk to features, as a share of the bare forward pass.

The forward pass alone gets the same blocks, decoded and in memory, over the same threads; both take turns in one
process, so that a busy machine slows both. `share` is the median over the turns; `cpu_share` is that of processor
seconds, which tells the work apart from the waiting. The kernels' own threads are tried too (`by_kernels`): where they
were faster than blocks side by side, they are what is compared with.
"""

import hashlib
import logging
import os
import tempfile
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from learning import embedding, pipeline
from learning.features import Encoder, threads
from learning.features import onnx as exported
from learning.features.cnn.encoder import StudyCnn
from learning.features.cnn.network import NetworkSettings, build
from learning.features.onnx import OnnxEncoder
from learning.slides.reader import open_slide
from learning.slides.synthetic import labs, smear
from learning.slides.synthetic.catalogue import CELL_CLASSES
from learning.slides.synthetic.writer import write_pyramid
from learning.slides.tiles import read_patch

BAR = 0.8
TURNS = 5
KERNEL_TURNS = 1
REGIONS = {"study-cnn": 512, "resnet": 256}
EDGES = {"study-cnn": 96, "resnet": 224}
_REAL = "CMU-1-Small-Region.svs"


class ResNet(nn.Module):
    """Of the size of ResNet-18 (He et al. 2016) without its last layer: 11.2 M weights, 1.8 GMAC at 224 px."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Sequential(
            nn.Conv2d(3, 64, 7, stride=2, padding=3, bias=False),
            nn.BatchNorm2d(64),
            nn.ReLU(),
            nn.MaxPool2d(3, stride=2, padding=1),
        )
        widths = (64, 64, 64, 128, 128, 256, 256, 512, 512)
        self.blocks = nn.Sequential(*(_Block(*pair) for pair in zip(widths, widths[1:], strict=False)))

    def forward(self, pixels: Tensor) -> Tensor:
        result: Tensor = self.blocks(self.stem(pixels)).mean(dim=(2, 3))
        return result


class _Block(nn.Module):
    def __init__(self, width: int, wider: int) -> None:
        super().__init__()
        stride = 1 if width == wider else 2
        self.body = nn.Sequential(
            nn.Conv2d(width, wider, 3, stride=stride, padding=1, bias=False),
            nn.BatchNorm2d(wider),
            nn.ReLU(),
            nn.Conv2d(wider, wider, 3, padding=1, bias=False),
            nn.BatchNorm2d(wider),
        )
        self.skip: nn.Module = nn.Identity()
        if stride > 1:
            self.skip = nn.Sequential(nn.Conv2d(width, wider, 1, stride=stride, bias=False), nn.BatchNorm2d(wider))

    def forward(self, maps: Tensor) -> Tensor:
        return torch.relu(self.body(maps) + self.skip(maps))


def measure_embedding(*, turns: int = TURNS, regions: dict[str, int] | None = None) -> dict[str, Any]:
    """Each encoder on a synthetic pyramid, and on a real slide where there is one; `share` is the least of them."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        encoders = {"study-cnn": _make_cnn(), "resnet": export_resnet(folder / "resnet.onnx")}
        slides = {"synthetic": draw_slide(folder / "smear.tif"), "svs": _find_real()}
        cases = {
            f"{encoder}_{slide}": measure(encoders[encoder], path, encoder, turns, (regions or REGIONS)[encoder])
            for slide, path in slides.items()
            if path is not None
            for encoder in encoders
        }
    return {**cases, "share": min(one["share"] for one in cases.values()), "bound_share": BAR}


def measure(encoder: Encoder, path: Path, name: str, turns: int, count: int) -> dict[str, Any]:
    """Medians of turns: from the file, and from memory."""
    rectangles = place(path, edge=EDGES[name], count=count)
    with open_slide(path) as reader:
        edge = encoder.input_edge
        shown = [read_patch(reader, x=x, y=y, width=w, height=h, edge=edge) for x, y, w, h in rectangles.tolist()]
    blocks = [np.stack(shown[start : start + embedding.BLOCK]) for start in range(0, count, embedding.BLOCK)]

    def read_and_encode() -> NDArray[np.float16]:
        with open_slide(path) as reader:
            return embedding.encode(reader, rectangles, encoder, lambda done, total: None)

    def encode_in_memory() -> NDArray[np.float16]:
        with threads.one_each() as begin:
            found = pipeline.run(blocks, first=_hand_on, second=encoder.encode, threads=_cores(), begin=begin)
            with closing(found) as rows:
                return np.concatenate(list(rows))

    def encode_by_kernels() -> NDArray[np.float16]:
        with _by_kernels(encoder) as encode:
            return np.concatenate([encode(block) for block in blocks])

    spent: dict[str, list[tuple[float, float]]] = {"whole": [], "bare": [], "by_kernels": []}
    before = os.getloadavg()[0]
    for turn in range(turns):
        spent["whole"].append(_time(read_and_encode))
        spent["bare"].append(_time(encode_in_memory))
        if turn < KERNEL_TURNS:
            spent["by_kernels"].append(_time(encode_by_kernels))
    wall = {key: np.array([one[0] for one in taken]) for key, taken in spent.items()}
    cpu = {key: np.array([one[1] for one in taken]) for key, taken in spent.items()}
    fastest = np.minimum(wall["bare"], np.median(wall["by_kernels"]))
    return {
        "regions": count,
        "edge_px": EDGES[name],
        "regions_per_second": round(count / float(np.median(wall["whole"])), 1),
        "bare_per_second": round(count / float(np.median(wall["bare"])), 1),
        "by_kernels_per_second": round(count / float(np.median(wall["by_kernels"])), 1),
        "share": round(float(np.median(fastest / wall["whole"])), 3),
        "cpu_share": round(float(np.median(cpu["bare"] / cpu["whole"])), 3),
        "forward_cpu_ms": round(float(np.median(cpu["bare"])) / count * 1000, 2),
        "reading_cpu_ms": round(float(np.median(cpu["whole"] - cpu["bare"])) / count * 1000, 2),
        "load_before": round(before, 1),
        "load_after": round(os.getloadavg()[0], 1),
    }


def place(path: Path, *, edge: int, count: int) -> NDArray[np.int32]:
    """`count` squares in rows over the slide, off its tile grid, overlapping where the slide is too small for them."""
    with open_slide(path) as reader:
        width, height = reader.dimensions
    columns = min(int((width - 20) // edge), int(np.ceil((count * width / height) ** 0.5)))
    rows = int(np.ceil(count / columns))
    step = min(edge, int((height - 20 - edge) // max(1, rows - 1)))
    boxes = [(13 + edge * column, 7 + step * row, edge, edge) for row in range(rows) for column in range(columns)]
    return np.array(boxes[:count], dtype=np.int32)


def draw_slide(path: Path) -> Path:
    """A smear of four equal quarters as a pyramid of JPEG tiles."""
    rng = np.random.default_rng(0)
    plan = smear.plan_smear(count=90, region_edge=96, shares=np.ones(len(CELL_CLASSES)), rng=rng)
    quarter = smear.render_smear(plan, lab=labs.LABS[0], rng=rng)
    write_pyramid(path, np.tile(quarter, (2, 2, 1)), um_per_px=smear.UM_PER_PX)
    return path


def export_resnet(path: Path) -> OnnxEncoder:
    """Random weights of a fixed seed, exported by torch in one file; what it gives is held against torch."""
    with torch.random.fork_rng(), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        logging.disable(logging.WARNING)
        torch.random.default_generator.manual_seed(0)
        network = ResNet().eval()
        shown = torch.rand(2, 3, 224, 224)
        torch.onnx.export(
            network, (shown,), path, dynamo=True, dynamic_shapes=({0: "n"},), external_data=False, verbose=False
        )
        logging.disable(logging.NOTSET)
        with torch.inference_mode():
            expected = network(shown).numpy()
    content = path.read_bytes()
    opened = exported.open_network(content, file=path.name)
    found = opened.session.run([opened.output], {opened.source: shown.numpy()})[0]
    np.testing.assert_allclose(found, expected, rtol=1e-3, atol=1e-4)
    return OnnxEncoder(path, hashlib.sha256(content).hexdigest(), "onnx:resnet.onnx")


def _make_cnn() -> StudyCnn:
    settings = NetworkSettings()
    return StudyCnn(build(settings, classes=2, seed=0).eval(), settings, "random")


def _find_real() -> Path | None:
    path = Path(os.environ.get("CONCORD_SHARED", "../shared")) / "data" / "slides" / _REAL
    return path if path.is_file() else None


@contextmanager
def _by_kernels(encoder: Encoder) -> Iterator[Callable[[NDArray[np.uint8]], NDArray[np.float16]]]:
    """One block after the other, each kernel cut over all cores."""
    if not isinstance(encoder, OnnxEncoder):
        before = torch.get_num_threads()
        torch.set_num_threads(_cores())
        try:
            yield encoder.encode
        finally:
            torch.set_num_threads(before)
        return
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = _cores()
    session = onnxruntime.InferenceSession(encoder.path, options, providers=["CPUExecutionProvider"])
    opened = replace(exported.open_network(encoder.path.read_bytes(), file=encoder.path.name), session=session)
    parts = range(0, embedding.BLOCK, opened.batch)
    yield lambda block: np.concatenate([opened.describe(block[start : start + opened.batch]) for start in parts])


def _time(work: Callable[[], object]) -> tuple[float, float]:
    """Seconds by the wall and of the processor."""
    wall, cpu = time.perf_counter(), time.process_time()
    work()
    return time.perf_counter() - wall, time.process_time() - cpu


def _hand_on(block: NDArray[np.uint8]) -> NDArray[np.uint8]:
    return block


def _cores() -> int:
    return os.cpu_count() or 1
