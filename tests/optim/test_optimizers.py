"""The optimizers on Tensors: against the published formulas; groups, rates and gradients."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import tensorgrad as tg
from tensorgrad import optim
from tensorgrad.optim import SGD, Adagrad, Adam, AdamW, Optimizer, RMSprop
from tests.optim.reference import CASES, REFERENCE, case_id

Array = np.ndarray[Any, Any]
OPTIMIZERS: dict[str, Callable[..., Optimizer]] = {
    name: getattr(optim, name) for name in optim.__all__ if name != "Optimizer"
}


def leaf(values: Any, dtype: Any = np.float64) -> tg.Tensor:
    return tg.tensor(np.asarray(values, dtype), requires_grad=True)


def give(parameter: tg.Tensor, gradient: Any) -> None:
    parameter.grad = tg.tensor(np.asarray(gradient, parameter.dtype))


class Oracle:
    """The reference formula, followed for one parameter."""

    def __init__(self, name: str, start: Array) -> None:
        self.formula = REFERENCE[name]
        self.value = start.astype(np.float64)
        self.state: dict[str, Any] = {}

    def step(self, gradient: Array, lr: float, **options: Any) -> None:
        self.value = self.formula(self.value, gradient.astype(np.float64), self.state, lr, **options)


@pytest.mark.parametrize(("name", "options"), CASES, ids=case_id)
def test_formula_on_a_loss(name: str, options: dict[str, Any]) -> None:
    """Fifty steps down ||x - a||^2 with gradients of our own, lr changed on the way."""
    rng = np.random.default_rng(0)
    start, goal = rng.standard_normal((3, 4)), rng.standard_normal((3, 4))
    x = leaf(start)
    optimizer = OPTIMIZERS[name]([x], lr=0.05, **options)
    oracle = Oracle(name, start)
    for i in range(50):
        if i == 20:
            optimizer.param_groups[0]["lr"] = 0.01
        optimizer.zero_grad()
        ((x - tg.tensor(goal)) ** 2).sum().backward()
        oracle.step(2 * (oracle.value - goal), 0.05 if i < 20 else 0.01, **options)
        optimizer.step()
    np.testing.assert_allclose(x.detach().numpy(), oracle.value, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_defaults_are_pytorchs(name: str) -> None:
    """As PyTorch 2 documents them; AdamW's weight decay and SGD's rate included."""
    want: dict[str, dict[str, Any]] = {
        "SGD": {"lr": 1e-3, "momentum": 0, "dampening": 0, "weight_decay": 0, "nesterov": False},
        "Adam": {"lr": 1e-3, "betas": (0.9, 0.999), "eps": 1e-8, "weight_decay": 0, "amsgrad": False},
        "AdamW": {"lr": 1e-3, "betas": (0.9, 0.999), "eps": 1e-8, "weight_decay": 1e-2, "amsgrad": False},
        "RMSprop": {
            "lr": 1e-2,
            "alpha": 0.99,
            "eps": 1e-8,
            "weight_decay": 0,
            "momentum": 0,
            "centered": False,
        },
        "Adagrad": {
            "lr": 1e-2,
            "lr_decay": 0,
            "weight_decay": 0,
            "initial_accumulator_value": 0,
            "eps": 1e-10,
        },
    }
    assert OPTIMIZERS[name]([leaf([1.0])]).defaults == {**want[name], "maximize": False}


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_groups_with_options_of_their_own(name: str) -> None:
    a, b, c = leaf([1.0, 2.0]), leaf([[3.0]]), leaf(4.0)
    groups = [{"params": [a, c], "lr": 0.1}, {"params": b, "weight_decay": 0.5}]
    optimizer = OPTIMIZERS[name](groups, lr=0.02)
    oracles = [Oracle(name, p.detach().numpy().copy()) for p in (a, b, c)]
    for i in range(10):
        for p, oracle, lr, extra in zip(
            (a, b, c), oracles, (0.1, 0.02, 0.1), ({}, {"weight_decay": 0.5}, {}), strict=True
        ):
            give(p, np.full(p.shape, 0.3 * i - 1))
            oracle.step(np.full(p.shape, 0.3 * i - 1), lr, **extra)
        optimizer.step()
    for p, oracle in zip((a, b, c), oracles, strict=True):
        np.testing.assert_allclose(p.detach().numpy(), oracle.value, rtol=1e-12)


@pytest.mark.parametrize(("name", "options"), [*CASES], ids=case_id)
def test_each_parameter_counts_its_own_steps(name: str, options: dict[str, Any]) -> None:
    """Parameters come in late, pause, and come back; each follows the formula as if it were alone."""
    rng = np.random.default_rng(5)
    params = [leaf(rng.standard_normal(3)) for _ in range(4)]
    oracles = [Oracle(name, p.detach().numpy().copy()) for p in params]
    optimizer = OPTIMIZERS[name](params, lr=0.03, **options)
    for i in range(24):
        here = [True, i >= 5, i % 3 != 1, 8 <= i < 16]
        for p, oracle, present in zip(params, oracles, here, strict=True):
            p.grad = None
            if present:
                g = rng.standard_normal(3)
                give(p, g)
                oracle.step(g, 0.03, **options)
        optimizer.step()
    for p, oracle in zip(params, oracles, strict=True):
        np.testing.assert_allclose(p.detach().numpy(), oracle.value, rtol=1e-10)


def test_parameters_that_go_together_share_one_call(monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[int] = []
    backend = tg.device("cpu").backend
    original = backend.adam_step

    def spy(params: list[Any], *args: Any, **kwargs: Any) -> None:
        calls.append(len(params))
        original(params, *args, **kwargs)

    monkeypatch.setattr(backend, "adam_step", spy, raising=False)
    params = [leaf([float(i)]) for i in range(5)]
    wide = [leaf([1.0], np.float32)]
    optimizer = Adam([*params, *wide])
    for p in (*params, *wide):
        give(p, [1.0])
    optimizer.step()
    assert calls == [5, 1]  # one for each dtype
    params[0].grad = None
    calls.clear()
    optimizer.step()
    assert sorted(calls) == [1, 4]
    give(params[0], [1.0])
    calls.clear()
    optimizer.step()
    assert sorted(calls) == [1, 1, 4]


def test_parameters_without_gradient_stay_and_get_no_state() -> None:
    a, b = leaf([1.0]), leaf([1.0])
    optimizer = Adam([a, b], weight_decay=0.5)
    give(a, [1.0])
    optimizer.step()
    assert b.detach().numpy() == [1.0]
    assert set(optimizer.state) == {a}
    assert optimizer.state_dict()["state"].keys() == {0}


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_float32_stays_float32(name: str) -> None:
    p = leaf([1.0, 2.0], np.float32)
    optimizer = OPTIMIZERS[name]([p], lr=0.1, **({"momentum": 0.9} if name in ("SGD", "RMSprop") else {}))
    give(p, [1.0, 1.0])
    optimizer.step()
    assert p.dtype == np.float32
    kept = {key: t.dtype for key, t in optimizer.state[p].items() if key != "step"}
    assert kept
    assert set(kept.values()) == {np.dtype(np.float32)}


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_parameters_and_gradients_that_are_not_contiguous(name: str) -> None:
    start = np.arange(12.0).reshape(3, 4)
    p = tg.from_numpy(start.T.copy().T)
    p.requires_grad_()
    plain = leaf(start)
    gradient = np.linspace(-1, 1, 12).reshape(4, 3).T
    p.grad, plain.grad = tg.from_numpy(gradient), tg.tensor(np.ascontiguousarray(gradient))
    for q in (p, plain):
        optimizer = OPTIMIZERS[name]([q], lr=0.1)
        optimizer.step()
        optimizer.step()
    np.testing.assert_array_equal(p.detach().numpy(), plain.detach().numpy())
    assert not np.array_equal(p.detach().numpy(), start)


def test_closure_runs_with_gradients_and_its_result_is_returned() -> None:
    x = leaf([3.0])
    optimizer = SGD([x], lr=0.1)

    def closure() -> tg.Tensor:
        optimizer.zero_grad()
        loss = (x * x).sum()
        loss.backward()
        return loss

    with tg.no_grad():
        loss = optimizer.step(closure)
    assert loss.item() == 9.0
    np.testing.assert_allclose(x.detach().numpy(), [3.0 - 0.1 * 6.0])
    assert optimizer.step() is None


def test_zero_grad() -> None:
    x = leaf([3.0, 4.0])
    optimizer = SGD([x], lr=0.1)
    give(x, [1.0, 2.0])
    held = x.grad
    optimizer.zero_grad(set_to_none=False)
    assert x.grad is not None
    np.testing.assert_array_equal(x.grad.detach().numpy(), [0.0, 0.0])
    assert held is not None
    np.testing.assert_array_equal(held.detach().numpy(), [0.0, 0.0])  # in place: the same memory
    optimizer.zero_grad()
    assert x.grad is None


def test_a_step_between_forward_and_backward_is_noticed() -> None:
    """The step writes in place: a backward that still needs the old values must not use the new ones."""
    x = leaf([3.0])
    loss = (x * x).sum()
    give(x, [1.0])
    SGD([x], lr=0.1).step()
    with pytest.raises(tg.errors.GraphError, match=r"SGD\.step"):
        loss.backward()


def test_momentum_switched_on_later_begins_as_its_first_step() -> None:
    x = leaf([1.0])
    optimizer = SGD([x], lr=0.1, dampening=0.5)
    give(x, [1.0])
    optimizer.step()
    np.testing.assert_allclose(x.detach().numpy(), [0.9])
    optimizer.param_groups[0]["momentum"] = 0.9
    optimizer.step()  # b = g, undampened
    np.testing.assert_allclose(x.detach().numpy(), [0.8])
    optimizer.step()  # b = 0.9 + 0.5
    np.testing.assert_allclose(x.detach().numpy(), [0.66])


def test_the_rate_is_mirrored_to_the_device_only_when_it_changes(monkeypatch: pytest.MonkeyPatch) -> None:
    x = leaf([1.0])
    optimizer = SGD([x], lr=0.25)
    give(x, [1.0])
    optimizer.step()
    backend, writes = tg.device("cpu").backend, []
    original = backend.full

    def spy(shape: Any, value: float, *args: Any, **kwargs: Any) -> Any:
        writes.append(value)
        return original(shape, value, *args, **kwargs)

    monkeypatch.setattr(backend, "full", spy, raising=False)
    optimizer.step()
    assert writes == []
    optimizer.param_groups[0]["lr"] = 0.5
    optimizer.step()
    optimizer.step()
    assert writes == [0.5]
    np.testing.assert_allclose(x.detach().numpy(), [1.0 - 0.25 - 0.25 - 0.5 - 0.5])


def test_a_rate_of_zero_changes_nothing() -> None:
    x = leaf([1.0, -2.0])
    optimizer = Adam([x], lr=0.0)
    give(x, [1.0, 1.0])
    optimizer.step()
    np.testing.assert_array_equal(x.detach().numpy(), [1.0, -2.0])


def test_named_parameters_are_named_in_errors() -> None:
    x = leaf([1.0])
    optimizer = SGD([("layer.weight", x)], lr=0.1)
    assert optimizer.param_groups[0]["param_names"] == ["layer.weight"]
    x._grad = tg.tensor([1.0, 2.0], dtype=tg.float64)
    with pytest.raises(tg.errors.ShapeError, match=r"SGD: parameter 'layer\.weight' .*gradient"):
        optimizer.step()


def test_repr_lists_the_groups() -> None:
    assert repr(SGD([leaf([1.0])], lr=0.5)).splitlines() == [
        "SGD (",
        "Parameter Group 0",
        "    dampening: 0.0",
        "    lr: 0.5",
        "    maximize: False",
        "    momentum: 0.0",
        "    nesterov: False",
        "    weight_decay: 0.0",
        ")",
    ]


BAD_OPTIONS = [
    ("SGD", {"lr": -1.0}, "SGD: lr must be finite and not negative, got -1.0"),
    ("SGD", {"lr": float("nan")}, "SGD: lr must be finite"),
    ("SGD", {"momentum": -0.1}, "SGD: momentum must not be negative, got -0.1"),
    ("SGD", {"weight_decay": -1}, "SGD: weight_decay must not be negative"),
    ("SGD", {"nesterov": True}, "SGD: nesterov needs momentum above zero and no dampening"),
    ("SGD", {"nesterov": True, "momentum": 0.9, "dampening": 0.1}, "SGD: nesterov needs"),
    ("Adam", {"betas": (1.0, 0.9)}, r"Adam: betas\[0\] must be in \[0, 1\), got 1.0"),
    ("Adam", {"betas": (0.9, -0.1)}, r"Adam: betas\[1\] must be in \[0, 1\)"),
    ("Adam", {"betas": (0.9,)}, "Adam: betas must be two numbers"),
    ("Adam", {"eps": -1e-8}, "Adam: eps must not be negative"),
    ("AdamW", {"weight_decay": -0.1}, "AdamW: weight_decay must not be negative"),
    ("RMSprop", {"alpha": -0.1}, "RMSprop: alpha must not be negative"),
    ("RMSprop", {"momentum": -0.1}, "RMSprop: momentum must not be negative"),
    ("Adagrad", {"lr_decay": -0.1}, "Adagrad: lr_decay must not be negative"),
    ("Adagrad", {"initial_accumulator_value": -1}, "Adagrad: initial_accumulator_value must not be negative"),
]


@pytest.mark.parametrize(("name", "options", "message"), BAD_OPTIONS, ids=case_id)
def test_options_outside_their_values(name: str, options: dict[str, Any], message: str) -> None:
    with pytest.raises(tg.errors.ArgumentError, match=message):
        OPTIMIZERS[name]([leaf([1.0])], **options)
    with pytest.raises(tg.errors.ArgumentError, match=message):
        OPTIMIZERS[name]([{"params": [leaf([1.0])], **options}])


def test_parameters_that_cannot_be_optimized() -> None:
    x = leaf([1.0])
    cases: list[tuple[Any, type[Exception], str]] = [
        ([], tg.errors.ArgumentError, "SGD: got no parameters"),
        (x, tg.errors.ArgumentError, r"SGD: expected a list of tensors, got one Tensor; pass \[tensor\]"),
        ({"params": [x]}, tg.errors.ArgumentError, r"SGD: expected a list of groups, got one dict"),
        (3, tg.errors.ArgumentError, "SGD: expected parameters or groups, got int"),
        ([x, x], tg.errors.ArgumentError, "SGD: parameter 1 of group 0 is there already"),
        ([{"params": [x]}, {"params": [x]}], tg.errors.ArgumentError, "SGD: parameter 0 of group 1 is there"),
        ([np.ones(3)], tg.errors.DTypeError, "SGD: parameter 0 of group 0 must be a Tensor, got numpy.ndarray"),
        ([tg.tensor([1, 2])], tg.errors.DTypeError, "must be of a floating dtype, got int64"),
        ([x * 2], tg.errors.GraphError, r"SGD: parameter 0 of group 0 \(shape \(1,\)\) is the result"),
        ([{"lr": 1.0}], tg.errors.ArgumentError, "a parameter group is a dict with the key 'params'"),
        ([{"params": {x}}], tg.errors.ArgumentError, "parameters need an order"),
        ([("a", x), leaf([2.0])], tg.errors.ArgumentError, "either all parameters come as"),
    ]
    for params, error, message in cases:
        with pytest.raises(error, match=message):
            SGD(params, lr=0.1)


def test_gradients_that_do_not_fit_change_nothing() -> None:
    a, b = leaf([1.0, 2.0]), leaf([3.0])
    optimizer = Adam([a, b])
    give(a, [1.0, 1.0])
    b._grad = tg.tensor([1.0])  # float32; past the check of `grad`, as replaced data may leave it behind
    with pytest.raises(tg.errors.DTypeError, match=r"parameter 1 of group 0 is float64 on cpu.*gradient is float32"):
        optimizer.step()
    b._grad = tg.tensor([[1.0]], dtype=tg.float64)
    with pytest.raises(tg.errors.ShapeError, match=r"of shape \(1,\), but its gradient is .*\(1, 1\)"):
        optimizer.step()
    np.testing.assert_array_equal(a.detach().numpy(), [1.0, 2.0])


def test_a_parameter_converted_after_its_state_was_made() -> None:
    x = leaf([1.0])
    optimizer = Adam([x])
    give(x, [1.0])
    optimizer.step()
    x.data = x.data.to(tg.float32)
    give(x, [1.0])
    with pytest.raises(tg.errors.DTypeError, match=r"its state was made for float64.*make the optimizer after"):
        optimizer.step()


def test_without_state_parameters_may_be_converted_at_any_time() -> None:
    a, b = leaf([1.0]), leaf([1.0])
    optimizer = SGD([a, b], lr=0.5)
    give(a, [1.0])
    give(b, [1.0])
    optimizer.step()
    b.data = b.data.to(tg.float32)
    give(b, [1.0])
    optimizer.step()
    assert (a.item(), b.item()) == (0.0, 0.0)
    assert b.dtype == np.float32


def test_an_epsilon_that_rounds_to_zero() -> None:
    x = leaf([1.0], np.float16)
    give(x, [0.0])
    optimizer = Adam([x])
    with pytest.raises(tg.errors.ArgumentError, match="Adam: eps=1e-08 is zero in float16"):
        optimizer.step()
    optimizer = Adam([x], eps=1e-4)
    optimizer.step()
    assert np.isfinite(x.detach().numpy()).all()


@pytest.mark.parametrize(
    ("make", "option", "message"),
    [
        (Adam, "learning_rate", "Adam: there is no argument 'learning_rate'; did you mean lr?"),
        (SGD, "momentun", "SGD: there is no argument 'momentun'; did you mean momentum?"),
        (Adam, "learning_rte", "Adam: .* did you mean lr?"),
        (RMSprop, "rho", "RMSprop: .* did you mean alpha?"),
        (AdamW, "weight_deacy", "AdamW: .* did you mean weight_decay?"),
        (Adagrad, "zzz", "Adagrad: there is no argument 'zzz'; there are params, lr, lr_decay"),
    ],
)
def test_options_of_other_names(make: Callable[..., Optimizer], option: str, message: str) -> None:
    with pytest.raises(TypeError, match=message.replace("?", r"\?")):
        make([leaf([1.0])], **{option: 0.1})


def test_an_optimizer_of_ones_own_takes_its_own_options() -> None:
    class Mine(SGD):
        def __init__(self, params: Any, pace: float) -> None:
            super().__init__(params, lr=pace)

    class Open(SGD):
        def __init__(self, params: Any, **options: Any) -> None:
            super().__init__(params, lr=options["anything"])

    assert Mine([leaf([1.0])], pace=0.5).param_groups[0]["lr"] == 0.5
    assert Open([leaf([1.0])], anything=0.5).param_groups[0]["lr"] == 0.5
    assert copy.deepcopy(Mine([leaf([1.0])], pace=0.5)).param_groups[0]["lr"] == 0.5


def test_a_model_whose_layers_are_in_a_list_is_explained() -> None:
    class Model(tg.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.layers = [tg.nn.Linear(1, 1)]

    with pytest.raises(tg.errors.ArgumentError, match=r"got no parameters; .* plain list\? use nn\.ModuleList"):
        Adam(Model().parameters())
