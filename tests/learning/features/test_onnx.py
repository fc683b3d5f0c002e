"""`onnx:<file>`: what torch says, onnxruntime says; and a file that is not fit is named with what to do about it."""

import hashlib
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto

from learning.errors import EncoderError
from learning.features import Encoder
from learning.features.onnx import OnnxEncoder, add_metadata, open_network
from tests import exported
from tests.exported import ask_torch


def write(folder: Path, content: bytes, *, file: str = "small.onnx") -> OnnxEncoder:
    path = folder / file
    path.write_bytes(content)
    return OnnxEncoder(path, hashlib.sha256(content).hexdigest(), f"onnx:{file}")


def draw(count: int, *, edge: int = 32, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (count, edge, edge, 3), dtype=np.uint8)


@pytest.mark.parametrize("shape", [("n", 3, 32, 32), (1, 3, 32, 32), (5, 3, 32, 32), ("n", 3, None, None)])
@pytest.mark.parametrize("gives", ["rows", "pooled"])
def test_features_are_those_of_torch_whatever_is_fixed(tmp_path: Path, shape: tuple, gives: str) -> None:
    metadata = {"concord.edge": "32"} if shape[2] is None else {}
    encoder = write(tmp_path, exported.network(shape=shape, gives=gives, metadata=metadata))
    pixels = draw(37)
    features = encoder.encode(pixels)
    assert isinstance(encoder, Encoder)
    assert (encoder.dimensions, encoder.input_edge) == (exported.DIMENSIONS, 32)
    assert features.shape == (37, exported.DIMENSIONS) and features.dtype == np.float16
    np.testing.assert_allclose(features, ask_torch(pixels), rtol=1e-3, atol=1e-4)
    np.testing.assert_allclose(encoder.encode(pixels[20:23]), features[20:23], rtol=2e-3, atol=1e-4)
    assert encoder.encode(pixels).tobytes() == features.tobytes()
    assert encoder.encode(pixels[:0]).shape == (0, exported.DIMENSIONS)


def test_a_file_may_say_how_it_wants_its_pixels(tmp_path: Path) -> None:
    said = {"concord.mean": "0.5, 0.4, 0.3", "concord.std": "0.2,0.3,0.4"}
    pixels = draw(4)
    expected = ask_torch(pixels, mean=(0.5, 0.4, 0.3), std=(0.2, 0.3, 0.4))
    np.testing.assert_allclose(
        write(tmp_path, exported.network(metadata=said)).encode(pixels), expected, rtol=1e-3, atol=1e-4
    )
    # Said afterwards, by appended bytes: the same network to onnx and to onnxruntime.
    content = add_metadata(exported.network(), said, file="late.onnx")
    onnx.checker.check_model(content)
    late = write(tmp_path, content, file="late.onnx")
    np.testing.assert_allclose(late.encode(pixels), expected, rtol=1e-3, atol=1e-4)
    with pytest.raises(EncoderError, match="'late.onnx' says concord.mean itself. Leave --mean away"):
        add_metadata(content, said, file="late.onnx")


def test_regions_of_any_size_are_shown_at_its_edge(tmp_path: Path) -> None:
    encoder = write(tmp_path, exported.network())
    flat = np.full((2, 200, 200, 3), 90, dtype=np.uint8)
    np.testing.assert_array_equal(encoder.encode(flat), encoder.encode(flat[:, :32, :32]))
    free = write(tmp_path, exported.network(shape=("n", 3, "h", "w")), file="free.onnx")
    assert free.input_edge == 224


def test_digest_follows_the_content_of_the_file_and_not_its_name(tmp_path: Path) -> None:
    one = write(tmp_path, exported.network())
    same = write(tmp_path, exported.network(), file="copy.onnx")
    other = write(tmp_path, exported.network(seed=1), file="other.onnx")
    told = write(tmp_path, exported.network(metadata={"concord.std": "1,1,1"}), file="told.onnx")
    assert one.digest == same.digest
    assert len({one.digest, other.digest, told.digest}) == 3
    one.path.unlink()
    assert OnnxEncoder(one.path, one.sha256, one.name).digest == same.digest


def test_numbers_too_large_for_half_precision_are_the_largest_there_are(tmp_path: Path) -> None:
    features = write(tmp_path, exported.network(gain=1e7)).encode(draw(3))
    assert np.isfinite(features).all() and features.max() == np.finfo(np.float16).max


def test_numbers_that_are_none_are_an_error(tmp_path: Path) -> None:
    encoder = write(tmp_path, exported.network(gain=float("inf")))
    with pytest.raises(EncoderError, match="'small.onnx' gives numbers that are not finite"):
        encoder.encode(draw(3))


def test_a_file_that_is_missing_or_changed_is_named_with_its_pin(tmp_path: Path) -> None:
    encoder = write(tmp_path, exported.network())
    assert encoder.dimensions == exported.DIMENSIONS
    content = bytearray(encoder.path.read_bytes())
    content[-1] ^= 1
    encoder.path.write_bytes(content)
    with pytest.raises(EncoderError, match=f"'small.onnx' has SHA-256 .* not {encoder.sha256} as pinned. Restore"):
        encoder.encode(draw(2))
    encoder.path.unlink()
    with pytest.raises(EncoderError, match=f"'small.onnx' can't be read .* SHA-256 {encoder.sha256} there with"):
        encoder.encode(draw(2))
    encoder.path.symlink_to(write(tmp_path, exported.network(), file="other.onnx").path)
    with pytest.raises(EncoderError, match="'small.onnx' is a link or a folder"):
        encoder.encode(draw(2))


WHOLE = exported.network()
UNFIT = {
    "cut off": (WHOLE[: len(WHOLE) // 2], "can't be opened as an ONNX model .* Export it again"),
    "nothing": (b"", "can't be opened as an ONNX model"),
    "text": (b"<html>Not found</html>", "can't be opened as an ONNX model"),
    "weights apart": (exported.with_weights_apart(WHOLE), "in another file, which no pin covers.*external_data=False"),
    "two inputs": (exported.network(gives="two inputs"), r"one input, float32 .* has: x .* age"),
    "half precision": (exported.network(kind=TensorProto.FLOAT16), r"float32 .* tensor\(float16\)"),
    "bytes": (exported.network(kind=TensorProto.UINT8), r"float32 .* tensor\(uint8\)"),
    "channels last": (exported.network(shape=("n", 32, 32, 3)), "channels in second place"),
    "grey": (exported.network(shape=("n", 1, 32, 32)), "channels in second place"),
    "oblong": (exported.network(shape=("n", 3, 32, 48)), "48 x 32 px, but regions are squares"),
    "maps": (exported.network(gives="maps"), r"\(2, 12, 7, 7\) for 2 pictures.*pooled features"),
    "two outputs": (exported.network(gives="both"), "2 outputs: pooled .*, rows .*--output NAME"),
    "no such output": (exported.network(metadata={"concord.output": "z"}), "no output 'z'.* It has: rows"),
    "another edge": (exported.network(metadata={"concord.edge": "64"}), "takes 32 x 32 px, but its concord.edge is 64"),
    "edge": (exported.network(metadata={"concord.edge": "big"}), "concord.edge is 'big', not a number"),
    "tiny": (exported.network(shape=("n", 3, None, None), metadata={"concord.edge": "6"}), "6 x 6 px; 8 to 2048"),
    "mean": (exported.network(metadata={"concord.mean": "0.5"}), "concord.mean is '0.5', but must be three numbers"),
    "std": (exported.network(metadata={"concord.std": "1,1,0"}), "concord.std .* three numbers .* above 0"),
}


@pytest.mark.parametrize("case", UNFIT)
def test_a_file_that_is_not_fit_says_why_and_what_to_do(case: str) -> None:
    content, said = UNFIT[case]
    with pytest.raises(EncoderError, match=said) as caught:
        open_network(content, file="small.onnx")
    assert "'small.onnx'" in str(caught.value)


def test_the_output_with_the_features_may_be_named() -> None:
    found = open_network(exported.network(gives="both", metadata={"concord.output": "rows"}), file="small.onnx")
    assert (found.output, found.dimensions) == ("rows", exported.DIMENSIONS)


def test_weights_that_lie_in_the_working_folder_are_not_taken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "small.onnx.data").write_bytes(exported.weights()[0].tobytes())
    with pytest.raises(EncoderError, match="in another file"):
        open_network(exported.with_weights_apart(WHOLE), file="small.onnx")
