"""Times work on the device with CUDA events."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise, repeat
from typing import Any

__all__ = ["Clock"]

WARM_UP = 3
WARM_UP_SECONDS = 0.01  # in which an idle card raises its clocks; not more calls than are measured


class Clock:
    """Takes the time between events of the current stream; `cupy` may be the stand-in, whose events are the host's."""

    def __init__(self, cupy: Any, budget: float = 0.1, least: int = 10, most: int = 100) -> None:
        self._cuda = cupy.cuda
        self._budget, self._least, self._most = budget, least, most

    def each(self, call: Callable[[], object]) -> list[float]:
        """Seconds of each of many calls, for work that keeps the device busy longer than the host."""
        return self._measured(call, 1)

    def back_to_back(self, call: Callable[[], object], batch: int = 20) -> list[float]:
        """Seconds a call, of batches of calls, for work so short that the host's part in it counts."""
        return self._measured(call, batch)

    def _measured(self, call: Callable[[], object], batch: int) -> list[float]:
        self._repeated(call, WARM_UP, 1)
        one = self._repeated(call, 1, batch)[0] * batch
        count = self._count(one)
        self._repeated(call, min(count, int(WARM_UP_SECONDS / one)) if one > 0 else 0, batch)
        return self._repeated(call, count, batch)

    def _count(self, seconds: float) -> int:
        wanted = int(self._budget / seconds) if seconds > 0 else self._most
        return max(self._least, min(self._most, wanted))

    def _repeated(self, call: Callable[[], object], times: int, batch: int) -> list[float]:
        """Nothing waits for the device in between: the queue stays full."""
        events = [self._cuda.Event() for _ in range(times + 1)]
        events[0].record()
        for event in events[1:]:
            for _ in repeat(None, batch):
                call()
            event.record()
        events[-1].synchronize()
        elapsed = self._cuda.get_elapsed_time
        return [elapsed(start, end) / 1e3 / batch for start, end in pairwise(events)]
