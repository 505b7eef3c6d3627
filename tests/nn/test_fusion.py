"""A Linear and the activation after it as one operation: the same numbers, less kept, and nobody notices."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import tensorgrad as tg
from tensorgrad import nn
from tensorgrad.backends.cpu.backend import CpuBackend
from tensorgrad.nn import functional as F
from tensorgrad.ops import linear as M

FUSED: list[Callable[[], nn.Module]] = [nn.ReLU, nn.Sigmoid, nn.Tanh, lambda: nn.ReLU(inplace=True)]


@pytest.fixture(autouse=True)
def _fusing(monkeypatch: pytest.MonkeyPatch) -> None:
    """The CPU does as CUDA does here, where it has no reason to."""
    monkeypatch.setattr(CpuBackend, "fuses_layers", True)


def gradients(model: nn.Module, x: tg.Tensor) -> list[Any]:
    model.zero_grad()
    x.grad = None
    out = model(x)
    (out * out).sum().backward()
    return [out.detach().numpy(), *(t.grad.numpy() for t in (x, *model.parameters()) if t.grad is not None)]


@pytest.mark.parametrize("make", FUSED)
def test_the_same_bits_as_apart(make: Callable[[], nn.Module]) -> None:
    layer, activation = nn.Linear(5, 4), make()
    x = tg.randn(7, 5, requires_grad=True)
    together = nn.Sequential(layer, activation)
    assert together(x).node.op is M.linear_act
    mine = gradients(together, x)
    layer.register_forward_hook(lambda *_: None)  # whoever looks in between gets the two apart
    assert together(x).node.op is not M.linear_act
    apart = gradients(together, x)
    assert len(mine) == len(apart) == 4
    for a, b in zip(mine, apart, strict=True):
        np.testing.assert_array_equal(a, b)


class Doubling(nn.Linear):
    def forward(self, input: tg.Tensor) -> tg.Tensor:
        return super().forward(input) * 2


@pytest.mark.parametrize("case", ["hook before", "hook on the activation", "subclass", "own forward", "leaky", "gelu"])
def test_whoever_looks_in_between_sees_it(case: str) -> None:
    layer, activation, calls = nn.Linear(3, 2), nn.ReLU(), []
    if case == "hook before":
        layer.register_forward_pre_hook(lambda module, args: calls.append(args))
    elif case == "hook on the activation":
        activation.register_forward_pre_hook(lambda module, args: calls.append(args))
    elif case == "subclass":
        layer = Doubling(3, 2)
    elif case == "own forward":
        activation.forward = lambda input: calls.append(input) or input  # type: ignore[method-assign, func-returns-value]
    model = nn.Sequential(layer, {"leaky": nn.LeakyReLU(), "gelu": nn.GELU()}.get(case, activation))
    out = model(tg.ones(1, 3))
    assert out.node.op is not M.linear_act
    assert len(calls) == (case in ("hook before", "hook on the activation", "own forward"))
    np.testing.assert_array_equal(out.detach().numpy(), model[1](model[0](tg.ones(1, 3))).detach().numpy())


@pytest.mark.parametrize(("owner", "name"), [(nn.ReLU, "forward"), (nn.Linear, "forward"), (nn.Module, "__call__")])
def test_a_class_that_was_changed_is_called(owner: Any, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    own, calls = getattr(owner, name), []

    def noted(self: Any, *args: Any) -> Any:
        calls.append(type(self).__name__)
        return own(self, *args)

    model = nn.Sequential(nn.Linear(3, 2), nn.ReLU())
    monkeypatch.setattr(owner, name, noted)
    model(tg.ones(1, 3))
    assert calls == (["Sequential", "Linear", "ReLU"] if owner is nn.Module else [owner.__name__])


def test_errors_still_name_the_layer() -> None:
    model = nn.Sequential(nn.Linear(3, 2), nn.ReLU(), nn.Linear(5, 2), nn.ReLU())
    with pytest.raises(tg.ShapeError, match=r"model\.2 \(Linear\): expected in_features=5, got 2"):
        model(tg.ones(1, 3))


def test_a_write_into_the_result_is_noticed() -> None:
    x = tg.ones(2, 3)
    out = nn.Sequential(nn.Linear(3, 2), nn.Sigmoid())(x)
    out.mul_(2)  # needs its own old values, which it keeps
    with pytest.raises(tg.GraphError, match="linear_act needs a value that was changed in place by mul_"):
        out.sum().backward()


def test_only_what_a_needed_gradient_reads_is_kept() -> None:
    """The weight is read for the input's gradient alone, the input for the weight's."""
    x, layer = tg.ones(2, 3), nn.Linear(3, 2)
    out = layer.with_activation(x, "relu")
    with tg.no_grad():
        layer.weight.mul_(2)
    out.sum().backward()
    assert layer.weight.grad is not None
    for p in layer.parameters():
        p.requires_grad_(False)
    x = tg.ones(2, 3, requires_grad=True)
    y = x * 1
    out = layer.with_activation(y, "relu")
    with tg.no_grad():
        y.mul_(2)
    out.sum().backward()
    assert x.grad is not None


@pytest.mark.parametrize("make", [nn.LeakyReLU, nn.ELU, nn.GELU, nn.SiLU, nn.Softplus])
def test_what_may_be_written_into_apart_may_be_so_together(make: Callable[[], nn.Module]) -> None:
    x = tg.randn(2, 4)
    layer, activation = nn.Linear(4, 4), make()
    h = nn.Sequential(layer, activation)(x)
    h += x
    h.sum().backward()
    found: list[Any] = [p.grad for p in layer.parameters()]
    layer.zero_grad()
    (activation(layer(x)) + x).sum().backward()
    wanted: list[Any] = [p.grad for p in layer.parameters()]
    assert all(tg.equal(a, b) for a, b in zip(found, wanted, strict=True))


def test_the_cpu_runs_the_two_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()
    assert nn.Sequential(nn.Linear(3, 2), nn.ReLU())(tg.ones(1, 3)).node.op is not M.linear_act


@pytest.mark.parametrize("activation", ["relu", "leaky_relu", "sigmoid", "tanh"])
def test_gradients_of_gradients(activation: str) -> None:
    rng = np.random.default_rng(1)
    x, w, b = (tg.tensor(rng.standard_normal(s) + 0.3, requires_grad=True) for s in ((4, 3), (2, 3), (2,)))
    assert tg.autograd.gradgradcheck(lambda x, w, b: F.linear_act(x, w, b, activation), (x, w, b))


def test_arguments() -> None:
    x, w = tg.ones(1, 2), tg.ones(3, 2)
    with pytest.raises(tg.ArgumentError, match=r"linear_act: activation must be one of 'relu', .*, got 'gelu'"):
        F.linear_act(x, w, activation="gelu")
    with pytest.raises(tg.ArgumentError, match=r"negative_slope must not be negative, got -1; use leaky_relu"):
        F.linear_act(x, w, activation="leaky_relu", negative_slope=-1)
    with pytest.raises(tg.DTypeError, match="linear_act: expected floating tensors, got int64"):
        F.linear_act(x.long(), w.long())
    with pytest.raises(tg.ShapeError, match=r"^linear_act: .* must be in_features=2"):
        F.linear_act(tg.ones(1, 3), w)
    with pytest.raises(tg.ShapeError, match=r"^linear_act: weight must be"):
        F.linear_act(x, tg.ones(2))
    with pytest.raises(tg.ShapeError, match=r"^linear_act: bias must be"):
        F.linear_act(x, w, tg.ones(2))
    with pytest.raises(tg.DTypeError, match=r"^linear_act: both must have one dtype"):
        F.linear_act(x.double(), w)
