"""CudaBackend: the primitives on CuPy arrays.

CuPy's ufuncs are the primitives themselves wherever their signature and results are ours. What differs from NumPy is
made good here: CuPy wraps indices that are out of range (`check.py` checks them), lacks some dtypes in its atomic
adds and some keywords, sorts nan by its sign, takes any of several nan for the greatest, has a `fill` that makes 0 of
-0.0, and loses digits in the remainder of floats. Its reductions and running sums get no `out`: some give a view of it,
or other strides to it.

Left open, as on every GPU: which of several values wins that are assigned to one place; the order in which a scatter
adds, and so its last bits; integers made of floats that do not fit them.
"""

from __future__ import annotations

from typing import Any, ClassVar

import cupy
import cupyx.scipy.special
import numpy as np

from tensorgrad.backends.base import Backend
from tensorgrad.backends.cuda.activation import ActivationKernels, CudaActivation, SoftmaxKernels
from tensorgrad.backends.cuda.check import CheckKernels, CudaCheck
from tensorgrad.backends.cuda.current import bind_to_device
from tensorgrad.backends.cuda.errors import ERROR_WORDS, DeferredErrors
from tensorgrad.backends.cuda.extremes import CudaExtremes
from tensorgrad.backends.cuda.launch import Launcher
from tensorgrad.backends.cuda.loss import CudaLoss, LossKernels
from tensorgrad.backends.cuda.memory import PeakMemory
from tensorgrad.backends.cuda.modules import KernelModules
from tensorgrad.backends.cuda.optimizer import ClipKernels, CudaOptimizer, OptimizerKernels, Tables
from tensorgrad.backends.cuda.overlap import overlap
from tensorgrad.backends.cuda.override import without_gaps
from tensorgrad.backends.cuda.random import CudaRandom, RandomKernels
from tensorgrad.backends.cuda.reduce import CudaReduce, ReduceKernels
from tensorgrad.backends.cuda.results import (
    accumulated,
    along,
    filled,
    float_remainder,
    given,
    in_order,
    of_integers,
    put,
    rest_of_division,
    sorted_positions,
)
from tensorgrad.backends.cuda.sums import CudaSums
from tensorgrad.backends.primitives import Array, Axis, Shape
from tensorgrad.dtypes import DType, float16, float32, float64, int64
from tensorgrad.errors import ExchangeError

__all__ = ["CudaBackend"]

Key = tuple[Any, ...]

memory = PeakMemory(cupy)


class CudaBackend(
    CudaActivation, CudaLoss, CudaReduce, CudaSums, CudaExtremes, CudaCheck, CudaOptimizer, CudaRandom, Backend
):
    """CuPy on one device, which must be the current one when a primitive is called (see `available.py`)."""

    name: ClassVar[str] = "cuda"
    array_type = cupy.ndarray
    fuses_layers: ClassVar[bool] = True

    def __init__(self, index: int) -> None:
        self.index = index
        with cupy.cuda.Device(index) as device:
            self._multiprocessors = device.attributes["MultiProcessorCount"]
            self._modules = KernelModules(cupy.RawModule)
            checks = CheckKernels(self._launcher())
            errors = DeferredErrors(checks, self.full((ERROR_WORDS,), 0, int64))
            self._start_kernels(Tables(self._launcher()), errors)
            # Without a compiler or cuBLAS the device is of no use, and CuPy would look for them when first needed.
            self._modules.get_function("check_bounds_i64")
            cupy.cuda.device.get_cublas_handle()

    def for_replay(self) -> CudaBackend:
        made = object.__new__(CudaBackend)
        made.index, made._multiprocessors, made._modules = self.index, self._multiprocessors, self._modules
        made._start_kernels(Tables(made._launcher(), kept=None), self.errors.for_replay())
        return made

    def settle(self) -> None:
        if self.device_count() > 1:
            bind_to_device(self, cupy.cuda.runtime)

    def begin_replay(self) -> None:
        self.errors.begin_replay()

    def _launcher(self) -> Launcher:
        # `scratch` is looked up at each call: whoever replays recorded calls puts another in its place.
        take = self._modules.get_function, lambda *like: self.scratch(*like), cupy.asarray
        return Launcher(*take, self._multiprocessors)

    def _start_kernels(self, tables: Tables, errors: DeferredErrors) -> None:
        launcher = tables.launcher
        self._activation = ActivationKernels(launcher)
        self._softmax = SoftmaxKernels(launcher)
        self._loss = LossKernels(launcher)
        self._reduce = ReduceKernels(launcher)
        self._random = RandomKernels(launcher)
        self._clip = ClipKernels(tables)
        self.errors = errors
        self._optimizers = OptimizerKernels(tables, self.errors.word)

    negative = cupy.negative
    absolute = cupy.absolute
    sign = cupy.sign
    exp = cupy.exp
    expm1 = cupy.expm1
    log = cupy.log
    log1p = cupy.log1p
    log2 = cupy.log2
    log10 = cupy.log10
    sqrt = cupy.sqrt
    square = cupy.square
    reciprocal = cupy.reciprocal
    sin = cupy.sin
    cos = cupy.cos
    tan = cupy.tan
    tanh = cupy.tanh
    floor = cupy.floor
    ceil = cupy.ceil
    trunc = cupy.trunc
    rint = cupy.rint
    isfinite = cupy.isfinite
    isnan = cupy.isnan
    isinf = cupy.isinf
    logical_not = cupy.logical_not
    invert = cupy.invert

    add = cupy.add
    subtract = cupy.subtract
    multiply = cupy.multiply
    divide = cupy.divide
    power = cupy.power
    maximum = cupy.maximum
    minimum = cupy.minimum
    equal = cupy.equal
    not_equal = cupy.not_equal
    less = cupy.less
    less_equal = cupy.less_equal
    greater = cupy.greater
    greater_equal = cupy.greater_equal
    logical_and = cupy.logical_and
    logical_or = cupy.logical_or
    logical_xor = cupy.logical_xor
    bitwise_and = cupy.bitwise_and
    bitwise_or = cupy.bitwise_or
    bitwise_xor = cupy.bitwise_xor
    left_shift = cupy.left_shift
    right_shift = cupy.right_shift

    @staticmethod
    def erf(x: Array, /, *, out: Array | None = None) -> Array:
        if x.dtype != float16:
            return cupyx.scipy.special.erf(x, out)
        return given(cupyx.scipy.special.erf(x.astype(float32)).astype(float16), out)  # CuPy would answer in float64

    @staticmethod
    def remainder(x: Array, y: Array, /, *, out: Array | None = None) -> Array:
        return cupy.remainder(x, y, out) if of_integers(x, y) else given(float_remainder(x, y), out)

    @staticmethod
    def floor_divide(x: Array, y: Array, /, *, out: Array | None = None) -> Array:
        if of_integers(x, y):
            return cupy.floor_divide(x, y, out)
        rest, other_side = rest_of_division(x, y)
        quotient = cupy.subtract(cupy.rint(cupy.divide(cupy.subtract(x, rest), y)), other_side.astype(rest.dtype))
        exact = cupy.divide(x, y)
        signed = cupy.where(cupy.equal(quotient, 0), cupy.multiply(exact, 0), quotient)  # 0 has the sign of x / y
        return given(cupy.where(cupy.equal(y, 0), exact, signed), out)

    # ------------------------------------------------------------------ the device
    @staticmethod
    def device_count() -> int:
        return int(cupy.cuda.runtime.getDeviceCount())

    def device_name(self) -> str:
        return str(cupy.cuda.runtime.getDeviceProperties(self.index)["name"].decode())

    @staticmethod
    def memory_allocated() -> int:
        return int(cupy.get_default_memory_pool().used_bytes())

    @staticmethod
    def memory_reserved() -> int:
        return int(cupy.get_default_memory_pool().total_bytes())

    def max_memory_allocated(self) -> int:
        return memory.peak("max_memory_allocated", self.index)

    def reset_peak_memory_stats(self) -> None:
        memory.reset("reset_peak_memory_stats", self.index)

    @staticmethod
    def empty_cache() -> None:
        memory.give_back()

    def synchronize(self) -> None:
        cupy.cuda.Device(self.index).synchronize()
        self.errors.raise_pending(always=True)

    def raise_pending(self) -> None:
        self.errors.raise_pending()

    @staticmethod
    def asarray(data: Any, *, dtype: DType | None = None) -> Array:
        if isinstance(data, cupy.ndarray):
            return data if dtype is None else data.astype(dtype, copy=False)
        host = np.asarray(data, dtype)
        return cupy.asarray(host) if host.ndim else cupy.full((), host)  # asarray would call `fill`

    def to_numpy(self, x: Array) -> Any:
        host = x.get()
        self.errors.raise_pending()
        return host

    @staticmethod
    def from_dlpack(source: Any) -> Array:
        return cupy.from_dlpack(source).view()  # a view, since the memory is somebody else's: see `owns`

    def cuda_array_interface(self, x: Array) -> dict[str, Any]:
        """Where the memory of `x` is, by the protocol of that name. Raises BufferError for negative strides, with which
        not every library reckons."""
        if not self._lies_plainly(x):
            raise ExchangeError(
                f"__cuda_array_interface__: strides must not be negative, got {x.strides} bytes; clone() the tensor "
                "first"
            )
        found: dict[str, Any] = x.__cuda_array_interface__
        return found

    # ------------------------------------------------------------------ reductions
    @without_gaps
    def sum(self, x: Array, *, axis: Axis = None, keepdims: bool = False, out: Array | None = None) -> Array:
        done = self._column_sums(x, axis, keepdims, out)
        if done is None:
            done = self._long_sum(x, axis, keepdims, out)
        return accumulated(cupy.sum, x, axis, keepdims, out) if done is None else done

    def cumsum(self, x: Array, axis: int, *, out: Array | None = None) -> Array:
        done = self._long_cumsum(x, axis, out)
        if done is not None:
            return done
        if x.dtype != float16:
            return given(cupy.cumsum(x, axis, x.dtype), out)
        return given(cupy.cumsum(x, axis, float32).astype(float16), out)

    @staticmethod
    def matmul(x: Array, y: Array, *, out: Array | None = None) -> Array:
        return cupy.matmul(x, y, out=out)

    # ------------------------------------------------------------------ making and copying
    @staticmethod
    def empty(shape: Shape, dtype: DType) -> Array:
        return cupy.empty(shape, dtype)

    @staticmethod
    def full(shape: Shape, value: float, dtype: DType, *, out: Array | None = None) -> Array:
        if out is None:
            return cupy.full(shape, value, dtype)
        if value == 0:
            return given(value, out)  # keeps the sign of -0.0
        out.fill(value)
        return out

    @staticmethod
    def arange(start: float, stop: float, step: float, dtype: DType, *, out: Array | None = None) -> Array:
        wide = float64 if dtype.kind == "f" else dtype  # the step must not be rounded before it is multiplied
        return given(cupy.arange(start, stop, step, wide).astype(dtype), out)

    @staticmethod
    def copy(x: Array, *, out: Array | None = None) -> Array:
        return x.copy(order="C") if out is None else given(x, out)

    @staticmethod
    def astype(x: Array, dtype: DType, *, out: Array | None = None) -> Array:
        return x.astype(dtype, "C" if 0 in x.strides else "K") if out is None else given(x, out)

    @staticmethod
    def copyto(target: Array, source: Array) -> None:
        if isinstance(source, cupy.ndarray) and overlap(target, source):
            source = source.copy()  # CuPy reads and writes in no particular order
        cupy.copyto(target, source, casting="unsafe")

    # ------------------------------------------------------------------ views
    def reshape(self, x: Array, shape: Shape) -> Array:
        if not self.can_reshape(x, shape):
            raise ValueError(f"reshape: an array of strides {x.strides} cannot be seen in shape {shape} without a copy")
        return x.reshape(shape)

    @staticmethod
    def reshaped(x: Array, shape: Shape, *, out: Array | None = None) -> Array:
        return given(x.reshape(shape), out)

    @staticmethod
    def transpose(x: Array, axes: tuple[int, ...] | None = None) -> Array:
        return x.transpose(axes)

    @staticmethod
    def broadcast_to(x: Array, shape: Shape) -> Array:
        return cupy.broadcast_to(x, shape)

    @staticmethod
    def getitem(x: Array, key: Any) -> Array:
        return x[key]

    @staticmethod
    def diagonal(x: Array, place: tuple[int, int, int]) -> Array:
        return x.diagonal(*place)

    @staticmethod
    def reinterpret(x: Array, dtype: DType) -> Array:
        if x.data.ptr % dtype.itemsize:
            raise ValueError(f"reinterpret: the memory does not begin where a {dtype} can; copy it first")
        return x.view(dtype)

    @staticmethod
    def is_view(view: Array, x: Array) -> bool:
        base = view.base
        return view is x or (base is not None and (base is x or base is x.base))

    @staticmethod
    def owns(x: Array) -> bool:
        return isinstance(x, cupy.ndarray) and x.base is None

    @staticmethod
    def is_contiguous(x: Array) -> bool:
        return bool(x.flags.c_contiguous)

    # ------------------------------------------------------------------ selecting, joining, sorting
    def where(self, condition: Array, x: Array, y: Array, *, out: Array | None = None) -> Array:
        if out is None:
            return cupy.where(condition, x, y)
        clash = any(isinstance(a, cupy.ndarray) and overlap(out, a) for a in (condition, x, y))
        target = self.scratch(out.shape, out.dtype) if clash else out
        cupy.copyto(target, y, casting="unsafe")
        cupy.copyto(target, x, casting="unsafe", where=condition)
        return given(target, out) if clash else out

    @staticmethod
    def concatenate(arrays: list[Array], axis: int, *, out: Array | None = None) -> Array:
        return cupy.concatenate(arrays, axis, out)

    @staticmethod
    def argsort(x: Array, axis: int, *, descending: bool = False, out: Array | None = None) -> Array:
        if not x.ndim:
            return given(cupy.zeros((), int64), out)
        if x.dtype.kind == "b":
            x = x.astype(np.uint8)
        if not descending:
            return given(sorted_positions(x, axis), out)
        backwards = sorted_positions(cupy.flip(x, axis), axis)
        return given(x.shape[axis] - 1 - cupy.flip(backwards, axis), out)

    @staticmethod
    def nonzero(x: Array) -> tuple[Array, ...]:
        return tuple(cupy.nonzero(x))

    # ------------------------------------------------------------------ indexing by arrays
    @staticmethod
    def take(x: Array, indices: Array, axis: int, *, out: Array | None = None) -> Array:
        return cupy.take(x, indices, axis, out)

    @staticmethod
    def take_index(x: Array, *indices: Array, key: Key, out: Array | None = None) -> Array:
        return given(in_order(x[filled(key, indices)]), out)

    @staticmethod
    def put_index(x: Array, values: Array, *indices: Array, key: Key, accumulate: bool = False) -> None:
        put(x, filled(key, indices), values, accumulate)

    @staticmethod
    def take_along_axis(x: Array, indices: Array, axis: int, *, out: Array | None = None) -> Array:
        return given(in_order(x[along(indices, axis)]) if x.ndim else x.copy(), out)

    @staticmethod
    def put_along_axis(x: Array, indices: Array, values: Array, axis: int, *, accumulate: bool = False) -> None:
        put(x, along(indices, axis), values, accumulate)
