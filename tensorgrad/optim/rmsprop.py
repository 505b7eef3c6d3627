"""RMSprop."""

from __future__ import annotations

from tensorgrad.backends.primitives import optimizer_rules
from tensorgrad.optim.optimizer import Group, Optimizer, Parameters
from tensorgrad.optim.options import check_epsilon, check_not_negative
from tensorgrad.tensor import Tensor

__all__ = ["RMSprop"]


class RMSprop(Optimizer):
    """RMSprop (Hinton, 2012), with momentum, and centered on request.

    The formula is in `optimizer_rules.RMSPROP`. Raises ArgumentError for negative options.
    """

    rule = optimizer_rules.RMSPROP

    def __init__(
        self,
        params: Parameters,
        lr: float = 1e-2,
        alpha: float = 0.99,
        eps: float = 1e-8,
        weight_decay: float = 0.0,
        momentum: float = 0.0,
        centered: bool = False,
        *,
        maximize: bool = False,
    ) -> None:
        options = {
            "lr": lr,
            "alpha": alpha,
            "eps": eps,
            "weight_decay": weight_decay,
            "momentum": momentum,
            "centered": centered,
            "maximize": maximize,
        }
        super().__init__(params, options)

    def _check(self, group: Group) -> None:
        check_not_negative("RMSprop", group, "alpha", "eps", "weight_decay", "momentum")

    def _wanted(self, group: Group) -> tuple[str, ...]:
        momentum = ("momentum_buffer",) if group["momentum"] else ()
        return ("square_avg", *momentum, *(("grad_avg",) if group["centered"] else ()))

    def _start(self, parameter: Tensor, group: Group, name: str) -> float:
        check_epsilon("RMSprop", parameter, group["eps"])
        return 0.0
