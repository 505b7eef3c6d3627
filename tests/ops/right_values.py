"""Calls whose right values are written beside them: they are run on the CPU here, and on CUDA in tests/cuda.

A call makes its tensors on the default device. Values are compared as text, so that the sign of a zero counts.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

import tensorgrad as tg

__all__ = ["ERRORS", "VALUES"]

T: Any = tg.tensor
INF, NAN = float("inf"), float("nan")
Call = Callable[[], Any]


def _i32(*numbers: int) -> Any:
    return T(list(numbers), dtype=tg.int32)


def _i8(*numbers: int) -> Any:
    return T(list(numbers), dtype=tg.int8)


def _u8(*numbers: int) -> Any:
    return T(list(numbers), dtype=tg.uint8)


def _f64(*numbers: float) -> Any:
    return T(list(numbers), dtype=tg.float64)


def _half(*numbers: float) -> Any:
    return T(list(numbers), dtype=tg.float16)


def _mask() -> Any:
    return T([True, False])


def _gradient(function: Callable[[Any], Any], *at: float, dtype: Any = tg.float32) -> Any:
    """The gradient of the sum of what `function` makes."""
    x = T(list(at), dtype=dtype, requires_grad=True)
    return tg.autograd.grad(function(x).sum(), x)[0]


def _written(write: Callable[[Any, Any], Any], *at: float) -> Any:
    """The gradient of float64 numbers that `write` puts into a float32 tensor."""
    return _gradient(lambda x: write(tg.ones(len(at)) * 1, x), *at, dtype=tg.float64)


def _set(x: Any, key: Any, value: Any) -> Any:
    x[key] = value
    return x


def _leaky_relu_of_slope_0(g: float) -> Any:
    x = T([[-1.0, 2.0]], requires_grad=True)
    weight = tg.eye(2)
    out = tg.nn.functional.linear_act(x, weight, None, "leaky_relu", negative_slope=0.0)
    out.backward(T([[g, 1.0]]))
    return x.grad


# (the call, the dtype, the values)
VALUES: dict[str, tuple[Call, Any, Any]] = {
    # ------------------------------------------------------------------ numbers that leave the dtype, limits
    "slope of 1e-50 / x": (lambda: _gradient(lambda x: 1e-50 / x, 2.0), tg.float32, [-0.0]),
    "slope of 1e39 / x": (lambda: _gradient(lambda x: 1e39 / x, 2.0), tg.float32, [-INF]),
    "slope of 1e-9 / x": (lambda: _gradient(lambda x: 1e-9 / x, 2.0, dtype=tg.float16), tg.float16, [-0.0]),
    "slope of 3 / x": (lambda: _gradient(lambda x: 3 / x, 2.0), tg.float32, [-0.75]),
    "gelu at its ends": (lambda: tg.nn.functional.gelu(T([-INF, INF])) + 0.0, tg.float32, [0.0, INF]),
    "gelu at its ends, float64": (lambda: tg.nn.functional.gelu(_f64(-INF, INF)) + 0.0, tg.float64, [0.0, INF]),
    "gelu at its ends, float16": (lambda: tg.nn.functional.gelu(_half(-INF, INF)) + 0.0, tg.float16, [0.0, INF]),
    "slope of gelu at its ends": (lambda: _gradient(tg.nn.functional.gelu, -INF, INF) + 0.0, tg.float32, [0.0, 1.0]),
    "slope of gelu, float64": (
        lambda: _gradient(tg.nn.functional.gelu, -INF, INF, dtype=tg.float64) + 0.0,
        tg.float64,
        [0.0, 1.0],
    ),
    "leaky_relu of slope 0": (lambda: _leaky_relu_of_slope_0(INF) + 0.0, tg.float32, [[0.0, 1.0]]),
    # ------------------------------------------------------------------ distances that do not fit the dtype
    "isclose int32": (lambda: tg.isclose(_i32(2 * 10**9), _i32(-2 * 10**9)), tg.bool, [False]),
    "isclose int64": (lambda: tg.isclose(T([2**63 - 1, -(2**63)]), T([-(2**63), -(2**63)])), tg.bool, [False, True]),
    "isclose int8": (lambda: tg.isclose(_i8(-128, -128), _i8(127, -127), rtol=0, atol=1), tg.bool, [False, True]),
    "isclose int8 of the least": (lambda: tg.isclose(_i8(100), _i8(-128), rtol=1), tg.bool, [False]),
    "isclose uint8": (lambda: tg.isclose(_u8(0, 255), _u8(255, 0), rtol=0, atol=300), tg.bool, [True, True]),
    "isclose beyond float64": (lambda: tg.isclose(T([2**60] * 2), T([2**60 + 3] * 2), 0, 2), tg.bool, [False, False]),
    "isclose bool": (lambda: tg.isclose(T([True, True]), T([False, True])), tg.bool, [False, True]),
    "isclose bool, wide": (lambda: tg.isclose(T([True]), T([False]), atol=2), tg.bool, [True]),
    "logical_and of 256": (lambda: tg.logical_and(_u8(2, 0), 256), tg.bool, [True, False]),
    "logical_and of a 0-d 256": (lambda: tg.logical_and(_u8(2, 0), T(256)), tg.bool, [True, False]),
    "logical_xor of a fraction": (lambda: tg.logical_xor(T([0, 1]), T(0.5)), tg.bool, [True, False]),
    "equality beside a float": (lambda: T([2**24 + 1]) == T([2.0**24]), tg.bool, [True]),
    "equality beside a double": (lambda: T([2**24 + 1]) == _f64(2.0**24), tg.bool, [False]),
    "uint64 beside a number": (lambda: T([2**64 - 1, 1], dtype=tg.uint64) > 2**63, tg.bool, [True, False]),
    # ------------------------------------------------------------------ ranges
    "arange, fractions": (lambda: tg.arange(0, 3, 0.5, dtype=tg.int64), tg.int64, [0, 0, 1, 1, 2, 2]),
    "arange, fractions down": (lambda: tg.arange(1, -1, -0.75, dtype=tg.int8), tg.int8, [1, 0, 0]),
    "arange, int16 down": (lambda: tg.arange(0.1, -7.9, -4, dtype=tg.int16), tg.int16, [0, -4]),
    "arange, int64 down": (lambda: tg.arange(0.0, -8.000001, -4.0, dtype=tg.int64), tg.int64, [0, -4]),
    "arange, int32 down": (lambda: tg.arange(0.0, -8.000001, -4.0, dtype=tg.int32), tg.int32, [0, -4, -8]),
    "arange, int64 to a fraction": (lambda: tg.arange(5.5, dtype=tg.int64), tg.int64, [0, 1, 2, 3, 4]),
    "arange, int32 to a fraction": (lambda: tg.arange(5.5, dtype=tg.int32), tg.int32, [0, 1, 2, 3, 4, 5]),
    "arange, large": (lambda: tg.arange(2**53 + 1, 2**53 + 3, 1.0, dtype=tg.int64), tg.int64, [2**53 + 1, 2**53 + 2]),
    "arange, the greatest": (lambda: tg.arange(2**63 - 2, 2**63), tg.int64, [2**63 - 2, 2**63 - 1]),
    "arange, int8 to its end": (lambda: tg.arange(126, 128, dtype=tg.int8), tg.int8, [126, 127]),
    "arange, unsigned below 0": (lambda: tg.arange(-2, 2, dtype=tg.uint8), tg.uint8, [254, 255, 0, 1]),
    "arange of tensors": (lambda: tg.arange(T(0.1), T(0.35), T(0.1), dtype=tg.float64).shape, None, (3,)),
    "arange, far from 0": (
        lambda: (tg.arange(1e6, 1.1e6, 0.1, dtype=tg.float64)[[1, 999_999]] - 1e6).round(decimals=6),
        tg.float64,
        [0.1, 99999.9],
    ),
    "linspace of tensors": (
        lambda: tg.linspace(T(50.0), T(0.0), 50, dtype=tg.float64)[5:6].round(decimals=10),
        tg.float64,
        [44.8979591837],
    ),
    "linspace of a tensor and a number": (
        lambda: tg.linspace(T(1.0, dtype=tg.float16), 2, 4, dtype=tg.float64).round(decimals=10),
        tg.float64,
        [1.0, 1.3333333333, 1.6666666667, 2.0],
    ),
    "linspace, as wide as floats are": (
        lambda: tg.linspace(-1.7e308, 1.7e308, 3, dtype=tg.float64),
        tg.float64,
        [-1.7e308, 0.0, 1.7e308],
    ),
    "full of a double": (lambda: tg.full((1,), T(0.1, dtype=tg.float64), dtype=tg.float64), tg.float64, [0.1]),
    "eye, empty": (lambda: tg.eye(0, 3).shape, None, (0, 3)),
    # ------------------------------------------------------------------ alpha in the dtype of the result
    "alpha, int8 in int64": (lambda: tg.add(T([1]), _i8(100), alpha=100), tg.int64, [10001]),
    "alpha, sub": (lambda: tg.sub(T([1]), _i8(100), alpha=100), tg.int64, [-9999]),
    "alpha, in place": (lambda: T([1]).add_(_i8(100), alpha=100), tg.int64, [10001]),
    "alpha, float16 in float64": (lambda: _f64(1.0).sub(T([1.0], dtype=tg.float16), alpha=1e5), tg.float64, [-99999.0]),
    "alpha, float16 in place": (lambda: _f64(1.0).add_(T([1.0], dtype=tg.float16), alpha=1e5), tg.float64, [100001.0]),
    "alpha of bools": (lambda: tg.add(T([True, False]), T([False, True]), alpha=2), tg.bool, [True, True]),
    "alpha, a tensor": (lambda: T([1]).add(T([2]), alpha=T(3)), tg.int64, [7]),
    "alpha and a number": (lambda: T([1.0, 2.0]).add(2, alpha=0.5), tg.float32, [2.0, 3.0]),
    # ------------------------------------------------------------------ quotients
    "no quotients": (lambda: T([], dtype=tg.int64) // 0, tg.int64, []),
    "no quotients by a tensor": (lambda: T([], dtype=tg.int64) % T([0]), tg.int64, []),
    "floats by 0": (lambda: T([1.0, -1.0, 0.0]) // 0, tg.float32, [INF, -INF, NAN]),
    "integers by a float 0": (lambda: T([4]) // 0.0, tg.float32, [INF]),
    "an integer by a float tensor": (lambda: 4 % T([0.0, 3.0]), tg.float32, [NAN, 1.0]),
    # ------------------------------------------------------------------ signs of zero
    "remainder of -0": (lambda: tg.remainder(T([-0.0, 0.0]), 5.0), tg.float32, [-0.0, 0.0]),
    "remainder of -0, 0-d": (lambda: tg.remainder(T(-0.0), 5.0), tg.float32, -0.0),
    "remainder of nothing left": (
        lambda: _f64(-5, 5, 0, -0.0) % _f64(5, -5, -5, 5),
        tg.float64,
        [-0.0, 0.0, 0.0, -0.0],
    ),
    "remainder, float16": (lambda: T([-6.0, 6.0, 7.0], dtype=tg.float16) % 3, tg.float16, [-0.0, 0.0, 1.0]),
    "remainder of a number": (lambda: -6.0 % T([3.0, -3.0, 4.0]), tg.float32, [-0.0, -0.0, 2.0]),
    "remainder in place": (lambda: T([-6.0, 7.0]).remainder_(3), tg.float32, [-0.0, 1.0]),
    "remainder by infinity": (lambda: T([5.0, -5.0]) % INF, tg.float32, [5.0, INF]),
    "floor_divide": (lambda: T([0.0, -0.0, 0.0]) // T([5.0, 5.0, -5.0]), tg.float32, [0.0, -0.0, -0.0]),
    "rounding": (lambda: T([-0.5, 0.5, -0.0]).round(), tg.float32, [-0.0, 0.0, -0.0]),
    "truncating": (lambda: T([-0.5, 0.5, -0.0]).trunc(), tg.float32, [-0.0, 0.0, -0.0]),
    "the sign": (lambda: T([-0.0, 0.0, -3.0, NAN]).sign().abs(), tg.float32, [0.0, 0.0, 1.0, NAN]),
    # ------------------------------------------------------------------ bools and powers
    "True to a tensor": (lambda: True ** T([-1, 2]), tg.int64, [1, 1]),
    "False to a tensor": (lambda: False ** T([1, -1, 0]), tg.int64, [0, 0, 1]),
    "bools to a tensor": (lambda: T([True, False]) ** T([-1, 0]), tg.int64, [1, 1]),
    "bools to True": (lambda: T([True, False]) ** True, tg.bool, [True, False]),
    "bools to False": (lambda: T([True, False]) ** False, tg.bool, [True, True]),
    "bools to bools": (
        lambda: T([True, True, False, False]) ** T([True, False] * 2),
        tg.bool,
        [True, True, False, True],
    ),
    "bools to a number": (lambda: T([True, False]) ** 2, tg.int64, [1, 0]),
    "0 to a negative power": (lambda: 0 ** T([-1]), tg.int64, [0]),
    # ------------------------------------------------------------------ digits
    "digits": (lambda: _f64(1.25, 1.35, -1.25).round(decimals=1), tg.float64, [1.2, 1.4, -1.2]),
    "digits before the point": (
        lambda: T([1250.0, -1250.0, 55.0]).round(decimals=-2),
        tg.float32,
        [1200.0, -1200.0, 100.0],
    ),
    "digits of what has none": (
        lambda: T([1e38, NAN, INF]).round(decimals=3).isfinite(),
        tg.bool,
        [True, False, False],
    ),
    "more digits than there are": (lambda: _f64(0.1, -3e300).round(decimals=400), tg.float64, [0.1, -3e300]),
    "fewer digits than there are": (lambda: T([3e38, -1.0, INF]).round(decimals=-50), tg.float32, [0.0, -0.0, INF]),
    "digits of float16": (lambda: T([1000.3], dtype=tg.float16).round(decimals=2), tg.float16, [1000.5]),
    "digits of integers": (lambda: T([15]).round(decimals=3), tg.int64, [15]),
    "digits in place": (lambda: _f64(0.125).round_(decimals=2), tg.float64, [0.12]),
    # ------------------------------------------------------------------ dtypes and sizes
    "float is float64": (lambda: tg.zeros(1, dtype=float), tg.float64, [0.0]),
    "int is int64": (lambda: tg.zeros(1, dtype=int), tg.int64, [0]),
    "bool is bool": (lambda: tg.zeros(1, dtype=bool), tg.bool, [False]),
    "a tensor and a number": (lambda: T([T(1.0), 2]), tg.float32, [1.0, 2.0]),
    "a tensor of integers and a float": (lambda: T([T(1), 2.5]), tg.float32, [1.0, 2.5]),
    "tensors of two kinds": (lambda: T([T(1), T(2.0)]), tg.float32, [1.0, 2.0]),
    "a double and a number": (lambda: T([2, T(0.1, dtype=tg.float64)]), tg.float64, [2.0, 0.1]),
    "tensors within": (lambda: T([[T(True), 2], [3, T(4, dtype=tg.int32)]]), tg.int64, [[1, 2], [3, 4]]),
    "sizes": (lambda: tg.Tensor(2, 3).shape, None, (2, 3)),
    "one size": (lambda: tg.Tensor(3).shape, None, (3,)),
    "no size": (lambda: tg.Tensor().shape, None, (0,)),
    "sizes of NumPy": (lambda: tg.Tensor(np.int64(0), 2), tg.float32, []),
    "data": (lambda: tg.Tensor([1, 2]), tg.float32, [1.0, 2.0]),
    "data in a tuple": (lambda: tg.Tensor((1, 2)), tg.float32, [1.0, 2.0]),
    "data of a tensor": (lambda: tg.Tensor(T([1, 2])), tg.int64, [1, 2]),
    "data in another dtype": (lambda: tg.Tensor([1, 2], dtype=tg.int8), tg.int8, [1, 2]),
    # ------------------------------------------------------------------ numbers in unsigned dtypes
    "full of a negative integer": (lambda: tg.full((1,), -1, dtype=tg.uint8), tg.uint8, [255]),
    "full of -0": (lambda: tg.full((1,), -0.0, dtype=tg.uint8), tg.uint8, [0]),
    "full of a fraction": (lambda: tg.full((1,), 1.7, dtype=tg.uint8), tg.uint8, [1]),
    "full of a negative fraction": (lambda: tg.full((1,), -1.7, dtype=tg.int8), tg.int8, [-1]),
    "masked_fill of a negative integer": (lambda: _u8(0, 0).masked_fill(_mask(), -3), tg.uint8, [253, 0]),
    "arange, fractions, unsigned below 0": (
        lambda: tg.arange(-2.5, 1, 0.5, dtype=tg.uint8),
        tg.uint8,
        [254, 254, 255, 255, 0, 0, 0],
    ),
    "linspace, unsigned below 0": (lambda: tg.linspace(-3, 3, 3, dtype=tg.uint8), tg.uint8, [253, 128, 3]),
    "linspace, unsigned down to below 0": (lambda: tg.linspace(2.5, -3, 3, dtype=tg.uint8), tg.uint8, [2, 127, 253]),
    "linspace, unsigned": (lambda: tg.linspace(0, 10, 5, dtype=tg.uint8), tg.uint8, [0, 2, 5, 7, 10]),
    "pad of int8": (lambda: tg.nn.functional.pad(_i8(1), (1, 0), value=-1.5), tg.int8, [-1, 1]),
    # ------------------------------------------------------------------ alpha of index_add in the dtype of the input
    "index_add, a fraction": (
        lambda: T([2]).index_add(0, T([0]), T([20]), alpha=-1.5),
        tg.int64,
        [-18],
    ),
    "index_add, less than 1": (lambda: _u8(2).index_add(0, T([0]), _u8(2), alpha=0.5), tg.uint8, [2]),
    "index_add, a tensor": (lambda: _u8(2).index_add(0, T([0]), _u8(2), alpha=T(2.5)), tg.uint8, [6]),
    "index_add, unsigned": (lambda: _u8(5).index_add(0, T([0]), _u8(2), alpha=-1), tg.uint8, [3]),
    "index_add of bools": (
        lambda: T([False, True]).index_add(0, T([0, 1]), T([True, True]), alpha=0.5),
        tg.bool,
        [True, True],
    ),
    "index_add of bools, 0": (
        lambda: T([False, True]).index_add(0, T([0, 1]), T([True, True]), alpha=0),
        tg.bool,
        [False, True],
    ),
    # ------------------------------------------------------------------ shifts of bools, where of a condition
    "bools << 2": (lambda: _mask() << 2, tg.int64, [4, 0]),
    "bools >> 2": (lambda: _mask() >> 2, tg.int64, [0, 0]),
    "2 << bools": (lambda: 2 << _mask(), tg.int64, [4, 2]),
    "bools << int8": (lambda: tg.bitwise_left_shift(_mask(), _i8(1, 2)), tg.int8, [2, 0]),
    "int8 >> bools": (lambda: tg.bitwise_right_shift(_i8(1, 2), _mask()), tg.int8, [0, 2]),
    "where of a condition": (
        lambda: [i.tolist() for i in tg.where(T([[0.0, 1.0], [NAN, 0.0]]))],
        None,
        [[0, 1], [1, 0]],
    ),
    "where of a 0-d condition": (lambda: [i.tolist() for i in tg.where(T(True))], None, [[0]]),
    # ------------------------------------------------------------------ no dims
    "any over none": (lambda: tg.any(T([[0.0, 2.0]]), dim=()), tg.bool, [[False, True]]),
    "all over none": (lambda: T([[0, 2]]).all([], keepdim=True), tg.bool, [[False, True]]),
    "any of uint8 over none": (lambda: _u8(0, 7).any(()), tg.uint8, [0, 1]),
    "all of nan over none": (lambda: T([NAN, -0.0]).all(()), tg.bool, [True, False]),
    # ------------------------------------------------------------------ targets below 0
    "kl_div": (
        lambda: tg.nn.functional.kl_div(T([0.0] * 4), T([-0.37, 0.0, 1.0, NAN]), reduction="none"),
        tg.float32,
        [NAN, 0.0, 0.0, NAN],
    ),
    "kl_div, the gradient by the target": (
        lambda: _gradient(lambda t: tg.nn.functional.kl_div(tg.zeros(3), t, reduction="sum"), -0.37, 0.0, 1.0),
        tg.float32,
        [NAN, 0.0, 1.0],
    ),
    "kl_div, the gradient by the input": (
        lambda: _gradient(lambda x: tg.nn.functional.kl_div(x, T([-0.5, 0.0, 0.5]), reduction="sum"), 0.0, 0.0, 0.0),
        tg.float32,
        [0.5, -0.0, -0.5],
    ),
    # ------------------------------------------------------------------ what comes in at a nan
    "relu at nan": (lambda: _gradient(lambda x: tg.relu(x) * 3, NAN, 1.0, -1.0), tg.float32, [3.0, 3.0, 0.0]),
    "relu_ at nan": (lambda: _gradient(lambda x: (x * 1).relu_() * 3, NAN, 1.0, -1.0), tg.float32, [3.0, 3.0, 0.0]),
    "clamp at nan": (lambda: _gradient(lambda x: x.clamp(0, 2) * 3, NAN, 1.0, 4.0), tg.float32, [0.0, 3.0, 0.0]),
    # ------------------------------------------------------------------ gradients are of their leaf's dtype
    "a double added to a float": (lambda: _written(lambda y, x: y.add_(x), 1.0, 2.0), tg.float64, [1.0, 1.0]),
    "a double subtracted": (lambda: _written(lambda y, x: y.sub_(x, alpha=2), 1.0, 2.0), tg.float64, [-2.0, -2.0]),
    "a double multiplied": (lambda: _written(lambda y, x: y.mul_(x), 3.0, 5.0), tg.float64, [1.0, 1.0]),
    "a double divided by": (lambda: _written(lambda y, x: y.div_(x), 2.0, 4.0), tg.float64, [-0.25, -0.0625]),
    "a double as a power": (lambda: _written(lambda y, x: y.pow_(x), 2.0, 4.0), tg.float64, [0.0, 0.0]),
    "a double copied": (lambda: _written(lambda y, x: y.copy_(x), 2.0, 4.0), tg.float64, [1.0, 1.0]),
    "a double set": (lambda: _written(lambda y, x: _set(y, 0, x[0]), 2.0, 4.0), tg.float64, [1.0, 0.0]),
    "a 0-d double": (
        lambda: _gradient(lambda x: (tg.zeros(()) * 1).sub_(x.sum()), 1.0, dtype=tg.float64),
        tg.float64,
        [-1.0],
    ),
    "a double squares itself": (
        lambda: _gradient(lambda x: (x * 2).float().mul_(x), 3.0, dtype=tg.float64),
        tg.float64,
        [12.0],
    ),
    # ------------------------------------------------------------------ numbers that float16 has no room for
    "float16 * 1e30": (lambda: 1e30 * _half(0.0, 1.0), tg.float16, [0.0, INF]),
    "float16 * 70000": (lambda: (_half(0.001) * 70000).round(), tg.float16, [70.0]),
    "float16 * 1e-8": (lambda: _half(1024.0) * 2.0**-24 * 2**14, tg.float16, [1.0]),
    "float16 / 1e-30": (lambda: _half(0.0, 1.0) / 1e-30, tg.float16, [0.0, INF]),
    "float16 / 70000": (lambda: _half(60000.0) / 120000, tg.float16, [0.5]),
    "1e30 / float16": (lambda: 131072 / _half(4.0, INF), tg.float16, [32768.0, 0.0]),
    "float16 * a 0-d float": (lambda: _half(0.0, 0.5) * T(98304.0), tg.float16, [0.0, 49152.0]),
    "float16 mul_": (lambda: _half(0.0, 0.5).mul_(98304), tg.float16, [0.0, 49152.0]),
    "float16 div_": (lambda: _half(0.0, 60000.0).div_(120000), tg.float16, [0.0, 0.5]),
    "float16 * 98304, its gradient": (
        lambda: _gradient(lambda x: (x * 98304).float() / 4, 0.5, dtype=tg.float16),
        tg.float16,
        [24576.0],
    ),
    # ------------------------------------------------------------------ sums on the way
    "the mean of floats in float16": (lambda: T([1e5, -1e5, 3.0]).mean(dtype=tg.float16), tg.float16, 1.0),
    "means of doubles in float16": (
        lambda: tg.full((2, 3000), 1000.4, dtype=tg.float64).mean(1, dtype=tg.float16),
        tg.float16,
        [1000.5, 1000.5],
    ),
    "the norm of one float": (lambda: T([-(2.0**126)]).norm(), tg.float32, 2.0**126),
    "the norm of one small float": (lambda: T([-(2.0**-100)]).norm(), tg.float32, 2.0**-100),
    "norms of one double": (lambda: _f64(-1e200, 1e-200).reshape(2, 1).norm(dim=1), tg.float64, [1e200, 1e-200]),
    "the norm of one number": (lambda: T(-1e30).norm(3), tg.float32, float(np.float32(1e30))),
    "the norm of one float, its gradient": (lambda: _gradient(lambda x: x.norm(), -(2.0**125)), tg.float32, [-1.0]),
    "norms of none": (lambda: tg.zeros(2, 0).norm(0.5, dim=1), tg.float32, [0.0, 0.0]),
    # ------------------------------------------------------------------ dtypes that stay
    "dropout of everything": (lambda: tg.dropout(T([3]), 1.0), tg.int64, [0]),
    # ------------------------------------------------------------------ draws at their ends
    "bernoulli of 0 and 1": (lambda: tg.bernoulli(T([0.0, 1.0])), tg.float32, [0.0, 1.0]),
    "bernoulli_ of a tensor": (lambda: tg.zeros(2, 2).bernoulli_(T([0.0, 1.0])), tg.float32, [[0.0, 1.0], [0.0, 1.0]]),
    "bernoulli_ of integers": (lambda: tg.zeros(2, dtype=tg.int64).bernoulli_(T([1.0, 0.0])), tg.int64, [1, 0]),
    "uniform_, as wide as floats are": (
        lambda: tg.empty(1000).uniform_(-3e38, 3e38).isfinite().all(),
        tg.bool,
        True,
    ),
    "uniform_, float16": (
        lambda: tg.empty(1000, dtype=tg.float16).uniform_(-65504, 65504).isfinite().all(),
        tg.bool,
        True,
    ),
    "uniform_ of tensors": (lambda: tg.empty(2).uniform_(T(2.0), T(2)), tg.float32, [2.0, 2.0]),
    "normal_ of tensors": (lambda: tg.empty(2).normal_(T(2.0), T(0)), tg.float32, [2.0, 2.0]),
    "normal of std 0": (lambda: tg.normal(T([1.0, 2.0]), T([0, 0])), tg.float32, [1.0, 2.0]),
    "randint of one integer": (lambda: tg.randint(T(-5), T(-4), (2,)), tg.int64, [-5, -5]),
    "randint, the whole of int64": (lambda: len(set(tg.randint(-(2**63), 2**63, (99,)).tolist())), None, 99),
    "randint, the upper half": (
        lambda: (tg.randint(2**63, 2**64, (99,), dtype=tg.uint64) >= 2**63).all(),
        tg.bool,
        True,
    ),
    "randint, more than half": (lambda: (tg.randint(-3, 2**63 - 1, (99,)) >= -3).all(), tg.bool, True),
    "randperm, all of uint8": (
        lambda: sorted(tg.randperm(256, dtype=tg.uint8).tolist()) == list(range(256)),
        None,
        True,
    ),
}

# (the call, the class, a part of the message)
ERRORS: dict[str, tuple[Call, type[Exception], str]] = {
    "isclose rtol": (
        lambda: tg.isclose(T([1.0]), T([1.0]), rtol=-1),
        tg.ArgumentError,
        "isclose: rtol must not be neg",
    ),
    "isclose atol": (lambda: tg.isclose(T([1]), T([1]), atol=-1), tg.ArgumentError, "isclose: atol must not be neg"),
    "allclose nan": (lambda: tg.allclose(T([1.0]), T([1.0]), rtol=NAN), tg.ArgumentError, "rtol must not be negative"),
    "a number no float holds": (lambda: T([1.0]) < 10**400, tg.ArgumentError, "less: .*too large"),
    "a constant no float holds": (lambda: tg.full((1,), 10**400, dtype=tg.float32), tg.ArgumentError, "full: .*beyond"),
    "a bound no float holds": (lambda: T([1.0]).clamp(max=10**400), tg.ArgumentError, "clip: .*too large"),
    "arange to infinity": (lambda: tg.arange(0, INF), tg.ArgumentError, "arange: expected finite numbers"),
    "arange of nan": (lambda: tg.arange(0, 3, NAN), tg.ArgumentError, "arange: expected finite numbers"),
    "arange, nothing": (lambda: tg.arange(0, 1, 0), tg.ArgumentError, "arange: step must lead"),
    "arange beyond int32": (
        lambda: tg.arange(2**31, 2**31 + 2, dtype=tg.int32),
        tg.ArgumentError,
        "arange: 2147483648 d",
    ),
    "arange beyond uint8": (lambda: tg.arange(250, 260, dtype=tg.uint8), tg.ArgumentError, "arange: 259 does not fit"),
    "arange beyond int64": (
        lambda: tg.arange(2**63, 2**63 + 2),
        tg.ArgumentError,
        "arange: .* does not fit into int64",
    ),
    "arange beyond memory": (lambda: tg.arange(0, 1e300), tg.ArgumentError, "arange: no memory holds"),
    "arange of bools": (lambda: tg.arange(2, dtype=tg.bool), tg.DTypeError, "arange: expected a dtype of numbers"),
    "linspace of bools": (
        lambda: tg.linspace(0, 1, 5, dtype=tg.bool),
        tg.DTypeError,
        "linspace: expected a dtype of num",
    ),
    "linspace beyond uint8": (
        lambda: tg.linspace(0, 300, 4, dtype=tg.uint8),
        tg.ArgumentError,
        "linspace: 300 does not",
    ),
    "linspace backwards": (lambda: tg.linspace(0, 1, -1), tg.ArgumentError, "linspace: sizes must not be negative"),
    "linspace of steps": (lambda: tg.linspace(0, 1, 2.5), tg.DTypeError, "linspace: a size consists of integers"),  # type: ignore[arg-type]
    "linspace of rows": (lambda: tg.linspace(T([0.0]), 1, 3), tg.DTypeError, "linspace: .*tensor of shape \\(1,\\)"),
    "eye rows": (lambda: tg.eye(-3, 3), tg.ArgumentError, "eye: sizes must not be negative"),
    "eye columns": (lambda: tg.eye(3, -3), tg.ArgumentError, "eye: sizes must not be negative"),
    "eye fraction": (lambda: tg.eye(2.5), tg.DTypeError, "eye: a size consists of integers"),  # type: ignore[arg-type]
    "zeros beyond memory": (lambda: tg.zeros(2**40, 2**40), tg.ArgumentError, "zeros: no memory holds"),
    "full of two": (lambda: tg.full((2,), T([3, 4])), tg.DTypeError, "full: expected a number or a 0-d tensor"),
    "Tensor of a float": (lambda: tg.Tensor(2.5), tg.DTypeError, "Tensor: expected sizes"),
    "Tensor of a bool": (lambda: tg.Tensor(True), tg.DTypeError, "Tensor: expected sizes"),
    "Tensor of a negative size": (lambda: tg.Tensor(-1), tg.ArgumentError, "sizes must not be negative"),
    "alpha of integers": (lambda: tg.add(T([1]), T([1]), alpha=2.5), tg.ArgumentError, "add: alpha must be a whole"),
    "alpha, 1-d": (lambda: T([1.0]).add_(2, alpha=T([3.0, 4.0])), tg.DTypeError, "add_: alpha: expected a number"),
    "alpha, text": (lambda: T([1.0]).sub(2, alpha="a"), tg.DTypeError, "sub: alpha: expected a number"),
    "alpha beyond uint8": (lambda: tg.add(_u8(1), _u8(1), alpha=300), tg.ArgumentError, "add: 300 does not fit"),
    "masked_fill by a row": (
        lambda: T([1.0, 2.0]).masked_fill(T([True, False]), T([1.0, 2.0])),
        tg.ShapeError,
        "masked_fill: value must be a number or 0-d",
    ),
    "masked_fill, complex": (
        lambda: T([1.0]).masked_fill(T([True]), 1j),
        tg.DTypeError,
        "masked_fill: expected a Tensor or",
    ),
    "floor by 0": (lambda: T([4]) // 0, tg.DivisionByZeroError, "floor_divide: the divisor of integers is 0"),
    "remainder by 0": (lambda: T([4]) % 0, tg.DivisionByZeroError, "remainder: the divisor of integers is 0"),
    "trunc by 0": (lambda: T([4]).div(0, rounding_mode="trunc"), tg.DivisionByZeroError, "div: the divisor"),
    "floor by False": (lambda: T([4]) // False, tg.DivisionByZeroError, "floor_divide: the divisor"),
    "floor by what wraps to 0": (lambda: _u8(4) // 256, tg.DivisionByZeroError, "floor_divide: the divisor"),
    "floor by a tensor": (
        lambda: T([4, 4]) // T([1, 0]),
        tg.DivisionByZeroError,
        "divisor of integers is 0 at position 1",
    ),
    "remainder by a tensor": (lambda: _i8(4) % T([[1], [0]]), tg.DivisionByZeroError, r"is 0 at position \(1, 0\)"),
    "trunc by a tensor": (
        lambda: tg.div(_u8(4), _u8(0), rounding_mode="trunc"),
        tg.DivisionByZeroError,
        "div: the div",
    ),
    "floor by a 0-d tensor": (lambda: T([4]) // T(0), tg.DivisionByZeroError, "divisor of integers is 0;"),
    "a number by a tensor": (lambda: 4 // T([0, 2]), tg.DivisionByZeroError, "divisor of integers is 0 at position 0"),
    "a number's remainder": (lambda: 4 % T([2, 0]), tg.DivisionByZeroError, "remainder: the divisor"),
    "floor in place": (lambda: T([4]).floor_divide_(0), tg.DivisionByZeroError, "floor_divide: the divisor"),
    "remainder in place": (lambda: T([4]).remainder_(T([0])), tg.DivisionByZeroError, "remainder: the divisor"),
    "an integer to -1": (lambda: T([True]) ** -1, tg.ArgumentError, "pow: integers cannot be raised"),
    "digits of integers": (lambda: T([15]).round(decimals=-1), tg.DTypeError, "round: decimals must not be negative"),
    "+mask": (lambda: +T([True]), tg.DTypeError, "positive: a bool tensor"),
    "len": (lambda: len(T(1.0)), tg.ScalarError, "len: a 0-d tensor has no length"),
    "iter": (lambda: iter(T(1.0)), tg.ScalarError, "iter: a 0-d tensor cannot"),
    "bernoulli of nan": (lambda: tg.bernoulli(T([0.5, NAN])), tg.NonFiniteError, "bernoulli: probabilities must be in"),
    "bernoulli of 7": (lambda: tg.bernoulli(T([7.0])), tg.ArgumentError, r"bernoulli: .*got 7.0 at position 0"),
    "bernoulli_ of -1": (lambda: tg.zeros(2).bernoulli_(T([-1.0, 0.0])), tg.ArgumentError, "bernoulli: .*got -1.0"),
    "bernoulli_ of a wide p": (lambda: tg.zeros(2).bernoulli_(T([[1.0], [0.0]])), tg.ShapeError, "does not broadcast"),
    "bernoulli_ of integers": (lambda: tg.zeros(2).bernoulli_(T([1, 0])), tg.DTypeError, "must be floating"),
    "normal of a negative std": (lambda: tg.normal(T([0.0]), T([-1.0])), tg.ArgumentError, "normal: std must be in"),
    "normal of a nan std": (lambda: tg.normal(0.0, T([NAN])), tg.NonFiniteError, "normal: std must be in"),
    "normal of the number nan": (
        lambda: tg.normal(T([0.0]), NAN),
        tg.ArgumentError,
        "normal: std must not be negative",
    ),
    "normal_ of nan": (lambda: tg.empty(1).normal_(0, NAN), tg.ArgumentError, "normal: std must not be negative"),
    "uniform_ to infinity": (
        lambda: tg.empty(1).uniform_(0, INF),
        tg.ArgumentError,
        "uniform: low and high must be finite",
    ),
    "uniform_ beyond float16": (
        lambda: tg.empty(1, dtype=tg.float16).uniform_(0, 1e5),
        tg.ArgumentError,
        "uniform: low and high must be finite in float16",
    ),
    "uniform_ of nan": (lambda: tg.empty(1).uniform_(NAN, 1), tg.ArgumentError, "uniform: expected low <= high"),
    "randint of fractions": (lambda: tg.randint(0, 2.5, (2,)), tg.DTypeError, "randint: expected a whole number"),
    "randint beyond int64": (lambda: tg.randint(0, 2**64, (2,)), tg.ArgumentError, "randint: int64 holds"),
    "randperm beyond uint8": (lambda: tg.randperm(300, dtype=tg.uint8), tg.ArgumentError, "randperm: uint8 holds"),
    "randperm beyond float16": (
        lambda: tg.randperm(2050, dtype=tg.float16),
        tg.ArgumentError,
        "randperm: float16 holds",
    ),
    "full, unsigned": (lambda: tg.full((1,), -0.3, dtype=tg.uint8), tg.ArgumentError, "full: -0.3 does not fit"),
    "full_like, unsigned": (lambda: tg.full_like(_u8(1), -1.5), tg.ArgumentError, "full: -1.5 does not fit"),
    "fill_, unsigned": (lambda: _u8(1).fill_(-0.3), tg.ArgumentError, "fill_: -0.3 does not fit"),
    "tensor, unsigned": (lambda: T([1, -0.3], dtype=tg.uint8), tg.ArgumentError, "tensor: -0.3 does not fit"),
    "masked_fill, unsigned": (
        lambda: _u8(1, 2).masked_fill(_mask(), -0.3),
        tg.ArgumentError,
        "masked_fill: -0.3 does",
    ),
    "setitem, unsigned": (lambda: _set(_u8(1), ..., -0.5), tg.ArgumentError, "-0.5 does not fit into uint8"),
    "a masked write, unsigned": (lambda: _set(_u8(1, 2), _mask(), -0.5), tg.ArgumentError, "-0.5 does not fit"),
    "scatter, unsigned": (lambda: _u8(1).scatter(0, T([0]), -1.5), tg.ArgumentError, "scatter: -1.5 does not fit"),
    "pad, unsigned": (
        lambda: tg.nn.functional.pad(_u8(1), (1, 0), value=-1),
        tg.ArgumentError,
        "pad: -1.0 does not fit into uint8",
    ),
    "where, unsigned": (lambda: tg.full((1,), -1e-9, dtype=tg.uint16), tg.ArgumentError, "full: -1e-09 does not"),
    "linspace, a negative fraction": (
        lambda: tg.linspace(-1.5, 0, 2, dtype=tg.uint8),
        tg.ArgumentError,
        "linspace: -1.5 does not fit",
    ),
    "index_add, beyond int16": (
        lambda: T([1], dtype=tg.int16).index_add(0, T([0]), T([1], dtype=tg.int16), alpha=-INF),
        tg.ArgumentError,
        "index_add: -inf does not fit into int16",
    ),
    "index_add, nan": (
        lambda: T([1]).index_add(0, T([0]), T([1]), alpha=NAN),
        tg.ArgumentError,
        "index_add: nan does not fit",
    ),
    "index_add, unsigned": (
        lambda: _u8(1).index_add_(0, T([0]), _u8(1), alpha=-1.5),
        tg.ArgumentError,
        "index_add: -1.5 does not fit into uint8",
    ),
    "pow, beyond int8": (lambda: _i8(2) ** 300, tg.ArgumentError, "pow: 300 does not fit into int8"),
    "pow_, beyond uint8": (lambda: _u8(2).pow_(256), tg.ArgumentError, "pow: 256 does not fit into uint8"),
    "shifts by a float": (lambda: T([True]) << 1.0, tg.DTypeError, "left_shift: expected integers or bools"),
    "where of one": (
        lambda: tg.where(_mask(), T([1.0, 2.0])),  # type: ignore[call-overload]
        tg.ArgumentError,
        "where: expected both input and other",
    ),
    "norm of none": (lambda: tg.zeros(0).norm(-1), tg.EmptyError, "norm: no element"),
    "norm of none along a dim": (lambda: tg.zeros(1, 0).norm(-0.5, 1), tg.EmptyError, "norm: .*dim 1 of shape"),
    "norm of none, -inf": (lambda: tg.zeros(1, 0).norm(-INF, 1), tg.EmptyError, "norm: no element"),
    "memory format": (lambda: T([1.0]).to(tg.float64, memory_format="c"), tg.DTypeError, "to: memory_format must be"),
}
