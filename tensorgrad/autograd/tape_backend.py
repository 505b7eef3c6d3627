"""TapeBackend: takes Tensors for arrays and runs each basic primitive as the op of the same name.

A vjp read by it is itself on the tape: that is how gradients of gradients are made. It overrides no composite primitive
that is written without writing, so those run as their compositions, to any order.
"""

from __future__ import annotations

from functools import partial
from typing import Any, ClassVar

from tensorgrad.autograd.op import OPS
from tensorgrad.autograd.tape import apply
from tensorgrad.autograd.variable import Variable, new_tensor
from tensorgrad.backends import Backend, Device
from tensorgrad.backends.primitives import TABLE, Row
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
        row = TABLE.get(primitive)
        if row is None:
            raise AttributeError(primitive)
        return partial(self._op, row)

    def asarray(self, data: Any, /, *, dtype: DType | None = None) -> Any:
        return data if isinstance(data, Variable) else self._constant("asarray", data, dtype=dtype)

    def _constant(self, primitive: str, *args: Any, **kwargs: Any) -> Any:
        return new_tensor(getattr(self._device.backend, primitive)(*args, **kwargs), self._device)

    def _check(self, primitive: str, x: Any, *args: Any, **kwargs: Any) -> None:
        getattr(self._device.backend, primitive)(x.array, *args, **kwargs)

    @staticmethod
    def _op(row: Row, *inputs: Any, out: None = None, **static: Any) -> Any:
        """The op of a primitive, which takes by keyword what the primitive may take by position."""
        op = OPS.get(row.op)
        if op is None:
            raise GraphError(f"{row.name}: this primitive has no op, so no gradient can be taken through it")
        arrays = inputs
        if row.static:
            count = len(row.arrays)
            arrays = inputs[:count]
            static.update(zip(row.static, inputs[count:], strict=False))
        if row.takes_sequence:
            arrays = (*arrays[0], *arrays[1:])
        return apply(op, *arrays, **static)


def _as_op(row: Row) -> Any:
    return lambda self, *inputs, **static: self._op(row, *inputs, **static)


def _as_constant(name: str) -> Any:
    return lambda self, *args, **kwargs: self._constant(name, *args, **kwargs)


def _as_check(name: str) -> Any:
    return lambda self, *args, **kwargs: self._check(name, *args, **kwargs)


# What Backend has a default for, and the tape does otherwise.
for _name, _row in TABLE.items():
    if _row.on_tape == "op" and not _row.basic:
        setattr(TapeBackend, _name, _as_op(_row))
    elif _row.on_tape == "constant" and _name != "asarray":
        setattr(TapeBackend, _name, _as_constant(_name))
    elif _row.kind == "check":
        setattr(TapeBackend, _name, _as_check(_name))
