"""Tensor hooks and retain_grad."""

from __future__ import annotations

from functools import partial

import pytest

import tensorgrad as tg
from tests.autograd.tools import assert_values, leaf


def test_a_hook_on_a_leaf_sees_the_whole_gradient_once() -> None:
    x = leaf([1.0, 2.0])
    seen: list[tg.Tensor] = []
    x.register_hook(lambda g: seen.append(g))
    (x * x + 3 * x).sum().backward()
    assert len(seen) == 1
    assert_values(seen[0], [5, 7])
    assert_values(x.grad, [5, 7])


def test_a_hook_on_an_interior_tensor_sees_the_whole_gradient_once() -> None:
    x = leaf(2.0)
    y = x * 3
    seen: list[tg.Tensor] = []
    y.register_hook(lambda g: seen.append(g))
    (y * y + y).backward()
    assert len(seen) == 1
    assert_values(seen[0], 13)
    assert_values(x.grad, 39)


def test_what_a_hook_returns_takes_the_place_of_the_gradient() -> None:
    x = leaf(2.0)
    y = x * 3
    y.register_hook(lambda g: g * 10)
    x.register_hook(lambda g: g + 1)
    (y * y).backward()
    assert_values(x.grad, 12 * 10 * 3 + 1)


def test_hooks_run_in_order_each_on_the_result_of_the_last() -> None:
    x = leaf(1.0)
    x.register_hook(lambda g: g + 1)
    x.register_hook(lambda g: None)
    x.register_hook(lambda g: g * 10)
    (x * 4).backward()
    assert_values(x.grad, 50)


def test_a_hook_can_be_removed() -> None:
    x = leaf(1.0)
    calls: list[str] = []
    first = x.register_hook(lambda g: calls.append("first"))
    x.register_hook(lambda g: calls.append("second"))
    (x * 1).backward()
    first.remove()
    first.remove()
    (x * 1).backward()
    assert calls == ["first", "second", "second"]
    with x.register_hook(lambda g: calls.append("third")):
        (x * 1).backward()
    (x * 1).backward()
    assert calls[3:] == ["second", "third", "second"]


def test_the_same_hook_registered_twice_is_removed_once() -> None:
    x = leaf(1.0)

    def double(g: tg.Tensor) -> tg.Tensor:
        return g * 2

    handle = x.register_hook(double)
    x.register_hook(double)
    handle.remove()
    (x * 1).backward()
    assert_values(x.grad, 2)


def test_a_hook_may_remove_itself() -> None:
    x = leaf(1.0)
    calls: list[str] = []

    def once(g: tg.Tensor) -> None:
        calls.append("once")
        handle.remove()

    handle = x.register_hook(once)
    x.register_hook(lambda g: calls.append("always"))
    (x * 1).backward()
    (x * 1).backward()
    assert calls == ["once", "always", "always"]


def test_a_tensor_that_gets_no_gradient_takes_no_hook() -> None:
    with pytest.raises(tg.GraphError, match="does not require grad"):
        tg.ones(1).register_hook(lambda g: None)


def test_hooks_run_for_grad_too() -> None:
    x = leaf(2.0)
    y = x * x
    y.register_hook(lambda g: g * 5)
    gy, gx = tg.autograd.grad(y * 2, [y, x])
    assert_values(gy, 10)
    assert_values(gx, 40)


def test_with_create_graph_a_hook_is_part_of_the_graph() -> None:
    x = leaf(2.0)
    y = x * x
    y.register_hook(lambda g: g * x)
    (g,) = tg.autograd.grad(y * 1, x, create_graph=True)  # 2 x^2
    assert_values(g, 8)
    assert_values(tg.autograd.grad(g, x)[0], 8)


def test_a_gradient_kept_by_a_hook_does_not_change_later() -> None:
    x = leaf([1.0, 2.0])
    kept: list[tg.Tensor] = []
    x.register_hook(lambda g: kept.append(g))
    (x * 3).sum().backward()
    (x * 4).sum().backward()
    assert_values(kept[0], [3, 3])
    assert_values(kept[1], [4, 4])
    assert_values(x.grad, [7, 7])


def test_retain_grad() -> None:
    x = leaf(2.0)
    y = x * 3
    y.retain_grad()
    z = y * y
    z.backward(retain_graph=True)
    assert_values(y.grad, 12)
    z.backward()
    assert_values(y.grad, 24)
    x.retain_grad()  # a leaf keeps its gradient anyway
    assert_values(x.grad, 72)


def test_retain_grad_sees_what_the_hooks_made() -> None:
    x = leaf(2.0)
    y = x * 3
    y.register_hook(lambda g: g * 2)
    y.retain_grad()
    (y * 1).backward()
    assert_values(y.grad, 2)


def test_a_retained_gradient_sees_all_hooks_whatever_the_order() -> None:
    for place in range(3):
        x = leaf(2.0)
        y = x * 3
        for k, factor in enumerate((5, 7)):
            if k == place:
                y.retain_grad()
            y.register_hook(partial(tg.mul, factor))
        if place == 2:
            y.retain_grad()
        (3 * y).backward(retain_graph=True)
        assert_values(y.grad, 105)
        assert_values(x.grad, 315)
        (3 * y).backward()
        assert_values(y.grad, 210)


def test_a_retained_gradient_after_a_write_sees_the_hooks_of_the_new_value() -> None:
    for view in (False, True):
        x = leaf([2.0, 1.0])
        y = x * 3
        y.retain_grad()
        y.register_hook(lambda g: g * 5)
        (y[:] if view else y).mul_(2)
        y.register_hook(lambda g: g * 11)
        (3 * y).sum().backward()
        assert_values(y.grad, [33, 33])
        assert_values(x.grad, [990, 990])


def test_a_retained_gradient_of_a_view_whose_root_is_written() -> None:
    x = leaf([2.0, 3.0])
    y = x * 3
    v = y[0]
    v.retain_grad()
    y.mul_(2)
    (3 * v).backward()
    assert_values(v.grad, 3)
    assert_values(x.grad, [18, 0])


def test_a_retained_gradient_of_one_of_several_outputs() -> None:
    x = leaf([2.0, 3.0, 1.0])
    variance, mean = tg.var_mean(x)
    first, second, _ = x.unbind(0)
    for t in (mean, first):
        t.retain_grad()
        t.register_hook(lambda g: g * 5)
    (variance + mean + 2 * first + second).backward()
    assert_values(mean.grad, 5)
    assert_values(first.grad, 10)


def test_a_retained_gradient_with_a_graph() -> None:
    x = leaf(2.0)
    y = x**2
    y.retain_grad()
    y.register_hook(lambda g: g * x)
    (y * 1).backward(create_graph=True)
    assert y.grad is not None
    assert_values(y.grad, 2)
    assert_values(tg.autograd.grad(y.grad, x)[0], 1)


def test_a_retained_gradient_is_kept_once_where_it_is_asked_for() -> None:
    x = leaf(2.0)
    y = x * 3
    y.retain_grad()
    y.register_hook(lambda g: g * 5)
    (3 * y).backward(inputs=[y])
    assert_values(y.grad, 15)
    assert x.grad is None
    z = x * 3
    z.retain_grad()
    z.register_hook(lambda g: g * 5)
    assert_values(tg.autograd.grad(3 * z, z)[0], 15)
    assert_values(z.grad, 15)


def test_a_hook_can_be_removed_from_in_front_of_a_retained_gradient() -> None:
    x = leaf(2.0)
    y = x * 3
    y.retain_grad()
    handle = y.register_hook(lambda g: g * 5)
    y.register_hook(lambda g: g + 1)
    handle.remove()
    y.backward()
    assert_values(y.grad, 2)


def test_retain_grad_needs_a_gradient() -> None:
    with pytest.raises(tg.GraphError, match="retain_grad"):
        tg.ones(1).retain_grad()


def test_a_hook_after_an_in_place_write_belongs_to_the_new_value() -> None:
    x = leaf(2.0)
    y = x * 3
    seen: list[str] = []
    y.register_hook(lambda g: seen.append("before"))
    y.add_(1)
    y.register_hook(lambda g: seen.append("after"))
    (y * y).backward()
    assert seen == ["after", "before"]
    assert_values(x.grad, 2 * 7 * 3)
