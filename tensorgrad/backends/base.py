"""Backend: what differs between devices, and nothing else.

An op is written once against a backend `B` and never learns which one it is. There are two kinds of primitives:

- **basic** ones, named after NumPy's functions, which every device must supply (`primitives/basic.py`);
- **composite** ones, each with a default composition out of basic ones (the other files of `primitives/`). A device may
  override a composition with a kernel; the composition stays its oracle and its fallback.
"""

from __future__ import annotations

import copy
from typing import Any, ClassVar, Self

from tensorgrad.backends.primitives import TABLE, Array, names
from tensorgrad.backends.primitives.check import CheckPrimitives
from tensorgrad.backends.primitives.index import IndexPrimitives
from tensorgrad.backends.primitives.linear import LinearPrimitives
from tensorgrad.backends.primitives.loss import LossPrimitives
from tensorgrad.backends.primitives.optimizer import OptimizerPrimitives
from tensorgrad.backends.primitives.random import RandomPrimitives
from tensorgrad.backends.primitives.reduce import ReducePrimitives
from tensorgrad.errors import DeviceError, ExchangeError

__all__ = ["Backend"]


class Backend(
    LinearPrimitives,
    LossPrimitives,
    ReducePrimitives,
    IndexPrimitives,
    CheckPrimitives,
    OptimizerPrimitives,
    RandomPrimitives,
    composes=True,
):
    """The interface of a device. A subclass that leaves a basic primitive out is refused when it is defined."""

    name: ClassVar[str]
    array_type: type[Any]  # what every array of the device is an instance of
    fuses_layers: ClassVar[bool] = False  # whether `linear_act` is faster than its two halves

    def feed(self, slot: Array, value: Any) -> None:
        """Write a number of the host, or for each element of the array `slot` one, into memory of the device.

        Such a slot is an input of the program, as a learning rate or a batch is: an interpreter that notes calls leaves
        this one out, since a replay of it would bring the old values back, and lets the owner of the slot feed it
        before each replay.
        """
        if slot.ndim:
            self.copyto(slot, self.asarray(value, dtype=slot.dtype))
        else:
            self.full((), value, slot.dtype, out=slot)

    def to_dlpack(self, x: Array, **options: Any) -> Any:
        """A DLPack capsule of the array's memory; `options` as the protocol's `__dlpack__` takes them.

        Of a copy where the memory lies as not every library can take it (one with negative strides ends a process of
        PyTorch's), unless `copy` is False: then, as the protocol has it, a BufferError.
        """
        if not self._lies_plainly(x):
            if options.get("copy") is False:
                raise ExchangeError(
                    "__dlpack__: memory with negative strides or at odd addresses is handed over by a copy only, and "
                    f"copy=False was asked for, got strides of {x.strides} bytes; clone() the tensor first"
                )
            x = self.copy(x)
        return x.__dlpack__(**options)

    def _lies_plainly(self, x: Array) -> bool:
        """Whether every library that takes arrays of the device can take this one as it lies in memory."""
        return min(self.strides(x), default=0) >= 0

    def dlpack_device(self, x: Array) -> tuple[int, int]:
        """The DLPack numbers of the array's device."""
        place: tuple[int, int] = x.__dlpack_device__()
        return place

    def from_dlpack(self, source: Any) -> Array:
        """An array that shares the memory of `source`. Raises DeviceError where the device cannot."""
        raise DeviceError(f"from_dlpack: the {self.name} backend takes no foreign memory; use tg.as_tensor(...)")

    def is_writable(self, x: Array) -> bool:
        """Whether the memory of `x` may be written; only arrays that come from outside can be read-only."""
        return True

    def settle(self) -> None:
        """Called once, when the backend is complete: of its final class, before its first primitive."""

    def begin_replay(self) -> None:
        """Called by whoever replays recorded calls, before each replay."""

    def for_replay(self) -> Self:
        """Another backend on the same device, for recorded calls: nothing that these read goes before it does."""
        made = copy.copy(self)
        for name in TABLE.keys() & vars(made).keys():  # primitives that `settle` has bound to this one
            delattr(made, name)
        return made

    def __init_subclass__(cls, interprets: bool = False, **kwargs: Any) -> None:
        """`interprets=True` is for backends that answer by `__getattr__`: the tape, a recorder."""
        super().__init_subclass__(**kwargs)
        missing = [] if interprets else [p for p in names(basic=True) if not hasattr(cls, p)]
        if missing:
            raise TypeError(f"backend {cls.__name__} lacks the basic primitives {', '.join(missing)}")

    # ------------------------------------------------------------------ the device
    def device_count(self) -> int:
        """How many devices of this type the machine has; device("cuda:1") and device(1) are the second."""
        return 1

    def device_name(self) -> str:
        """What people call the device."""
        return self.name

    def synchronize(self) -> None:
        """Wait until the device has done all it was given, and raise what its checks have found.

        Here, as wherever a primitive returns when its work is done, there is nothing to wait for.
        """

    def raise_pending(self) -> None:
        """Raise what checks have found that let their errors come late; here all come at once."""

    def memory_allocated(self) -> int:
        """Bytes in arrays that are alive; like the three below, a DeviceError where the device counts none."""
        raise self._uncounted("memory_allocated")

    def memory_reserved(self) -> int:
        """Bytes held on the device: those of live arrays, and those kept to be used again."""
        raise self._uncounted("memory_reserved")

    def max_memory_allocated(self) -> int:
        """The most bytes in arrays that were alive at a time."""
        raise self._uncounted("max_memory_allocated")

    def reset_peak_memory_stats(self) -> None:
        """Let the next `max_memory_allocated` be about what follows."""
        raise self._uncounted("reset_peak_memory_stats")

    def empty_cache(self) -> None:
        """Give back memory that is kept to be used again, on all devices of this type; here none is kept."""

    def _uncounted(self, asked: str) -> DeviceError:
        return DeviceError(f"{asked}: the {self.name} backend does not count its memory")
