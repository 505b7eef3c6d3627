"""A CUDA device for the launch side of the kernels: arrays in NumPy memory, kernels on the emulator."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np

from tensorgrad.backends.cuda.launch import Launcher
from tensorgrad.backends.kernel_files import kernel_folder, source_of
from tests.emulator import EmulatedModule, build
from tests.emulator.module import Sanitizer

__all__ = ["DeviceArray", "EmulatedDevice"]

_MARGIN = 16  # bytes around every array

Array = Any


class DeviceArray:
    """What the launch side may see of an array: no operators, no NumPy."""

    def __init__(self, array: Array) -> None:
        self.array = array
        self.dtype = array.dtype
        self.shape: tuple[int, ...] = array.shape
        self.size: int = array.size
        self.flags = array.flags

    @property
    def data(self) -> DeviceArray:
        return self

    @property
    def ptr(self) -> int:
        address: int = self.array.__array_interface__["data"][0]
        return address


@cache
def _module(file: str, sanitizer: Sanitizer | None) -> EmulatedModule:
    return build(kernel_folder() / file, [kernel_folder()], sanitizer)


class EmulatedDevice:
    """Makes arrays at chosen offsets, and the launchers of the kernels. `multiprocessors` and `threads` may be set."""

    def __init__(self, sanitizer: Sanitizer | None = None) -> None:
        self.sanitizer = sanitizer
        self.launches: list[str] = []
        self._arrays: list[Array] = []
        self._surroundings: list[tuple[Array, int, int]] = []

    def launcher(self, threads: int = 64, multiprocessors: int = 1) -> Launcher:
        return Launcher(self._function, self._empty, self.array, multiprocessors, threads)

    def array(self, values: Array, dtype: str = "", offset: int = 0) -> DeviceArray:
        """A copy of `values` in `dtype` (their own by default), `offset` elements past a 16-byte boundary."""
        values = np.asarray(values)
        return DeviceArray(self._placed(values.astype(dtype) if dtype else values, offset))

    def empty(self, shape: tuple[int, ...], dtype: str, offset: int = 0) -> DeviceArray:
        """An array of rubbish."""
        return self.array(np.full(shape, 99), dtype, offset)

    @staticmethod
    def values(x: DeviceArray) -> Array:
        """What an array holds."""
        return x.array.copy()

    def check_surroundings(self) -> None:
        for memory, start, stop in self._surroundings:
            around = np.concatenate([memory[:start], memory[stop:]])
            assert (around == 0xA5).all(), "a kernel wrote outside its array"

    def _empty(self, shape: tuple[int, ...], dtype: Any) -> DeviceArray:
        return self.array(np.full(shape, 99, dtype))

    def _placed(self, values: Array, offset: int) -> Array:
        shift = offset * values.itemsize
        memory = np.full(values.nbytes + shift + 4 * _MARGIN, 0xA5, np.uint8)
        start = -memory.__array_interface__["data"][0] % _MARGIN + _MARGIN + shift
        stop = start + values.nbytes
        array = memory[start:stop].view(values.dtype).reshape(values.shape)
        array[...] = values
        self._arrays.append(array)
        self._surroundings.append((memory, start, stop))
        return array

    def _function(self, name: str) -> Callable[..., None]:
        def launch(grid: tuple[int, ...], block: tuple[int, ...], args: tuple[Any, ...]) -> None:
            self.launches.append(name)
            plain = [arg.array if isinstance(arg, DeviceArray) else arg for arg in args]
            memory = self._arrays if self.sanitizer else ()
            _module(source_of(name), self.sanitizer).launch(
                name, grid, block, plain, seed=len(self.launches), memory=memory
            )

        return launch
