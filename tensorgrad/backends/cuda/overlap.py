"""Whether two arrays may share memory, by their addresses.

CuPy's `may_share_memory` looks no further where two arrays were not made from one allocation, so it does not see that
arrays overlap of which one came in from another library.
"""

from __future__ import annotations

from tensorgrad.backends.primitives import Array

__all__ = ["overlap"]


def overlap(x: Array, y: Array) -> bool:
    """Whether the least and the greatest address of one lie about the other. An element of both there need not be."""
    first_of_x, end_of_x = _reach(x)
    first_of_y, end_of_y = _reach(y)
    return first_of_x < end_of_y and first_of_y < end_of_x


def _reach(x: Array) -> tuple[int, int]:
    """The first address of an array, and the one after its last."""
    first: int = x.data.ptr
    if x.flags.c_contiguous:
        return first, first + x.nbytes
    steps = [(n - 1) * stride for n, stride in zip(x.shape, x.strides, strict=True)]
    return first + sum(s for s in steps if s < 0), first + sum(s for s in steps if s > 0) + x.itemsize
