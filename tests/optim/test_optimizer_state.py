"""state_dict and load_state_dict of the optimizers: structure, exact continuation, clear refusals."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import tensorgrad as tg
from tensorgrad.optim import SGD, Adam, Optimizer
from tests.optim.reference import CASES, case_id
from tests.optim.test_optimizers import OPTIMIZERS, give, leaf

Array = np.ndarray[Any, Any]

STATE_NAMES: list[tuple[str, dict[str, Any], set[str]]] = [
    ("SGD", {}, set()),
    ("SGD", {"momentum": 0.9}, {"momentum_buffer"}),
    ("Adam", {}, {"step", "exp_avg", "exp_avg_sq"}),
    ("AdamW", {"amsgrad": True}, {"step", "exp_avg", "exp_avg_sq", "max_exp_avg_sq"}),
    ("RMSprop", {}, {"step", "square_avg"}),
    ("RMSprop", {"momentum": 0.5, "centered": True}, {"step", "square_avg", "momentum_buffer", "grad_avg"}),
    ("Adagrad", {}, {"step", "sum"}),
]


def _walk(optimizer: Optimizer, params: list[tg.Tensor], grads: list[list[Array]]) -> None:
    for row in grads:
        for p, g in zip(params, row, strict=True):
            give(p, g)
        optimizer.step()


def _pair(dtype: Any = np.float64) -> list[tg.Tensor]:
    rng = np.random.default_rng(0)
    return [leaf(rng.standard_normal((2, 3)), dtype), leaf(rng.standard_normal(4), dtype)]


def _gradients(count: int) -> list[list[Array]]:
    rng = np.random.default_rng(1)
    return [[rng.standard_normal((2, 3)), rng.standard_normal(4)] for _ in range(count)]


@pytest.mark.parametrize(("name", "options", "names"), STATE_NAMES, ids=case_id)
def test_structure_is_pytorchs(name: str, options: dict[str, Any], names: set[str]) -> None:
    params = _pair()
    optimizer = OPTIMIZERS[name]([{"params": params[:1]}, {"params": params[1:], "lr": 0.5}], **options)
    _walk(optimizer, params, _gradients(3))
    state = optimizer.state_dict()
    assert [g["params"] for g in state["param_groups"]] == [[0], [1]]
    assert state["param_groups"][1]["lr"] == 0.5
    assert set(state["state"]) == ({0, 1} if names else set())
    for position, entry in state["state"].items():
        assert set(entry) == names
        for key, value in entry.items():
            assert value.shape == (() if key == "step" else params[position].shape)
        assert "step" not in names or entry["step"].item() == 3.0


@pytest.mark.parametrize("form", ["tensors", "arrays"])
@pytest.mark.parametrize(("name", "options"), CASES, ids=case_id)
def test_continuing_from_a_state_is_exact(name: str, options: dict[str, Any], form: str) -> None:
    grads = _gradients(12)
    straight, resumed = _pair(), _pair()
    optimizer = OPTIMIZERS[name](straight, lr=0.03, **options)
    _walk(optimizer, straight, grads)

    first = OPTIMIZERS[name](resumed, lr=0.03, **options)
    _walk(first, resumed, grads[:5])
    saved = first.state_dict()
    if form == "arrays":  # what a file would give back: arrays, lists, and keys that became text
        saved["state"] = {
            str(i): {k: v.detach().numpy().copy() for k, v in entry.items()} for i, entry in saved["state"].items()
        }
        for group in saved["param_groups"]:
            group.update({k: list(v) for k, v in group.items() if isinstance(v, tuple)})
    second = OPTIMIZERS[name](resumed, lr=0.9)
    second.load_state_dict(saved)
    first.step()  # what was loaded is a copy
    for p, q in zip(resumed, _replayed(name, options, grads[:5]), strict=True):
        p.data = q.data
    _walk(second, resumed, grads[5:])
    for p, q in zip(straight, resumed, strict=True):
        np.testing.assert_array_equal(p.detach().numpy(), q.detach().numpy())


def _replayed(name: str, options: dict[str, Any], grads: list[list[Array]]) -> list[tg.Tensor]:
    params = _pair()
    _walk(OPTIMIZERS[name](params, lr=0.03, **options), params, grads)
    return params


def test_counts_that_differ_are_kept_apart() -> None:
    params = _pair()
    optimizer = Adam(params, lr=0.1)
    give(params[0], np.ones((2, 3)))
    optimizer.step()
    give(params[1], np.ones(4))
    optimizer.step()
    again = Adam(_pair(), lr=0.1)
    again.load_state_dict(optimizer.state_dict())
    counts = [entry["step"].item() for entry in again.state_dict()["state"].values()]
    assert counts == [2.0, 1.0]


def test_state_is_converted_to_the_parameters_dtype() -> None:
    params = _pair()
    optimizer = Adam(params)
    _walk(optimizer, params, _gradients(2))
    narrow = _pair(np.float32)
    again = Adam(narrow)
    again.load_state_dict(optimizer.state_dict())
    assert {t.dtype for k, t in again.state[narrow[0]].items() if k != "step"} == {np.dtype(np.float32)}
    _walk(again, narrow, _gradients(1))
    assert again.state[narrow[0]]["step"].item() == 3.0


def test_a_state_that_does_not_fit_changes_nothing() -> None:
    params = _pair()
    optimizer = Adam(params, lr=0.1)
    _walk(optimizer, params, _gradients(2))
    before = {k: v.detach().numpy().copy() for k, v in optimizer.state[params[0]].items()}

    other = SGD(_pair(), momentum=0.9)
    _walk(other, list(other.param_groups[0]["params"]), _gradients(1))
    one = Adam([leaf(np.ones((2, 3)))])
    swapped = Adam(_pair()[::-1])
    _walk(swapped, list(swapped.param_groups[0]["params"])[::-1], _gradients(1))
    bad_options = optimizer.state_dict()
    bad_options["param_groups"][0]["eps"] = -1.0
    no_step = optimizer.state_dict()
    no_step["state"][1] = {k: v for k, v in no_step["state"][1].items() if k != "step"}

    cases: list[tuple[Any, type[Exception], str]] = [
        (other.state_dict(), tg.errors.ArgumentError, "has 'momentum_buffer', which Adam does not keep"),
        (one.state_dict(), tg.errors.ArgumentError, r"groups of \[2\] parameters, the state has \[1\]"),
        (swapped.state_dict(), tg.errors.ShapeError, r"'exp_avg' must have shape \(2, 3\), got \(4,\)"),
        ({"state": {}}, tg.errors.ArgumentError, "expected a dict with the keys 'state' and 'param_groups'"),
        ([], tg.errors.ArgumentError, "expected a dict"),
        (bad_options, tg.errors.ArgumentError, "eps must not be negative"),
        (no_step, tg.errors.ArgumentError, "has no 'step'"),
    ]
    for state, error, message in cases:
        with pytest.raises(error, match=message):
            optimizer.load_state_dict(state)
    assert optimizer.param_groups[0]["lr"] == 0.1
    for key, value in before.items():
        np.testing.assert_array_equal(optimizer.state[params[0]][key].detach().numpy(), value)
