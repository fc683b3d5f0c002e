"""What the ensemble thinks of every region of a pool, in bounded memory and compact arrays.

Decides the numbers kept per region. Refuses to know which of them a strategy will use.
"""

import functools
import os
from concurrent.futures import ThreadPoolExecutor

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import ThreadpoolController  # type: ignore[import-untyped]

from learning.models import Ensemble, fill_unknown
from learning.query.scores import Scores

FloatArray = NDArray[np.float32]
_CELLS = 1 << 17  # probabilities of a block: so many that a call of numpy is worth it, so few that they stay cached
_MOST_ROWS = 8192
_WIDENED = 256  # rows that are float32 at a time: they are multiplied before they leave the cache
_SMALL = 10**6  # products that OpenBLAS sums up without putting the rows in order first, which costs as much as the sum
_FEWEST_ROWS = 32  # with less of them it is the calls that cost
_HALF_BITS = np.int32(-0x70002000)  # sign, exponent and mantissa of a half, moved into a float


def score_blocks(ensemble: Ensemble, features: NDArray[np.floating], *, block: int | None = None) -> Scores:
    """Score features (N, D), which may be a memory-mapped float16 array, block by block.

    Keeps the mean's two best classes and their margin (Scheffer et al. 2001), its entropy, and the
    split of that entropy into mutual information, which more labels can remove, and mean entropy of
    the members, which they cannot (Depeweg et al. 2018; Houlsby et al. 2011). Nats; at most 255 classes.
    `block`: rows at a time; None for as many as suit the ensemble.
    """
    scores = Scores.allocate(len(features))
    block = block or min(max(_CELLS // ensemble.biases.size, 1), _MOST_ROWS)
    workers = os.cpu_count() or 1
    starts = range(0, len(features), block)
    left = iter(starts)

    def work(_worker: int) -> None:
        bench = _Bench(ensemble, block)
        # One list for all workers: on a busy machine one of them gets less of its core, and takes fewer.
        for start in left:
            rows = slice(start, min(start + block, len(features)))
            bench.score(features[rows], scores, rows)

    # One BLAS thread each: the element-wise half of the work is then spread over the cores as well.
    with _find_pools().limit(limits=1, user_api="blas"), ThreadPoolExecutor(workers) as pool:
        for _ in pool.map(work, range(min(workers, len(starts)))):
            pass
    return scores


@functools.cache
def _find_pools() -> ThreadpoolController:
    """The thread pools of the libraries loaded so far: looking for them takes as long as scoring a thousand regions."""
    return ThreadpoolController()


class _Bench:
    """Buffers of one worker, used again for every block: fresh memory costs more than the sums done in it.

    Classes lie on axis 1 of (M, K, n), so that every reduction runs along contiguous memory.
    """

    def __init__(self, ensemble: Ensemble, block: int) -> None:
        self._shape = members, width, classes = ensemble.weights.shape
        scale = np.float32(1 / ensemble.temperature)
        stacked = ensemble.weights.transpose(1, 0, 2).reshape(width, members * classes)
        self._weights = np.ascontiguousarray(stacked) * scale
        self._bias = ensemble.biases.reshape(-1, 1).astype(np.float32) * scale
        self._known = ensemble.known
        small = _SMALL // stacked.size
        self._step = min(block, small) if small >= _FEWEST_ROWS else block
        self._widened = np.empty((min(self._step, _WIDENED), width), dtype=np.float32)
        self._products = np.empty((block, members * classes), dtype=np.float32)
        self._logits = np.empty(members * classes * block, dtype=np.float32)
        self._proba = np.empty(members * classes * block, dtype=np.float32)
        self._mean = np.empty(classes * block, dtype=np.float32)

    def score(self, features: NDArray[np.floating], scores: Scores, rows: slice) -> None:
        members, _, classes = self._shape
        count = len(features)
        logits = self._logits[: members * classes * count].reshape(members * classes, count)
        np.add(self._multiply(features).T, self._bias, out=logits)
        mean, within = self._mix(logits.reshape(members, classes, count))
        bits = self._logits[: mean.size].view(np.int32).reshape(mean.shape)
        best, runner, scores.top1[rows], scores.top2[rows] = find_top_two(mean, bits=bits)
        scores.margin[rows] = best - runner
        scores.confidence[rows] = best
        scores.mean_entropy[rows] = within
        if members == 1:
            scores.entropy[rows], scores.mutual_information[rows] = scores.mean_entropy[rows], 0
            return
        whole = _measure_entropy(mean, axis=0)
        scores.entropy[rows] = whole
        scores.mutual_information[rows] = np.maximum(whole - within, 0)

    def _multiply(self, features: NDArray[np.floating]) -> FloatArray:
        """Logits but for the bias, (n, M x K): turning them later costs less than BLAS loses by writing them turned."""
        products = self._products[: len(features)]
        if features.dtype == np.float32:
            # As a stack of pieces in one call: between calls the workers would wait for each other.
            pieces, step = len(features) // self._step, self._step
            whole = pieces * step
            parts = products[:whole].reshape(pieces, step, products.shape[1])
            np.matmul(features[:whole].reshape(pieces, step, features.shape[1]), self._weights, out=parts)
            np.matmul(features[whole:], self._weights, out=products[whole:])
            return products
        step = len(self._widened)
        for start in range(0, len(features), step):
            part = features[start : start + step]
            np.matmul(widen(part, out=self._widened[: len(part)]), self._weights, out=products[start : start + step])
        return products

    def _mix(self, logits: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Mean of the members' probabilities (K, n) and mean of their entropies (n,)."""
        logits -= logits.max(axis=1, keepdims=True)
        proba = self._proba[: logits.size].reshape(logits.shape)
        mean = self._mean[: logits[0].size].reshape(logits.shape[1:])
        np.exp(logits, out=proba)
        total = proba.sum(axis=1)
        share = 1 / total
        if not self._known.all():
            proba *= share[:, None]
            fill_unknown(proba.transpose(0, 2, 1), known=self._known)
            return proba.mean(axis=0, out=mean), _measure_entropy(proba, axis=1).mean(axis=0)
        # H(p) = log(sum exp z) - sum p z: one logarithm a row instead of one a class.
        entropy = np.log(total) - np.einsum("mkn,mkn->mn", proba, logits) * share
        share /= np.float32(len(proba))
        return np.einsum("mkn,mn->kn", proba, share, out=mean), entropy.mean(axis=0)


def widen(features: NDArray[np.floating], *, out: FloatArray) -> FloatArray:
    """Features as float32: themselves, or in `out`. Finite halves by shifting bits, thrice as fast as numpy's cast."""
    if features.dtype == np.float32:
        return features
    if features.dtype != np.float16:
        np.copyto(out, features)
        return out
    bits = out.view(np.int32)
    np.copyto(bits, features.view(np.int16))
    np.left_shift(bits, 13, out=bits)
    np.bitwise_and(bits, _HALF_BITS, out=bits)
    out *= np.float32(2.0**112)
    return out


def find_top_two(
    proba: FloatArray, *, bits: NDArray[np.int32] | None = None
) -> tuple[FloatArray, FloatArray, NDArray[np.uint8], NDArray[np.uint8]]:
    """Best and second probability of each column of (K, n), and their classes; K <= 255. `bits`: (K, n) to work in.

    The class rides in the lowest eight bits of its probability, whose order as an integer is the same:
    no two are equal. What lies below the best by d is 2^32 - d without a sign, the best itself 0, so that
    the second is the highest of those. Probabilities are exact to 2^-15 of themselves.
    """
    bits = np.bitwise_and(proba.view(np.int32), np.int32(-256), out=bits)
    bits |= np.arange(len(proba), dtype=np.int32)[:, None]
    best = bits.max(axis=0)
    bits -= best
    runner = best + bits.view(np.uint32).max(axis=0).view(np.int32) if len(bits) > 1 else np.zeros_like(best)
    first, second = (best & 255).astype(np.uint8), (runner & 255).astype(np.uint8)
    return _strip(best), _strip(runner), first, second


def _strip(bits: NDArray[np.int32]) -> FloatArray:
    result: FloatArray = (bits & np.int32(-256)).view(np.float32)
    return result


def _measure_entropy(proba: FloatArray, *, axis: int) -> FloatArray:
    result: FloatArray = -(proba * np.log(np.maximum(proba, 1e-12))).sum(axis=axis)
    return result
