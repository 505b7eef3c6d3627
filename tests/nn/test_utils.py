"""Clipping gradients, and parameters as one vector."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

import tensorgrad as tg
from tensorgrad import nn
from tensorgrad.nn import utils


def parameters(*gradients: Any, dtype: Any = np.float32) -> list[tg.Tensor]:
    made = []
    for g in gradients:
        p = tg.zeros(np.shape(g), dtype=np.dtype(dtype), requires_grad=True)
        p.grad = tg.tensor(np.asarray(g, dtype))
        made.append(p)
    return made


def gradients(params: list[tg.Tensor]) -> list[Any]:
    return [p.grad.tolist() for p in params if p.grad is not None]


def test_clip_grad_norm() -> None:
    params = [*parameters([3.0], [[0.0, 4.0]]), tg.zeros(2, requires_grad=True)]
    total = utils.clip_grad_norm_(params, 2.5)
    assert total.shape == ()
    assert total.dtype == np.float32
    assert total.item() == 5.0
    assert gradients(params) == [[pytest.approx(1.5)], [[0.0, pytest.approx(2.0)]]]
    assert utils.clip_grad_norm_(params, 100.0).item() == pytest.approx(2.5)
    assert gradients(params) == [[pytest.approx(1.5)], [[0.0, pytest.approx(2.0)]]]


@pytest.mark.parametrize(("norm_type", "norm"), [(1, 7.0), (2, 5.0), (3, 91 ** (1 / 3)), (math.inf, 4.0)])
def test_norm_types(norm_type: float, norm: float) -> None:
    params = parameters([3.0], [-4.0])
    assert utils.get_total_norm([p.grad for p in params if p.grad is not None], norm_type).item() == pytest.approx(norm)
    assert utils.clip_grad_norm_(params, 1.0, norm_type=norm_type).item() == pytest.approx(norm)
    after = np.asarray([3.0, -4.0]) / norm
    np.testing.assert_allclose([p.grad.item() for p in params if p.grad is not None], after, rtol=1e-5)


def test_one_tensor_generators_and_nothing() -> None:
    (p,) = parameters([6.0, 8.0])
    assert utils.clip_grad_norm_(p, 5.0).item() == 10.0
    assert gradients([p]) == [pytest.approx([3.0, 4.0])]
    assert utils.clip_grad_norm_((q for q in [p]), 1.0).item() == pytest.approx(5.0)
    assert utils.clip_grad_norm_([], 1.0).item() == 0.0
    assert utils.clip_grad_norm_([tg.zeros(2, requires_grad=True)], 1.0).item() == 0.0


@pytest.mark.parametrize("bad", [math.nan, math.inf])
def test_norms_that_are_not_finite(bad: float) -> None:
    params = parameters([1.0, bad])
    with pytest.raises(tg.errors.ArgumentError, match=f"clip_grad_norm_: the norm of the gradients is {bad}"):
        utils.clip_grad_norm_(params, 1.0, error_if_nonfinite=True)
    np.testing.assert_array_equal(gradients(params), [[1.0, bad]])  # untouched
    total = utils.clip_grad_norm_(params, 1.0)
    assert not math.isfinite(total.item())
    assert math.isnan(gradients(params)[0][1])


@pytest.mark.parametrize("bad", [math.nan, math.inf])
def test_total_norms_that_are_not_finite(bad: float) -> None:
    x = tg.tensor([1.0, bad])
    with pytest.raises(tg.errors.ArgumentError, match=f"get_total_norm: the norm of the gradients is {bad}, so"):
        utils.get_total_norm(x, error_if_nonfinite=True)
    assert not math.isfinite(utils.get_total_norm(x).item())


def test_an_error_is_no_write() -> None:
    (p,) = parameters([3.0, math.nan])
    assert p.grad is not None
    scale = tg.ones(2, requires_grad=True)
    loss = (scale * p.grad).sum()
    with pytest.raises(tg.errors.ArgumentError):
        utils.clip_grad_norm_(p, 1.0, error_if_nonfinite=True)
    loss.backward()
    np.testing.assert_array_equal(scale.grad.tolist(), [3.0, math.nan])  # type: ignore[union-attr]


def test_finite_norms_are_clipped_as_without_the_flag() -> None:
    (p,), (q,) = parameters([3.0, 4.0]), parameters([3.0, 4.0])
    for most in (2.5, 100.0):
        assert utils.clip_grad_norm_(p, most, error_if_nonfinite=True).item() == utils.clip_grad_norm_(q, most).item()
        assert gradients([p]) == gradients([q])
    assert p.grad is not None
    assert utils.get_total_norm(p.grad, error_if_nonfinite=True).item() == pytest.approx(2.5)


def test_a_norm_beyond_the_dtype_of_the_gradients_is_finite() -> None:
    """Float16 ends at 65504; the norm is found, and clipped by, in float64."""
    (p,) = parameters([60000.0, 60000.0], dtype=np.float16)
    assert utils.clip_grad_norm_(p, 1.0, error_if_nonfinite=True).item() == math.inf  # as float16 has it
    assert gradients([p]) == [pytest.approx([0.5**0.5] * 2, rel=2e-3)]  # the factor is subnormal


def test_clip_grad_value() -> None:
    params = parameters([-3.0, 0.5], [[2.0]])
    utils.clip_grad_value_(params, 1.0)
    assert gradients(params) == [[-1.0, 0.5], [[1.0]]]
    utils.clip_grad_value_(params[0], 0.25)
    assert gradients(params) == [[-0.25, 0.25], [[1.0]]]


@pytest.mark.parametrize("clip", [utils.clip_grad_norm_, utils.clip_grad_value_])
def test_a_graph_that_still_needs_the_gradient_notices(clip: Any) -> None:
    (p,) = parameters([3.0, 4.0])
    assert p.grad is not None
    scale = tg.ones(2, requires_grad=True)
    loss = (scale * p.grad).sum()
    clip(p, 1.0)
    with pytest.raises(tg.errors.GraphError, match=clip.__name__):
        loss.backward()


def test_arguments() -> None:
    params = parameters([1.0])
    with pytest.raises(tg.errors.ArgumentError, match="clip_grad_norm_: max_norm must not be negative, got -1"):
        utils.clip_grad_norm_(params, -1.0)
    with pytest.raises(tg.errors.ArgumentError, match="norm_type must be positive or infinite, got 0"):
        utils.clip_grad_norm_(params, 1.0, norm_type=0)
    with pytest.raises(tg.errors.DTypeError, match=r"expected Tensors, got Linear; pass model\.parameters"):
        utils.clip_grad_norm_(nn.MLP([1, 1]), 1.0)  # type: ignore[arg-type]
    with pytest.raises(tg.errors.DTypeError, match=r"expected Tensors, got Linear; pass model\.parameters"):
        utils.clip_grad_value_(nn.Linear(1, 1), 1.0)
    with pytest.raises(tg.errors.ArgumentError, match="clip_value must not be negative"):
        utils.clip_grad_value_(params, -1.0)


def test_vector_and_back() -> None:
    model = nn.MLP([2, 3, 1])
    vector = utils.parameters_to_vector(model.parameters())
    assert vector.shape == (2 * 3 + 3 + 3 + 1,)
    np.testing.assert_array_equal(vector.detach().numpy()[:6], model[0].weight.detach().numpy().ravel())
    utils.vector_to_parameters(tg.arange(13.0), model.parameters())
    assert model[0].weight.tolist() == [[0.0, 1.0], [2.0, 3.0], [4.0, 5.0]]
    assert model[2].bias.tolist() == [12.0]
    with pytest.raises(tg.errors.ShapeError, match=r"vector_to_parameters: expected shape \(13,\), got \(3,\)"):
        utils.vector_to_parameters(tg.ones(3), model.parameters())
