"""nn and optim against PyTorch itself: the same weights, gradients and options give the same numbers."""

from __future__ import annotations

import copy
from typing import Any

import numpy as np
import pytest

import tensorgrad as tg
from tensorgrad import nn, optim
from tests.optim.reference import CASES, case_id

torch = pytest.importorskip("torch")


def to_torch(t: Any) -> Any:
    return torch.from_numpy(np.array(t.detach().numpy()))


# ---------------------------------------------------------------------- optimizers
@pytest.mark.parametrize(("name", "options"), CASES, ids=case_id)
def test_sixty_steps(name: str, options: dict[str, Any]) -> None:
    rng = np.random.default_rng(0)
    starts = [rng.standard_normal((3, 4)), rng.standard_normal(5), np.asarray(rng.standard_normal())]
    ours = [tg.tensor(s, requires_grad=True) for s in starts]
    theirs = [torch.tensor(s, requires_grad=True) for s in starts]
    a = getattr(optim, name)(ours, lr=0.02, **options)
    b = getattr(torch.optim, name)(theirs, lr=0.02, **options)
    for i in range(60):
        if i == 30:
            a.param_groups[0]["lr"] = b.param_groups[0]["lr"] = 0.005
        for p, q, s in zip(ours, theirs, starts, strict=True):
            present = i % 4 != 1 or s.ndim != 1  # one parameter pauses now and then
            g = np.asarray(rng.standard_normal(s.shape))
            p.grad = tg.tensor(g) if present else None
            q.grad = torch.tensor(g) if present else None
        a.step()
        b.step()
    for p, q in zip(ours, theirs, strict=True):
        np.testing.assert_allclose(p.detach().numpy(), q.detach().numpy(), rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize(("name", "options"), CASES, ids=case_id)
def test_state_goes_over_from_pytorch_and_back(name: str, options: dict[str, Any]) -> None:
    rng = np.random.default_rng(1)
    start, grads = rng.standard_normal(6), rng.standard_normal((9, 6))
    q = torch.tensor(start, requires_grad=True)
    b = getattr(torch.optim, name)([q], lr=0.02, **options)
    for g in grads[:3]:
        q.grad = torch.tensor(g)
        b.step()

    p = tg.tensor(q.detach().numpy().copy(), requires_grad=True)
    a = getattr(optim, name)([p], lr=0.5)
    a.load_state_dict(copy.deepcopy(b.state_dict()))
    for g in grads[3:6]:
        p.grad, q.grad = tg.tensor(g), torch.tensor(g)
        a.step()
        b.step()
    np.testing.assert_allclose(p.detach().numpy(), q.detach().numpy(), rtol=1e-10)

    back = a.state_dict()
    back["state"] = {
        i: {k: torch.tensor(v.item()) if k == "step" else to_torch(v) for k, v in entry.items()}
        for i, entry in back["state"].items()
    }
    r = torch.tensor(p.detach().numpy().copy(), requires_grad=True)
    c = getattr(torch.optim, name)([r], lr=0.5)
    assert a.state_dict()["state"].keys() == b.state_dict()["state"].keys()
    c.load_state_dict(back)
    for g in grads[6:]:
        p.grad, r.grad = tg.tensor(g), torch.tensor(g)
        a.step()
        c.step()
    np.testing.assert_allclose(p.detach().numpy(), r.detach().numpy(), rtol=1e-10)


@pytest.mark.parametrize("name", ["SGD", "Adam", "AdamW", "RMSprop", "Adagrad"])
def test_defaults(name: str) -> None:
    ours = getattr(optim, name)([tg.ones(1, requires_grad=True)]).defaults
    theirs = getattr(torch.optim, name)([torch.ones(1, requires_grad=True)]).defaults
    assert ours == {key: theirs[key] for key in ours}


# ---------------------------------------------------------------------- models
def test_a_model_takes_pytorchs_weights_and_trains_alike() -> None:
    torch.manual_seed(0)
    theirs = torch.nn.Sequential(
        torch.nn.Flatten(),
        torch.nn.Linear(12, 8),
        torch.nn.GELU(approximate="tanh"),
        torch.nn.Linear(8, 8, bias=False),
        torch.nn.ELU(),
        torch.nn.Linear(8, 5),
    ).double()
    ours = nn.Sequential(
        nn.Flatten(),
        nn.Linear(12, 8),
        nn.GELU(approximate="tanh"),
        nn.Linear(8, 8, bias=False),
        nn.ELU(),
        nn.Linear(8, 5),
    ).double()
    ours.load_state_dict({k: v.numpy() for k, v in theirs.state_dict().items()})
    assert list(ours.state_dict()) == list(theirs.state_dict())

    weight = np.asarray([1.0, 2.0, 0.5, 1.0, 3.0])
    loss = nn.CrossEntropyLoss(weight=tg.tensor(weight), label_smoothing=0.1)
    their_loss = torch.nn.CrossEntropyLoss(weight=torch.tensor(weight), label_smoothing=0.1)
    a = optim.AdamW(ours.parameters(), lr=0.01)
    b = torch.optim.AdamW(theirs.parameters(), lr=0.01)
    rng = np.random.default_rng(2)
    for _ in range(20):
        x, y = rng.standard_normal((16, 3, 4)), rng.integers(0, 5, 16)
        a.zero_grad()
        b.zero_grad()
        mine, its = (
            loss(ours(tg.tensor(x)), tg.tensor(y)),
            their_loss(theirs(torch.tensor(x)), torch.tensor(y)),
        )
        np.testing.assert_allclose(mine.item(), its.item(), rtol=1e-9)
        mine.backward()
        its.backward()
        total = nn.utils.clip_grad_norm_(ours.parameters(), 0.5)
        expected = torch.nn.utils.clip_grad_norm_(theirs.parameters(), 0.5)
        np.testing.assert_allclose(total.item(), expected.item(), rtol=1e-9)
        a.step()
        b.step()
    for name, value in theirs.state_dict().items():
        np.testing.assert_allclose(ours.state_dict()[name].numpy(), value.numpy(), rtol=1e-7, atol=1e-10)


def test_names_modules_and_text_are_pytorchs() -> None:
    def build(n: Any) -> Any:
        shared = n.Linear(3, 3)
        return n.Sequential(
            n.Sequential(shared, n.ReLU(), shared),
            n.ModuleList([n.Tanh(), n.Tanh(), n.Linear(1, 2, bias=False)]),
            n.ModuleDict({"a": n.SiLU(), "b": n.Softmax(dim=1)}),
            n.Flatten(),
            n.LeakyReLU(0.2),
            n.LeakyReLU(0.2, True),
            n.ELU(inplace=True),
            n.SiLU(True),
            n.GELU(approximate="tanh"),
            n.Identity(),
        )

    ours, theirs = build(nn), build(torch.nn)
    assert repr(ours) == repr(theirs)
    assert list(ours.state_dict()) == list(theirs.state_dict())
    for method in ("named_parameters", "named_modules", "named_children", "named_buffers"):
        assert [n for n, _ in getattr(ours, method)()] == [n for n, _ in getattr(theirs, method)()]
    assert list(ours[1:4].state_dict()) == list(theirs[1:4].state_dict())


LOSSES: list[tuple[str, dict[str, Any], str]] = [
    ("MSELoss", {}, "pair"),
    ("L1Loss", {}, "pair"),
    ("HuberLoss", {"delta": 0.7}, "pair"),
    ("SmoothL1Loss", {}, "pair"),
    ("SmoothL1Loss", {"beta": 0.3}, "pair"),
    ("SmoothL1Loss", {"beta": 0.0}, "pair"),
    ("BCELoss", {}, "probability"),
    ("BCEWithLogitsLoss", {"pos_weight": np.asarray([2.0, 0.5, 1.0])}, "logit"),
    ("BCEWithLogitsLoss", {"weight": np.asarray([2.0, 0.5, 1.0])}, "logit"),
    ("CrossEntropyLoss", {}, "label"),
    ("CrossEntropyLoss", {"weight": np.asarray([2.0, 0.5, 1.0]), "label_smoothing": 0.2}, "label"),
    ("CrossEntropyLoss", {"ignore_index": 1, "label_smoothing": 0.2}, "label"),
    ("CrossEntropyLoss", {"weight": np.asarray([2.0, 0.5, 1.0])}, "distribution"),
    ("NLLLoss", {"weight": np.asarray([2.0, 0.5, 1.0]), "ignore_index": 0}, "label"),
]


def _target(kind: str, rng: np.random.Generator) -> Any:
    if kind == "label":
        return rng.integers(0, 3, 5)
    if kind == "distribution":
        return rng.dirichlet(np.ones(3), 5)
    return rng.standard_normal((5, 3)) if kind == "pair" else rng.uniform(size=(5, 3))


@pytest.mark.parametrize("reduction", ["mean", "sum", "none"])
@pytest.mark.parametrize(("name", "options", "target"), LOSSES, ids=case_id)
def test_losses_and_their_gradients(name: str, options: dict[str, Any], target: str, reduction: str) -> None:
    rng = np.random.default_rng(3)
    x = rng.uniform(0.1, 0.9, (5, 3)) if target == "probability" else rng.standard_normal((5, 3))
    y = _target(target, rng)
    ours_options = {k: tg.tensor(v) if isinstance(v, np.ndarray) else v for k, v in options.items()}
    their_options = {k: torch.tensor(v) if isinstance(v, np.ndarray) else v for k, v in options.items()}
    a, b = tg.tensor(x, requires_grad=True), torch.tensor(x, requires_grad=True)
    mine = getattr(nn, name)(reduction=reduction, **ours_options)(a, tg.tensor(y))
    its = getattr(torch.nn, name)(reduction=reduction, **their_options)(b, torch.tensor(y))
    np.testing.assert_allclose(mine.detach().numpy(), its.detach().numpy(), rtol=1e-9)
    mine.sum().backward()
    its.sum().backward()
    assert a.grad is not None
    np.testing.assert_allclose(a.grad.numpy(), b.grad.numpy(), rtol=1e-8, atol=1e-12)


@pytest.mark.parametrize("norm_type", [1.0, 2.0, 3.5, float("inf")])
def test_clipping(norm_type: float) -> None:
    rng = np.random.default_rng(4)
    grads = [rng.standard_normal((3, 4)), rng.standard_normal(7)]
    ours = [tg.zeros(g.shape, dtype=tg.float64, requires_grad=True) for g in grads]
    theirs = [torch.zeros(g.shape, dtype=torch.float64, requires_grad=True) for g in grads]
    for p, q, g in zip(ours, theirs, grads, strict=True):
        p.grad, q.grad = tg.tensor(g), torch.tensor(g)
    mine = nn.utils.clip_grad_norm_(ours, 1.5, norm_type)
    its = torch.nn.utils.clip_grad_norm_(theirs, 1.5, norm_type)
    np.testing.assert_allclose(mine.item(), its.item(), rtol=1e-12)
    nn.utils.clip_grad_value_(ours, 0.2)
    torch.nn.utils.clip_grad_value_(theirs, 0.2)
    for p, q in zip(ours, theirs, strict=True):
        assert p.grad is not None
        np.testing.assert_allclose(p.grad.numpy(), q.grad.numpy(), rtol=1e-12)


@pytest.mark.parametrize("name", ["linear", "sigmoid", "tanh", "relu", "leaky_relu", "selu"])
def test_gains(name: str) -> None:
    assert nn.init.calculate_gain(name) == pytest.approx(torch.nn.init.calculate_gain(name))
