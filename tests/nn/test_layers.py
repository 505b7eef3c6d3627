"""Linear, Flatten, Identity, Dropout and the activations, against NumPy and SciPy formulas."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from scipy import special

import tensorgrad as tg
from tensorgrad import nn

Array = np.ndarray[Any, Any]


@pytest.mark.parametrize("shape", [(3,), (5, 3), (2, 4, 3), (0, 3)])
def test_linear_formula_and_gradients(shape: tuple[int, ...]) -> None:
    layer = nn.Linear(3, 2, dtype=tg.float64)
    rng = np.random.default_rng(0)
    x = tg.tensor(rng.standard_normal(shape), requires_grad=True)
    g = rng.standard_normal((*shape[:-1], 2))
    assert layer.bias is not None
    w, b = layer.weight.detach().numpy(), layer.bias.detach().numpy()
    out = layer(x)
    np.testing.assert_allclose(out.detach().numpy(), x.detach().numpy() @ w.T + b, rtol=1e-12)
    out.backward(tg.tensor(g))
    assert x.grad is not None
    assert layer.weight.grad is not None
    assert layer.bias.grad is not None
    flat_g, flat_x = g.reshape(-1, 2), x.detach().numpy().reshape(-1, 3)
    np.testing.assert_allclose(x.grad.detach().numpy(), g @ w, rtol=1e-12)
    np.testing.assert_allclose(layer.weight.grad.detach().numpy(), flat_g.T @ flat_x, rtol=1e-12, atol=1e-15)
    np.testing.assert_allclose(layer.bias.grad.detach().numpy(), flat_g.sum(0), rtol=1e-12, atol=1e-15)


def test_linear_without_bias() -> None:
    layer = nn.Linear(2, 2, bias=False)
    assert layer.bias is None
    assert list(layer.state_dict()) == ["weight"]
    np.testing.assert_allclose(
        layer(tg.ones(1, 2)).detach().numpy(), layer.weight.detach().numpy().sum(1)[None], rtol=1e-6
    )


def test_linear_starts_as_pytorchs() -> None:
    """U(-1/sqrt(in), 1/sqrt(in)) for both: the bounds hold, and the standard deviation is bound / sqrt(3)."""
    tg.manual_seed(0)
    layer = nn.Linear(100, 300)
    assert layer.bias is not None
    for values in (layer.weight.detach().numpy(), layer.bias.detach().numpy()):
        assert np.abs(values).max() <= 0.1
        assert np.abs(values).max() > 0.095
        assert values.std() == pytest.approx(0.1 / np.sqrt(3), rel=0.08)
    tg.manual_seed(0)
    np.testing.assert_array_equal(nn.Linear(100, 300).weight.detach().numpy(), layer.weight.detach().numpy())


def test_linear_arguments() -> None:
    with pytest.raises(tg.errors.ArgumentError, match=r"Linear: in_features must be an integer .* got -1"):
        nn.Linear(-1, 2)
    with pytest.raises(tg.errors.ArgumentError, match=r"Linear: out_features must be an integer .* got 2.5"):
        nn.Linear(1, 2.5)  # type: ignore[arg-type]
    for given in (np.ones((1, 4)), [[1.0] * 4]):
        with pytest.raises(tg.errors.DTypeError, match=r"Linear: expected a Tensor, got (numpy\.ndarray|list); "):
            nn.Linear(4, 8)(given)
    assert nn.Linear(0, 2)(tg.ones(3, 0)).tolist() == [[0.0, 0.0]] * 3


def test_flatten_and_identity() -> None:
    x = tg.tensor(np.arange(24.0).reshape(2, 3, 4))
    assert nn.Flatten()(x).tolist() == np.arange(24.0).reshape(2, 12).tolist()
    assert nn.Flatten(0, 1)(x).shape == (6, 4)
    assert nn.Identity(1, anything=2)(x) is x


def test_unflatten() -> None:
    x = tg.tensor(np.arange(24.0).reshape(2, 12))
    layer = nn.Unflatten(1, (3, -1))
    assert layer(x).tolist() == np.arange(24.0).reshape(2, 3, 4).tolist()
    assert repr(layer) == "Unflatten(dim=1, unflattened_size=(3, -1))"
    assert nn.Sequential(nn.Flatten(), nn.Unflatten(dim=-1, unflattened_size=[4, 3]))(x).shape == (2, 4, 3)
    for size in (12, "ab", (3.0, 4)):
        with pytest.raises(tg.errors.DTypeError, match="Unflatten: "):
            nn.Unflatten(1, size)  # type: ignore[arg-type]
    with pytest.raises(tg.errors.ShapeError, match=r"Unflatten.*dim 1 of shape \(2, 12\) cannot be divided"):
        nn.Sequential(nn.Unflatten(1, (5, 2)))(x)


def test_dropout_in_training() -> None:
    tg.manual_seed(1)
    x = tg.ones(200, 500, requires_grad=True)
    out = nn.Dropout(0.25)(x)
    values = out.detach().numpy()
    kept = values != 0
    np.testing.assert_allclose(values[kept], 1 / 0.75, rtol=1e-6)
    assert kept.mean() == pytest.approx(0.75, abs=0.01)
    assert len(np.unique(kept.sum(0))) > 1  # not the same mask in every row
    out.sum().backward()
    assert x.grad is not None
    np.testing.assert_array_equal(x.grad.detach().numpy(), values)  # the mask of the forward


def test_dropout_out_of_training_and_at_its_ends() -> None:
    x = tg.ones(10, 10)
    layer = nn.Dropout(0.9).eval()
    np.testing.assert_array_equal(layer(x).detach().numpy(), x.detach().numpy())
    np.testing.assert_array_equal(nn.Dropout(0.0)(x).detach().numpy(), x.detach().numpy())
    np.testing.assert_array_equal(nn.Dropout(1.0)(x).detach().numpy(), np.zeros((10, 10)))
    for p in (-0.1, 1.1):
        with pytest.raises(tg.errors.ArgumentError, match=r"Dropout: p must be in \[0, 1\]"):
            nn.Dropout(p)


ACTIVATIONS: list[tuple[nn.Module, Callable[[Array], Array]]] = [
    (nn.ReLU(), lambda x: np.maximum(x, 0)),
    (nn.LeakyReLU(), lambda x: np.where(x > 0, x, 0.01 * x)),
    (nn.LeakyReLU(0.3), lambda x: np.where(x > 0, x, 0.3 * x)),
    (nn.ELU(), lambda x: np.where(x > 0, x, np.expm1(x))),
    (nn.ELU(0.5), lambda x: np.where(x > 0, x, 0.5 * np.expm1(x))),
    (nn.GELU(), lambda x: x * special.ndtr(x)),
    (
        nn.GELU(approximate="tanh"),
        lambda x: 0.5 * x * (1 + np.tanh(np.sqrt(2 / np.pi) * (x + 0.044715 * x**3))),
    ),
    (nn.SiLU(), lambda x: x * special.expit(x)),
    (nn.Sigmoid(), special.expit),
    (nn.LogSigmoid(), special.log_expit),
    (nn.Tanh(), np.tanh),
    (nn.Softplus(), lambda x: np.logaddexp(0, x)),
    (nn.Softplus(beta=2.0, threshold=1.0), lambda x: np.where(2 * x > 1, x, np.logaddexp(0, 2 * x) / 2)),
    (nn.Softmax(dim=-1), lambda x: special.softmax(x, axis=-1)),
    (nn.Softmax(0), lambda x: special.softmax(x, axis=0)),
    (nn.LogSoftmax(dim=1), lambda x: special.log_softmax(x, axis=1)),
    (nn.Identity(), lambda x: x),
]


@pytest.mark.parametrize(("module", "formula"), ACTIVATIONS, ids=lambda c: repr(c) if isinstance(c, nn.Module) else "")
def test_activation_formula(module: nn.Module, formula: Callable[[Array], Array]) -> None:
    x = np.linspace(-4, 4, 35).reshape(5, 7)
    np.testing.assert_allclose(module(tg.tensor(x)).detach().numpy(), formula(x), rtol=1e-9, atol=1e-12)
    assert not list(module.parameters())


@pytest.mark.parametrize(
    "make",
    [nn.ReLU, nn.LeakyReLU, lambda **k: nn.LeakyReLU(0.3, **k), nn.ELU, lambda **k: nn.ELU(0.5, **k), nn.SiLU],
    ids=["relu", "leaky_relu", "leaky_relu-0.3", "elu", "elu-0.5", "silu"],
)
def test_inplace_writes_the_result_into_the_input(make: Callable[..., nn.Module]) -> None:
    values = np.linspace(-3, 3, 8)
    start = tg.tensor(values, requires_grad=True)
    expected = make()(start)
    (slope,) = tg.autograd.grad((expected * expected).sum(), [start])

    x = tg.tensor(values)
    assert make(inplace=True)(x) is x
    np.testing.assert_array_equal(x.numpy(), expected.detach().numpy())

    leaf = tg.tensor(values, requires_grad=True)
    inner = leaf * 1
    assert make(inplace=True)(inner) is inner
    (inner * inner).sum().backward()
    assert leaf.grad is not None
    np.testing.assert_array_equal(leaf.grad.numpy(), slope.numpy())
    with pytest.raises(tg.GraphError, match="_: "):
        make(inplace=True)(leaf)
    with pytest.raises(tg.DTypeError, match="_: "):
        nn.SiLU(inplace=True)(tg.arange(3))
    assert repr(make(inplace=True)).endswith("inplace=True)")
    assert "inplace" not in repr(make())


def test_activation_arguments() -> None:
    with pytest.raises(tg.errors.ArgumentError, match="GELU: approximate must be 'none' or 'tanh', got 'erf'"):
        nn.GELU("erf")
    assert repr(nn.LeakyReLU(0.2)) == "LeakyReLU(negative_slope=0.2)"
    assert repr(nn.ELU(inplace=True)) == "ELU(alpha=1.0, inplace=True)"
    assert repr(nn.SiLU(True)) == "SiLU(inplace=True)"
    assert repr(nn.Softmax(1)) == "Softmax(dim=1)"
    assert repr(nn.Softplus()) == "Softplus(beta=1.0, threshold=20.0)"


def test_functional_has_the_functions_behind_the_modules() -> None:
    x = tg.tensor([[-1.0, 0.5]])
    assert nn.functional.relu(x).tolist() == nn.ReLU()(x).tolist()
    assert nn.functional.linear(x, tg.ones(1, 2)).tolist() == [[-0.5]]
    assert all(callable(getattr(nn.functional, name)) for name in nn.functional.__all__)
