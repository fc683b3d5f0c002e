"""How many threads an encoder computes in: one for each block, where blocks are encoded side by side.

Decides that kernels inside a block use no threads of their own; refuses to know encoders. A kernel that is cut in two
waits for the half that was put aside, and spins meanwhile; blocks wait for nothing.
"""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]


@contextmanager
def one_each() -> Iterator[Callable[[], None]]:
    """BLAS and torch on one thread in the threads that call what is given here first; as before afterwards."""
    # Whoever computes with torch has imported it by now; nobody else need wait for it.
    torch = sys.modules.get("torch")
    before = torch.get_num_threads() if torch else 0
    with threadpool_limits(limits=1, user_api="blas"):
        try:
            # Torch keeps the number for each thread, and a global one for threads to come.
            yield (lambda: torch.set_num_threads(1)) if torch else (lambda: None)
        finally:
            if torch:
                torch.set_num_threads(before)
