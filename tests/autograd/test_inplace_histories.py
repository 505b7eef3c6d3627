"""In-place writes where histories are behind, leaves are views, or old values are needed. What PyTorch 2 does."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import tensorgrad as tg
from tensorgrad import nn
from tests.autograd.tools import assert_values, counting, leaf


def _written_root_and_its_old_view() -> tuple[tg.Tensor, tg.Tensor, tg.Tensor]:
    w, root = leaf([2.0, 2.0, 2.0]), tg.ones(3, dtype=tg.float64)
    view = root[:2]
    root.mul_(w)
    return w, root, view


# ---------------------------------------------------------------------- a view whose history is behind
@pytest.mark.parametrize(
    ("write", "expected"),
    [
        (lambda v: v.mul_(3.0), [3, 3, 1]),
        (lambda v: v.__setitem__(0, 0.0), [0, 1, 1]),
        (lambda v: v.zero_(), [0, 0, 1]),
        (lambda v: v.add_(v, alpha=2), [3, 3, 1]),
    ],
)
def test_a_write_through_a_view_that_is_behind(write: Callable[[tg.Tensor], Any], expected: list[float]) -> None:
    w, root, view = _written_root_and_its_old_view()
    write(view)
    root.sum().backward()
    assert_values(w.grad, expected)


def test_the_other_operand_may_be_a_view_that_is_behind() -> None:
    w, _, view = _written_root_and_its_old_view()
    total, row = tg.zeros(2, dtype=tg.float64), tg.zeros(2, 2, dtype=tg.float64)
    total.add_(view)
    row[0] = view
    assert total.requires_grad
    assert row.requires_grad
    (total + row.sum(0)).sum().backward()
    assert_values(w.grad, [2, 2, 0])


# ---------------------------------------------------------------------- views that are leaves
def test_a_view_made_to_require_grad_stays_a_leaf_when_it_is_written() -> None:
    x = tg.zeros(6).reshape(2, 3).requires_grad_()
    nn.init.xavier_uniform_(x)
    assert x.requires_grad
    assert x.is_leaf
    with pytest.raises(tg.GraphError, match="add_: a leaf that requires grad"):
        x.add_(1)


def test_a_view_made_to_require_grad_has_a_grad_of_its_own() -> None:
    w, root = leaf(np.ones(4)), tg.zeros(4, dtype=tg.float64)
    part = root[:2].requires_grad_()
    root.add_(w)
    (part * 2).sum().backward()
    assert_values(part, [1, 1])
    assert_values(part.grad, [2, 2])
    assert w.grad is None


def test_its_memory_is_still_shared_and_watched() -> None:
    root = tg.ones(2, dtype=tg.float64)
    part = root.reshape(2, 1).requires_grad_()
    loss = part.square().sum()
    root.add_(1)
    with pytest.raises(tg.GraphError, match="square needs a value"):
        loss.backward()


def test_a_view_made_under_no_grad_is_not_written_where_operations_are_recorded() -> None:
    y = leaf([1.0, 2.0]) * 3
    with tg.no_grad():
        view = y[:1]
        view.mul_(2)
    with pytest.raises(tg.GraphError, match="mul_: a view made under no_grad"):
        view.mul_(2)


# ---------------------------------------------------------------------- replaced values
@pytest.mark.parametrize(
    "replace",
    [
        lambda y: y.zero_(),
        lambda y: y.fill_(5),
        lambda y: y.fill_(tg.tensor(5.0)),
        lambda y: y.copy_(tg.ones(2)),
        lambda y: y.uniform_(),
        lambda y: y.detach_().requires_grad_(),
    ],
)
def test_a_constant_written_over_a_result_keeps_it_on_the_tape(replace: Callable[[tg.Tensor], Any]) -> None:
    x = leaf([1.0, 2.0])
    y = x * 3
    replace(y)
    assert y.requires_grad
    was_leaf = y.is_leaf
    (y * 2).sum().backward()
    if was_leaf:
        assert x.grad is None
        assert_values(y.grad, [2, 2])
    else:
        assert_values(x.grad, [0, 0])


def test_copy_has_a_zero_gradient_for_what_it_replaced() -> None:
    x, w = leaf([1.0, 2.0]), leaf([5.0, 6.0])
    y = x * 3
    y.copy_(w)
    (y * y).sum().backward()
    assert_values(x.grad, [0, 0])
    assert_values(w.grad, [10, 12])


def test_detach_refuses_a_view() -> None:
    with pytest.raises(tg.GraphError, match="detach_: a view"):
        (leaf([1.0, 2.0]) * 2)[0].detach_()


# ---------------------------------------------------------------------- retained gradients
def test_a_retained_grad_is_that_of_the_new_value() -> None:
    x = leaf([1.0, 2.0])
    y = x * 3
    y.retain_grad()
    y.retain_grad()
    y.mul_(2)
    y.sum().backward()
    assert_values(y.grad, [1, 1])
    assert_values(x.grad, [6, 6])


def test_a_retained_grad_follows_a_write_through_a_view() -> None:
    x = leaf([1.0, 2.0])
    y = x * 3
    y.retain_grad()
    y[0].mul_(5)
    (y * y).sum().backward()
    assert_values(y.grad, [2 * 15, 2 * 6])


# ---------------------------------------------------------------------- what is copied, what may be written
def test_only_the_old_values_of_the_target_are_copied(monkeypatch: pytest.MonkeyPatch) -> None:
    x, other = leaf(np.ones((50, 50))), leaf(np.ones((50, 50)))
    y = x * 1
    old = y.array
    copies = counting(monkeypatch, "copy")
    y.mul_(other)
    assert [c[0] is old for c in copies] == [True]
    (y * y).sum().backward()
    assert_values(other.grad, np.full((50, 50), 2.0))


def test_clamp_with_tensors_in_place() -> None:
    x, low, high = leaf([2.0, 2.0, 1.0, 3.0, 5.0]), leaf([2.0, 1.0, 2.0, 2.0, 6.0]), leaf([3.0, 2.0, 2.5, 2.5, 4.0])
    y = x * 1
    y.clamp_(low, high)
    y.sum().backward()
    assert_values(y, [2, 2, 2, 2.5, 4])
    for tensor, expected in ((x, [1, 1, 0, 0, 0]), (low, [0, 0, 1, 0, 0]), (high, [0, 0, 0, 1, 1])):
        assert_values(tensor.grad, expected)


def test_what_is_not_stretched_by_expand_may_be_written() -> None:
    x = tg.zeros(3)
    x.expand(3).add_(1)
    x.expand(1, -1)[0].add_(1)
    assert x.tolist() == [2, 2, 2]
    with pytest.raises(tg.GraphError, match="expanded tensor share memory"):
        tg.zeros(1).expand(3).add_(1)


def test_memory_that_is_read_only_is_refused_by_name() -> None:
    host = np.zeros(3)
    host.flags.writeable = False
    writes: list[Any] = [lambda t: t.add_(1), lambda t: t.zero_(), lambda t: t.__setitem__(0, 1.0), lambda t: t.sqrt_()]
    for write in writes:
        with pytest.raises(tg.GraphError, match=r"memory of this tensor is read-only.*clone\(\)"):
            write(tg.from_numpy(host))


def test_a_hook_that_writes_into_a_broadcast_gradient_is_told_so() -> None:
    x = leaf([1.0, 2.0])
    y = x * 1
    y.register_hook(lambda g: g.mul_(2))
    with pytest.raises(tg.GraphError, match="mul_: the memory of this tensor is read-only"):
        y.sum().backward()


# ---------------------------------------------------------------------- data
def test_data_of_a_view_no_longer_belongs_to_the_root() -> None:
    w, root = leaf([1.0, 1.0, 1.0]), tg.zeros(3, dtype=tg.float64)
    part = root[:2]
    part.data = tg.tensor([5.0, 6.0], dtype=tg.float64)
    root.add_(w)
    assert not part.requires_grad
    assert_values(part, [5, 6])


def test_data_of_a_result_cannot_be_replaced() -> None:
    y = leaf([1.0, 2.0]) * 2
    with pytest.raises(tg.GraphError, match=r"data: only a leaf .*copy_\(\)"):
        y.data = tg.zeros(2)


def test_the_arguments_of_in_place_arithmetic_are_those_of_the_functions() -> None:
    x = tg.tensor([7.0, -7.0])
    with pytest.raises(TypeError, match="alpha"):
        x.mul_(2, alpha=2)  # type: ignore[call-arg]
    with pytest.raises(TypeError, match="alpha"):
        x.div_(2, alpha=2)  # type: ignore[call-arg]
    assert x.clone().div_(2, rounding_mode="floor").tolist() == [3, -4]
    assert x.clone().div_(2, rounding_mode="trunc").tolist() == [3, -3]
    assert x.clone().sub_(x, alpha=2).tolist() == [-7, 7]


# ---------------------------------------------------------------------- the in-place forms of functions
@pytest.mark.parametrize(
    ("write", "function"),
    [
        (lambda t: t.relu_(), lambda t: t.relu()),
        (lambda t: t.sigmoid_(), lambda t: t.sigmoid()),
        (lambda t: t.scatter_(0, tg.tensor([1]), 3.0), lambda t: t.scatter(0, tg.tensor([1]), 3.0)),
        (
            lambda t: t.index_add_(0, tg.tensor([1, 1]), tg.ones(2, dtype=tg.float64)),
            lambda t: t.index_add(0, tg.tensor([1, 1]), tg.ones(2, dtype=tg.float64)),
        ),
        (
            lambda t: t.index_put_((tg.tensor([0]),), tg.ones(1, dtype=tg.float64)),
            lambda t: t.index_put((tg.tensor([0]),), tg.ones(1, dtype=tg.float64)),
        ),
    ],
)
def test_the_in_place_form_is_the_function(
    write: Callable[[tg.Tensor], tg.Tensor], function: Callable[[tg.Tensor], tg.Tensor]
) -> None:
    x, y = leaf([-1.0, 2.0]), leaf([-1.0, 2.0])
    written, made = x * 2, y * 2
    assert write(written) is written
    made = function(made)
    (written * written).sum().backward()
    (made * made).sum().backward()
    assert x.grad is not None
    assert y.grad is not None
    assert_values(written, made.detach().numpy())
    assert_values(x.grad, y.grad.numpy())


def test_a_view_that_is_behind_reads_as_what_it_is() -> None:
    _, _, view = _written_root_and_its_old_view()
    assert repr(view).endswith("grad_fn=<getitem>)")
