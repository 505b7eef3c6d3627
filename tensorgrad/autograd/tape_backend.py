"""TapeBackend: takes Tensors for arrays and runs each basic primitive as the op of the same name.

A vjp read by it is itself on the tape: that is how gradients of gradients are made. It overrides no composite primitive
that is written without writing, so those run as their compositions, to any order.
"""

from __future__ import annotations

from typing import Any, ClassVar

from tensorgrad.autograd.op import OPS
from tensorgrad.autograd.tape import apply
from tensorgrad.autograd.variable import Variable, new_tensor
from tensorgrad.backends import Backend, Device
from tensorgrad.dtypes import DType
from tensorgrad.errors import GraphError

__all__ = ["TapeBackend"]


class TapeBackend(Backend, interprets=True):
    """The tape of one device, as a backend whose arrays are Tensors."""

    name: ClassVar[str] = "tape"
    array_type = Variable

    def __init__(self, device: Device) -> None:
        self._device = device

    def __getattr__(self, primitive: str) -> Any:
        """The primitive as an operation on the tape; called for basic primitives only, which Backend leaves out."""
        if primitive.startswith("__"):
            raise AttributeError(primitive)
        op = OPS.get(primitive)
        if op is None:
            raise GraphError(f"{primitive}: this primitive has no op, so no gradient can be taken through it")
        positional = _STATIC_POSITIONS.get(primitive)

        def run(*inputs: Any, out: None = None, **static: Any) -> Any:
            if positional is not None:
                arrays, names = positional
                static.update(zip(names, inputs[arrays:], strict=False))
                inputs = inputs[:arrays]
            return apply(op, *inputs, **static)

        return run

    def concatenate(self, arrays: list[Any], axis: int, /, *, out: Any = None) -> Any:
        return apply(OPS["concatenate"], *arrays, axis=axis)

    # Composite primitives whose compositions write into what they made: each runs as the op of its name.
    def pad(self, *inputs: Any, **static: Any) -> Any:
        return apply(OPS["pad"], *inputs, **static)

    def scatter_index(self, *inputs: Any, **static: Any) -> Any:
        return apply(OPS["scatter_index"], *inputs, **static)

    def update_index(self, *inputs: Any, **static: Any) -> Any:
        return apply(OPS["update_index"], *inputs, **static)

    def scatter_along_axis(self, *inputs: Any, **static: Any) -> Any:
        return apply(OPS["scatter_along_axis"], *inputs, **static)

    def update_along_axis(self, *inputs: Any, **static: Any) -> Any:
        return apply(OPS["update_along_axis"], *inputs, **static)

    # Constants: nothing flows into them.
    def asarray(self, data: Any, /, *, dtype: DType | None = None) -> Any:
        return data if isinstance(data, Variable) else self._constant("asarray", data, dtype=dtype)

    def full(self, *args: Any, **kwargs: Any) -> Any:
        return self._constant("full", *args, **kwargs)

    def arange(self, *args: Any, **kwargs: Any) -> Any:
        return self._constant("arange", *args, **kwargs)

    def region_mask(self, *args: Any, **kwargs: Any) -> Any:
        return self._constant("region_mask", *args, **kwargs)

    def check_bounds(self, indices: Any, low: int, high: int, /, *, what: str) -> None:
        self._device.backend.check_bounds(indices.array, low, high, what=what)

    def check_range(self, x: Any, low: float, high: float, /, *, what: str, hint: str = "") -> None:
        self._device.backend.check_range(x.array, low, high, what=what, hint=hint)

    def check_finite(self, x: Any, /, *, what: str, hint: str = "") -> None:
        self._device.backend.check_finite(x.array, what=what, hint=hint)

    def _constant(self, primitive: str, *args: Any, **kwargs: Any) -> Any:
        return new_tensor(getattr(self._device.backend, primitive)(*args, **kwargs), self._device)


# Primitives whose static arguments come by position: how many arrays lead, and the ops' names for what follows.
_STATIC_POSITIONS: dict[str, tuple[int, tuple[str, ...]]] = {
    "reshape": (1, ("shape",)),
    "transpose": (1, ("axes",)),
    "broadcast_to": (1, ("shape",)),
    "getitem": (1, ("key",)),
    "astype": (1, ("dtype",)),
    "cumsum": (1, ("axis",)),
    "argsort": (1, ("axis",)),
    "take": (2, ("axis",)),
    "take_along_axis": (2, ("axis",)),
}
