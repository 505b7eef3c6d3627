"""Stochastic gradient descent."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tensorgrad.backends.primitives import optimizer_rules
from tensorgrad.errors import ArgumentError
from tensorgrad.optim.optimizer import Group, Optimizer, Parameters
from tensorgrad.optim.options import check_not_negative
from tensorgrad.tensor import Tensor

__all__ = ["SGD"]


class SGD(Optimizer):
    """Gradient descent: p = p - lr * g, with momentum, Nesterov's form of it, dampening and weight decay.

    The formula is in `optimizer_rules.SGD`. Raises ArgumentError for negative options, and for `nesterov`
    without momentum or with dampening.
    """

    rule = optimizer_rules.SGD

    def __init__(
        self,
        params: Parameters,
        lr: float = 1e-3,
        momentum: float = 0.0,
        dampening: float = 0.0,
        weight_decay: float = 0.0,
        nesterov: bool = False,
        *,
        maximize: bool = False,
    ) -> None:
        options = {
            "lr": lr,
            "momentum": momentum,
            "dampening": dampening,
            "weight_decay": weight_decay,
            "nesterov": nesterov,
            "maximize": maximize,
        }
        super().__init__(params, options)

    def _check(self, group: Group) -> None:
        check_not_negative("SGD", group, "momentum", "weight_decay")
        if group["nesterov"] and (group["momentum"] <= 0 or group["dampening"] != 0):
            raise ArgumentError(
                "SGD: nesterov needs momentum above zero and no dampening, "
                f"got momentum={group['momentum']}, dampening={group['dampening']}"
            )

    def _wanted(self, group: Group) -> tuple[str, ...]:
        return self.state_names if group["momentum"] else ()

    def _begin(self, p: Tensor, group: Group, wanted: tuple[str, ...], fresh: dict[Any, Tensor]) -> dict[str, Tensor]:
        self.state[p].clear()  # the first step is the first one with momentum, even if others came before
        return super()._begin(p, group, wanted, fresh)

    def exported(self, state: dict[str, Tensor]) -> dict[str, Tensor]:
        """PyTorch's SGD keeps no count: a momentum buffer tells that the first step is over."""
        return {name: value for name, value in state.items() if name != "step"}

    def count_of(self, entry: Mapping[str, Any], state: dict[str, Tensor]) -> float | None:
        """1, for any count above zero, where there is a momentum buffer."""
        return 1.0 if state else None
