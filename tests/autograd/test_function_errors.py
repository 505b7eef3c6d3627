"""tg.autograd.Function: what it refuses, what it notices, and what it frees."""

from __future__ import annotations

import gc
import weakref
from collections.abc import Callable
from typing import Any

import pytest

import tensorgrad as tg
from tensorgrad.autograd import Function
from tests.autograd.functions import Cube, Exp, SumAndProduct
from tests.autograd.tools import assert_values, leaf


def _returning(*gradients: Any) -> type[Function]:
    class Wrong(Function):
        @staticmethod
        def forward(ctx: Any, x: tg.Tensor, n: int) -> tg.Tensor:
            return x * n

        @staticmethod
        def backward(ctx: Any, g: tg.Tensor) -> Any:
            return gradients

    return Wrong


@pytest.mark.parametrize(
    ("gradients", "error", "message"),
    [
        ((tg.ones(2),), tg.GraphError, r"Wrong: .* each of the 2 arguments .*got 1"),
        ((tg.ones(2), None, tg.ones(2)), tg.GraphError, r"Wrong: .* each of the 2 arguments .*got 3"),
        ((tg.ones(2), tg.ones(2)), tg.GraphError, r"Wrong: .*None for argument 1"),
        ((tg.ones(3), None), tg.ShapeError, r"Wrong: .*shape \(2,\) for argument 0, got \(3,\)"),
        ((1.0, None), tg.DTypeError, r"Wrong: .*got float for argument 0"),
    ],
)
def test_wrong_gradients(gradients: tuple[Any, ...], error: type[Exception], message: str) -> None:
    x = tg.ones(2, requires_grad=True)
    with pytest.raises(error, match=message):
        _returning(*gradients).apply(x, 3).sum().backward()
    assert x.grad is None


def test_nones_at_the_end_are_let_pass() -> None:
    x = tg.ones(2, requires_grad=True)
    _returning(tg.ones(2) * 3, None, None, None).apply(x, 3).sum().backward()
    assert_values(x.grad, [3, 3])


def test_none_means_no_gradient() -> None:
    x = leaf([1.0])
    (_returning(None, None).apply(x, 3) + x).sum().backward()
    assert_values(x.grad, [1])


def test_only_tensors_are_saved() -> None:
    class Saving(Cube):
        @staticmethod
        def forward(ctx: Any, x: tg.Tensor) -> tg.Tensor:
            ctx.save_for_backward(x, None, 3)
            return x

    with pytest.raises(tg.DTypeError, match="Saving: save_for_backward takes Tensors and None, got int at position 2"):
        Saving.apply(leaf(1.0))


def test_lists_are_as_good_as_tuples() -> None:
    class Twice(Function):
        @staticmethod
        def forward(ctx: Any, x: tg.Tensor) -> list[tg.Tensor]:
            return [x * 2, x * 3]

        @staticmethod
        def backward(ctx: Any, *gradients: tg.Tensor) -> list[tg.Tensor]:
            return [2 * gradients[0] + 3 * gradients[1]]

    x = leaf(1.0)
    y, z = Twice.apply(x)
    (y * 10 + z).backward()
    assert_values(x.grad, 23)


def test_missing_methods_say_so() -> None:
    class Empty(Function):
        pass

    with pytest.raises(NotImplementedError, match="forward"):
        Empty.apply(leaf(1.0))


def test_a_saved_tensor_that_was_written_is_noticed() -> None:
    x = leaf([1.0, 2.0])
    inner = x * 1
    y = Cube.apply(inner)
    inner.add_(1)
    with pytest.raises(tg.GraphError, match=r"Cube needs a value that was changed in place by add_"):
        y.sum().backward()
    z = Exp.apply(x)
    z.mul_(2)
    with pytest.raises(tg.GraphError, match=r"Exp needs a value .*by mul_"):
        z.sum().backward()


def test_the_graph_is_freed() -> None:
    x = leaf(2.0)
    y = Cube.apply(x)
    y.backward()
    with pytest.raises(tg.GraphError, match=r"freed by an earlier backward \(at Cube\)"):
        y.backward()
    total, product = SumAndProduct.apply(x, x * 1)
    (total * product).backward()
    with pytest.raises(tg.GraphError, match=r"freed by an earlier backward \(at (multiply|SumAndProduct)\)"):
        total.backward()
    y = Cube.apply(x)
    y.backward(retain_graph=True)
    y.backward()


def test_saved_tensors_are_freed_with_the_graph_and_there_are_no_cycles() -> None:
    gc.collect()
    gc.disable()
    try:
        calls: list[Callable[[tg.Tensor], Any]] = [Cube.apply, Exp.apply, lambda x: SumAndProduct.apply(x, x * 2)]
        for call in calls:
            x = leaf([1.0, 2.0]) * 1
            out = call(x)
            outs = out if isinstance(out, tuple) else (out,)
            refs = [weakref.ref(o) for o in outs] + [weakref.ref(o.grad_fn) for o in outs] + [weakref.ref(x)]
            (sum(o.sum() for o in outs) * 1).backward()
            del x, out, outs
            assert [r() for r in refs] == [None] * len(refs)
            x = leaf([1.0, 2.0]) * 1
            unused = call(x)
            refs = [weakref.ref(x)]
            del x, unused
            assert refs[0]() is None
    finally:
        gc.enable()
