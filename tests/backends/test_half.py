"""Float16 in composite primitives: what float32 makes of the same numbers, rounded once; by the CPU, by composition."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from tensorgrad.backends import Backend, device
from tensorgrad.backends.primitives import TABLE
from tensorgrad.backends.primitives.basic import Primitives
from tensorgrad.dtypes import float16, float32
from tests.composition import COMPOSITION

Array = Any
B = device("cpu").backend
RNG = np.random.default_rng(4)
X = RNG.standard_normal((6, 5)).astype(float16)
WIDE_X = (8 * X).astype(float16)
G = RNG.standard_normal((6, 5)).astype(float16)
UNIT = RNG.random((6, 5)).astype(float16)
ROWS = (UNIT / UNIT.sum(1, dtype=float32, keepdims=True)).astype(float16)
LABELS = RNG.integers(0, 5, 6)

# A call of every primitive whose composition is computed in float32.
CALLS: dict[str, tuple[tuple[Any, ...], dict[str, Any]]] = {
    "sigmoid": ((WIDE_X,), {}),
    "silu": ((WIDE_X,), {}),
    "gelu": ((WIDE_X,), {}),
    "gelu_tanh": ((WIDE_X,), {}),
    "softplus": ((WIDE_X,), {}),
    "leaky_relu": ((X, 0.01), {}),
    "elu": ((X, 0.7), {}),
    "softmax": ((X,), {"axis": 0}),
    "log_softmax": ((X,), {"axis": 1}),
    "tanh_backward": ((G, np.tanh(X)), {}),
    "sigmoid_backward": ((G, UNIT), {}),
    "silu_backward": ((G, WIDE_X), {}),
    "gelu_backward": ((G, WIDE_X), {}),
    "gelu_tanh_backward": ((G, WIDE_X), {}),
    "leaky_relu_backward": ((G, X, 0.01), {}),
    "elu_backward": ((G, X, 0.7), {}),
    "softmax_backward": ((G, ROWS), {"axis": 1}),
    "log_softmax_backward": ((G, np.log(ROWS)), {"axis": 1}),
    "linear_act": ((X, G, UNIT[0, :1].repeat(6), "sigmoid"), {}),
    "act_backward": ((G, UNIT, "sigmoid"), {}),
    "act_backward_bias_grad": ((G, UNIT, "tanh"), {}),
    "mean": ((X,), {"axis": 0}),
    "var": ((X,), {"axis": 1, "correction": 1}),
    "std": ((X,), {"axis": 0, "correction": 1}),
    "var_mean": ((X,), {"axis": 1, "correction": 0}),
    "std_mean": ((X,), {"axis": None, "correction": 1}),
    "logsumexp": ((X,), {"axis": 0}),
    "norm": ((X,), {"p": 3.0, "axis": 1}),
    "leave_one_out": ((X,), {}),
    "extreme_backward": ((G[:, :1], X, X.max(1, keepdims=True)), {"axis": 1}),
    "multiply_both_unless_zero": ((G, WIDE_X, UNIT), {}),
    "divide_backward": ((G, X, WIDE_X), {}),
    "bce_with_logits": ((WIDE_X, UNIT), {}),
    "bce_with_logits_backward": ((WIDE_X, UNIT), {}),
    "softmax_cross_entropy": ((WIDE_X, LABELS), {}),
    "softmax_cross_entropy_backward": ((G[:, :1], ROWS, LABELS), {}),
}


def test_every_such_primitive_is_called() -> None:
    assert {name for name, row in TABLE.items() if row.half == "float32" and row.default} == set(CALLS)


def _widened(x: Any) -> Any:
    return x.astype(float32) if isinstance(x, np.ndarray) and x.dtype == float16 else x


def _listed(results: Any) -> tuple[Array, ...]:
    return results if isinstance(results, tuple) else (results,)


@pytest.mark.parametrize("backend", [B, COMPOSITION], ids=["cpu", "composition"])
@pytest.mark.parametrize("name", CALLS)
def test_float16_is_float32_rounded_once(name: str, backend: Any) -> None:
    args, kwargs = CALLS[name]
    primitive: Callable[..., Any] = getattr(backend, name)
    found = _listed(primitive(*args, **kwargs))
    wide = _listed(primitive(*map(_widened, args), **kwargs))
    outs = tuple(np.empty(x.shape, float16) for x in found)
    placed = _listed(primitive(*args, **kwargs, out=outs if len(outs) > 1 else outs[0]))
    for a, b, out, c in zip(found, wide, outs, placed, strict=True):
        assert a.dtype == float16
        np.testing.assert_array_equal(a, b.astype(float16))
        assert c is out
        np.testing.assert_array_equal(out, a)


def test_a_new_composition_is_computed_in_float32_by_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(TABLE, "quarter_of_square", TABLE["silu"]._replace(name="quarter_of_square"))

    class More(Primitives, composes=True):
        def quarter_of_square(self, x: Array, *, out: Array | None = None) -> Array:
            """x^2 / 4."""
            return self.multiply(self.square(x), 0.25, out=out)

    class Device(type(B), More):  # type: ignore[misc]
        pass

    assert Device().quarter_of_square(np.array([300.0], float16)).tolist() == [np.float16(22500)]
    assert Device().quarter_of_square(np.array([300.0], float32)).tolist() == [22500.0]


def test_only_what_rounds_once_is_left_as_it_is() -> None:
    left = {n for n, row in TABLE.items() if not row.basic and row.result and row.default and row.half == "as given"}
    assert {n for n in left if hasattr(Backend, n) and row_is_arithmetic(n)} == {
        "relu", "relu_backward", "multiply_unless_zero", "divide_unless_zero", "linear",
    }  # fmt: skip


def row_is_arithmetic(name: str) -> bool:
    """Whether a composition computes with floating arrays, and does not only move, count or draw."""
    row = TABLE[name]
    moves = (
        "pick_labels one_hot_rows unbroadcast reshaped pad clear_region wrap_indices dropout dropout_backward".split()
    )
    return (
        (row.on_tape == "composition" or name.endswith("_unless_zero"))
        and name not in moves
        and not name.startswith("random")
    )
