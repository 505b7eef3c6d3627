"""Workloads of known cost and known result: the control by which the harness itself is tested."""

from __future__ import annotations

from time import sleep

from bench.workload import Loop

__all__ = ["breaking", "endless", "spin"]


def count_to(limit: int) -> None:
    number = 0
    while number < limit:
        number += 1


def spin(limit: int) -> Loop:
    """Work proportional to `limit`."""
    return Loop(lambda: count_to(limit))


def breaking(limit: int) -> Loop:
    """A workload that raises when it is timed, and does nothing until then."""

    def fail() -> None:
        raise ArithmeticError(f"cannot count to {limit}")

    return Loop(fail)


def endless() -> Loop:
    """A workload that is never made."""
    while True:
        sleep(1)
