"""Two stages of work, each in threads of its own, the first ahead of the second by a bounded number of items.

Decides how far ahead, that results keep the order of the items, and that no thread is left when it ends, whatever ends
it; refuses to know what the stages do.
"""

from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

Item = TypeVar("Item")
Half = TypeVar("Half")
Whole = TypeVar("Whole")


def run(
    items: Iterable[Item],
    *,
    first: Callable[[Item], Half],
    second: Callable[[Half], Whole],
    threads: int,
    begin: Callable[[], None] = lambda: None,
) -> Generator[Whole]:
    """`second(first(item))` of each item, in order; each stage has `threads` threads, which begin with `begin`.

    At most four items a thread are under way at a time. An error of a stage is raised where its result would have been.
    Close the iterator (`contextlib.closing`) where it may be left before its end: work that has begun is waited for,
    and what has not is dropped.
    """
    early = ThreadPoolExecutor(threads, thread_name_prefix="first", initializer=begin)
    late = ThreadPoolExecutor(threads, thread_name_prefix="second", initializer=begin)

    def finish(half: Future[Half]) -> Whole:
        return second(half.result())

    try:
        halves = _submit(early, first, items, ahead=2 * threads)
        for whole in _submit(late, finish, halves, ahead=2 * threads):
            yield whole.result()
    finally:
        # Both queues are emptied before either is waited for: the late stage may be waiting for the early one.
        early.shutdown(wait=False, cancel_futures=True)
        late.shutdown(wait=True, cancel_futures=True)
        early.shutdown(wait=True)


def _submit(
    pool: ThreadPoolExecutor, work: Callable[[Item], Whole], items: Iterable[Item], *, ahead: int
) -> Iterator[Future[Whole]]:
    """Futures in the order of the items, each handed on when `ahead` of them have been submitted."""
    waiting: deque[Future[Whole]] = deque()
    for item in items:
        waiting.append(pool.submit(work, item))
        if len(waiting) >= ahead:
            yield waiting.popleft()
    yield from waiting
