"""RMSprop."""

from __future__ import annotations

from typing import Any

from tensorgrad.optim.bucket import Bucket
from tensorgrad.optim.optimizer import Group, Optimizer, Parameters
from tensorgrad.optim.options import check_epsilon, check_not_negative
from tensorgrad.tensor import Tensor

__all__ = ["RMSprop"]


class RMSprop(Optimizer):
    """RMSprop (Hinton, 2012), with momentum, and centered on request.

    The rule is in `OptimizerPrimitives.rmsprop_step`. Raises ArgumentError for negative options.
    """

    state_names = ("square_avg", "momentum_buffer", "grad_avg")

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

    def _apply(self, bucket: Bucket, group: Group, lr: Any) -> None:
        bucket.device.backend.rmsprop_step(
            bucket.params,
            bucket.grads,
            bucket.column("square_avg"),
            bucket.column("grad_avg") if group["centered"] else None,
            bucket.column("momentum_buffer") if group["momentum"] else None,
            lr,
            bucket.step.array,
            alpha=group["alpha"],
            eps=group["eps"],
            weight_decay=group["weight_decay"],
            momentum=group["momentum"],
            maximize=group["maximize"],
        )
