"""Bucket: parameters that are stepped together, in one call to the backend."""

from __future__ import annotations

from typing import Any

from tensorgrad.autograd.inplace import mark_written
from tensorgrad.autograd.variable import new_tensor
from tensorgrad.backends import Device
from tensorgrad.tensor import Tensor

__all__ = ["Bucket"]


class Bucket:
    """Parameters of one device and dtype that share a step count, with their gradients and their state."""

    __slots__ = ("device", "grads", "params", "states", "step", "tensors")

    def __init__(self, device: Device, step: Tensor) -> None:
        self.device = device
        self.step = step
        self.tensors: list[Tensor] = []
        self.params: list[Any] = []
        self.grads: list[Any] = []
        self.states: list[dict[str, Tensor]] = []

    def append(self, parameter: Tensor, state: dict[str, Tensor]) -> None:
        """Add a parameter that has a gradient."""
        self.tensors.append(parameter)
        self.params.append(parameter.array)
        self.grads.append(parameter.grad.array)  # type: ignore[union-attr]
        self.states.append(state)

    def column(self, name: str) -> list[Any]:
        """The arrays of the state called `name`, one for each parameter."""
        return [state[name].array for state in self.states]

    def split_off(self) -> None:
        """Go on with a copy of the step count, because others that shared it are not stepped now."""
        self.step = new_tensor(self.device.backend.copy(self.step.array), self.device)
        for state in self.states:
            state["step"] = self.step

    def note_write(self, writer: str) -> None:
        """Tell the tape that the parameters were changed in place."""
        for t in self.tensors:
            mark_written(t, writer)
