"""Small exported networks for tests: a convolution, its positive part and its mean, written with onnx.helper."""

from collections.abc import Mapping, Sequence

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from learning.features.onnx import MEAN, STD

DIMENSIONS = 12
STRIDE = 4
RANKS = {"rows": 2, "pooled": 4, "maps": 4, "sum": 2}


def weights(seed: int = 0) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Kernels (D, 3, 5, 5) and offsets (D,)."""
    generator = np.random.default_rng(seed)
    kernels = generator.normal(0, 0.2, (DIMENSIONS, 3, 5, 5)).astype(np.float32)
    return kernels, generator.normal(0, 0.2, DIMENSIONS).astype(np.float32)


def network(
    *,
    shape: Sequence[int | str | None] = ("n", 3, 32, 32),
    kind: int = TensorProto.FLOAT,
    gives: str = "rows",
    metadata: Mapping[str, str] | None = None,
    seed: int = 0,
    gain: float = 1.0,
) -> bytes:
    """The bytes of a network. `gives`: "rows" (N, D), "pooled" (N, D, 1, 1), "maps", "both" or "two inputs"."""
    kernels, offsets = weights(seed)
    size = {"kernel_shape": [5, 5], "strides": [STRIDE, STRIDE]}
    source = "x" if kind == TensorProto.FLOAT else "y"
    nodes = [
        *([] if source == "x" else [helper.make_node("Cast", ["x"], ["y"], to=TensorProto.FLOAT)]),
        helper.make_node("Conv", [source, "kernels", "offsets"], ["conv"], **size),
        helper.make_node("Relu", ["conv"], ["maps"]),
        helper.make_node("GlobalAveragePool", ["maps"], ["pooled"]),
        helper.make_node("Flatten", ["pooled"], ["rows"]),
    ]
    outputs = {"both": ["pooled", "rows"], "two inputs": ["sum"]}.get(gives, [gives])
    inputs = [helper.make_tensor_value_info("x", kind, shape)]
    if gives == "two inputs":
        inputs.append(helper.make_tensor_value_info("age", TensorProto.FLOAT, ["n", 1]))
        nodes.append(helper.make_node("Add", ["rows", "age"], ["sum"]))
    graph = helper.make_graph(
        nodes,
        "small",
        inputs,
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, [None] * RANKS[name]) for name in outputs],
        [numpy_helper.from_array(kernels * np.float32(gain), "kernels"), numpy_helper.from_array(offsets, "offsets")],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    helper.set_model_props(model, dict(metadata or {}))
    onnx.checker.check_model(model)
    return model.SerializeToString()


def ask_torch(
    pixels: NDArray[np.uint8], *, mean: Sequence[float] = MEAN, std: Sequence[float] = STD
) -> NDArray[np.float64]:
    """What torch makes of pictures (N, H, W, 3) with the same weights, in double precision: (N, D)."""
    import torch

    kernels, offsets = (torch.from_numpy(one) for one in weights())
    shown = torch.from_numpy(pixels).permute(0, 3, 1, 2).double() / 255
    shown = (shown - torch.tensor(list(mean)).view(3, 1, 1)) / torch.tensor(list(std)).view(3, 1, 1)
    maps = torch.nn.functional.conv2d(shown, kernels.double(), offsets.double(), stride=STRIDE)
    result: NDArray[np.float64] = torch.relu(maps).mean(dim=(2, 3)).numpy()
    return result


def with_weights_apart(content: bytes) -> bytes:
    """The same network as exporters write it by default: its weights in another file, which is not there."""
    model = onnx.load_from_string(content)
    kernels = model.graph.initializer[0]
    kernels.ClearField("raw_data")
    kernels.data_location = TensorProto.EXTERNAL
    kernels.external_data.add(key="location", value="small.onnx.data")
    return model.SerializeToString()
