"""Sequential, ModuleList, ModuleDict, MLP."""

from __future__ import annotations

import numpy as np
import pytest

import tensorgrad as tg
from tensorgrad import nn


def kinds(modules: object) -> list[str]:
    return [type(m).__name__ for m in modules]  # type: ignore[attr-defined]


# ---------------------------------------------------------------------- Sequential
def test_sequential_is_the_composition() -> None:
    a, b = nn.Linear(3, 4), nn.Linear(4, 2)
    x = np.linspace(-1, 1, 6, dtype=np.float32).reshape(2, 3)
    hidden = np.maximum(x @ a.weight.detach().numpy().T + a.state_dict()["bias"].detach().numpy(), 0)
    want = hidden @ b.weight.detach().numpy().T + b.state_dict()["bias"].detach().numpy()
    np.testing.assert_allclose(
        nn.Sequential(a, nn.ReLU(), b)(tg.tensor(x)).detach().numpy(), want, rtol=1e-5, atol=1e-6
    )
    assert nn.Sequential()(5) == 5


def test_sequential_indexing_and_slicing() -> None:
    model = nn.Sequential(nn.Linear(1, 2), nn.ReLU(), nn.Linear(2, 3), nn.Tanh())
    assert len(model) == 4
    assert model[0] is next(iter(model))
    assert model[-1] is model[3]
    part = model[1:3]
    assert isinstance(part, nn.Sequential)
    assert kinds(part) == ["ReLU", "Linear"]
    assert part[1] is model[2]
    assert list(part.state_dict()) == ["2.weight", "2.bias"]  # as in PyTorch, names are kept
    part.append(nn.Sigmoid())
    assert kinds(part) == ["ReLU", "Linear", "Sigmoid"]
    model[1] = nn.ELU()
    assert kinds(model) == ["Linear", "ELU", "Linear", "Tanh"]
    with pytest.raises(tg.errors.BoundsError, match=r"Sequential: index must be in \[-4, 4\), got 4"):
        _ = model[4]


def test_sequential_grows_and_shrinks() -> None:
    shared = nn.ReLU()
    model = nn.Sequential(shared, nn.Linear(1, 1), shared)
    del model[0]
    assert kinds(model) == ["Linear", "ReLU"]
    assert list(model.state_dict()) == ["0.weight", "0.bias"]
    model.insert(0, nn.Tanh()).extend([nn.ELU(), nn.SiLU()])
    assert kinds(model) == ["Tanh", "Linear", "ReLU", "ELU", "SiLU"]
    assert isinstance(model.pop(1), nn.Linear)
    del model[1:3]
    assert kinds(model) == ["Tanh", "SiLU"]
    assert [name for name, _ in model.named_children()] == ["0", "1"]


def test_sequential_with_names_and_parameters_of_its_own() -> None:
    class Scaled(nn.Sequential):
        def __init__(self) -> None:
            super().__init__({"layer": nn.Linear(1, 1), "act": nn.ReLU()})
            self.scale = nn.Parameter(tg.ones(1))

    model = Scaled()
    assert len(model) == 2
    assert list(model.state_dict()) == ["scale", "layer.weight", "layer.bias"]
    assert model.layer is model[0]
    assert model(tg.ones(1, 1)).shape == (1, 1)


def test_only_modules_go_in() -> None:
    for make in (
        lambda: nn.Sequential(nn.ReLU(), 3),  # type: ignore[arg-type]
        lambda: nn.Sequential().insert(0, "x"),  # type: ignore[arg-type]
        lambda: nn.ModuleList([tg.ones(1)]),  # type: ignore[list-item]
        lambda: nn.ModuleDict({"a": None}),  # type: ignore[arg-type]
    ):
        with pytest.raises(tg.errors.DTypeError, match="expected a Module, got"):
            make()


def test_what_was_given_for_a_module_and_what_to_give() -> None:
    layers = [nn.Linear(1, 1), nn.ReLU()]
    for make, message in (
        (lambda: nn.Sequential(layers), r"Sequential: .* got a list; unpack with \*: Sequential\(\*layers\)"),  # type: ignore[arg-type]
        (lambda: nn.Sequential(nn.ReLU), r"got the class ReLU; make an instance: ReLU\(\)"),  # type: ignore[arg-type]
        (lambda: nn.Sequential(nn.Linear), r"got the class Linear; make an instance: Linear\(\.\.\.\)"),  # type: ignore[arg-type]
        (lambda: nn.Sequential().append(nn.Tanh), r"got the class Tanh; make an instance: Tanh\(\)"),  # type: ignore[arg-type]
        (lambda: nn.Sequential(nn.functional.relu), r"the function relu; use the module nn\.ReLU\(\)"),  # type: ignore[arg-type]
        (lambda: nn.ModuleList([nn.functional.leaky_relu]), r"the function leaky_relu; use .* nn\.LeakyReLU\(\)"),  # type: ignore[list-item]
        (lambda: nn.ModuleList([tg.exp]), "the function exp; write a Module whose forward calls it"),  # type: ignore[list-item]
        (lambda: nn.ModuleDict({"a": tg.Tensor}), "got the class Tensor$"),  # type: ignore[arg-type]
    ):
        with pytest.raises(tg.errors.DTypeError, match=f"expected a Module, .*{message}|{message}"):
            make()


# ---------------------------------------------------------------------- lists and dicts
def test_module_list() -> None:
    layers = nn.ModuleList(nn.Linear(i + 1, 1) for i in range(3))
    assert list(layers.state_dict())[::2] == ["0.weight", "1.weight", "2.weight"]
    assert isinstance(layers[1:], nn.ModuleList)
    assert list(layers[1:].state_dict())[::2] == ["0.weight", "1.weight"]  # as in PyTorch, numbered anew
    layers.append(nn.ReLU())
    layers += [nn.ReLU()]
    assert len(layers) == 5
    with pytest.raises(tg.errors.ArgumentError, match="ModuleList: cannot be called; iterate over it"):
        layers(tg.ones(1))


def test_module_dict() -> None:
    layers = nn.ModuleDict({"a": nn.Linear(1, 1), "b": nn.ReLU()})
    assert list(layers) == ["a", "b"]
    assert "a" in layers
    assert "c" not in layers
    assert layers["b"] is layers.b
    layers["c"] = nn.Tanh()
    layers.update([("b", nn.ELU())])
    assert kinds(layers.values()) == ["Linear", "ELU", "Tanh"]
    assert list(layers.keys()) == ["a", "b", "c"]
    assert [k for k, _ in layers.items()] == ["a", "b", "c"]
    assert isinstance(layers.pop("a"), nn.Linear)
    assert len(layers) == 2
    with pytest.raises(tg.errors.BoundsError, match="ModuleDict: no module named 'x'; there are b, c"):
        _ = layers["x"]
    with pytest.raises(tg.errors.ArgumentError, match="cannot register module 'keys'"):
        layers["keys"] = nn.ReLU()
    with pytest.raises(tg.errors.ArgumentError, match="ModuleDict: cannot be called"):
        layers(1)
    layers.clear()
    assert len(layers) == 0


# ---------------------------------------------------------------------- MLP
def test_mlp_layers() -> None:
    assert kinds(nn.MLP([5, 4, 3, 2], activation="tanh")) == ["Linear", "Tanh", "Linear", "Tanh", "Linear"]
    assert kinds(nn.MLP([5, 4, 2], dropout=0.5)) == ["Linear", "ReLU", "Dropout", "Linear"]
    assert kinds(nn.MLP([5, 2])) == ["Linear"]
    assert kinds(nn.MLP([5, 4, 2], activation=nn.GELU)) == ["Linear", "GELU", "Linear"]
    model = nn.MLP((6, 4, 2), bias=False, dtype=tg.float64)
    assert [p.shape for p in model.parameters()] == [(4, 6), (2, 4)]
    assert model(tg.ones(3, 6, dtype=tg.float64)).shape == (3, 2)
    assert isinstance(model[:2], nn.Sequential)


def test_mlp_arguments() -> None:
    with pytest.raises(tg.errors.ArgumentError, match=r"MLP: needs at least two sizes.*got \(5,\)"):
        nn.MLP([5])
    with pytest.raises(tg.errors.ArgumentError, match=r"sizes must be a list, got 64; pass a list: MLP\(\[64, 3\]\)"):
        nn.MLP(64, 3)  # type: ignore[arg-type]
    with pytest.raises(tg.errors.ArgumentError, match=r"pass a list: MLP\(\[64, 32, 3\]\)"):
        nn.MLP(64, 32, 3)  # type: ignore[arg-type]
    with pytest.raises(tg.errors.ArgumentError, match=r"MLP: activation must be .*got 'rleu'"):
        nn.MLP([5, 2], activation="rleu")
    with pytest.raises(tg.errors.ArgumentError, match="Linear: out_features must be an integer"):
        nn.MLP([5, -2])
    with pytest.raises(
        tg.errors.DTypeError, match=r"MLP: .* an instance of LeakyReLU; .* lambda: LeakyReLU\(\.\.\.\)$"
    ):
        nn.MLP([5, 4, 2], activation=nn.LeakyReLU(0.2))
    remedied = nn.MLP([5, 4, 3, 2], activation=lambda: nn.LeakyReLU(0.2))
    assert kinds(remedied) == ["Linear", "LeakyReLU", "Linear", "LeakyReLU", "Linear"]
    assert remedied[1] is not remedied[3]
