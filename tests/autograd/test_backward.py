"""backward: what is accumulated where, what is freed, what is refused."""

from __future__ import annotations

import sys
import weakref
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import tensorgrad as tg
from tests.autograd.tools import assert_values, counting, leaf


def test_a_product_and_a_sum() -> None:
    x, y = leaf([1.0, 2.0, 3.0]), leaf([4.0, 5.0, 6.0])
    (x * y + x).sum().backward()
    assert_values(x.grad, [5, 6, 7])
    assert_values(y.grad, [1, 2, 3])


def test_a_value_that_is_used_on_several_paths() -> None:
    x = leaf(3.0)
    a = x * x
    b = a * x + a
    (a * b).backward()  # x**5 + x**4
    assert_values(x.grad, 5 * 3**4 + 4 * 3**3)


def test_broadcast_operands_get_sums() -> None:
    x, row, number = leaf(np.ones((2, 3))), leaf([1.0, 2.0, 3.0]), leaf(2.0)
    (x * row + number).sum().backward()
    assert_values(x.grad, [[1, 2, 3], [1, 2, 3]])
    assert_values(row.grad, [2, 2, 2])
    assert_values(number.grad, 6)


def test_gradients_accumulate_over_passes() -> None:
    x = leaf([1.0, -2.0])
    for count in (1, 2, 3):
        (x * x).sum().backward()
        assert_values(x.grad, [2 * count, -4 * count])
    x.grad = None
    (3 * x).sum().backward()
    assert_values(x.grad, [3, 3])


def test_accumulation_writes_into_the_same_gradient() -> None:
    x = leaf([1.0, 2.0])
    x.sum().backward()
    first = x.grad
    x.sum().backward()
    assert x.grad is first


def test_several_roots() -> None:
    x = leaf([1.0, 2.0])
    tg.autograd.backward([(x * x).sum(), x * 3], [None, tg.tensor([1.0, 10.0], dtype=tg.float64)])
    assert_values(x.grad, [2 + 3, 4 + 30])


def test_a_root_that_leads_to_another() -> None:
    x = leaf(2.0)
    y = x * x
    z = y * y
    tg.autograd.backward([y, z])
    assert_values(x.grad, 4 + 32)


def test_the_gradient_of_a_leaf_is_one() -> None:
    x = leaf(2.0)
    x.backward()
    assert_values(x.grad, 1)


def test_backward_of_some_inputs_leaves_the_others_alone() -> None:
    x, y = leaf(2.0), leaf(3.0)
    tg.autograd.backward(x * y, inputs=[x])
    assert_values(x.grad, 3)
    assert y.grad is None


def test_the_gradient_of_a_tensor_with_elements() -> None:
    x = leaf([1.0, 2.0])
    (x * x).backward(tg.tensor([1.0, -1.0], dtype=tg.float64))
    assert_values(x.grad, [2, -4])


def test_one_element_in_any_shape_needs_no_gradient() -> None:
    x = leaf([[3.0]])
    (x * x).backward()
    assert_values(x.grad, [[6]])


def test_without_a_gradient_several_elements_are_an_error() -> None:
    x = leaf([1.0, 2.0])
    with pytest.raises(tg.GraphError, match=r"backward: .* one element .*\(2,\).*sum"):
        (x * x).backward()
    assert x.grad is None


def test_a_gradient_of_another_shape_is_an_error() -> None:
    x = leaf([1.0, 2.0])
    with pytest.raises(tg.ShapeError, match=r"must have shape \(2,\), got \(3,\)"):
        (x * x).backward(tg.ones(3, dtype=tg.float64))
    with pytest.raises(tg.DTypeError, match="must be a Tensor, got float"):
        (x * x).sum().backward(1.0)  # type: ignore[arg-type]


@pytest.mark.parametrize("given", [tg.float16, tg.float64, tg.int64, tg.bool])
def test_a_gradient_of_another_dtype_is_converted(given: Any) -> None:
    x = leaf([1.0, 2.0], tg.float32)
    (x * x).backward(tg.tensor([1, 0], dtype=given))
    assert x.grad is not None
    assert x.grad.dtype == tg.float32
    assert_values(x.grad, [2, 0])
    (g,) = tg.autograd.grad([x * x], [x], [tg.tensor([0, 1], dtype=given)])
    assert g.dtype == tg.float32
    assert_values(g, [0, 4])


def test_the_conversion_of_a_gradient_is_differentiable() -> None:
    x, v = leaf([1.0, 2.0], tg.float32), leaf([3.0, 4.0])
    (g,) = tg.autograd.grad(x * x, x, v, create_graph=True)
    (pushed,) = tg.autograd.grad(g.sum(), v)
    assert pushed.dtype == tg.float64
    assert_values(pushed, [2, 4])


def test_gradients_with_a_graph_do_not_share_memory() -> None:
    a, b, seed = leaf([1.0, 2.0]), leaf([3.0, 4.0]), leaf([1.0, 1.0]).detach()
    (a + b).backward(seed, create_graph=True)
    assert a.grad is not None
    assert b.grad is not None
    with tg.no_grad():
        a.grad.mul_(5)
    assert b.grad.tolist() == seed.tolist() == [1.0, 1.0]


def test_backward_with_inputs_reaches_interior_tensors_too() -> None:
    x = leaf([1.0, 2.0])
    y = x * 3
    (y * y).sum().backward(inputs=[y])
    assert y.grad is not None
    assert y.grad.tolist() == [6.0, 12.0]
    assert x.grad is None
    with pytest.raises(tg.ArgumentError, match="at least one Tensor"):
        tg.autograd.backward((x * x).sum(), inputs=[])


def test_a_write_to_what_a_vjp_does_not_read_is_no_error() -> None:
    x, key_rows = leaf([[1.0, 2.0], [3.0, 4.0]]), tg.tensor([0, 1])
    y = tg.dropout(x * 1, 0.5)
    y += 1  # the mask is what dropout's vjp reads
    y.sum().backward()
    assert x.grad is not None
    logits = x * 1
    loss = tg.nn.functional.cross_entropy(logits, key_rows)
    logits += 1
    loss.backward()
    stale = x * 1
    (first,) = [tg.nn.functional.cross_entropy(stale, key_rows)]
    stale += 1
    with pytest.raises(tg.GraphError, match="changed in place by add_"):
        tg.autograd.grad(first, x, create_graph=True)  # here the forward runs again


def test_nodes_that_keep_nothing_can_be_gone_through_again() -> None:
    x, b = leaf([1.0, 2.0]), leaf([0.5, 0.5])
    h = x + b
    h.sum().backward()
    (h * 2).sum().backward()
    assert x.grad is not None
    assert x.grad.tolist() == [3.0, 3.0]
    product = x * b
    product.sum().backward()
    with pytest.raises(tg.GraphError, match="freed by an earlier backward"):
        product.sum().backward()


@pytest.mark.parametrize(
    ("wrong", "message"), [(1.0, "must be a Tensor"), (tg.ones(3, dtype=tg.float64), r"must have shape \(2,\)")]
)
def test_what_a_hook_returns_is_checked(wrong: Any, message: str) -> None:
    x = leaf([1.0, 2.0])
    x.register_hook(lambda _: wrong)
    with pytest.raises(tg.TensorgradError, match=message):
        x.sum().backward()


def test_an_operation_without_a_tensor_says_so() -> None:
    with pytest.raises(tg.DTypeError, match=r"absolute: expected a Tensor, got float"):
        tg.abs(-1.0)  # type: ignore[arg-type]


def test_as_many_gradients_as_tensors() -> None:
    x = leaf(1.0)
    with pytest.raises(tg.ArgumentError, match="expected 2 output gradients, got 1"):
        tg.autograd.backward([x * 2, x * 3], [None])


def test_a_tensor_without_graph_is_an_error() -> None:
    with pytest.raises(tg.GraphError, match="does not require grad"):
        tg.ones(1).backward()
    with tg.no_grad():
        y = leaf(2.0) * 3
    with pytest.raises(tg.GraphError, match="no_grad"):
        y.backward()


def test_a_second_pass_through_a_freed_graph_is_an_error() -> None:
    x = leaf(2.0)
    y = (x * x).exp()
    y.backward()
    with pytest.raises(tg.GraphError, match=r"backward: the graph was freed .*\(at exp\).*retain_graph=True"):
        y.backward()
    assert_values(x.grad, 4 * np.exp(4.0))


Function = Callable[[tg.Tensor, tg.Tensor], tg.Tensor]
READS_NOTHING: dict[str, Function] = {
    "add": lambda x, y: x + y,
    "a number added": lambda x, y: 2 + x,
    "a number subtracted": lambda x, y: 2 - x,
    "negative": lambda x, y: -x,
    "sum": lambda x, y: x.sum(0),
    "mean": lambda x, y: x.mean(),
    "reshape": lambda x, y: x.reshape(-1),
    "a slice": lambda x, y: x[0:1],
    "cat": lambda x, y: tg.cat([x, y]),
    "conversion": lambda x, y: x.float(),
    "clone": lambda x, y: x.clone(),
    "floor": lambda x, y: x.floor(),
}
READS_SOMETHING: dict[str, Function] = {
    "a product": lambda x, y: x * y,
    "a number multiplied": lambda x, y: x * 2,
    "a number divided by": lambda x, y: x / 2,
    "a number divided": lambda x, y: 2 / x,
    "a constant multiplied": lambda x, y: x * y.detach(),
    "a power": lambda x, y: x**3,
    "a number raised": lambda x, y: 2**x,
    "exp": lambda x, y: x.exp(),
    "where": lambda x, y: tg.where(x > 0, x, y),
    "an index": lambda x, y: x[tg.tensor([0])],
    "max": lambda x, y: x.max(),
    "relu": lambda x, y: x.relu(),
    "matmul": lambda x, y: x @ y,
    "written after a product": lambda x, y: (x * 1).fill_(2.0),
    "a view of a product written": lambda x, y: (x * 1)[0:1].zero_(),
}


@pytest.mark.parametrize("name", READS_NOTHING)
def test_what_reads_nothing_can_be_gone_through_again(name: str) -> None:
    x, y = leaf([[1.0, 2.0], [3.0, 4.0]]), leaf([[5.0, 6.0], [7.0, 8.0]])
    z = READS_NOTHING[name](x, y)
    for _ in range(2):
        z.backward(tg.ones(*z.shape, dtype=z.dtype) if z.ndim else None)
    once = leaf([[1.0, 2.0], [3.0, 4.0]])
    z = READS_NOTHING[name](once, y)
    z.backward(tg.ones(*z.shape, dtype=z.dtype) if z.ndim else None)
    assert once.grad is not None
    assert_values(x.grad, 2 * once.grad.numpy())


@pytest.mark.parametrize("name", READS_SOMETHING)
def test_what_read_something_is_freed_if_it_was_a_number(name: str) -> None:
    x, y = leaf([[1.0, 2.0], [3.0, 4.0]]), leaf([[5.0, 6.0], [7.0, 8.0]])
    z = READS_SOMETHING[name](x, y).sum()
    z.backward()
    with pytest.raises(tg.GraphError, match="freed by an earlier backward"):
        z.backward()


def test_a_part_of_the_graph_that_was_freed_is_an_error() -> None:
    x = leaf(2.0)
    shared = x * x
    (shared * 2).backward()
    with pytest.raises(tg.GraphError, match=r"freed .*at multiply"):
        (shared * 3).backward()


def test_retain_graph_allows_a_second_pass() -> None:
    x = leaf(2.0)
    y = x * x * x
    y.backward(retain_graph=True)
    y.backward(retain_graph=True)
    y.backward()
    assert_values(x.grad, 36)
    with pytest.raises(tg.GraphError):
        y.backward()


def test_integers_and_bools_cannot_require_grad() -> None:
    for dtype in (tg.int64, tg.int32, tg.uint8, tg.bool):
        with pytest.raises(tg.DTypeError, match=r"only floating tensors .*float\(\)"):
            tg.ones(2, dtype=dtype, requires_grad=True)
        with pytest.raises(tg.DTypeError):
            tg.ones(2, dtype=dtype).requires_grad_()
    assert tg.ones(2, dtype=tg.float16, requires_grad=True).requires_grad


def test_requires_grad_of_an_interior_tensor_cannot_be_turned_off() -> None:
    y = leaf(2.0) * 2
    with pytest.raises(tg.GraphError, match="leaf"):
        y.requires_grad = False


def test_results_of_comparisons_do_not_require_grad() -> None:
    x = leaf([1.0, -1.0])
    assert not (x > 0).requires_grad
    assert not x.argmax().requires_grad
    assert not x.long().requires_grad


def test_leaves_and_interior_tensors() -> None:
    x = leaf(1.0)
    y = x * 2
    assert x.is_leaf
    assert not y.is_leaf
    assert tg.ones(2).is_leaf
    assert (tg.ones(2) * 2).is_leaf
    y.backward()
    assert y.grad is None


def test_detach_cuts_the_graph_and_shares_the_memory() -> None:
    x = leaf([1.0, 2.0])
    y = x * 2
    cut = y.detach()
    assert not cut.requires_grad
    assert cut.is_leaf
    assert np.shares_memory(cut.numpy(), y.array)
    (cut * x).sum().backward()
    assert_values(x.grad, [2, 4])


# ---------------------------------------------------------------------- gradients are nobody else's memory
def test_the_gradients_of_a_sum_are_independent() -> None:
    a, b = leaf([1.0, 2.0]), leaf([3.0, 4.0])
    (a + b).sum().backward()
    assert a.grad is not None
    a.grad.mul_(100)
    assert_values(b.grad, [1, 1])


def test_a_gradient_is_independent_of_the_one_that_was_given() -> None:
    a, b = leaf([1.0, 2.0]), leaf([3.0, 4.0])
    given = tg.tensor([1.0, 1.0], dtype=tg.float64)
    (a + b).backward(given)
    given.fill_(7)
    assert_values(a.grad, [1, 1])
    assert a.grad is not None
    a.grad.fill_(9)
    assert_values(given, [7, 7])
    assert_values(b.grad, [1, 1])


def test_a_gradient_is_independent_of_the_values() -> None:
    a, b = leaf([1.0, 2.0]), leaf([3.0, 4.0])
    (a * b).sum().backward()
    with tg.no_grad():
        b.zero_()
    assert_values(a.grad, [3, 4])


def test_gradients_through_views_are_independent() -> None:
    a, b = leaf([[1.0, 2.0]]), leaf([[3.0, 4.0]])
    c = a + b
    (c.reshape(2) + c.T.reshape(2)).sum().backward()
    assert a.grad is not None
    a.grad.fill_(50)
    assert_values(b.grad, [[2, 2]])


def test_adding_to_one_of_two_pending_gradients_does_not_reach_the_other() -> None:
    a, b = leaf([1.0]), leaf([2.0])
    s = a + b
    t = a * 5
    (s + t).sum().backward()
    assert_values(a.grad, [6])
    assert_values(b.grad, [1])


# ---------------------------------------------------------------------- dtypes
@pytest.mark.parametrize("dtype", [tg.float16, tg.float32, tg.float64])
def test_gradients_keep_the_dtype(dtype: np.dtype[np.floating]) -> None:
    x = leaf([0.5, 1.5, 2.5], dtype)
    for y in (x.mean(), x.max(), x.std(), (x / 3).exp().sum(), (2**x).sum(), x.softmax(0)[0], (x * 1e-3).norm()):
        assert y.dtype == dtype
        x.grad = None
        y.backward()
        assert x.grad is not None
        assert x.grad.dtype == dtype


def test_each_input_gets_a_gradient_in_its_own_dtype() -> None:
    x, y = leaf([1.0, 2.0], tg.float32), leaf([3.0, 4.0], tg.float64)
    (x * y).sum().backward()
    assert x.grad is not None
    assert y.grad is not None
    assert x.grad.dtype == tg.float32
    assert y.grad.dtype == tg.float64


# ---------------------------------------------------------------------- deep graphs
def test_a_chain_of_100_000_operations() -> None:
    depth = 100_000
    assert sys.getrecursionlimit() < depth
    x = leaf(1.0)
    y = x
    for _ in range(depth):
        y = y + x
    y.backward()
    assert_values(x.grad, depth + 1)
    del y  # taking it apart must not recurse either


def test_a_chain_of_100_000_operations_can_be_dropped_unused() -> None:
    y = leaf(1.0)
    first = weakref.ref((y := y * 1.0).grad_fn)
    for _ in range(100_000):
        y = y * 1.0
    assert first() is not None
    del y
    assert first() is None


def test_a_chain_of_20_000_operations_with_its_own_graph() -> None:
    x = leaf(2.0)
    y = x
    for _ in range(20_000):
        y = y * 1.0
    y = y * x
    (g,) = tg.autograd.grad(y, x, create_graph=True)
    assert_values(g, 4)
    (h,) = tg.autograd.grad(g, x)
    assert_values(h, 2)


# ---------------------------------------------------------------------- no work for nothing
def test_no_gradient_is_computed_for_inputs_that_do_not_require_it(monkeypatch: pytest.MonkeyPatch) -> None:
    x, w = tg.ones(4, 3), tg.ones(3, 2, requires_grad=True)
    y = (x @ w).sum()
    calls = counting(monkeypatch, "matmul")
    y.backward()
    assert len(calls) == 1
    assert w.grad is not None


def test_no_gradient_is_computed_towards_tensors_that_were_not_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    x, w, v = leaf(np.ones((4, 3))), leaf(np.ones((3, 2))), leaf(np.ones((2, 2)))
    y = ((x @ w) @ v).sum()
    calls = counting(monkeypatch, "matmul")
    (g,) = tg.autograd.grad(y, v)
    assert_values(g, np.full((2, 2), 12.0))
    assert len(calls) == 1


@pytest.mark.parametrize(
    ("use", "shape"),
    [
        (lambda w: (w + tg.ones(3)).sum(), (1,)),
        (lambda w: w.sum(), (2,)),
        (lambda w: (w * w).sum(), (2,)),
        (lambda w: (w * tg.ones(3)).sum(), (2, 3)),
    ],
)
def test_data_of_another_shape_between_forward_and_backward_is_an_error(use: Any, shape: tuple[int, ...]) -> None:
    w = tg.ones(3, requires_grad=True)
    loss = use(w)
    w.data = tg.ones(shape)
    with pytest.raises(tg.TensorgradError, match=r"run the forward again|changed in place"):
        loss.backward()


def test_what_is_assigned_to_grad_is_checked() -> None:
    x = leaf([1.0, 2.0])
    x.grad = tg.ones(2, dtype=tg.float64)
    with pytest.raises(tg.ShapeError, match=r"grad: the gradient must have the tensor's shape \(2,\), got \(3,\)"):
        x.grad = tg.ones(3, dtype=tg.float64)
    with pytest.raises(tg.DTypeError, match="dtype float64, got float32"):
        x.grad = tg.ones(2)
    with pytest.raises(tg.DTypeError, match="expected a Tensor or None, got float"):
        x.grad = 1.0  # type: ignore[assignment]
    assert x.grad is not None
    assert x.grad.tolist() == [1.0, 1.0]


@pytest.mark.parametrize("write", [lambda y: y.__setitem__(0, 5.0), lambda y: y[0].zero_()])
def test_what_was_written_into_can_be_gone_through_once(write: Callable[[tg.Tensor], object]) -> None:
    """As in PyTorch."""
    x = tg.tensor([1.0, 2.0], requires_grad=True)
    y = x.clone()
    write(y)
    y.sum().backward()
    with pytest.raises(tg.GraphError, match="was freed by an earlier backward"):
        y.sum().backward()
