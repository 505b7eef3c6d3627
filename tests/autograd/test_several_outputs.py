"""Ops with several outputs: one forward, one joint vjp, a place on the tape for each output."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import tensorgrad as tg
from tensorgrad.autograd.op import Op, Spec
from tensorgrad.autograd.tape import apply
from tests.autograd.tools import assert_values, leaf

GOT: list[Any] = []  # what the vjp of `sin_cos` was given last: g and out


# ---------------------------------------------------------------------- the ops
def _total(B: Any, *parts: Any) -> Any:
    present = [p for p in parts if p is not None]
    return present[0] if len(present) == 1 else B.add(*present)


def _scaled(B: Any, g: Any, by: Any) -> Any:
    return None if g is None else B.multiply(g, by)


def _sin_cos_vjp(B: Any, needs: tuple[bool], g: Any, out: Any, _x: Any) -> tuple[Any]:
    GOT[:] = [g, out]
    down = None if g[1] is None else B.negative(B.multiply(g[1], out[0]))
    return (_total(B, _scaled(B, g[0], out[1]), down),)


def _exp_square_vjp(B: Any, needs: tuple[bool], g: Any, out: Any, x: Any) -> tuple[Any]:
    assert isinstance(out[1], Spec)
    return (_total(B, _scaled(B, g[0], out[0]), _scaled(B, g[1], B.multiply(x, 2))),)


def _sum_product_vjp(B: Any, needs: tuple[bool, bool], g: Any, _out: Any, x: Any, y: Any) -> tuple[Any, Any]:
    by_x = _total(B, g[0], _scaled(B, g[1], y)) if needs[0] else None
    by_y = _total(B, g[0], _scaled(B, g[1], x)) if needs[1] else None
    return by_x, by_y


def _gate_vjp(B: Any, needs: tuple[bool, bool], g: Any, out: Any, _x: Any, y: Any) -> tuple[Any, Any]:
    """By the residuals: sigmoid(x), and the second output itself."""
    gate, state = out
    slope = B.multiply(gate, B.subtract(1, gate))
    on_state = _total(B, g[1], _scaled(B, g[0], B.multiply(state, 2)))
    return B.multiply(B.multiply(on_state, y), slope), B.multiply(on_state, gate)


def _gate(B: Any, x: Any, y: Any) -> tuple[Any, ...]:
    """(state ** 2, state), where state = sigmoid(x) * y."""
    gate = B.sigmoid(x)
    state = B.multiply(gate, y)
    return B.square(state), state, gate, state


def _greatest_vjp(B: Any, needs: tuple[bool], g: Any, out: Any, _x: Any) -> tuple[Any]:
    assert g[1] is None
    place = B.equal(B.arange(0, _x.shape[0], 1, tg.int64), out[1])
    return (B.multiply(B.astype(place, g[0].dtype), g[0]),)


SIN_COS = Op(lambda B, x: (B.sin(x), B.cos(x)), (), _sin_cos_vjp, name="sin_cos", outputs=2)
EXP_SQUARE = Op(
    lambda B, x: (B.exp(x), B.square(x)), (), _exp_square_vjp, name="exp_square", reads=("out[0] x",), outputs=2
)
SUM_PRODUCT = Op(
    lambda B, x, y: (B.add(x, y), B.multiply(x, y)),
    (),
    _sum_product_vjp,
    name="sum_product",
    reads=("y", "x"),
    outputs=2,
)
GATE = Op(_gate, (), _gate_vjp, name="gate", residuals="differentiable", outputs=2)
GREATEST = Op(
    lambda B, x: (B.max(x, axis=0, keepdims=False), B.argmax(x, axis=0, keepdims=False)),
    (),
    _greatest_vjp,
    name="greatest",
    outputs=2,
)


def several(op: Op) -> Callable[..., tuple[tg.Tensor, ...]]:
    return lambda *inputs: apply(op, *inputs)  # type: ignore[return-value]


sin_cos, exp_square, sum_product, gate, greatest = map(several, (SIN_COS, EXP_SQUARE, SUM_PRODUCT, GATE, GREATEST))
EVERY = [(sin_cos, 1), (exp_square, 1), (sum_product, 2), (gate, 2)]


def inputs_of(count: int) -> list[tg.Tensor]:
    rng = np.random.default_rng(0)
    return [leaf(rng.standard_normal((2, 3))) for _ in range(count)]


# ---------------------------------------------------------------------- forward
def test_a_tuple_of_tensors() -> None:
    x = leaf([0.5, 1.0])
    results = sin_cos(x)
    assert type(results) is tuple
    sin, cos = results
    assert_values(sin, np.sin([0.5, 1.0]))
    assert_values(cos, np.cos([0.5, 1.0]))
    assert all(t.requires_grad and not t.is_leaf for t in results)
    assert "grad_fn=<sin_cos>" in repr(cos)


def test_nothing_is_recorded_where_no_gradient_is_wanted() -> None:
    assert [t.requires_grad for t in sin_cos(tg.ones(2))] == [False, False]
    with tg.no_grad():
        assert [t.requires_grad for t in sin_cos(leaf([1.0]))] == [False, False]
    plain = Op(SIN_COS.forward, (), None, name="plain", outputs=2)
    assert [t.requires_grad for t in several(plain)(leaf([1.0]))] == [False, False]


def test_results_without_dimensions_are_arrays_of_the_backend() -> None:
    value, _ = greatest(leaf([1.0, 3.0, 2.0]))
    assert type(value.array) is np.ndarray
    assert value.item() == 3


def test_an_output_of_integers_has_no_gradient() -> None:
    x = leaf([1.0, 3.0, 2.0])
    value, place = greatest(x)
    assert value.requires_grad
    assert not place.requires_grad
    assert place.item() == 1
    (5 * value).backward()
    assert_values(x.grad, [0, 5, 0])
    assert tg.autograd.gradgradcheck(greatest, x)


# ---------------------------------------------------------------------- first order
def test_gradients_of_both_outputs() -> None:
    x = leaf([0.5, 1.0])
    sin, cos = sin_cos(x)
    (3 * sin + sin * cos).sum().backward()
    v = np.array([0.5, 1.0])
    assert_values(x.grad, 3 * np.cos(v) + np.cos(2 * v))


@pytest.mark.parametrize("used", [0, 1])
def test_an_output_that_is_not_used_gets_none(used: int) -> None:
    x = leaf([0.5, 1.0])
    sin_cos(x)[used].sum().backward()
    assert type(GOT[0]) is tuple
    assert [g is None for g in GOT[0]] == [used != 0, used != 1]
    assert_values(x.grad, (np.cos([0.5, 1.0]), -np.sin([0.5, 1.0]))[used])


def test_an_output_used_twice_gets_the_sum_and_the_vjp_runs_once() -> None:
    x = leaf([0.5, 1.0])
    sin, cos = sin_cos(x)
    GOT.clear()
    (sin * 2 + sin.exp() + cos).sum().backward()
    s, c = np.sin([0.5, 1.0]), np.cos([0.5, 1.0])
    np.testing.assert_allclose(GOT[0][0], 2 + np.exp(s))
    assert_values(x.grad, (2 + np.exp(s)) * c - s)


def test_several_roots_and_interior_inputs() -> None:
    x = leaf([0.5, 1.0])
    sin, cos = sin_cos(x * 1)
    ones = tg.ones(2, dtype=tg.float64)
    (both,) = tg.autograd.grad([sin, cos], x, [ones, 2 * ones], retain_graph=True)
    assert_values(both, np.cos([0.5, 1.0]) - 2 * np.sin([0.5, 1.0]))
    by_sin, by_cos, by_x = tg.autograd.grad((sin * cos).sum(), [sin, cos, x])
    assert_values(by_sin, np.cos([0.5, 1.0]))
    assert_values(by_cos, np.sin([0.5, 1.0]))
    assert_values(by_x, np.cos([1.0, 2.0]))
    assert x.grad is None


def test_only_one_output_as_target_does_not_run_the_vjp() -> None:
    x = leaf([0.5, 1.0])
    sin, cos = sin_cos(x)
    GOT.clear()
    (by_cos,) = tg.autograd.grad((sin * cos).sum(), cos)
    assert_values(by_cos, np.sin([0.5, 1.0]))
    assert GOT == []


def test_inputs_restrict_what_is_computed() -> None:
    x, y = leaf([2.0, 3.0]), leaf([5.0, 7.0])
    total, product = sum_product(x, y)
    (total + product).sum().backward(inputs=[y])
    assert x.grad is None
    assert_values(y.grad, [3, 4])


def test_gradients_passed_on_as_they_are_stay_the_callers() -> None:
    """The vjp returns g[0] itself for both inputs: nobody may add into it."""
    x, y, seed = leaf([2.0, 3.0]), leaf([5.0, 7.0]), tg.ones(2, dtype=tg.float64)
    total, _ = sum_product(x, y)
    tg.autograd.backward([total, x * 10, y * 20], [seed, seed, seed])
    assert_values(seed, [1, 1])
    assert_values(x.grad, [11, 11])
    assert_values(y.grad, [21, 21])


def test_hooks_and_retained_gradients_of_each_output() -> None:
    x = leaf([0.5, 1.0])
    sin, cos = sin_cos(x)
    sin.retain_grad()
    cos.retain_grad()
    sin.register_hook(lambda g: g * 10)
    (2 * sin + 3 * cos).sum().backward()
    assert_values(sin.grad, [20, 20])
    assert_values(cos.grad, [3, 3])
    assert_values(x.grad, 20 * np.cos([0.5, 1.0]) - 3 * np.sin([0.5, 1.0]))


# ---------------------------------------------------------------------- higher order
@pytest.mark.parametrize(("function", "count"), EVERY)
def test_first_and_second_order(function: Callable[..., tuple[tg.Tensor, ...]], count: int) -> None:
    inputs = inputs_of(count)
    one = [lambda *a, k=k: function(*a)[k] for k in (0, 1)]
    for f in (function, *one):
        assert tg.autograd.gradcheck(f, inputs)
        assert tg.autograd.gradgradcheck(f, inputs)


@pytest.mark.parametrize(("function", "count"), EVERY)
def test_third_order(function: Callable[..., tuple[tg.Tensor, ...]], count: int) -> None:
    def slope(*inputs: tg.Tensor) -> tuple[tg.Tensor, ...]:
        first, second = function(*inputs)
        return tg.autograd.grad((first * second).sum(), list(inputs), create_graph=True)

    assert tg.autograd.gradgradcheck(slope, inputs_of(count))


def test_hooks_under_create_graph_are_part_of_the_graph() -> None:
    x = leaf(0.5)
    sin, cos = sin_cos(x)
    sin.register_hook(lambda g: g * x)
    (g,) = tg.autograd.grad(sin + cos, x, create_graph=True)  # x cos(x) - sin(x)
    assert_values(g, 0.5 * np.cos(0.5) - np.sin(0.5))
    assert_values(tg.autograd.grad(g, x)[0], -0.5 * np.sin(0.5))


# ---------------------------------------------------------------------- what is kept
@pytest.mark.parametrize("written", [0, 1])
def test_a_write_into_either_output_that_is_read_is_caught(written: int) -> None:
    results = sin_cos(leaf([0.5, 1.0]))
    results[written].mul_(2)
    with pytest.raises(tg.GraphError, match="sin_cos needs a value that was changed in place by mul_"):
        results[1 - written].sum().backward()


def test_a_write_into_an_output_that_is_not_read_is_allowed() -> None:
    x = leaf([0.5, 1.0])
    exp, square = exp_square(x)
    square.mul_(3)
    (exp + square).sum().backward()
    assert_values(x.grad, np.exp([0.5, 1.0]) + 6 * np.array([0.5, 1.0]))
    exp, square = exp_square(x)
    exp.mul_(3)
    with pytest.raises(tg.GraphError, match="exp_square needs a value that was changed in place"):
        square.sum().backward()


def test_an_output_among_the_residuals_is_checked_too() -> None:
    x, y = leaf([0.5, 1.0]), leaf([2.0, 3.0])
    square, state = gate(x, y)
    square.mul_(2)
    (square + state).sum().backward()
    square, state = gate(x, y)
    with tg.no_grad():
        state.mul_(2)
    with pytest.raises(tg.GraphError, match="gate needs a value that was changed in place"):
        square.sum().backward()


def test_what_one_gradient_does_not_read_may_be_written() -> None:
    x, y = tg.tensor([2.0, 3.0], dtype=tg.float64), leaf([5.0, 7.0])
    total, _product = sum_product(x, y)  # only y's gradient is wanted, which reads x
    with tg.no_grad():
        y.zero_()
    total.sum().backward(retain_graph=True)
    x.zero_()
    with pytest.raises(tg.GraphError, match="sum_product needs a value"):
        total.sum().backward()


def test_outputs_that_are_not_kept_come_as_specs() -> None:
    seen: list[Any] = []

    def vjp(B: Any, needs: tuple[bool], g: Any, _out: Any, _x: Any) -> tuple[Any]:
        seen.append(_out)
        return (_total(B, g[0], _scaled(B, g[1], 2)),)

    both = several(Op(lambda B, x: (B.add(x, 1), B.multiply(x, 2)), (), vjp, name="both", outputs=2))
    x = leaf([1.0, 2.0])
    for create_graph in (False, True):
        tg.autograd.grad(both(x)[1].sum(), x, create_graph=create_graph)
        assert seen.pop() == (Spec((2,), tg.float64), Spec((2,), tg.float64))
    first, second = both(x)  # it kept nothing, so it can be gone through again
    for output in (first, second, first):
        output.sum().backward()
    assert_values(x.grad, [4, 4])


def test_the_graph_is_freed_by_the_first_backward() -> None:
    x = leaf([0.5, 1.0])
    sin, cos = sin_cos(x)
    sin.sum().backward(retain_graph=True)
    sin.sum().backward()
    with pytest.raises(tg.GraphError, match=r"freed by an earlier backward \(at sin_cos\)"):
        cos.sum().backward()


# ---------------------------------------------------------------------- definitions
@pytest.mark.parametrize(
    ("vjps", "options", "message"),
    [
        ((lambda B, g, out, x: g[0],), {}, "have one vjp, joint="),
        ((), {"elementwise": True}, "elementwise= is for vjps of one input each"),
        ((), {"view": "always"}, "a view must be the only output"),
    ],
)
def test_what_does_not_go_together_is_refused(vjps: Any, options: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=f"op f: .*{message}"):
        Op(lambda B, x: (x, x), vjps, None if vjps else _sin_cos_vjp, name="f", outputs=2, **options)


def test_reads_names_outputs_that_exist() -> None:
    with pytest.raises(ValueError, match=r"reads: _sin_cos_vjp has no parameter out\[2\]"):
        Op(lambda B, x: (x, x), (), _sin_cos_vjp, name="f", outputs=2, reads=("out[0] out[2]",))
