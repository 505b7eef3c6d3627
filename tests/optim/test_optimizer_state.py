"""state_dict and load_state_dict of the optimizers: structure, exact continuation, clear refusals."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import tensorgrad as tg
from tensorgrad import optim
from tensorgrad.optim import SGD, Adam, Optimizer
from tests.optim.reference import CASES, case_id
from tests.optim.test_optimizers import OPTIMIZERS, give, leaf

Array = np.ndarray[Any, Any]

STATE_NAMES: list[tuple[str, dict[str, Any], list[str]]] = [
    ("SGD", {}, []),
    ("SGD", {"momentum": 0.9}, ["momentum_buffer"]),
    ("Adam", {}, ["step", "exp_avg", "exp_avg_sq"]),
    ("AdamW", {"amsgrad": True}, ["step", "exp_avg", "exp_avg_sq", "max_exp_avg_sq"]),
    ("RMSprop", {}, ["step", "square_avg"]),
    ("RMSprop", {"momentum": 0.5, "centered": True}, ["step", "square_avg", "momentum_buffer", "grad_avg"]),
    ("Adagrad", {}, ["step", "sum"]),
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
def test_structure_is_pytorchs(name: str, options: dict[str, Any], names: list[str]) -> None:
    params = _pair()
    optimizer = OPTIMIZERS[name]([{"params": params[:1]}, {"params": params[1:], "lr": 0.5}], **options)
    _walk(optimizer, params, _gradients(3))
    state = optimizer.state_dict()
    assert [g["params"] for g in state["param_groups"]] == [[0], [1]]
    assert state["param_groups"][1]["lr"] == 0.5
    assert set(state["state"]) == ({0, 1} if names else set())
    for position, entry in state["state"].items():
        assert sorted(entry) == sorted(names)
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


def _stepped(w: tg.Tensor, optimizer: optim.Optimizer, slope: float = 1.0) -> None:
    w.grad = tg.full(w.shape, slope)
    optimizer.step()


def test_numpy_scalars_become_numbers_that_can_be_saved(tmp_path: Path) -> None:
    w = tg.ones(2, requires_grad=True)
    betas = (np.float64(0.5), np.float32(0.75))
    optimizer = optim.Adam([w], lr=np.float64(0.1), betas=betas, weight_decay=np.float32(0.5))  # type: ignore[arg-type]
    group = optimizer.param_groups[0]
    assert [type(group[k]) for k in ("lr", "weight_decay")] == [float, float]
    assert (group["lr"], group["betas"]) == (0.1, (0.5, 0.75))
    group["lr"] = np.float64(0.25)
    _stepped(w, optimizer)
    tg.save(optimizer.state_dict(), tmp_path / "o.safetensors")
    loaded = tg.load(tmp_path / "o.safetensors")
    assert loaded["param_groups"][0]["lr"] == 0.25
    assert type(optimizer.state_dict()["param_groups"][0]["lr"]) is float


@pytest.mark.parametrize("bad", [{"lr": -1.0}, {"lr": float("nan")}, {"betas": (1.5, 0.9)}])
def test_a_bad_option_is_not_loaded(bad: dict[str, object]) -> None:
    w = tg.ones(2, requires_grad=True)
    optimizer = optim.Adam([w], lr=0.1)
    _stepped(w, optimizer)
    state = optimizer.state_dict()
    before = repr(optimizer), optimizer.state[w]["step"].item()
    changed = {"state": {}, "param_groups": [{**state["param_groups"][0], **bad}]}
    with pytest.raises(tg.errors.ArgumentError, match="Adam: "):
        optimizer.load_state_dict(changed)
    assert (repr(optimizer), optimizer.state[w]["step"].item()) == before


def test_zeroing_in_place_keeps_the_gradient_object() -> None:
    w = tg.ones(2, requires_grad=True)
    model = tg.nn.Linear(2, 1)
    (w * 3).sum().backward()
    model(tg.ones(1, 2)).sum().backward()
    for owner, p in ((optim.SGD([w]), w), (model, model.weight)):
        kept = p.grad
        assert kept is not None
        owner.zero_grad(set_to_none=False)
        assert p.grad is kept
        assert not kept.numpy().any()


def test_a_gradient_with_history_loses_it_when_it_is_zeroed() -> None:
    w = tg.ones(2, requires_grad=True)
    (w**3).sum().backward(create_graph=True)
    optim.SGD([w]).zero_grad(set_to_none=False)
    assert w.grad is not None
    assert not w.grad.requires_grad
    assert w.grad.tolist() == [0, 0]


class TestTheRoster:
    """Every change between two steps must be seen, although the second one takes the roster of the first."""

    def test_state_that_is_replaced_or_dropped(self) -> None:
        w = tg.ones(2, requires_grad=True)
        optimizer = optim.SGD([w], lr=1.0, momentum=0.5)
        _stepped(w, optimizer)
        assert w.tolist() == [0, 0]
        optimizer.state[w]["momentum_buffer"] = tg.full((2,), 10.0)
        _stepped(w, optimizer)
        assert w.tolist() == [-6, -6]
        optimizer.state.clear()
        _stepped(w, optimizer)
        assert w.tolist() == [-7, -7]

    def test_parameters_that_are_replaced_frozen_or_added(self) -> None:
        v, w = tg.ones(2, requires_grad=True), tg.ones(2, requires_grad=True)
        optimizer = optim.SGD([v], lr=1.0)
        _stepped(v, optimizer)
        v.data = tg.full((2,), 5.0)
        _stepped(v, optimizer)
        assert v.tolist() == [4, 4]
        optimizer.param_groups[0]["params"].append(w)
        w.grad = tg.ones(2)
        _stepped(v, optimizer)
        assert (v.tolist(), w.tolist()) == ([3, 3], [0, 0])
        v.grad = None
        optimizer.step()
        assert (v.tolist(), w.tolist()) == ([3, 3], [-1, -1])
        optimizer.param_groups[0]["params"] = [v]
        _stepped(v, optimizer)
        assert (v.tolist(), w.tolist()) == ([2, 2], [-1, -1])

    def test_options_that_call_for_more_state(self) -> None:
        w = tg.ones(2, requires_grad=True)
        optimizer = optim.Adam([w], lr=0.1)
        _stepped(w, optimizer)
        optimizer.param_groups[0]["amsgrad"] = True
        _stepped(w, optimizer)
        assert "max_exp_avg_sq" in optimizer.state[w]

    def test_a_gradient_or_a_parameter_of_another_kind_is_still_an_error(self) -> None:
        w = tg.ones(2, requires_grad=True)
        optimizer = optim.Adam([w], lr=0.1)
        for _ in range(2):
            _stepped(w, optimizer)
        w._grad = tg.ones(2, dtype=tg.float64)  # past the check of `grad`
        with pytest.raises(tg.errors.DTypeError, match="but its gradient is float64"):
            optimizer.step()
        w.grad = None
        w.data = tg.ones(2, dtype=tg.float64)
        w.grad = tg.ones(2, dtype=tg.float64)
        with pytest.raises(tg.errors.DTypeError, match="its state was made for"):
            optimizer.step()

    def test_it_is_found_again(self) -> None:
        w = tg.ones(2, requires_grad=True)
        optimizer = optim.Adam([w], lr=0.1)
        _stepped(w, optimizer)
        roster = optimizer._rosters[0]
        _stepped(w, optimizer)
        assert optimizer._rosters[0] is roster


def test_a_rate_is_fed_to_its_slot_and_only_when_it_changes(monkeypatch: pytest.MonkeyPatch) -> None:
    w = tg.ones(2, requires_grad=True)
    optimizer = optim.SGD([w], lr=1.0)
    _stepped(w, optimizer)
    fed: list[float] = []
    backend = w.device.backend
    feed = backend.feed

    def noting(slot: Any, value: float) -> None:
        fed.append(value)
        feed(slot, value)

    monkeypatch.setattr(backend, "feed", noting)
    _stepped(w, optimizer)
    optimizer.param_groups[0]["lr"] = 0.5
    optimizer.mirror_rates()
    _stepped(w, optimizer)
    assert fed == [0.5]
    assert w.tolist() == [-1.5, -1.5]
