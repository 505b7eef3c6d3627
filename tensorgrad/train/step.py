"""One training step, which lets nothing that is not finite into the weights."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from tensorgrad.autograd.modes import no_grad
from tensorgrad.errors import ArgumentError, NonFiniteError
from tensorgrad.functional.joining import stack
from tensorgrad.nn.utils import measure_gradients
from tensorgrad.tensor import Tensor
from tensorgrad.train.hooks import FitState, Hook

__all__ = ["Loss", "NotFiniteError", "TrainingStep", "checked_loss", "finite", "refusing"]

Loss = Callable[[Any, Tensor], Tensor]


class NotFiniteError(Exception):
    """Raised at a loss or norm that is nan or infinite; never leaves `fit`."""


@dataclass(frozen=True)
class TrainingStep:
    """Forward, loss, backward, clipping (to `clip_norm`, if given) and optimizer, once for each call, with the hooks
    around what the optimizer does.
    """

    state: FitState
    loss: Loss
    clip_norm: float | None
    hooks: tuple[Hook, ...]

    def __call__(self, inputs: tuple[Tensor, ...], target: Tensor) -> float:
        """The loss before the step. NotFiniteError, which says where, for a loss or a norm of the gradients that is
        not finite; then the optimizer has written nothing.
        """
        state, optimizer = self.state, self.state.optimizer
        loss = checked_loss(self.loss(state.model(*inputs), target))
        optimizer.zero_grad()
        loss.backward()
        if self.hooks:
            self._call_before(loss)
        parameters = [p for group in optimizer.param_groups for p in group["params"]]
        norm = measure_gradients(parameters, self.clip_norm)
        # The one place where a step waits for the device: the price of never letting nan into the weights.
        with no_grad(), _nan_refused():
            value, size = stack([loss.to(device=norm.device, dtype=norm.dtype), norm]).tolist()
        finite(value, f"training loss in epoch {state.epoch}, batch {state.batch}")
        finite(size, f"gradient norm in epoch {state.epoch}, batch {state.batch}")
        optimizer.step()
        state.steps_done += 1
        if self.hooks:
            self._call_after(value, size)
        return float(value)

    def _call_before(self, loss: Tensor) -> None:
        state = self.state
        state.loss, state.loss_value, state.gradient_norm = loss.detach(), math.nan, math.nan
        with no_grad():
            for hook in self.hooks:
                hook.before_step(state)

    def _call_after(self, value: float, norm: float) -> None:
        self.state.loss_value, self.state.gradient_norm = value, norm
        with no_grad():
            for hook in self.hooks:
                hook.after_step(self.state)


def refusing(loss: Loss) -> Loss:
    """`loss`, whose refusal of nan is a NotFiniteError."""

    def refused(output: Any, target: Tensor) -> Tensor:
        with _nan_refused():
            return loss(output, target)

    return refused


def checked_loss(loss: Tensor) -> Tensor:
    """`loss`. Raises ArgumentError unless it is a 0-d Tensor."""
    if not isinstance(loss, Tensor) or loss.ndim != 0:
        got = f"shape {loss.shape}" if isinstance(loss, Tensor) else type(loss).__name__
        raise ArgumentError(f"train: the loss must be one number for a batch, got {got}; use reduction='mean'")
    return loss


def finite(value: float, what: str) -> float:
    """`value`. Raises NotFiniteError, which names `what`, where it is nan or infinite."""
    if not math.isfinite(value):
        raise NotFiniteError(f"{what} is {value}")
    return value


@contextmanager
def _nan_refused() -> Iterator[None]:
    """A loss that refuses nan (on CUDA when the host waits) is one that is not finite."""
    try:
        yield
    except NonFiniteError as error:
        raise NotFiniteError(str(error)) from error
