"""Workloads of known cost and known result: the control by which the harness itself is tested."""

from __future__ import annotations

from bench.workload import Loop

__all__ = ["spin"]


def count_to(limit: int) -> None:
    number = 0
    while number < limit:
        number += 1


def spin(limit: int) -> Loop:
    """Work proportional to `limit`."""
    return Loop(lambda: count_to(limit))
