"""Adagrad."""

from __future__ import annotations

from tensorgrad.backends.primitives import optimizer_rules
from tensorgrad.optim.optimizer import Group, Optimizer, Parameters
from tensorgrad.optim.options import check_epsilon, check_not_negative
from tensorgrad.tensor import Tensor

__all__ = ["Adagrad"]


class Adagrad(Optimizer):
    """Adagrad (Duchi, Hazan & Singer, 2011).

    The formula is in `optimizer_rules.ADAGRAD`; sums begin at `initial_accumulator_value`. Raises
    ArgumentError for negative options.
    """

    rule = optimizer_rules.ADAGRAD

    def __init__(
        self,
        params: Parameters,
        lr: float = 1e-2,
        lr_decay: float = 0.0,
        weight_decay: float = 0.0,
        initial_accumulator_value: float = 0.0,
        eps: float = 1e-10,
        *,
        maximize: bool = False,
    ) -> None:
        options = {
            "lr": lr,
            "lr_decay": lr_decay,
            "weight_decay": weight_decay,
            "initial_accumulator_value": initial_accumulator_value,
            "eps": eps,
            "maximize": maximize,
        }
        super().__init__(params, options)

    def _check(self, group: Group) -> None:
        names = ("lr_decay", "weight_decay", "initial_accumulator_value", "eps")
        check_not_negative("Adagrad", group, *names)

    def _start(self, parameter: Tensor, group: Group, name: str) -> float:
        check_epsilon("Adagrad", parameter, group["eps"])
        return float(group["initial_accumulator_value"])
