"""Matrix products beyond the table: errors, dtypes, what is kept and what is computed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import tensorgrad as tg
from tensorgrad.errors import DTypeError, ShapeError
from tensorgrad.functional.linalg import addmm, linear


def zeros(*shape: int) -> tg.Tensor:
    return tg.zeros(*shape)


@pytest.mark.parametrize(
    ("function", "shapes", "says"),
    [
        (tg.matmul, [(3, 4), (5, 6)], "matmul: inner sizes must agree, got (3, 4) @ (5, 6): 4 and 5"),
        (tg.matmul, [(3,), (4,)], "matmul: inner sizes must agree, got (3,) @ (4,): 3 and 4"),
        (tg.matmul, [(2, 3), ()], "matmul: both operands need at least one dimension, got (2, 3) @ ()"),
        (tg.matmul, [(2, 3, 4), (5, 4, 3)], "matmul: batch sizes must broadcast, got (2, 3, 4) @ (5, 4, 3)"),
        (
            tg.mm,
            [(2, 3, 4), (4, 5)],
            "mm: expected tensors of 2 and 2 dimensions, got shapes (2, 3, 4) and (4, 5)",
        ),
        (tg.mm, [(2, 3), (4, 5)], "mm: inner sizes must agree, got (2, 3) @ (4, 5): 3 and 4"),
        (tg.bmm, [(2, 3, 4), (5, 4, 3)], "bmm: batch sizes must agree, got (2, 3, 4) @ (5, 4, 3): 2 and 5"),
        (tg.bmm, [(2, 3), (2, 3)], "bmm: expected tensors of 3 and 3 dimensions"),
        (tg.mv, [(2, 3), (3, 1)], "mv: expected tensors of 2 and 1 dimensions"),
        (tg.dot, [(3,), (4,)], "dot: inner sizes must agree, got (3,) @ (4,): 3 and 4"),
        (
            tg.outer,
            [(2, 3), (4,)],
            "outer: expected two tensors of one dimension, got shapes (2, 3) and (4,)",
        ),
        (
            addmm,
            [(3, 5), (2, 3), (3, 5)],
            "addmm: input must broadcast to the product's shape (2, 5), got (3, 5)",
        ),
        (addmm, [(1, 2, 5), (2, 3), (3, 5)], "addmm: input must broadcast to the product's shape (2, 5)"),
        (
            linear,
            [(2, 4), (5, 3)],
            "linear: the last dimension of input must be in_features=3, got input (2, 4)",
        ),
        (linear, [(), (5, 3)], "linear: the last dimension of input must be in_features=3, got input ()"),
        (linear, [(2, 3), (3,)], "linear: weight must be (out_features, in_features), got (3,)"),
        (
            linear,
            [(2, 3), (5, 3), (3,)],
            "linear: bias must be (5,) of float32, as weight (5, 3) demands, got (3,)",
        ),
        (linear, [(2, 3), (5, 3), (1,)], "linear: bias must be (5,)"),
    ],
)
def test_errors_name_the_shapes(function: Callable[..., Any], shapes: list[tuple[int, ...]], says: str) -> None:
    with pytest.raises(ShapeError) as caught:
        function(*(zeros(*shape) for shape in shapes))
    assert str(caught.value).startswith(says)


@pytest.mark.parametrize("function", [tg.matmul, tg.mm, linear])
def test_dtypes_are_not_mixed(function: Callable[..., Any]) -> None:
    x = zeros(2, 2)
    with pytest.raises(DTypeError, match=rf"^{function.__name__}: .* one dtype, got float32 and float64"):
        function(x, tg.zeros(2, 2, dtype=tg.float64))
    with pytest.raises(DTypeError, match="bool tensors have no product"):
        function(x > 0, x > 0)
    with pytest.raises(DTypeError, match="expected two Tensors, got Tensor and list"):
        function(x, [[1, 2], [3, 4]])


def test_addmm_without_beta_does_not_read_its_input() -> None:
    x, y = tg.ones(2, 3), tg.ones(3, 2)
    assert addmm(tg.full((2, 2), float("nan")), x, y, beta=0).tolist() == [[3, 3], [3, 3]]


def test_the_first_layer_computes_no_input_gradient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Input data does not require grad: of the two products of a linear layer's backward only one is made."""
    weight, bias = (tg.ones(*s).requires_grad_() for s in ((2, 3), (2,)))
    loss = linear(tg.ones(4, 3), weight, bias).sum()
    backend = loss.device.backend
    calls: list[tuple[int, ...]] = []
    product = backend.matmul

    def counted(x: Any, y: Any, **kwargs: Any) -> Any:
        calls.append((*x.shape, *y.shape))
        return product(x, y, **kwargs)

    monkeypatch.setattr(backend, "matmul", counted, raising=True)
    loss.backward()
    assert calls == [(2, 4, 4, 3)]


def test_a_frozen_weight_may_change_before_backward() -> None:
    """Only what the wanted gradients read is kept: without an input gradient nothing reads the weight."""
    x, weight = tg.ones(4, 3), tg.ones(2, 3).requires_grad_()
    out = linear(x, weight)
    with tg.no_grad():
        weight.add_(1)
    (found,) = tg.autograd.grad(out.sum(), weight)
    assert found.tolist() == [[4, 4, 4], [4, 4, 4]]


def test_float16_is_accumulated_in_float32() -> None:
    x = tg.ones(1, 5000, dtype=tg.float16)
    assert tg.matmul(x, x.transpose(0, 1)).item() == 5000
    assert tg.matmul(x, x.transpose(0, 1)).dtype == tg.float16


def test_transposed_operands_give_what_copies_give() -> None:
    rng = np.random.default_rng(0)
    a, b = rng.standard_normal((5, 4, 3)), rng.standard_normal((2, 4))
    x, y = tg.tensor(a).transpose(1, 2), tg.tensor(b).transpose(0, 1)
    np.testing.assert_allclose(tg.matmul(x, y).numpy(), a.transpose(0, 2, 1) @ b.T)


def test_the_nuclear_norm() -> None:
    """Where singular values are 0, nothing of them is in the gradient: u v.T of the one that is not."""
    x = tg.ones(2, 2, requires_grad=True)
    norm = x.norm("nuc")
    assert norm.item() == pytest.approx(2)
    (gradient,) = tg.autograd.grad(norm, x)
    np.testing.assert_allclose(gradient.numpy(), np.full((2, 2), 0.5), rtol=1e-6)
    assert tg.zeros(0, 3).norm("nuc").item() == 0
    assert tg.ones(2, 2).norm("fro").item() == 2
    with pytest.raises(tg.GraphError, match="no gradient can be taken"):
        tg.autograd.grad(x.norm("nuc"), x, create_graph=True)
    wrongs: list[tuple[Callable[[], Any], str]] = [
        (lambda: tg.ones(2).norm("nuc"), "dim must be two dims, got None for shape"),
        (lambda: tg.ones(2, 2, 2).norm("nuc"), "dim must be two dims"),
        (lambda: tg.ones(2, 2).norm("nuc", 0), "dim must be two dims, got 0"),
        (lambda: tg.tensor([[1.0, float("nan")]]).norm("nuc"), "nan or infinite"),
        (lambda: tg.ones(2, 2).norm("nuclear"), 'inf, -inf, "fro" or "nuc", got'),
    ]
    for wrong, text in wrongs:
        with pytest.raises(tg.ArgumentError, match=text):
            wrong()
