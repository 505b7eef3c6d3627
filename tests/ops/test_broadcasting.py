"""Broadcasting under hypothesis: any shapes that NumPy broadcasts, with the gradients summed back."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

import tensorgrad as tg

Array = np.ndarray[Any, Any]

# The function, and the gradients of its two operands for the gradient g of the result, before they are summed.
FUNCTIONS: dict[str, tuple[Callable[..., Any], Callable[[Array, Array, Array], tuple[Array, Array]]]] = {
    "add": (lambda x, y: x + y, lambda g, x, y: (g, g)),
    "sub": (lambda x, y: x - y, lambda g, x, y: (g, -g)),
    "mul": (lambda x, y: x * y, lambda g, x, y: (g * y, g * x)),
    "div": (lambda x, y: x / y, lambda g, x, y: (g / y, -g * x / y**2)),
}

shapes = arrays.mutually_broadcastable_shapes(num_shapes=2, max_dims=4, min_side=0, max_side=3)


def _summed_to(g: Array, shape: tuple[int, ...]) -> Array:
    """The sum over every index of `g` that maps to the same index of `shape`, one by one."""
    total = np.zeros(shape)
    places = np.broadcast_to(np.arange(total.size).reshape(shape), g.shape)
    for place, value in zip(places.reshape(-1), g.reshape(-1), strict=True):
        total.reshape(-1)[place] += value
    return total


@pytest.mark.parametrize("name", FUNCTIONS)
@settings(max_examples=60, deadline=None)
@given(shapes=shapes, seed=st.integers(0, 2**32 - 1))
def test_any_two_shapes(name: str, shapes: arrays.BroadcastableShapes, seed: int) -> None:
    function, slopes = FUNCTIONS[name]
    rng = np.random.default_rng(seed)
    x, y = (np.asarray(rng.uniform(0.5, 2, shape)) for shape in shapes.input_shapes)
    a, b = (tg.tensor(v, requires_grad=True) for v in (x, y))
    result = function(a, b)
    assert result.shape == shapes.result_shape
    np.testing.assert_array_equal(result.detach().numpy(), function(x, y))
    g = np.asarray(rng.standard_normal(shapes.result_shape))
    result.backward(tg.tensor(g))
    for tensor, slope in zip((a, b), slopes(g, x, y), strict=True):
        assert tensor.grad is not None
        wanted = _summed_to(np.broadcast_to(slope, shapes.result_shape), tensor.shape)
        np.testing.assert_allclose(tensor.grad.numpy(), wanted, rtol=1e-12, atol=1e-12)


@settings(max_examples=60, deadline=None)
@given(shapes=arrays.mutually_broadcastable_shapes(num_shapes=3, max_dims=3, min_side=0, max_side=3))
def test_where_of_any_three_shapes(shapes: arrays.BroadcastableShapes) -> None:
    rng = np.random.default_rng(0)
    condition, x, y = (np.asarray(rng.standard_normal(shape)) for shape in shapes.input_shapes)
    a, b = (tg.tensor(v, requires_grad=True) for v in (x, y))
    result = tg.where(tg.tensor(condition > 0), a, b)
    np.testing.assert_array_equal(result.detach().numpy(), np.where(condition > 0, x, y))
    result.sum().backward()
    chosen = np.broadcast_to(condition > 0, shapes.result_shape).astype(float)
    assert a.grad is not None
    assert b.grad is not None
    np.testing.assert_array_equal(a.grad.numpy(), _summed_to(chosen, a.shape))
    np.testing.assert_array_equal(b.grad.numpy(), _summed_to(1 - chosen, b.shape))


@settings(max_examples=40, deadline=None)
@given(
    x=arrays.array_shapes(min_dims=1, max_dims=3, max_side=4), y=arrays.array_shapes(min_dims=1, max_dims=3, max_side=4)
)
def test_shapes_broadcast_where_numpys_do(x: tuple[int, ...], y: tuple[int, ...]) -> None:
    try:
        expected = np.broadcast_shapes(x, y)
    except ValueError:
        with pytest.raises(tg.ShapeError, match="add: shapes"):
            tg.ones(x) + tg.ones(y)
    else:
        assert (tg.ones(x) + tg.ones(y)).shape == expected
