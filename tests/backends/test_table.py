"""The table of primitives against what each primitive does, over random layouts, dtypes and values: on the CPU."""

from __future__ import annotations

import tracemalloc
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

import numpy as np
import pytest

from tensorgrad.backends import Backend, device
from tensorgrad.backends.primitives import TABLE, Primitives, names
from tensorgrad.backends.primitives import results as r
from tensorgrad.backends.replay import Workspace, replaying
from tests.backends.operands import Call, Large, place
from tests.backends.primitive_cases import CASES
from tests.backends.primitive_contract import Drawing, assert_same, explore, hold, snapshots, specs

B: Any = device("cpu").backend
# The CPU with the compositions of what it has versions of its own for.
REPLACED = [n for n, row in TABLE.items() if row.default is not None and getattr(type(B), n, None) is not row.default]
COMPOSED: Any = type("Composed", (type(B),), {n: TABLE[n].default for n in REPLACED})()
EXAMPLES = 20
MAKES = [n for n in CASES if TABLE[n].kind == "compute" and TABLE[n].alias == "never" and n != "empty"]
ONE_BY_ONE = [n for n in names(basic=True, arrays=("x",), static=()) if TABLE[n].result in (r.like, r.truth)]


def test_every_row_has_a_case() -> None:
    held = {n for n, row in TABLE.items() if row.kind in ("compute", "view", "check")}
    assert held <= set(CASES)
    assert {TABLE[name].kind for name in set(CASES) - held} == {"query"}


@pytest.mark.parametrize("name", CASES)
def test_the_row_is_what_it_does(name: str) -> None:
    explore(name, EXAMPLES, partial(hold, B))


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64], ids=lambda d: d.__name__)
@pytest.mark.parametrize("name", [n for n in ONE_BY_ONE if n != "invert"])
def test_any_step_between_elements(name: str, dtype: type) -> None:
    """Some of NumPy's loops are for certain distances."""
    primitive = getattr(B, name)
    values: Any = np.linspace(0.25, 2, 37).astype(dtype)
    values[4::5], values[3::7] = np.inf, np.nan
    expected = primitive(values)
    for step in range(1, 18):
        for gap in (step, 1, 3):
            x: Any = np.repeat(values, step)[::step]
            out = np.zeros(37 * gap, expected.dtype)[::gap]
            assert primitive(x, out=out) is out
            np.testing.assert_allclose(out, expected, rtol=4 * float(np.finfo(dtype).eps))


@pytest.mark.parametrize("name", [n for n in REPLACED if n in CASES])
def test_the_composition_does_it_too(name: str) -> None:
    explore(name, EXAMPLES, partial(hold, COMPOSED))


def takes_memory(name: str, drawing: Drawing) -> None:
    """A second run with `out=`, of arrays without gaps, takes nothing that grows with them."""
    call, row = drawing.call, drawing.row
    workspace = Workspace(B)
    again = replaying(B, workspace)
    placed = place(B, call, drawing.seed)
    outs = place(B, Call(drawing.outs), drawing.seed).args
    out = {"out": outs if row.several else outs[0]} if row.takes_out else {}
    primitive = partial(getattr(again, name), *placed.args, **placed.kwargs, **out)
    primitive()
    taken = workspace.mark()
    tracemalloc.start()
    try:
        before = tracemalloc.get_traced_memory()[0]
        primitive()
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert workspace.mark() == taken == 0, "what was taken is not given back"
    assert peak - before < 512 * 1024


@pytest.mark.parametrize(
    "name", [n for n in CASES if TABLE[n].kind == "compute" and TABLE[n].alias == "never" and n != "empty"]
)
def test_what_a_replay_takes_is_given_back(name: str) -> None:
    explore(name, 5, partial(takes_memory, name))


# ---------------------------------------------------------------------- large arrays
SEEDS = range(4)  # dtypes, axes and layouts differ
MOST = 64 << 10
SOMETIMES = {"copyto"}  # takes memory where its arguments overlap
# Take none only of arrays without gaps, by keys of full slices around index arrays, or where values are added.
USUALLY_NONE = {"take_index", "scatter_along_axis", "update_along_axis"}


@contextmanager
def small_buffers() -> Iterator[None]:
    """Those of NumPy's loops, which hold as many elements whatever the arrays' size: up to 64 KiB each."""
    before = np.setbufsize(1024)
    try:
        yield
    finally:
        np.setbufsize(before)


def _peak(call: Callable[[], object]) -> int:
    """Bytes that a call has at most."""
    tracemalloc.start()
    try:
        call()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def taken(backend: Any, name: str, seed: int) -> int:
    """Bytes that a second replay of a large call takes beyond its workspace. It gives what the call gives by itself."""
    d, row = Large(seed), TABLE[name]
    call = CASES[name](d)
    outs = tuple([d.array(*spec, written=True) for spec in specs(row, call)]) if row.takes_out else ()
    placed, targets = place(backend, call, seed), place(backend, Call(outs), seed + 1)
    out = {"out": targets.args if row.several else targets.args[0]} if outs else {}
    primitive = partial(getattr(replaying(backend, Workspace(backend)), name), *placed.args, **placed.kwargs, **out)
    with small_buffers():
        primitive()
        peak = min(_peak(primitive), _peak(primitive))  # while it runs, another thread may take memory too
    if outs and not row.written(placed.args, placed.kwargs):
        alone = getattr(backend, name)(*placed.args, **placed.kwargs)
        assert_same(snapshots(backend, targets.args), snapshots(backend, alone if row.several else [alone]))
    return peak


@pytest.mark.parametrize(
    "name", [n for n, row in TABLE.items() if row.takes_out and row.scratch != "library" and n not in USUALLY_NONE]
)
def test_a_replay_of_large_arrays_takes_no_memory(name: str) -> None:
    for backend in (B, COMPOSED) if name in REPLACED else (B,):
        assert max(taken(backend, name, seed) for seed in SEEDS) <= MOST


@pytest.mark.parametrize("name", [n for n in names(basic=True, scratch="library") if n not in SOMETIMES])
def test_what_takes_memory_of_its_own_needs_it(name: str) -> None:
    """Else its row promises less than it could. (Compositions take what the basic ones take.)"""
    assert any(taken(B, name, seed) > MOST for seed in range(12))


def test_a_primitive_without_a_row_cannot_be_defined() -> None:
    with pytest.raises(TypeError, match=r"primitive 'squish' has no row in backends/primitives/table\.py"):
        type("Squishing", (Primitives,), {"squish": lambda self, x: x})
    with pytest.raises(TypeError, match=r"primitive 'squish' has no row"):
        type("Squishing", (type(B),), {"squish": lambda self, x: x})
    assert issubclass(type("Private", (type(B),), {"_squish": lambda self, x: x}), Backend)
