"""What a stretch of work costs this process: wall and processor seconds, and its peak of anonymous memory.

Decides that pages of mapped files don't count: the kernel takes those back as it likes. Linux only, for /proc.
"""

import os
import threading
import time
from contextlib import suppress
from pathlib import Path
from types import TracebackType

SAMPLE_SECONDS = 0.01


class Usage:
    """A context; afterwards `seconds`, `processor_seconds` of all threads and `peak_megabytes` (10^6) are known.

    The peak is the largest of samples of RssAnon, a hundredth of a second apart.
    """

    def __init__(self) -> None:
        self.seconds = self.processor_seconds = 0.0
        self.before_megabytes = self.peak_megabytes = read_anonymous()
        self._ended = threading.Event()
        self._sampler = threading.Thread(target=self._sample, daemon=True)

    def describe(self) -> dict[str, float]:
        """The numbers, rounded, with the machine's load of the last minute."""
        return {
            "seconds": round(self.seconds, 2),
            "processor_seconds": round(self.processor_seconds, 2),
            "peak_megabytes": round(self.peak_megabytes, 1),
            "before_megabytes": round(self.before_megabytes, 1),
            "load": round(os.getloadavg()[0], 1),
        }

    def __enter__(self) -> "Usage":
        self._sampler.start()
        self._wall, self._processor = time.perf_counter(), time.process_time()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.seconds = time.perf_counter() - self._wall
        self.processor_seconds = time.process_time() - self._processor
        self._ended.set()
        self._sampler.join()

    def _sample(self) -> None:
        while not self._ended.wait(SAMPLE_SECONDS):
            self.peak_megabytes = max(self.peak_megabytes, read_anonymous())


def read_anonymous() -> float:
    """Megabytes of anonymous memory that this process holds now."""
    with open("/proc/self/status") as status:
        line = next(line for line in status if line.startswith("RssAnon:"))
    return int(line.split()[1]) * 1024 / 1e6


def read_fetched() -> float:
    """Megabytes that this process has had read from a disk so far: what came from the page cache is not in it."""
    with open("/proc/self/io") as counters:
        line = next(line for line in counters if line.startswith("read_bytes:"))
    return int(line.split()[1]) / 1e6


def read_family_seconds(parent: int) -> float:
    """Processor seconds so far of a server: of the process, its children, and those of them that have ended."""
    total = 0.0
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            with suppress(OSError):
                # The name in brackets may hold spaces; behind it come state, parent, and the times from the twelfth on.
                fields = (folder / "stat").read_text().rpartition(")")[2].split()
                if int(folder.name) == parent:
                    total += sum(map(int, fields[11:15]))
                elif int(fields[1]) == parent:
                    total += sum(map(int, fields[11:13]))
    return total / os.sysconf("SC_CLK_TCK")
