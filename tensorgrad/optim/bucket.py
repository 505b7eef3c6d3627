"""Buckets: parameters that are stepped together, in one call to the backend, and how they are found again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from tensorgrad.autograd.inplace import mark_written
from tensorgrad.autograd.variable import new_tensor
from tensorgrad.backends import Device
from tensorgrad.backends.primitives import Shape
from tensorgrad.dtypes import DType
from tensorgrad.tensor import Tensor

__all__ = ["Bucket", "Roster"]

State = dict[str, Tensor]


class Bucket:
    """Parameters of one device and dtype that share a step count, with their gradients and their state."""

    __slots__ = ("_columns", "device", "grads", "params", "states", "step", "tensors")

    def __init__(self, device: Device, step: Tensor) -> None:
        self.device = device
        self.step = step
        self.tensors: list[Tensor] = []
        self.params: list[Any] = []
        self.grads: list[Any] = []
        self.states: list[State] = []
        self._columns: dict[str, list[Any]] = {}

    def append(self, parameter: Tensor, state: State) -> None:
        """Add a parameter that has a gradient."""
        self.tensors.append(parameter)
        self.params.append(parameter.array)
        self.grads.append(parameter.grad.array)  # type: ignore[union-attr]
        self.states.append(state)

    def column(self, name: str) -> list[Any]:
        """The arrays of the state called `name`, one for each parameter."""
        found = self._columns.get(name)
        if found is None:
            found = self._columns[name] = [state[name].array for state in self.states]
        return found

    def split_off(self) -> None:
        """Go on with a copy of the step count, because others that shared it are not stepped now."""
        self.step = new_tensor(self.device.backend.copy(self.step.array), self.device)
        for state in self.states:
            state["step"] = self.step

    def note_write(self, writer: str) -> None:
        """Tell the tape that the parameters were changed in place."""
        for t in self.tensors:
            mark_written(t, writer)


class _Row(NamedTuple):
    """One parameter as it was when the roster was made: idle, if `bucket` is None."""

    parameter: Tensor
    state: State | None
    bucket: Bucket | None
    array: Any
    shape: Shape
    dtype: DType
    kept: tuple[tuple[str, Tensor, Any], ...]  # the name, tensor and array of each piece of state


class Roster:
    """The parameters of a group as they were at the last step, in buckets, for as long as the next step is like it.

    Like means: the same parameters have gradients, and they, their state and the arrays of both are the same objects;
    gradients may be new, of the same device, dtype and shape. All that was checked when it was made holds then.
    """

    __slots__ = ("_rows", "_store", "_wanted", "buckets")

    def __init__(
        self, params: Sequence[Tensor], store: Mapping[Tensor, State], wanted: tuple[str, ...], buckets: list[Bucket]
    ) -> None:
        self.buckets = buckets
        self._store, self._wanted = store, wanted
        home = {id(t): bucket for bucket in buckets for t in bucket.tensors}
        self._rows = [_row(p, store.get(p), home.get(id(p)), wanted) for p in params]

    def renew(self, params: Sequence[Tensor], store: Mapping[Tensor, State], wanted: tuple[str, ...]) -> bool:
        """Take up the gradients of this step; False where it is not like the last, and a new roster is to be made."""
        if store is not self._store or wanted != self._wanted or len(params) != len(self._rows):
            return False
        for bucket in self.buckets:
            bucket.grads.clear()
        for p, (parameter, state, home, array, shape, dtype, kept) in zip(params, self._rows, strict=True):
            gradient = p.grad
            if p is not parameter or store.get(p) is not state or (gradient is None) is not (home is None):
                return False
            if gradient is None or home is None:
                continue
            g = gradient.array
            if p.array is not array or gradient.device is not home.device or g.shape != shape or g.dtype != dtype:
                return False
            for name, tensor, memory in kept:
                if state.get(name) is not tensor or tensor.array is not memory:  # type: ignore[union-attr]
                    return False
            home.grads.append(g)
        return True


def _row(p: Tensor, state: State | None, bucket: Bucket | None, wanted: tuple[str, ...]) -> _Row:
    kept = () if bucket is None or state is None else tuple((n, state[n], state[n].array) for n in ("step", *wanted))
    return _Row(p, state, bucket, p.array, p.shape, p.dtype, kept)
