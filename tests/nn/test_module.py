"""Module: registration, looking inside, modes, moving, hooks, text."""

from __future__ import annotations

import copy
from typing import Any

import numpy as np
import pytest

import tensorgrad as tg
from tensorgrad import nn


class Block(nn.Module):
    """Two layers, one of them used twice, a loose parameter, and buffers of both kinds."""

    def __init__(self) -> None:
        super().__init__()
        self.scale = nn.Parameter(tg.ones(1))
        self.register_buffer("mean", tg.zeros(2))
        self.register_buffer("cache", tg.zeros(3), persistent=False)
        self.register_parameter("shift", None)
        self.first = nn.Linear(2, 2)
        self.again = self.first
        self.act = nn.ReLU()
        self.note = "not registered"

    def forward(self, x: tg.Tensor) -> Any:
        return self.act(self.again(self.first(x))) * self.scale


class Model(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.blocks = nn.ModuleList([Block(), Block()])
        self.head = nn.Linear(2, 1, bias=False)

    def forward(self, x: tg.Tensor) -> Any:
        for block in self.blocks:
            x = block(x)
        return self.head(x)


def names(pairs: Any) -> list[str]:
    return [name for name, _ in pairs]


# ---------------------------------------------------------------------- registration
def test_names_come_in_pytorchs_order_and_shared_ones_once() -> None:
    model = Model()
    block = ["scale", "first.weight", "first.bias"]
    assert names(model.named_parameters()) == [
        *(f"blocks.0.{n}" for n in block),
        *(f"blocks.1.{n}" for n in block),
        "head.weight",
    ]
    assert names(model.named_buffers()) == [f"blocks.{i}.{n}" for i in (0, 1) for n in ("mean", "cache")]
    assert names(model.named_modules()) == [
        "",
        "blocks",
        *(f"blocks.{i}{n}" for i in (0, 1) for n in ("", ".first", ".act")),
        "head",
    ]
    assert names(model.named_children()) == ["blocks", "head"]
    assert names(model.blocks[0].named_children()) == ["first", "act"]
    assert names(model.named_parameters(prefix="net", recurse=False)) == []
    assert names(Block().named_parameters(prefix="net", recurse=False)) == ["net.scale"]
    assert len(list(model.parameters())) == 7
    assert len(list(model.buffers())) == 4
    assert list(model.children()) == [model.blocks, model.head]
    assert "blocks.0.again.weight" in names(model.named_parameters(remove_duplicate=False))


def test_assignment_registers_and_deletion_forgets() -> None:
    module = nn.Module()
    module.a = nn.Parameter(tg.ones(2))
    module.b = nn.Linear(1, 1)
    assert names(module.named_parameters()) == ["a", "b.weight", "b.bias"]
    module.b = None
    assert names(module.named_parameters()) == ["a"]
    module.b = nn.Linear(1, 1, bias=False)
    assert names(module.named_parameters()) == ["a", "b.weight"]
    del module.a
    assert names(module.named_parameters()) == ["b.weight"]
    assert not hasattr(module, "a")
    module.b.weight = nn.Parameter(tg.zeros(1, 1))
    assert module.b(tg.ones(1, 1)).item() == 0.0
    module.c = tg.ones(1)  # a plain tensor is a plain attribute
    assert names(module.named_buffers()) == []


def test_a_registered_name_keeps_its_kind() -> None:
    layer = nn.Linear(2, 1)
    with pytest.raises(tg.errors.DTypeError, match=r"Linear: 'weight' is a registered parameter; .* got Tensor"):
        layer.weight = tg.ones(1, 2)  # type: ignore[assignment]
    layer.bias = None
    assert names(layer.named_parameters()) == ["weight"]
    model = nn.Sequential(layer)
    with pytest.raises(tg.errors.DTypeError, match="expected a Module or None, got float"):
        setattr(model, "0", 1.0)
    block = Block()
    block.mean = tg.ones(2)
    np.testing.assert_array_equal(block.state_dict()["mean"].detach().numpy(), [1.0, 1.0])


def test_names_that_cannot_be_registered() -> None:
    module = Block()
    for name in ("", "a.b"):
        with pytest.raises(tg.errors.ArgumentError, match="must not be empty and has no dots"):
            module.register_buffer(name, tg.ones(1))
    with pytest.raises(tg.errors.ArgumentError, match="cannot register module 'note': there is an attribute"):
        module.add_module("note", nn.ReLU())
    with pytest.raises(tg.errors.DTypeError, match="parameter 'w' must be a Parameter, got Tensor"):
        module.register_parameter("w", tg.ones(1))  # type: ignore[arg-type]


class Forgetful(nn.Module):
    def __init__(self, assign: bool) -> None:
        if assign:
            self.layer = nn.Linear(1, 1)

    def forward(self, x: tg.Tensor) -> tg.Tensor:
        return x


def test_forgetting_super_init_is_explained() -> None:
    with pytest.raises(tg.errors.ArgumentError, match=r"Forgetful: call super\(\).__init__\(\) first"):
        Forgetful(assign=True)
    with pytest.raises(tg.errors.ArgumentError, match=r"Forgetful: call super\(\).__init__\(\) first"):
        Forgetful(assign=False)(tg.ones(1))
    with pytest.raises(tg.errors.ArgumentError, match=r"Forgetful: call super\(\).__init__\(\) first"):
        list(Forgetful(assign=False).parameters())


def test_attributes_and_forwards_that_are_not_there() -> None:
    with pytest.raises(AttributeError, match="'Block' object has no attribute 'nothing'"):
        _ = Block().nothing
    with pytest.raises(NotImplementedError, match="Module: define forward"):
        nn.Module()(1)


def test_get_submodule() -> None:
    model = Model()
    assert model.get_submodule("") is model
    assert model.get_submodule("blocks.1.first") is model.blocks[1].first
    with pytest.raises(tg.errors.ArgumentError, match=r"Model: no module at 'blocks\.7': '7' was not found"):
        model.get_submodule("blocks.7")


# ---------------------------------------------------------------------- calling
def test_errors_carry_the_path_of_the_module() -> None:
    model = nn.Sequential(nn.Linear(8, 256), nn.ReLU(), nn.Linear(256, 4))
    model[0] = nn.Linear(8, 128)
    with pytest.raises(tg.errors.ShapeError) as caught:
        model(tg.ones(32, 8))
    assert str(caught.value) == ("model.2 (Linear): expected in_features=256, got 128 (input shape (32, 128))")
    with pytest.raises(tg.errors.ShapeError) as caught:
        nn.Linear(3, 1)(tg.ones(()))
    assert str(caught.value) == "Linear: expected in_features=3, got a 0-d tensor (input shape ())"


def test_the_path_leads_through_lists_that_are_never_called() -> None:
    model = Model()
    model.blocks[1].first = nn.Linear(5, 2)
    with pytest.raises(tg.errors.ShapeError, match=r"^model\.blocks\.1\.first \(Linear\): expected in_features=5"):
        model(tg.ones(1, 2))


def test_other_exceptions_pass_untouched() -> None:
    class Broken(nn.Module):
        def forward(self) -> None:
            raise KeyError("mine")

    with pytest.raises(KeyError, match=r"^'mine'$"):
        Broken()()


def test_hooks_see_and_replace() -> None:
    layer = nn.Linear(2, 1, bias=False)
    nn.init.ones_(layer.weight)
    seen: list[Any] = []

    def before(module: nn.Module, args: tuple[Any, ...]) -> Any:
        seen.append(("before", module is layer, args[0].tolist()))
        return args[0] * 2

    def after(module: nn.Module, args: tuple[Any, ...], output: tg.Tensor) -> Any:
        seen.append(("after", args[0].tolist(), output.tolist()))
        return output + 1

    first, second = layer.register_forward_pre_hook(before), layer.register_forward_hook(after)
    assert layer(tg.ones(2)).tolist() == [5.0]
    assert seen == [("before", True, [1.0, 1.0]), ("after", [2.0, 2.0], [4.0])]
    first.remove()
    assert layer(tg.ones(2)).tolist() == [3.0]
    second.remove()
    second.remove()
    assert layer(tg.ones(2)).tolist() == [2.0]
    with layer.register_forward_hook(lambda *_: "replaced"):
        assert layer(tg.ones(2)) == "replaced"
    assert layer(tg.ones(2)).tolist() == [2.0]


def test_hooks_with_keywords_and_order() -> None:
    class Power(nn.Module):
        def forward(self, x: float, exponent: int = 1) -> float:
            return x**exponent

    order: list[str] = []
    module = Power()
    module.register_forward_pre_hook(lambda m, a: order.append("second"))
    module.register_forward_pre_hook(lambda m, a: order.append("first"), prepend=True)
    module.register_forward_pre_hook(lambda m, a, k: (a, {"exponent": k["exponent"] + 1}), with_kwargs=True)
    module.register_forward_hook(lambda m, a, k, out: out + k["exponent"], with_kwargs=True)
    assert module(2, exponent=2) == 2**3 + 3
    assert order == ["first", "second"]


# ---------------------------------------------------------------------- changing everything
def test_train_and_eval_reach_everything() -> None:
    model = Model()
    assert model.training
    assert model.eval() is model
    assert not any(m.training for m in model.modules())
    model.blocks[1].train()
    assert [b.training for b in model.blocks] == [False, True]
    with pytest.raises(tg.errors.ArgumentError, match=r"Model\.train: mode must be True or False, got 'yes'"):
        model.train("yes")  # type: ignore[arg-type]


def test_apply_visits_children_first() -> None:
    visited: list[str] = []
    model = nn.Sequential(nn.Sequential(nn.ReLU()), nn.Tanh())
    assert model.apply(lambda m: visited.append(type(m).__name__)) is model
    assert visited == ["ReLU", "Sequential", "Tanh", "Sequential"]


def test_requires_grad_and_zero_grad() -> None:
    model = nn.Linear(2, 1)
    model(tg.ones(3, 2)).sum().backward()
    gradient = model.weight.grad
    assert gradient is not None
    np.testing.assert_array_equal(gradient.detach().numpy(), [[3.0, 3.0]])
    model.zero_grad(set_to_none=False)
    np.testing.assert_array_equal(gradient.detach().numpy(), [[0.0, 0.0]])
    model.zero_grad()
    assert all(p.grad is None for p in model.parameters())
    model.requires_grad_(False)
    assert not model(tg.ones(3, 2)).requires_grad


def test_to_converts_in_place_and_leaves_integers() -> None:
    module = Block()
    module.register_buffer("count", tg.tensor([3]))
    weight = module.first.weight
    weight.grad = tg.ones(2, 2)
    values = weight.detach().numpy().copy()
    assert module.to(tg.float64) is module
    assert module.first.weight is weight
    assert weight.requires_grad
    assert {p.dtype for p in module.parameters()} == {np.dtype(np.float64)}
    assert weight.grad.dtype == np.float64
    assert module.mean.dtype == np.float64
    assert module.count.dtype == np.int64
    np.testing.assert_array_equal(weight.detach().numpy(), values)
    assert module.float().first.weight.dtype == np.float32
    assert module.half().first.weight.dtype == np.float16
    assert module.double().first.weight.dtype == np.float64
    assert module.to("cpu", tg.float32).first.weight.dtype == np.float32
    assert module.to(tg.zeros(1, dtype=tg.float64)).first.weight.dtype == np.float64
    assert module.to(dtype=tg.float32, device="cpu").cpu().first.weight.dtype == np.float32
    with pytest.raises(tg.errors.DTypeError, match=r"Module\.to: expected a floating dtype, got int64"):
        module.to(tg.int64)


def test_an_optimizer_keeps_hold_of_a_model_that_is_converted() -> None:
    model = nn.Linear(1, 1, bias=False)
    optimizer = tg.optim.SGD(model.parameters(), lr=1.0)
    model.double()
    before = model.weight.item()
    model(tg.ones(1, 1, dtype=tg.float64)).sum().backward()
    optimizer.step()
    assert model.weight.item() == before - 1.0


def test_deepcopy_is_independent() -> None:
    model = Model()
    twin = copy.deepcopy(model)
    assert isinstance(twin.head.weight, nn.Parameter)
    assert twin.head.weight is not model.head.weight
    assert twin.blocks[0].again is twin.blocks[0].first
    with tg.no_grad():
        twin.head.weight.fill_(9.0)
    assert (model.head.weight.detach().numpy() != 9.0).all()


# ---------------------------------------------------------------------- parameters and text
def test_parameter_shares_memory_and_is_a_leaf() -> None:
    data = tg.zeros(2)
    p = nn.Parameter(data)
    assert isinstance(p, tg.Tensor)
    assert p.requires_grad
    assert p.is_leaf
    data.fill_(3.0)
    np.testing.assert_array_equal(p.detach().numpy(), [3.0, 3.0])
    assert type(p * 2) is tg.Tensor
    assert nn.Parameter(tg.ones(2, requires_grad=True) * 2).is_leaf
    assert not nn.Parameter(tg.tensor([1]), requires_grad=False).requires_grad
    with pytest.raises(tg.errors.DTypeError, match="only floating tensors"):
        nn.Parameter(tg.tensor([1]))
    with pytest.raises(tg.errors.DTypeError, match=r"Parameter: expected a Tensor, got list"):
        nn.Parameter([1.0])  # type: ignore[arg-type]
    assert repr(p).startswith("Parameter containing:\n")


def test_a_write_to_the_memory_of_a_parameter_is_noticed() -> None:
    data = tg.ones(2)
    p = nn.Parameter(data)
    loss = (p * p).sum()
    data.fill_(3.0)
    with pytest.raises(tg.errors.GraphError, match="fill_"):
        loss.backward()


def test_repr_is_nested() -> None:
    model = nn.Sequential(
        nn.Flatten(),
        nn.ModuleList([nn.ReLU(), nn.ReLU(), nn.Linear(3, 4, bias=False)]),
        nn.ModuleDict({"a": nn.Dropout(0.25), "b": nn.GELU(approximate="tanh")}),
    )
    assert repr(model) == (
        "Sequential(\n"
        "  (0): Flatten(start_dim=1, end_dim=-1)\n"
        "  (1): ModuleList(\n"
        "    (0-1): 2 x ReLU()\n"
        "    (2): Linear(in_features=3, out_features=4, bias=False)\n"
        "  )\n"
        "  (2): ModuleDict(\n"
        "    (a): Dropout(p=0.25, inplace=False)\n"
        "    (b): GELU(approximate='tanh')\n"
        "  )\n"
        ")"
    )


def test_to_a_dtype_or_device_by_name() -> None:
    model = nn.Linear(2, 1)
    assert model.to("float64").weight.dtype == tg.float64
    assert model.to("cpu", "float32").weight.dtype == tg.float32
    with pytest.raises(tg.errors.DeviceError):
        model.to("nowhere")


def test_counts_may_be_numpy_integers() -> None:
    layer = nn.Linear(np.int64(2), np.int32(3))  # type: ignore[arg-type]
    assert (type(layer.in_features), layer.weight.shape) == (int, (3, 2))
    for bad in (2.0, "2", -1, None):
        with pytest.raises(tg.errors.ArgumentError, match="Linear: in_features must be an integer"):
            nn.Linear(bad, 1)  # type: ignore[arg-type]
