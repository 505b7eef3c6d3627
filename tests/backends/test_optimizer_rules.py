"""What follows from an optimizer's rule: its primitive, and the call of a class that names it."""

from __future__ import annotations

import inspect
from typing import Any

import numpy as np
import pytest

import tensorgrad as tg
from tensorgrad import optim
from tensorgrad.backends import Backend, device
from tensorgrad.backends.cpu.backend import CpuBackend
from tensorgrad.backends.primitives import TABLE, optimizer_rules
from tensorgrad.backends.primitives.optimizer import primitive_of
from tensorgrad.backends.primitives.optimizer_rules import Rule

RULES = [rule for rule in vars(optimizer_rules).values() if isinstance(rule, Rule)]


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.name)
def test_every_rule_has_its_primitive(rule: Rule) -> None:
    primitive = getattr(Backend, rule.primitive)
    assert primitive.__name__ == rule.primitive
    assert TABLE[rule.primitive].default is primitive
    assert {"weight_decay", "maximize"} <= set(rule.options)
    assert [name for name in rule.state if name in rule.optional] == list(rule.optional)
    assert set(rule.kernel_flags) <= set(rule.flags)
    assert any(vars(optim)[name].rule is rule for name in optim.__all__ if name != "Optimizer")


def test_a_primitive_reads_like_one_that_was_written_down() -> None:
    adam: Any = Backend.adam_step
    assert str(inspect.signature(adam)).replace("'", "") == (
        "(self, params: Arrays, grads: Arrays, exp_avgs: Arrays, exp_avg_sqs: Arrays, "
        "max_exp_avg_sqs: Arrays | None, lr: Array, step: Array, /, *, beta1: float, beta2: float, eps: float, "
        "weight_decay: float, decoupled: bool, maximize: bool) -> None"
    )
    assert adam.__qualname__ == "OptimizerPrimitives.adam_step"
    text = inspect.getdoc(adam)
    assert text is not None
    assert "m = beta1 * m + (1 - beta1) * g" in text
    assert "Kingma & Ba" in text


@pytest.mark.parametrize(
    ("lists", "options", "message"),
    [
        (3, {"lr_decay": 0.0, "eps": 1e-10, "weight_decay": 0.0}, "missing a required .*'maximize'"),
        (3, {"lr_decay": 0.0, "eps": 1e-10, "weight_decay": 0.0, "maximize": False, "rho": 1.0}, "unexpected .*'rho'"),
        (2, {"lr_decay": 0.0, "eps": 1e-10, "weight_decay": 0.0, "maximize": False}, "missing a required .*'step'"),
        (4, {"lr_decay": 0.0, "eps": 1e-10, "weight_decay": 0.0, "maximize": False}, "too many positional"),
    ],
)
def test_arguments_that_do_not_fit_are_a_type_error(lists: int, options: dict[str, Any], message: str) -> None:
    step = np.array(0.0)
    with pytest.raises(TypeError, match=message):
        device("cpu").backend.adagrad_step(*[[np.ones(3)] for _ in range(lists)], np.array(0.1), step, **options)
    assert step == 0


# ---------------------------------------------------------------------- a new optimizer
def _lion(B: Any, p: Any, g: Any, m: Any, t: Any, *, lr: Any, inner: Any, outer: Any) -> None:
    """p = p - lr * sign(inner * m + (1 - inner) * g);  m = outer * m + (1 - outer) * g, after Chen et al., 2023."""
    B.subtract(m, g, out=t)
    B.multiply(t, inner, out=t)
    B.add(t, g, out=t)
    B.sign(t, out=t)
    B.multiply(t, lr, out=t)
    B.subtract(p, t, out=p)
    B.subtract(m, g, out=m)
    B.multiply(m, outer, out=m)
    B.add(m, g, out=m)


LION = Rule(
    name="lion",
    state=("exp_avg",),
    numbers=("inner", "outer", "weight_decay"),
    flags=("maximize",),
    constants=lambda B, lr, step, o: {"lr": lr, "inner": o["inner"], "outer": o["outer"]},
    update=_lion,
)


class Lion(optim.Optimizer):
    rule = LION

    def __init__(self, params: Any, lr: float, betas: tuple[float, float]) -> None:
        super().__init__(params, {"lr": lr, "betas": betas, "weight_decay": 0.0, "maximize": False})

    def _options(self, group: dict[str, Any]) -> dict[str, Any]:
        return super()._options({**group, "inner": group["betas"][0], "outer": group["betas"][1]})


def test_a_rule_and_a_class_are_a_new_optimizer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(CpuBackend, "lion_step", primitive_of(LION), raising=False)
    assert TABLE.pop("lion_step").arrays == ("params", "grads", "exp_avgs", "lr", "step")
    w = tg.tensor([1.0, -2.0, 3.0], dtype=tg.float64, requires_grad=True)
    optimizer = Lion([w], lr=0.1, betas=(0.9, 0.5))
    p, m = w.detach().numpy().copy(), np.zeros(3)
    for g in np.random.default_rng(0).standard_normal((5, 3)):
        w.grad = tg.tensor(g)
        optimizer.step()
        p -= 0.1 * np.sign(0.9 * m + 0.1 * g)
        m = 0.5 * m + 0.5 * g
    np.testing.assert_allclose(w.detach().numpy(), p, rtol=1e-14)
    other = Lion([w], lr=0.1, betas=(0.9, 0.5))
    other.load_state_dict(optimizer.state_dict())
    np.testing.assert_allclose(other.state[w]["exp_avg"].numpy(), m, rtol=1e-14)
    assert other.state[w]["step"].item() == 5
