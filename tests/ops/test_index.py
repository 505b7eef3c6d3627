"""Indexing with random keys against NumPy, and what the cases cannot say of gathers and sorts.

Gradients have an oracle of their own: the positions that a key selects are found by indexing 0, 1, 2, ... with it in
NumPy, and NumPy adds the output's gradient there.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import tensorgrad as tg
from tensorgrad.autograd import grad, gradgradcheck
from tensorgrad.backends.primitives import INDEX
from tensorgrad.backends.primitives.index import IndexPrimitives
from tensorgrad.errors import ShapeError
from tensorgrad.functional.indexing import argwhere, getitem, index_put, setitem_result, write_item

Array = Any
SIZES = st.integers(0, 4)
SHAPES = st.lists(SIZES, max_size=4).map(tuple)


# ---------------------------------------------------------------------- keys, for NumPy and for us
def basic_entries(size: int) -> st.SearchStrategy[Any]:
    bounds = st.none() | st.integers(-size - 2, size + 2)
    slices = st.builds(slice, bounds, bounds, st.sampled_from([None, 1, 2, 3, -1, -2]))
    return slices | st.integers(-size, size - 1) if size else slices


@st.composite
def basic_keys(draw: st.DrawFn) -> tuple[tuple[int, ...], tuple[Any, ...]]:
    """A shape and a key of ints, slices, None and at most one Ellipsis."""
    shape = draw(SHAPES)
    kept = draw(st.integers(0, len(shape)))
    entries = [draw(basic_entries(n)) for n in shape[:kept]]
    if draw(st.booleans()):
        behind = draw(st.integers(0, len(shape) - kept))
        entries += [..., *(draw(basic_entries(n)) for n in shape[len(shape) - behind :])]
    for _ in range(draw(st.integers(0, 2))):
        entries.insert(draw(st.integers(0, len(entries))), None)
    return shape, tuple(entries)


@st.composite
def index_arrays(draw: st.DrawFn, size: int, shapes: list[tuple[int, ...]]) -> Array:
    shape = draw(st.sampled_from(shapes)) if size else (0,)
    flat = draw(st.lists(st.integers(-size, size - 1), min_size=int(np.prod(shape)), max_size=int(np.prod(shape))))
    return np.array(flat, draw(st.sampled_from([np.int64, np.int32]))).reshape(shape)


@st.composite
def advanced_keys(draw: st.DrawFn) -> tuple[tuple[int, ...], tuple[Any, ...]]:
    """A shape and a key of index arrays that broadcast, masks of one or two dims, ints, slices and None."""
    shape = draw(st.lists(st.integers(1, 4), min_size=1, max_size=4).map(tuple))
    shapes: list[tuple[int, ...]] = draw(st.sampled_from([[(2,), (1,)], [(2, 3), (3,), (2, 1)], [(0,), (1,)], [(1,)]]))
    masked = draw(st.booleans())
    entries: list[Any] = []
    at = 0
    while at < len(shape) and (not entries or draw(st.integers(0, 3))):
        kind = draw(st.sampled_from(["array", "array", "basic", "none", "mask" if masked else "array"]))
        if kind == "none":
            entries.append(None)
        elif kind == "mask":
            wide = draw(st.integers(1, min(2, len(shape) - at)))
            flat = draw(st.lists(st.booleans(), min_size=int(np.prod(shape[at : at + wide])), max_size=16))
            entries.append(np.resize(np.array(flat, bool), shape[at : at + wide]))
            at, masked = at + wide, False
        else:
            entries.append(draw(index_arrays(shape[at], shapes) if kind == "array" else basic_entries(shape[at])))
            at += 1
    return shape, tuple(entries)


def in_numpy(x: Array, key: tuple[Any, ...]) -> Array:
    """x[key] by NumPy, but with the ints taken first, as PyTorch does: NumPy would count them as index arrays."""
    rest: list[Any] = []
    at = 0
    for k in key:
        if isinstance(k, int):
            x = np.take(x, k, axis=at)
            continue
        rest.append(k)
        at += 0 if k is None else k.ndim if isinstance(k, np.ndarray) and k.dtype == bool else 1
    return x[tuple(rest)]


def ours(key: tuple[Any, ...], form: int) -> tuple[Any, ...]:
    """The key with its arrays as tensors, lists or the arrays themselves."""
    forms: tuple[Callable[[Array], Any], ...] = (
        tg.as_tensor,
        lambda a: a.tolist() if a.size else a,
        lambda a: a,
    )
    return tuple(forms[(form + i) % 3](k) if isinstance(k, np.ndarray) else k for i, k in enumerate(key))


def check_key(shape: tuple[int, ...], key: Any, ours: Any, places: Array) -> None:
    """Values, gradient, gradient on the tape, assignment and its gradients, given the flat positions selected."""
    rng = np.random.default_rng(0)
    data = rng.standard_normal(shape)
    x = tg.tensor(data, dtype=tg.float64, requires_grad=True)
    out = x[ours]
    assert out.shape == places.shape
    np.testing.assert_array_equal(out.detach().numpy(), data.reshape(-1)[places])

    g = rng.standard_normal(places.shape)
    expected = np.zeros(data.size)
    np.add.at(expected, places, g)
    for create_graph in (False, True):
        (found,) = grad(out, x, tg.tensor(g, dtype=tg.float64), retain_graph=True, create_graph=create_graph)
        np.testing.assert_allclose(found.detach().numpy(), expected.reshape(shape), rtol=1e-13)
    check_assignment(data, ours, places, rng)


def check_assignment(data: Array, ours: Any, places: Array, rng: np.random.Generator) -> None:
    value = rng.standard_normal([n if rng.random() < 0.7 else 1 for n in places.shape])
    x, v = (tg.tensor(a, dtype=tg.float64, requires_grad=True) for a in (data, value))
    out = setitem_result(x, ours, v)
    candidates = np.broadcast_to(value, places.shape)
    result = out.detach().numpy().reshape(-1)
    untouched = np.ones(data.size, bool)
    untouched[places.reshape(-1)] = False
    np.testing.assert_array_equal(result[untouched], data.reshape(-1)[untouched])
    for place in np.unique(places):
        assert result[place] in candidates[places == place]

    written = tg.tensor(data, dtype=tg.float64)
    write_item(written, ours, v)
    np.testing.assert_array_equal(written.numpy().reshape(-1), result)

    g = rng.standard_normal(data.shape)
    at_x, at_v = grad(out, [x, v], tg.tensor(g, dtype=tg.float64))
    np.testing.assert_array_equal(at_x.numpy().reshape(-1), g.reshape(-1) * untouched)
    stretched = tuple(i for i, n in enumerate(value.shape) if n != places.shape[i])
    np.testing.assert_allclose(at_v.numpy(), g.reshape(-1)[places].sum(stretched, keepdims=True), rtol=1e-13)


def positions(shape: tuple[int, ...]) -> Array:
    return np.arange(int(np.prod(shape))).reshape(shape)


# ---------------------------------------------------------------------- random keys
@settings(deadline=None)
@given(basic_keys())
def test_basic_keys(drawn: tuple[tuple[int, ...], tuple[Any, ...]]) -> None:
    shape, key = drawn
    check_key(shape, key, key, np.asarray(positions(shape)[key]))


@settings(deadline=None)
@given(basic_keys())
def test_basic_keys_give_views(drawn: tuple[tuple[int, ...], tuple[Any, ...]]) -> None:
    shape, key = drawn
    x = tg.zeros(shape)
    x[key].fill_(1)
    expected = np.zeros(shape)
    expected[key] = 1
    np.testing.assert_array_equal(x.numpy(), expected)


@settings(deadline=None)
@given(advanced_keys(), st.integers(0, 2))
def test_advanced_keys(drawn: tuple[tuple[int, ...], tuple[Any, ...]], form: int) -> None:
    shape, key = drawn
    try:
        places = np.asarray(in_numpy(positions(shape), key))
    except IndexError:  # a mask that selects a number of places which does not broadcast with the other arrays
        with pytest.raises(ShapeError, match="must broadcast"):
            getitem(tg.zeros(shape), ours(key, form))
        return
    check_key(shape, key, ours(key, form), places)


@pytest.mark.parametrize("key", [[0, 1], (slice(1), [0]), (0, [0, 0]), True, tg.tensor([True, False])])
def test_results_of_index_arrays_are_new(key: Any) -> None:
    x = tg.zeros(2, 3)
    x[key].fill_(1)
    assert not x.numpy().any()


# ---------------------------------------------------------------------- chosen keys
@pytest.mark.parametrize(
    "key",
    [
        (tg.tensor(1), slice(None), tg.tensor([0, 2])),  # PyTorch takes a 0-d index for an int ...
        (1, slice(None), tg.tensor([0, 2])),
        (np.int32(1), slice(None), [0, 2]),
    ],
)
def test_ints_come_before_index_arrays(key: Any) -> None:
    x = np.arange(24.0).reshape(2, 3, 4)
    assert tg.tensor(x)[key].tolist() == x[1][:, [0, 2]].tolist()


@pytest.mark.parametrize("flag", [True, False, np.True_, tg.tensor(True), tg.tensor(False)])
def test_bools_add_a_dim(flag: Any) -> None:
    x = np.arange(6.0).reshape(2, 3)
    assert tg.tensor(x)[flag].tolist() == x[bool(flag)].tolist()
    assert tg.tensor(x)[0, flag, 1:].tolist() == x[0][bool(flag), 1:].tolist()


def test_duplicates_accumulate() -> None:
    x = tg.zeros(3, requires_grad=True)
    weights = tg.tensor([1.0, 10.0, 100.0, 1000.0])
    (x[[0, 2, 0, -1]] * weights).sum().backward()
    assert x.grad is not None
    assert x.grad.tolist() == [101.0, 0.0, 1010.0]


def test_float32_stays_float32() -> None:
    x = tg.randn(5, 3, requires_grad=True)
    index = tg.tensor([[0, 1, 1], [2, 0, 0]])
    for out in (x[1], x[index], x[index, 0], x.gather(0, index), x.sort(0).values, x[x > 0]):
        assert out.dtype == tg.float32
        assert grad(out.sum(), x)[0].dtype == tg.float32


@pytest.mark.parametrize("shape", [(7, 5), (3, 7, 5), (3, 7)])
def test_scatters_into_memory_in_any_order(shape: tuple[int, ...]) -> None:
    """The gradient's memory is contiguous, that of an in-place target need not be: the same sums come out."""
    rng = np.random.default_rng(0)
    B = tg.device("cpu").backend
    axis = shape.index(7)
    index = rng.integers(0, 7, 20)
    values = rng.standard_normal((*shape[:axis], 20, *shape[axis + 1 :]))
    key: tuple[Any, ...] = (*(slice(None),) * axis, index)
    expected = np.zeros(shape)
    np.add.at(expected, key, values)
    for target in (
        np.zeros(shape),
        np.zeros(shape[::-1]).T,
        np.zeros(tuple(2 * n for n in shape))[tuple(slice(0, None, 2) for _ in shape)],
    ):
        B.put_index(target, values, index, key=(*(slice(None),) * axis, INDEX), accumulate=True)
        np.testing.assert_allclose(target, expected, rtol=1e-13)


@pytest.mark.parametrize("indices", [[0, 3], [-4, 3, -1], [], [[2], [-2]]])
def test_the_wrapping_of_indices_is_its_composition(indices: list[Any]) -> None:
    B, array = tg.device("cpu").backend, np.array(indices, np.int64)
    expected = np.arange(4)[array].tolist()
    assert B.wrap_indices(array, 4, what="x").tolist() == expected
    assert IndexPrimitives.wrap_indices(B, array, 4, what="x").tolist() == expected


def test_second_order_through_assignment_and_gathers() -> None:
    rng = np.random.default_rng(0)
    x = tg.tensor(rng.standard_normal((4, 3)), dtype=tg.float64, requires_grad=True)
    v = tg.tensor(rng.standard_normal(3), dtype=tg.float64, requires_grad=True)
    index = tg.tensor([0, 2, 2])

    def function(x: tg.Tensor, v: tg.Tensor) -> tg.Tensor:
        y = setitem_result(x * x, (index[:2], slice(None)), v * v)
        return index_put(y, (index, index), v * v * v, accumulate=True)[:, index] ** 2

    assert gradgradcheck(function, [x, v])


# ---------------------------------------------------------------------- assignment in place
@pytest.mark.parametrize("recorded", [False, True])
def test_assignment_in_place(recorded: bool) -> None:
    data = np.arange(12.0).reshape(3, 4)
    leaf = tg.tensor(data, dtype=tg.float64, requires_grad=recorded)
    x, expected = leaf * 1, data.copy()
    assignments: list[tuple[Any, Any]] = [
        (1, 5.0),
        ((slice(None), -1), [7.0, 8.0, 9.0]),
        ([0, 2], np.ones((2, 4))),
        ((..., [1, 0]), 3),
        (slice(None, None, -2), [[1.0, 2.0, 3.0, 4.0]]),
    ]
    for key, value in assignments:
        x[key] = value
        expected[key] = value
    x[x > 6] = 0.5
    expected[expected > 6] = 0.5
    np.testing.assert_array_equal(x.detach().numpy(), expected)


def test_assignment_converts_the_value() -> None:
    x = tg.zeros(3, dtype=tg.int64)
    x[1] = tg.tensor(2)
    x[2] = True
    assert x.tolist() == [0, 2, 1]
    y = tg.zeros(2)
    y[0] = tg.tensor(3, dtype=tg.int64)
    assert y.dtype == tg.float32
    assert y.tolist() == [3.0, 0.0]


def test_an_index_changed_before_backward_does_not_matter() -> None:
    x = tg.zeros(3, requires_grad=True)
    index = tg.tensor([0, 1])
    y = x[index]
    index[0] = 2
    y.sum().backward()
    assert x.grad is not None
    assert x.grad.tolist() == [1, 1, 0]


# ---------------------------------------------------------------------- order
def test_nan_is_the_greatest() -> None:
    x = tg.tensor([1.0, float("nan"), -1.0, float("inf")])
    assert x.argsort().tolist() == [2, 0, 3, 1]
    assert x.argsort(descending=True).tolist() == [1, 3, 0, 2]
    assert x.topk(1).indices.tolist() == [1]


@settings(deadline=None)
@given(st.lists(st.integers(-3, 3), max_size=20), st.booleans())
def test_sorting_is_stable(numbers: list[int], descending: bool) -> None:
    order = sorted(range(len(numbers)), key=lambda i: -numbers[i] if descending else numbers[i])
    values, indices = tg.sort(tg.tensor(numbers, dtype=tg.int64), descending=descending)
    assert indices.tolist() == order
    assert values.tolist() == sorted(numbers, reverse=descending)


def test_sorted_pairs_have_names() -> None:
    x = tg.tensor([3.0, 1.0, 2.0], requires_grad=True)
    found = tg.topk(x, 2)
    assert found.values.tolist() == [3.0, 2.0]
    assert found.indices.tolist() == [0, 2]
    assert found.indices.dtype == tg.int64
    assert not found.indices.requires_grad


def test_argwhere_is_nonzero() -> None:
    x = np.array([[0, 1], [2, 0]])
    assert argwhere(tg.tensor(x)).tolist() == np.argwhere(x).tolist()
