"""What a worker process can be asked to time."""

from __future__ import annotations

from collections.abc import Callable
from itertools import repeat
from time import perf_counter
from typing import Protocol

__all__ = ["Loop", "Workload"]


class Workload(Protocol):
    """Something with a cost per repetition and, optionally, a result by which contenders can be compared."""

    def time(self, repetitions: int) -> float:
        """Seconds that `repetitions` repetitions took; setting up may be left out of them."""

    def check(self) -> list[float]:
        """Numbers that every contender doing the same work must reproduce; empty if there are none."""


class Loop:
    """The plainest workload: one call, repeated."""

    def __init__(self, call: Callable[[], object]) -> None:
        self._call = call

    def time(self, repetitions: int) -> float:
        call = self._call
        start = perf_counter()
        for _ in repeat(None, repetitions):
            call()
        return perf_counter() - start

    def check(self) -> list[float]:
        return []
