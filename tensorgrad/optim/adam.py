"""Adam and AdamW."""

from __future__ import annotations

import math
from typing import Any, ClassVar

from tensorgrad.backends.primitives import optimizer_rules
from tensorgrad.errors import ArgumentError
from tensorgrad.optim.optimizer import Group, Optimizer, Parameters
from tensorgrad.optim.options import check_below_one, check_epsilon, check_not_negative
from tensorgrad.tensor import Tensor

__all__ = ["Adam", "AdamW"]


class Adam(Optimizer):
    """Adam (Kingma & Ba, 2015), with AMSGrad on request; weight decay is added to the gradient.

    The formula is in `optimizer_rules.ADAM`. Raises ArgumentError for betas outside [0, 1) and negative
    options.
    """

    rule = optimizer_rules.ADAM
    decoupled: ClassVar[bool] = False

    def __init__(
        self,
        params: Parameters,
        lr: float = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0.0,
        amsgrad: bool = False,
        *,
        maximize: bool = False,
    ) -> None:
        options = {
            "lr": lr,
            "betas": betas,
            "eps": eps,
            "weight_decay": weight_decay,
            "amsgrad": amsgrad,
            "maximize": maximize,
        }
        super().__init__(params, options)

    def _check(self, group: Group) -> None:
        check_not_negative(self._name, group, "eps", "weight_decay")
        if len(group["betas"]) != 2:
            raise ArgumentError(f"{self._name}: betas must be two numbers, got {group['betas']}")
        for i, beta in enumerate(group["betas"]):
            check_below_one(self._name, f"betas[{i}]", beta)

    def _wanted(self, group: Group) -> tuple[str, ...]:
        return self.state_names if group["amsgrad"] else self.state_names[:2]

    def _start(self, parameter: Tensor, group: Group, name: str) -> float:
        check_epsilon(self._name, parameter, group["eps"], math.sqrt(1.0 - group["betas"][1]))
        return 0.0

    def _options(self, group: Group) -> dict[str, Any]:
        beta1, beta2 = group["betas"]
        return {
            "beta1": beta1,
            "beta2": beta2,
            "eps": group["eps"],
            "weight_decay": group["weight_decay"],
            "decoupled": self.decoupled,
            "maximize": group["maximize"],
        }


class AdamW(Adam):
    """Adam with decoupled weight decay (Loshchilov & Hutter, 2019): p = p * (1 - lr * weight_decay) first."""

    decoupled = True

    def __init__(
        self,
        params: Parameters,
        lr: float = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 1e-2,
        amsgrad: bool = False,
        *,
        maximize: bool = False,
    ) -> None:
        super().__init__(params, lr, betas, eps, weight_decay, amsgrad, maximize=maximize)
