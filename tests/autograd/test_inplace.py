"""In-place writes: versions, views, histories. The oracle is the same computation without in-place writes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import tensorgrad as tg
from tests.autograd.tools import assert_values, leaf


# ---------------------------------------------------------------------- values and histories
def test_a_write_into_an_intermediate_result() -> None:
    x = leaf([1.0, 2.0])
    y = x * 3
    same = y.add_(x)  # 4 x
    assert same is y
    y.mul_(y.detach().clone())
    assert_values(y, [16, 64])
    y.sum().backward()
    assert_values(x.grad, [4 * 4, 4 * 8])


def test_the_operators_write_in_place() -> None:
    x = leaf([1.0, 2.0])
    y = x * 1
    memory = y.array
    y += 1
    y *= 3
    y -= x
    y /= 2
    assert y.array is memory
    y.sum().backward()
    assert_values(y, (3 * (np.array([1, 2]) + 1) - [1, 2]) / 2)
    assert_values(x.grad, [1, 1])


@pytest.mark.parametrize(
    ("name", "slope"),
    [
        ("exp_", lambda v: np.exp(v)),
        ("sqrt_", lambda v: 0.5 / np.sqrt(v)),
        ("log_", lambda v: 1 / v),
        ("tanh_", lambda v: 1 - np.tanh(v) ** 2),
        ("neg_", lambda v: -np.ones_like(v)),
        ("abs_", lambda v: np.ones_like(v)),
    ],
)
def test_in_place_functions_have_the_gradient_of_the_others(name: str, slope: Callable[[Any], Any]) -> None:
    values = np.array([0.5, 1.5])
    x = leaf(values)
    y = x * 1.0
    getattr(y, name)()
    y.sum().backward()
    assert_values(x.grad, slope(values))


def test_a_write_into_a_tensor_without_grad_gives_it_a_history() -> None:
    x = leaf([1.0, 2.0])
    total = tg.zeros(2, dtype=tg.float64)
    for _ in range(3):
        total += x * x
    assert total.requires_grad
    total.sum().backward()
    assert_values(x.grad, [6, 12])


def test_a_written_factor_still_has_a_gradient() -> None:
    x, y = leaf([2.0, 3.0]), leaf([5.0, 7.0])
    z = x * 1
    z.mul_(y)
    z.sum().backward()
    assert_values(x.grad, [5, 7])
    assert_values(y.grad, [2, 3])


def test_the_dtype_stays() -> None:
    x = tg.ones(2, dtype=tg.float32)
    x += tg.ones(2, dtype=tg.float64)
    assert x.dtype == tg.float32
    n = tg.ones(2, dtype=tg.int64)
    with pytest.raises(tg.DTypeError, match="add_"):
        n += 0.5


def test_the_shape_stays() -> None:
    x = tg.ones(2)
    with pytest.raises(tg.ShapeError, match="add_"):
        x += tg.ones(3, 2)


# ---------------------------------------------------------------------- leaves
@pytest.mark.parametrize(
    "write",
    [
        lambda x: x.add_(1),
        lambda x: x.zero_(),
        lambda x: x.copy_(tg.ones(2, dtype=tg.float64)),
        lambda x: x.__setitem__(0, 1.0),
        lambda x: x[0].mul_(2),
        lambda x: x.reshape(1, 2).fill_(2),
        lambda x: x.__imul__(2),
    ],
)
def test_a_leaf_that_requires_grad_cannot_be_written(write: Callable[[tg.Tensor], Any]) -> None:
    x = leaf([1.0, 2.0])
    with pytest.raises(tg.GraphError, match=r"leaf that requires grad.*no_grad"):
        write(x)
    assert_values(x, [1, 2])


def test_under_no_grad_a_leaf_can_be_written() -> None:
    x = leaf([1.0, 2.0])
    with tg.no_grad():
        x.sub_(0.5)
        x[0] = 9
        x += 1
    assert x.is_leaf
    assert x.requires_grad
    assert_values(x, [10, 2.5])
    (x * x).sum().backward()
    assert_values(x.grad, [20, 5])


def test_a_leaf_without_grad_can_be_written() -> None:
    x = tg.ones(2)
    x[0] = 5
    x.mul_(2)
    assert_values(x, [10, 2])
    assert not x.requires_grad


# ---------------------------------------------------------------------- stale values
def test_a_stale_value_names_the_reader_and_the_writer() -> None:
    x = leaf([1.0, 2.0])
    y = x * 2
    z = y.square()
    y.add_(1)
    with pytest.raises(tg.GraphError, match=r"backward: square needs a value .*in place by add_.*clone\(\)"):
        z.sum().backward()
    assert x.grad is None


def test_a_stale_output_is_noticed() -> None:
    x = leaf([1.0, 2.0])
    y = x.exp()
    y.mul_(2)
    with pytest.raises(tg.GraphError, match=r"exp needs a value .*by mul_"):
        y.sum().backward()


def test_a_write_under_no_grad_is_noticed_too() -> None:
    x, w = leaf([1.0, 2.0]), leaf([3.0, 4.0])
    y = (x * w).sum()
    with tg.no_grad():
        w.sub_(1)
    with pytest.raises(tg.GraphError, match=r"multiply needs a value .*by sub_"):
        y.backward()


def test_a_value_that_is_not_needed_may_be_written() -> None:
    x = leaf([1.0, 2.0])
    y = x * 2
    z = y + 1
    y.zero_()
    z.sum().backward()
    assert_values(x.grad, [2, 2])


def test_a_write_through_a_view_makes_the_base_stale_and_the_other_way_round() -> None:
    writes: list[Callable[[tg.Tensor], Any]] = [
        lambda y: y[0].fill_(5),
        lambda y: y.reshape(2, 1).add_(1),
        lambda y: y.detach().add_(1),
    ]
    for write in writes:
        x = leaf([1.0, 2.0])
        y = x * 2
        z = y.square().sum()
        write(y)
        with pytest.raises(tg.GraphError, match="square needs a value"):
            z.backward()
    x = leaf([1.0, 2.0])
    y = x * 2
    z = y[:1].square().sum()
    y.add_(1)
    with pytest.raises(tg.GraphError, match=r"square needs a value .*by add_"):
        z.backward()


def test_a_write_before_the_use_is_no_error() -> None:
    x = leaf([1.0, 2.0])
    y = x * 2
    y.add_(1)
    y.square().sum().backward()
    assert_values(x.grad, [2 * 3 * 2, 2 * 5 * 2])


def test_with_create_graph_a_stale_value_is_noticed() -> None:
    x = leaf([1.0, 2.0])
    y = x * 2
    z = y.square().sum()
    y.add_(1)
    with pytest.raises(tg.GraphError, match="grad: square needs"):
        tg.autograd.grad(z, x, create_graph=True)


# ---------------------------------------------------------------------- views
def test_a_write_to_the_base_is_seen_by_its_views() -> None:
    x = leaf([[1.0, 2.0], [3.0, 4.0]])
    y = x * 1
    row, column = y[1], y.T[0]
    y.mul_(3)
    assert_values(row, [9, 12])
    (row * row).sum().backward(retain_graph=True)
    assert_values(x.grad, [[0, 0], [9 * 6, 12 * 6]])
    x.grad = None
    column.sum().backward()
    assert_values(x.grad, [[3, 0], [3, 0]])


def test_a_write_to_a_view_changes_the_gradient_of_the_base() -> None:
    x = leaf([[1.0, 2.0], [3.0, 4.0]])
    y = x * 1
    y[0].mul_(10)
    assert_values(y, [[10, 20], [3, 4]])
    (y * y).sum().backward()
    assert_values(x.grad, [[2 * 10 * 10, 2 * 20 * 10], [6, 8]])


def test_a_write_to_a_view_of_a_view() -> None:
    x, v = leaf(np.arange(6.0).reshape(2, 3)), leaf([100.0, 200.0])
    y = x * 1
    corner = y.T[1:][:, 0]  # y[0, 1:]
    corner.add_(v)
    assert_values(y, [[0, 101, 202], [3, 4, 5]])
    (y * y).sum().backward()
    assert_values(x.grad, [[0, 202, 404], [6, 8, 10]])
    assert_values(v.grad, [202, 404])


def test_a_write_to_a_view_of_memory_in_another_order() -> None:
    """The result of an op on a transposed tensor lies transposed, and its views see it so."""
    a = leaf(np.arange(6.0).reshape(2, 3))
    y = a.T * 1
    y.T.reshape(-1)[1:4].mul_(5)
    y.sum().backward()
    assert_values(y, [[0, 15], [5, 4], [10, 5]])
    assert_values(a.grad, [[1, 5, 5], [5, 1, 1]])


def test_a_write_to_a_view_of_memory_that_runs_backwards() -> None:
    w = leaf(2.0)
    y = tg.from_numpy(np.arange(12.0).reshape(3, 4)[::-1, ::-1])
    y.mul_(w)
    y.reshape(12)[2:5] = w * 3
    y.sum().backward()
    assert_values(w.grad, 66 - (9 + 8 + 7) + 3 * 3)


def test_a_write_to_one_view_is_seen_by_another() -> None:
    x = leaf([1.0, 2.0, 3.0])
    y = x * 1
    left, right = y[:2], y[1:]
    left.mul_(5)
    assert_values(right, [10, 3])
    right.sum().backward()
    assert_values(x.grad, [0, 5, 1])


def test_a_tensor_gets_a_history_through_its_view() -> None:
    x = leaf([1.0, 2.0])
    buffer = tg.zeros(2, 2, dtype=tg.float64)
    buffer[0].copy_(x)
    buffer[1].copy_(x * x)
    assert buffer.requires_grad
    (buffer * tg.tensor([[1.0, 1.0], [10.0, 10.0]], dtype=tg.float64)).sum().backward()
    assert_values(x.grad, [1 + 20, 1 + 40])


def test_views_share_one_count_of_writes() -> None:
    y = leaf([[1.0, 2.0]]) * 1
    views = [y[0], y.T, y.reshape(2), y.detach(), y[0][1:], y.unsqueeze(0), y.expand(3, 1, 2)]
    before = y.version[0]
    views[1].add_(1)
    assert all(v.version[0] == y.version[0] == before + 1 for v in views)
    assert y.clone().version[0] == 0


# ---------------------------------------------------------------------- setitem
def test_setitem_has_gradients_to_both_sides() -> None:
    x, v = leaf([1.0, 2.0, 3.0]), leaf([10.0, 20.0])
    y = x * 2
    y[1:] = v
    (y * y).sum().backward()
    assert_values(y, [2, 10, 20])
    assert_values(x.grad, [8, 0, 0])
    assert_values(v.grad, [20, 40])


def test_setitem_of_a_number() -> None:
    x = leaf([1.0, 2.0, 3.0])
    y = x * 2
    y[0] = 0
    y.sum().backward()
    assert_values(x.grad, [0, 2, 2])


def test_setitem_broadcasts() -> None:
    x, v = leaf(np.ones((2, 3))), leaf(5.0)
    y = x * 1
    y[:, 1:] = v
    (y * y).sum().backward()
    assert_values(x.grad, [[2, 0, 0], [2, 0, 0]])
    assert_values(v.grad, 4 * 10)


def test_setitem_by_arrays_and_masks() -> None:
    x, v = leaf([1.0, 2.0, 3.0, 4.0]), leaf([10.0, 20.0])
    y = x * 1
    y[tg.tensor([3, 0])] = v
    y[y == 3] = 7.0
    assert_values(y, [20, 2, 7, 10])
    (y * y).sum().backward()
    assert_values(x.grad, [0, 4, 0, 0])
    assert_values(v.grad, [20, 40])


def test_setitem_in_a_tensor_without_grad() -> None:
    x = leaf([1.0, 2.0])
    table = tg.zeros(2, 2, dtype=tg.float64)
    for i in range(2):
        table[i] = x * (i + 1)
    (table * table).sum().backward()
    assert_values(x.grad, [2 * 1 + 2 * 4, 2 * 2 + 2 * 8])


def test_setitem_makes_an_earlier_use_stale() -> None:
    y = leaf([1.0, 2.0]) * 2
    z = (y * y).sum()
    y[0] = 1.0
    with pytest.raises(tg.GraphError, match=r"multiply needs .*by setitem"):
        z.backward()


def test_data_is_outside_the_tape() -> None:
    x = leaf([1.0, 2.0])
    x.data.mul_(2)
    assert_values(x, [2, 4])
    x.data = tg.tensor([7.0, 8.0], dtype=tg.float64)
    (x * x).sum().backward()
    assert_values(x.grad, [14, 16])


def test_an_iterated_map_with_in_place_writes_equals_the_one_without() -> None:
    rng = np.random.default_rng(0)
    start, weight = rng.standard_normal((4, 4)), rng.standard_normal((2, 2))

    def plain(x: tg.Tensor, w: tg.Tensor) -> tg.Tensor:
        for i in range(3):
            top = x[:2] @ w
            x = tg.cat([top, x[2:] * (i + 1)])
            x = tg.tanh(x).T
        return (x * x).sum()

    def writing(x: tg.Tensor, w: tg.Tensor) -> tg.Tensor:
        x = x.clone()
        for i in range(3):
            x[:2] = x[:2].clone() @ w
            x[2:].mul_(i + 1)
            x.tanh_()
            x = x.T
        return (x * x).sum()

    def wide(w: tg.Tensor) -> tg.Tensor:
        return tg.cat([tg.cat([w, w], dim=1), tg.cat([w, w], dim=1)])

    for function in (plain, writing):
        assert tg.autograd.gradcheck(lambda x, w, f=function: f(x, wide(w)), [leaf(start), leaf(weight)])
    a, b = leaf(start), leaf(start)
    plain(a, wide(leaf(weight))).backward()
    writing(b, wide(leaf(weight))).backward()
    assert a.grad is not None
    assert_values(b.grad, a.grad.numpy())


# ---------------------------------------------------------------------- views whose history is behind
def test_a_view_that_is_first_used_under_no_grad_keeps_its_history() -> None:
    x = leaf([1.0, 2.0])
    y = x * 1
    first = y[:1]
    y.mul_(3)
    with tg.no_grad():
        assert_values(first * 2, [6])
        assert first.requires_grad
    first.sum().backward()
    assert_values(x.grad, [3, 0])


def test_a_view_of_a_tensor_that_gets_a_history_later_requires_grad() -> None:
    x = leaf([1.0, 2.0])
    buffer = tg.zeros(2, dtype=tg.float64)
    first = buffer[:1]
    assert first.is_leaf
    assert not first.requires_grad
    buffer.copy_(x)
    assert first.requires_grad
    assert not first.is_leaf
    first.register_hook(lambda g: g * 10)
    (first * 2).sum().backward()
    assert_values(x.grad, [20, 0])


def test_writing_into_a_quotient_is_no_error() -> None:
    x = leaf([3.0, 4.0])
    y = x / x.norm()
    y.mul_(2)
    (gradient,) = tg.autograd.grad(y[0], x)
    np.testing.assert_allclose(gradient.numpy(), [2 * (1 / 5 - 9 / 125), 2 * (-12 / 125)], rtol=1e-12)


def test_bit_operators_write_in_place() -> None:
    mask = tg.tensor([True, False])
    same = mask
    mask &= tg.tensor([False, False])
    assert same.tolist() == [False, False]
    number = tg.tensor([1, 2])
    same_number = number
    number <<= 2
    number |= 1
    assert same_number.tolist() == [5, 9]


def test_rounding_integers_gives_memory_of_its_own() -> None:
    x = tg.tensor([3, 4])
    for function in (tg.floor, tg.ceil, tg.round, tg.trunc):
        y = function(x)
        y += 1
    assert x.tolist() == [3, 4]


def test_modules_that_write_into_their_input() -> None:
    x = leaf([-1.0, 2.0])
    y = x * 1
    out = tg.nn.ReLU(inplace=True)(y)
    assert out is y
    out.sum().backward()
    assert x.grad is not None
    assert x.grad.tolist() == [0.0, 1.0]
    z = tg.ones(100)
    dropped = tg.nn.Dropout(0.5, inplace=True)(z)
    assert dropped is z
    assert set(z.tolist()) == {0.0, 2.0}
