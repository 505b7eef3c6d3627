"""Sizes that the kernels are tested at, and which of them a sanitizer sees: it starts a process a launch."""

from __future__ import annotations

from typing import Any

from tests.kernels.device import EmulatedDevice

__all__ = ["ROWS", "SHAPES", "SIZES", "some", "some_rows"]

# Each size with a block size and offsets of the arrays: equal (heads and tails), and different from one another.
SIZES = (
    (0, 32, (0, 0, 0)),
    (1, 32, (0, 0, 0)),
    (3, 64, (1, 1, 1)),
    (31, 32, (0, 1, 2)),
    (32, 128, (0, 0, 0)),
    (33, 64, (3, 3, 3)),
    (255, 96, (7, 7, 7)),
    (1000, 32, (5, 1, 4)),
    (4097, 64, (2, 2, 2)),
    (4097, 256, (6, 6, 3)),
)
SHAPES = (
    (1, 1),
    (3, 1),
    (5, 3),
    (33, 4),
    (7, 31),
    (4, 32),
    (64, 33),
    (129, 8),
    (11, 72),
    (3, 1000),
    (1000, 10),
    (0, 5),
)
# (rows, columns), threads, multiprocessors (4 of them prefer a block to a warp for few long rows), offsets.
ROWS = (
    ((0, 5), 64, 1, (0, 0, 0)),
    ((5, 0), 64, 1, (0, 0, 0)),
    ((1, 1), 32, 1, (0, 0, 0)),
    ((40, 3), 64, 1, (1, 1, 1)),
    ((3, 31), 128, 1, (0, 1, 2)),
    ((9, 32), 256, 1, (0, 0, 0)),
    ((2, 255), 96, 4, (3, 3, 3)),
    ((3, 1000), 256, 4, (0, 0, 0)),
    ((33, 10), 32, 1, (2, 5, 7)),
    ((2, 4097), 64, 1, (1, 0, 0)),
    ((17, 33), 64, 1, (4, 4, 4)),
)


def some(device: EmulatedDevice, cases: Any) -> Any:
    """All of them, or every third."""
    return cases[::3] if device.sanitizer else cases


def some_rows(device: EmulatedDevice) -> Any:
    """ROWS, or three of them."""
    return ROWS[3:8:2] if device.sanitizer else ROWS
