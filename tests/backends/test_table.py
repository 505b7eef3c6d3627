"""The table of primitives against what each primitive does, over random layouts, dtypes and values: on the CPU."""

from __future__ import annotations

import tracemalloc
from functools import partial

import numpy as np
import pytest

from tensorgrad.backends import Backend, device
from tensorgrad.backends.primitives import TABLE, Primitives, names
from tensorgrad.backends.primitives import results as r
from tensorgrad.backends.replay import Workspace, replaying
from tests.backends.operands import Call, place
from tests.backends.primitive_cases import CASES
from tests.backends.primitive_contract import Drawing, explore, hold

B = device("cpu").backend
EXAMPLES = 25
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
    values = np.linspace(0.25, 2, 37).astype(dtype)
    values[4::5], values[3::7] = np.inf, np.nan
    expected = primitive(values)
    for step in range(1, 18):
        for gap in (step, 1, 3):
            x, out = np.zeros(37 * step, dtype)[::step], np.zeros(37 * gap, expected.dtype)[::gap]
            x[...] = values
            assert primitive(x, out=out) is out
            np.testing.assert_allclose(out, expected, rtol=4 * float(np.finfo(dtype).eps))


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


LARGE = np.linspace(-1.0, 1.0, 1 << 20, dtype=np.float32).reshape(1024, 1024)
ROW_WISE = {"softmax", "log_softmax", "softmax_backward", "log_softmax_backward"}


@pytest.mark.parametrize(
    "name",
    [n for n, row in TABLE.items() if row.arrays in (("x",), ("x", "y"), ("g", "y"), ("g", "x")) and row.takes_out
     and row.scratch != "library" and row.alias == "never" and not row.static and n not in ("pad", "invert")
     and not n.startswith(("bitwise", "left", "right"))],
)  # fmt: skip
def test_large_arrays_are_worked_on_in_scratch(name: str) -> None:
    row = TABLE[name]
    again = replaying(B, Workspace(B))
    args = (LARGE,) * len(row.arrays)
    options = {"axis": 1} if name in ROW_WISE else {}
    assert row.result is not None
    shape, dtype = row.result(*args, **options)
    primitive = partial(getattr(again, name), *args, **options, out=np.empty(shape, dtype))
    primitive()
    tracemalloc.start()
    try:
        primitive()
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 256 * 1024 < LARGE.nbytes


def test_a_primitive_without_a_row_cannot_be_defined() -> None:
    with pytest.raises(TypeError, match=r"primitive 'squish' has no row in backends/primitives/table\.py"):
        type("Squishing", (Primitives,), {"squish": lambda self, x: x})
    with pytest.raises(TypeError, match=r"primitive 'squish' has no row"):
        type("Squishing", (type(B),), {"squish": lambda self, x: x})
    assert issubclass(type("Private", (type(B),), {"_squish": lambda self, x: x}), Backend)
