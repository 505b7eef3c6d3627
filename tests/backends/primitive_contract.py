"""What a row of the table promises of a primitive, held against what it does: the same for every device.

`explore` draws calls of a primitive, and `hold` does with one of them all that its row can be held to.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tensorgrad.backends.cuda.overlap import overlap
from tensorgrad.backends.primitives import TABLE, Row, Spec
from tensorgrad.backends.primitives import results as r
from tensorgrad.errors import TensorgradError
from tests.backends.operands import Call, Drawn, Host, Operand, Placed, in_numpy, place
from tests.backends.primitive_cases import CASES

__all__ = ["Drawing", "assert_same", "explore", "hold", "snapshots", "specs"]

Array = Any

_ELEMENTWISE = (r.like, r.truth, r.broadcast, r.broadcast_truth, r.chosen, r.converted)
_PASSES: dict[str, Callable[..., Any]] = {
    "check_bounds": lambda x, low, high: (x >= low) & (x < high),
    "check_range": lambda x, low, high: (x >= low) & (x <= high),
    "check_finite": np.isfinite,
    "check_nonzero": lambda x: x != 0,
}


@dataclass(frozen=True)
class Drawing:
    """A call, arrays for its results, and a seed for the values of all."""

    name: str
    call: Call
    outs: tuple[Operand, ...]
    seed: int

    @property
    def row(self) -> Row:
        return TABLE[self.name]

    def placed(self, backend: Any, *, more: int = 0) -> Placed:
        """The call's arrays, with other values for each `more`."""
        return place(backend, self.call, self.seed + more)


@st.composite
def _drawings(draw: st.DrawFn, name: str) -> Drawing:
    d, row = Drawn(draw), TABLE[name]
    call = CASES[name](d)
    outs = tuple([d.array(*spec, written=True) for spec in specs(row, call)]) if row.takes_out else ()
    return Drawing(name, call, outs, draw(st.integers(0, 2**32 - 1)))


def explore(name: str, examples: int, check: Callable[[Drawing], None]) -> None:
    """`check` calls of the primitive, the same ones in every run."""

    @settings(max_examples=examples, derandomize=True, database=None, deadline=None)
    @given(_drawings(name))
    def run(drawing: Drawing) -> None:
        check(drawing)

    run()


def hold(backend: Any, drawing: Drawing) -> None:
    """Hold one call against its row."""
    if drawing.row.kind == "query":
        _hold_query(backend, drawing)
    elif drawing.row.kind == "check":
        _hold_check(backend, drawing)
    elif not _refused(backend, drawing):
        _hold_reads_and_writes(backend, drawing)
        _hold_results(backend, drawing)
        _hold_layouts(backend, drawing)
        if drawing.row.takes_out:
            _hold_out(backend, drawing, tuple([Operand(x.shape, x.dtype, x.values, x.shape) for x in drawing.outs]))
            _hold_out(backend, drawing, drawing.outs)
            _hold_in_place(backend, drawing)


def specs(row: Row, call: Call | Placed) -> tuple[Spec, ...]:
    """What the row says that a call makes."""
    assert row.result is not None
    found = row.result(*call.args, **call.kwargs)
    return (found,) if isinstance(found, Spec) else found


# ---------------------------------------------------------------------- calls and what they leave
@dataclass(frozen=True)
class Outcome:
    """The results, and the values of them and of all memory that the arguments lie in."""

    results: tuple[Array, ...]
    values: list[Host]
    memory: list[Host]


def _run(backend: Any, row: Row, placed: Placed, **out: Any) -> Outcome:
    returned = getattr(backend, row.name)(*placed.args, **placed.kwargs, **out)
    assert isinstance(returned, tuple) == row.several
    results = returned if isinstance(returned, tuple) else () if returned is None else (returned,)
    return Outcome(results, snapshots(backend, results), snapshots(backend, placed.bases))


def snapshots(backend: Any, arrays: Any) -> list[Host]:
    """The values on the host."""
    return [np.array(backend.to_numpy(x)) for x in arrays]


def assert_same(found: list[Host], expected: list[Host], *, bits: bool = True) -> None:
    """The same bits, but that one nan is as good as another; or the same but for rounding in the coarsest dtype."""
    slack = 64 * max([float(np.finfo(x.dtype).eps) for x in found if x.dtype.kind == "f"], default=0.0)
    for x, y in zip(found, expected, strict=True):
        assert (x.shape, x.dtype) == (y.shape, y.dtype)
        if x.dtype.kind == "f" and not bits:
            np.testing.assert_allclose(x, y, rtol=slack, atol=slack)
            continue
        np.testing.assert_array_equal(x, y)
        if x.dtype.kind == "f":
            number = ~np.isnan(x)
            np.testing.assert_array_equal(np.signbit(x[number]), np.signbit(y[number]))


def _shares(x: Array, y: Array) -> bool:
    """Whether the memory of one lies about that of the other."""
    if not math.prod(x.shape) or not math.prod(y.shape):
        return False
    return np.may_share_memory(x, y) if isinstance(x, np.ndarray) else overlap(x, y)


def _overlaps_itself(x: Array) -> bool:
    return 0 not in x.shape and any(n > 1 and not step for n, step in zip(x.shape, x.strides, strict=True))


# ---------------------------------------------------------------------- what is written, read and made
def _hold_reads_and_writes(backend: Any, drawing: Drawing) -> None:
    """Nothing changes but the arrays that are marked, and of their buffers nothing but what they show. What is marked
    as not read ends up the same whatever was in it."""
    row, placed = drawing.row, drawing.placed(backend)
    read, written = (_places(placed, arrays(placed.args, placed.kwargs)) for arrays in (row.read, row.written))
    before = snapshots(backend, placed.bases)
    after = _run(backend, row, placed).memory
    for number, (operand, old, new) in enumerate(zip(placed.operands, before, after, strict=True)):
        may_change = np.zeros(old.shape, bool)
        if number in written:
            in_numpy(operand, may_change)[...] = True
        assert_same([new[~may_change]], [old[~may_change]])
    if unread := written - read:
        other = drawing.placed(backend)
        for number in unread:
            backend.full((), 3, placed.arrays[number].dtype, out=other.arrays[number])
        _run(backend, row, other)
        assert_same(snapshots(backend, other.arrays), snapshots(backend, placed.arrays))


def _places(placed: Placed, arrays: list[Array]) -> set[int]:
    return {i for i, array in enumerate(placed.arrays) if any(array is x for x in arrays)}


def _hold_results(backend: Any, drawing: Drawing) -> None:
    """The results are arrays of the device, of the shapes and dtypes that the row says, in memory as it says."""
    row, placed, other = drawing.row, drawing.placed(backend), drawing.placed(backend, more=1)
    expected = specs(row, placed) if row.result is not None else None
    results, again = (_run(backend, row, p).results for p in (placed, other))
    assert all(isinstance(x, backend.array_type) for x in results)
    assert expected is None or tuple([Spec(x.shape, x.dtype) for x in results]) == expected
    shared = [[_shares(x, base) for base in placed.bases] for x in results]
    assert not any(_shares(x, y) for x in results for y in again), "two calls gave the same memory"
    assert not any(any(s[1:]) for s in shared)
    if row.alias == "never":
        assert not any(any(s) for s in shared)
        assert not any(_overlaps_itself(x) for x in results)
    elif 0 not in results[0].shape:
        assert shared[0][0] == _shares(again[0], other.bases[0]), "whether memory is shared depends on values"
        assert shared[0][0] == backend.is_view(results[0], placed.args[0])
        assert shared[0][0] or row.alias != "always"


def _hold_layouts(backend: Any, drawing: Drawing) -> None:
    """How the operands lie in memory makes no difference but for rounding."""
    row, placed = drawing.row, drawing.placed(backend)
    if row.name == "empty":
        return
    packed = place(backend, drawing.call, drawing.seed, packed=True)
    found, expected = ([*_run(backend, row, p).values, *snapshots(backend, p.arrays)] for p in (placed, packed))
    assert_same(found, expected, bits=False)


# ---------------------------------------------------------------------- where results go
def _hold_out(backend: Any, drawing: Drawing, outs: tuple[Operand, ...]) -> None:
    """`out` itself comes back, with the bits of a call without it, and nothing around it has changed."""
    row, placed = drawing.row, drawing.placed(backend)
    alone = _run(backend, row, drawing.placed(backend))
    targets = place(backend, Call(outs), drawing.seed + 1)
    before = snapshots(backend, targets.bases)
    found = _run(backend, row, placed, out=targets.args if row.several else targets.args[0])
    assert all(x is y for x, y in zip(found.results, targets.args, strict=True))
    assert_same(found.values, alone.values, bits=_keeps_bits(*outs))
    assert_same(found.memory, alone.memory)
    for operand, old, new in zip(outs, before, snapshots(backend, targets.bases), strict=True):
        around = np.ones(old.shape, bool)
        in_numpy(operand, around)[...] = False
        assert_same([new[around]], [old[around]])


def _hold_in_place(backend: Any, drawing: Drawing) -> None:
    """Each operand of an elementwise primitive that is as the result may be `out`."""
    row, call = drawing.row, drawing.call
    if row.result not in _ELEMENTWISE or row.indices or "axis" in (*row.static, *call.kwargs):
        return
    (spec,) = specs(row, call)
    alone = _run(backend, row, drawing.placed(backend))
    for number, operand in enumerate(drawing.placed(backend).operands):
        if Spec(operand.shape, operand.dtype) == spec and not operand.overlaps:
            placed = drawing.placed(backend)
            out = placed.arrays[number]
            found = _run(backend, row, placed, out=out)
            assert found.results[0] is out
            assert_same(found.values, alone.values, bits=_keeps_bits(operand))


def _keeps_bits(*outs: Operand) -> bool:
    """Through memory that is walked backwards NumPy goes with other loops, which round exp and log in their own way."""
    return not any(x.backwards for x in outs)


# ---------------------------------------------------------------------- questions, checks, refusals
def _hold_query(backend: Any, drawing: Drawing) -> None:
    """The answer is the same for other values."""
    query = getattr(backend, drawing.name)
    placed, other = drawing.placed(backend), drawing.placed(backend, more=1)
    assert query(*placed.args, **placed.kwargs) == query(*other.args, **other.kwargs)


def _hold_check(backend: Any, drawing: Drawing) -> None:
    """It raises, at the latest when the host waits, where a value is outside, and writes nothing."""
    row, placed = drawing.row, drawing.placed(backend)
    before = snapshots(backend, placed.bases)
    x, *bounds = placed.args
    if _PASSES[row.name](backend.to_numpy(x), *bounds).all():
        _check(backend, row, placed)
    else:
        with pytest.raises(TensorgradError, match=placed.kwargs["what"]):
            _check(backend, row, placed)
    assert_same(snapshots(backend, placed.bases), before)


def _check(backend: Any, row: Row, placed: Placed) -> None:
    assert getattr(backend, row.name)(*placed.args, **placed.kwargs) is None
    if hasattr(backend, "synchronize"):
        backend.synchronize()


def _refused(backend: Any, drawing: Drawing) -> bool:
    """Whether it is the view that cannot be had of every layout. What `can_reshape` says is what happens."""
    if drawing.name not in ("reshape", "reshaped"):
        return False
    placed = drawing.placed(backend)
    if backend.can_reshape(*placed.args):
        assert backend.is_view(backend.reshape(*placed.args), placed.args[0])
        return False
    with pytest.raises(ValueError, match="without a copy"):
        backend.reshape(*placed.args)
    return drawing.name == "reshape"
