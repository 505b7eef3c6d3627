"""Backend: what differs between devices, and nothing else.

An op is written once against a backend `B` and never learns which one it is. There are two kinds of primitives:

- **basic** ones, named after NumPy's functions, which every device must supply (`primitives/basic.py`);
- **composite** ones, each with a default composition out of basic ones (the other files of `primitives/`). A device may
  override a composition with a kernel; the composition stays its oracle and its fallback.
"""

from __future__ import annotations

from typing import Any, ClassVar

from tensorgrad.backends.primitives import PRIMITIVES, Array, Shape
from tensorgrad.backends.primitives.check import CheckPrimitives
from tensorgrad.backends.primitives.index import IndexPrimitives
from tensorgrad.backends.primitives.linear import LinearPrimitives
from tensorgrad.backends.primitives.loss import LossPrimitives
from tensorgrad.backends.primitives.optimizer import OptimizerPrimitives
from tensorgrad.backends.primitives.random import RandomPrimitives
from tensorgrad.backends.primitives.reduce import ReducePrimitives
from tensorgrad.dtypes import DType
from tensorgrad.errors import DeviceError

__all__ = ["Backend"]


class Backend(
    LinearPrimitives,
    LossPrimitives,
    ReducePrimitives,
    IndexPrimitives,
    CheckPrimitives,
    OptimizerPrimitives,
    RandomPrimitives,
):
    """The interface of a device. A subclass that leaves a basic primitive out is refused when it is defined."""

    name: ClassVar[str]
    array_type: type[Any]  # what every result of an op is an instance of, once it went through `boxed`
    fuses_layers: ClassVar[bool] = False  # whether `linear_act` is faster than its two halves

    def boxed(self, result: Array) -> Array:
        """The result of a primitive as an instance of `array_type`.

        Some libraries answer with a scalar where an array of no dimensions was meant. `asarray` is for data that come
        from the host; what comes here was computed on the device, and an interpreter that notes calls must know the one
        from the other.
        """
        return result

    def scratch(self, shape: Shape, dtype: DType) -> Array:
        """Uninitialised memory for a primitive to work in, which nobody sees after the primitive has returned.

        A primitive that is given `out=` takes memory from nowhere else. Here it is new; whoever replays recorded calls
        hands out memory of its own.
        """
        return self.empty(shape, dtype)

    def feed(self, slot: Array, value: float) -> None:
        """Write a number of the host into a 0-d array of the device.

        Such a slot is an input of the program, as a learning rate is: an interpreter that notes calls leaves this one
        out, since a replay of it would bring the old number back, and lets whoever owns the slot feed it before each
        replay.
        """
        self.full((), value, slot.dtype, out=slot)

    def to_dlpack(self, x: Array, **options: Any) -> Any:
        """A DLPack capsule of the array's memory; `options` as the protocol's `__dlpack__` takes them."""
        return x.__dlpack__(**options)

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

    def strides(self, x: Array) -> Shape:
        """For each dimension, how many elements of the memory lie between two neighbours along it."""
        return tuple([n // x.dtype.itemsize for n in x.strides])

    def __init_subclass__(cls, interprets: bool = False, **kwargs: Any) -> None:
        """`interprets=True` is for backends that answer by `__getattr__`: the tape, a recorder."""
        super().__init_subclass__(**kwargs)
        missing = [] if interprets else [p for p in PRIMITIVES if not hasattr(cls, p)]
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
