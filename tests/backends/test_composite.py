"""Composite primitives: signatures, `out=`, and the CPU's own versions against the compositions they stand for."""

from __future__ import annotations

import inspect
from typing import Any

import numpy as np
import pytest
from scipy import special

import tensorgrad as tg
from tensorgrad.backends import Backend, device
from tensorgrad.backends.cpu.backend import CpuBackend
from tensorgrad.backends.primitives import TABLE

B = device("cpu").backend
RNG = np.random.default_rng(3)
Array = np.ndarray[Any, Any]


@pytest.mark.parametrize("cls", [Backend, CpuBackend])
def test_whatever_makes_arrays_takes_out(cls: type) -> None:
    takes_out = [name for name, row in TABLE.items() if row.takes_out and not row.basic]
    assert len(takes_out) > 50
    for name in takes_out:
        parameters = inspect.signature(getattr(cls, name)).parameters
        assert "out" in parameters, name
        assert parameters["out"].kind is inspect.Parameter.KEYWORD_ONLY, name


def _key() -> Array:
    return np.array([5, 2], np.uint64)


X = RNG.standard_normal((6, 5)).astype(np.float32)
G = RNG.standard_normal((6, 5)).astype(np.float32)
LABELS = RNG.integers(0, 5, 6)
SCALE = RNG.standard_normal((6, 1)).astype(np.float32)
WEIGHT, BIAS = RNG.standard_normal((4, 5)).astype(np.float32), RNG.standard_normal(4).astype(np.float32)
CALLS: dict[str, tuple[Any, ...]] = {
    "softmax_cross_entropy": (X, LABELS),
    "softmax_cross_entropy_backward": (SCALE, special.softmax(X, axis=1), LABELS),
    "bce_with_logits": (4 * X, special.expit(G)),
    "bce_with_logits_backward": (4 * X, special.expit(G)),
    "pick_labels": (X, LABELS),
    "one_hot_rows": (LABELS, 5),
    "leave_one_out": (X,),
    "unbroadcast": (X, (1, 5)),
    "multiply_unless_zero": (G, X),
    "divide_unless_zero": (G, X),
    "multiply_both_unless_zero": (G, X, X[0]),
    "divide_backward": (G, X[0], X),
    "relu": (X,),
    "relu_backward": (G, X),
    "leaky_relu": (X, 0.2),
    "leaky_relu_backward": (G, X, 0.2),
    "sigmoid": (30 * X,),
    "silu": (30 * X,),
    "softplus": (30 * X,),
    "gelu": (4 * X,),
    "gelu_tanh": (4 * X,),
    "silu_backward": (G, 30 * X),
    "gelu_backward": (G, 4 * X),
    "gelu_tanh_backward": (G, 4 * X),
    "tanh_backward": (G, np.tanh(X)),
    "act_backward": (G, np.tanh(X), "tanh"),
    "act_backward_bias_grad": (G, np.maximum(X, 0), "relu"),
    "linear": (X, WEIGHT, BIAS),
    "linear_act": (X, WEIGHT, BIAS, "leaky_relu", 0.2),
    "random_bits": (_key(), 30),
    "random_words64": (_key(), 7),
    "random_uniform": (_key(), (4, 5), np.dtype(np.float32)),
    "random_bernoulli": (_key(), (4, 5), 0.3, np.dtype(np.float16)),
    "random_normal": (_key(), (3, 5), np.dtype(np.float64)),
    "random_integers": (_key(), (3, 5), -2, 9),
    "dropout": (X, _key(), 0.4),
    "dropout_backward": (G, B.dropout(X, _key(), 0.4)[1], _key(), 0.4),
    "total_norm": ([X, G], 2.0),
}


@pytest.mark.parametrize("name", CALLS)
def test_the_cpu_equals_the_composition_and_writes_into_out(name: str) -> None:
    found, defined = getattr(B, name)(*CALLS[name]), getattr(Backend, name)(B, *CALLS[name])
    several = isinstance(found, tuple)
    for mine, its in zip(found, defined, strict=True) if several else [(found, defined)]:
        np.testing.assert_allclose(mine, its, rtol=3e-6, atol=1e-7)
        assert mine.dtype == its.dtype
    for method in (getattr(B, name), lambda *args, out: getattr(Backend, name)(B, *args, out=out)):
        targets = tuple(np.full_like(a, 7, order="C") for a in (found if several else (found,)))
        returned = method(*CALLS[name], out=targets if several else targets[0])
        assert all(r is t for r, t in zip(returned if several else (returned,), targets, strict=True))
        for target, value in zip(targets, found if several else (found,), strict=True):
            np.testing.assert_allclose(target, value, rtol=3e-6, atol=1e-7)


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
@pytest.mark.parametrize("shape", [(1, 1), (7, 3), (5, 40), (0, 4), (3, 0)])
def test_cross_entropy_against_the_formula(dtype: type, shape: tuple[int, int]) -> None:
    logits: Array = (RNG.standard_normal(shape) * 4).astype(dtype)
    labels = RNG.integers(0, max(shape[1], 1), shape[0])
    if not logits.size:
        losses, probabilities = B.softmax_cross_entropy(logits, labels)
        assert (losses.shape, probabilities.shape) == (shape[:1], shape)
        return
    kept = logits.copy()
    losses, probabilities = B.softmax_cross_entropy(logits, labels)
    assert np.array_equal(logits, kept)
    assert losses.dtype == probabilities.dtype == dtype
    wide = special.log_softmax(logits.astype(np.float64), axis=1)
    rows = np.arange(shape[0])
    tolerance: dict[str, Any] = {"rtol": 30 * float(np.finfo(dtype).eps), "atol": 10 * float(np.finfo(dtype).eps)}
    np.testing.assert_allclose(losses, -wide[rows, labels], **tolerance)
    np.testing.assert_allclose(probabilities, np.exp(wide), **tolerance)
    scale: Array = RNG.standard_normal((shape[0], 1)).astype(dtype)
    gradient = B.softmax_cross_entropy_backward(scale, probabilities, labels)
    expected = np.exp(wide)
    expected[rows, labels] -= 1
    np.testing.assert_allclose(gradient, expected * scale, **tolerance)
    assert gradient.dtype == dtype


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_divide_unless_zero(dtype: type) -> None:
    values: Array = np.array([0.0, -0.0, 1.0, -2.5, 1e-4, np.inf, -np.inf, np.nan], dtype)
    g, y = np.repeat(values, 8), np.tile(values, 8)
    with np.errstate(all="ignore"):
        plain = g / y
        for found in (B.divide_unless_zero(g, y), Backend.divide_unless_zero(B, g, y)):
            np.testing.assert_array_equal(found, np.where(g == 0, 0, plain))
    zero: Array = np.zeros((), dtype)
    assert B.divide_unless_zero(zero, zero) == 0
    assert B.divide_unless_zero(g[:0], y[:0]).shape == (0,)


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_multiply_both_unless_zero(dtype: type) -> None:
    values: Array = np.array([0.0, -0.0, 1.0, -2.5, 1e-4, np.inf, -np.inf, np.nan], dtype)
    g, a, b = (x.reshape(-1) for x in np.meshgrid(values, values, values))
    with np.errstate(all="ignore"):
        wide = np.result_type(dtype, np.float32)  # of float16 too it is rounded once
        plain = (g.astype(wide) * a * b).astype(dtype)
        for found in (B.multiply_both_unless_zero(g, a, b), Backend.multiply_both_unless_zero(B, g, a, b)):
            np.testing.assert_array_equal(found, np.where(g == 0, 0, plain))
        small: Array = np.array([1e-3], dtype)
        large: Array = np.array([np.finfo(dtype).max], dtype)
        assert B.multiply_both_unless_zero(small, large, np.array([1.5], dtype)) < np.inf
    assert B.multiply_both_unless_zero(g[:0], a[:0], b[:0]).shape == (0,)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_divide_backward(dtype: type) -> None:
    values: Array = np.array([0.0, -0.0, 1.0, -2.5, 1e-4, np.inf, -np.inf, np.nan], dtype)
    g, x, y = (v.reshape(-1) for v in np.meshgrid(values, values, values))
    with np.errstate(all="ignore"):
        plain = -(g / y) * (x / y)
        for found in (B.divide_backward(g, x, y), Backend.divide_backward(B, g, x, y)):
            np.testing.assert_allclose(found, np.where(g == 0, 0, plain), rtol=4 * float(np.finfo(dtype).eps))
        one: Array = np.ones(1, dtype)
        tiny: Array = np.full(1, np.finfo(dtype).tiny, dtype)
        assert B.divide_backward(tiny, tiny, tiny) == -1  # x / y^2 and 1 / y^2 are infinite
        row = B.divide_backward(np.ones((2, 3), dtype), np.ones((2, 3), dtype), np.full(3, 2, dtype))
        np.testing.assert_array_equal(row, np.full((2, 3), -0.25))
        np.testing.assert_array_equal(B.divide_backward(one, one, 4 * one), -one / 16)
    assert B.divide_backward(g[:0], x[:0], y[:0]).shape == (0,)


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
@pytest.mark.parametrize("axis", [None, 0, 1, (0, 1)])
@pytest.mark.parametrize("rows", [5, 500])
def test_extreme_backward(dtype: type, axis: Any, rows: int) -> None:
    x: Array = RNG.integers(0, 3, (rows, 7)).astype(dtype)
    x[1, 2] = x[1, 5] = x[4, 2] = np.nan
    extreme = x.max(axis=axis, keepdims=True)
    g: Array = np.asarray(RNG.standard_normal(extreme.shape), dtype)
    g.flat[0] = np.inf
    wins = np.where(np.isnan(extreme), np.isnan(x), x == extreme)
    expected = np.where(wins, g.astype(np.float64) / wins.sum(axis=axis, keepdims=True), 0)
    for found in (B.extreme_backward(g, x, extreme, axis=axis), Backend.extreme_backward(B, g, x, extreme, axis=axis)):
        assert found.dtype == dtype
        np.testing.assert_allclose(found, expected, rtol=float(np.finfo(dtype).eps))


def test_more_winners_than_float16_holds() -> None:
    x: Array = np.zeros(70_000, np.float16)
    found = B.extreme_backward(np.array(1000, np.float16), x, np.zeros((), np.float16), axis=None)
    np.testing.assert_allclose(found, 1000 / 70_000, rtol=1e-3)


@pytest.mark.parametrize(("dtype", "most"), [(np.float32, 5e-7), (np.float64, 1e-15)])
def test_erf_everywhere(dtype: type, most: float) -> None:
    x: Array = np.concatenate([np.linspace(-7, 7, 200_001), np.geomspace(1e-30, 1, 20_000)]).astype(dtype)
    x = x[x != 0]
    with np.errstate(all="ignore"):
        found = B.erf(x)
        edges = B.erf(np.array([0.0, -0.0, np.inf, -np.inf, np.nan, 1e30, -1e30], dtype))
    assert found.dtype == dtype
    np.testing.assert_allclose(found, special.erf(x.astype(np.float64)), rtol=most)
    assert np.abs(found).max() == 1
    np.testing.assert_array_equal(edges, np.array([0.0, -0.0, 1.0, -1.0, np.nan, 1.0, -1.0], dtype))
    assert np.signbit(edges[1])
    np.testing.assert_array_equal(B.erf(x[:60].reshape(3, 20).T), B.erf(x[:60]).reshape(3, 20).T)
    assert B.erf(np.array(0.5, dtype)).shape == ()


@pytest.mark.parametrize("dtype", [np.float16, np.float32])
def test_arange_does_not_add_up_a_rounded_step(dtype: type) -> None:
    count = 2000 if dtype == np.float16 else 1_000_000
    found = B.arange(0.0, count * 0.1, 0.1, np.dtype(dtype))
    assert found.dtype == dtype
    np.testing.assert_array_equal(found, np.arange(0.0, count * 0.1, 0.1).astype(dtype))


def test_a_host_number_is_fed_into_its_slot() -> None:
    slot = np.zeros((), np.float64)
    B.feed(slot, 0.25)
    assert slot == 0.25


def test_an_array_is_fed_into_its_slot() -> None:
    slot = np.zeros((2, 3), np.float32)
    B.feed(slot, [[1, 2, 3], [4, 5, 6]])
    np.testing.assert_array_equal(slot, [[1, 2, 3], [4, 5, 6]])
    state = np.zeros(2, np.uint64)
    B.feed(state, (2**64 - 1, 3))
    assert state.tolist() == [2**64 - 1, 3]


def test_wrapped_indices_are_memory_of_their_own() -> None:
    for values in ([0, 2, 1], [0, -1, 1]):
        indices = np.array(values)
        assert not np.shares_memory(B.wrap_indices(indices, 3, what="x"), indices)


# ---------------------------------------------------------------------- narrow indices
def test_narrow_indices_reach_every_place() -> None:
    x = tg.zeros(100, 100, requires_grad=True)
    i = tg.tensor([50], dtype=tg.int8)
    x[i, i].sum().backward()
    assert x.grad is not None
    assert x.grad.nonzero().tolist() == [[50, 50]]


def test_narrow_indices_along_an_axis() -> None:
    x = tg.zeros(3, 100, requires_grad=True)
    index = tg.tensor([[99, 3], [0, 98], [97, 97]], dtype=tg.int8)
    x.gather(1, index).sum().backward()
    expected = np.zeros((3, 100))
    np.add.at(expected, (np.arange(3)[:, None], index.numpy().astype(int)), 1)
    assert x.grad is not None
    assert np.array_equal(x.grad.numpy(), expected)


def test_narrow_negative_indices() -> None:
    x = tg.arange(600).reshape(300, 2)
    assert x[tg.tensor([-1], dtype=tg.int8)].tolist() == [[598, 599]]
    assert x[tg.tensor(-1, dtype=tg.int8)].tolist() == [598, 599]
    assert tg.nn.functional.one_hot(tg.tensor([2, 120], dtype=tg.int8), 300).sum(0).nonzero().tolist() == [[2], [120]]
