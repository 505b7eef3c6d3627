"""tensorgrad: a tensor autodiff engine with PyTorch's names, on NumPy and CuPy, small enough to read.

import tensorgrad as tg

x = tg.tensor([1.0, 2.0, 3.0], requires_grad=True)
(x * x).sum().backward()
x.grad  # tensor([2., 4., 6.])
"""

from __future__ import annotations

import importlib
from math import e, inf, nan, pi
from typing import TYPE_CHECKING

from numpy import dtype

# First, because importing the module binds its name here, and `tensor` is to be the function.
from tensorgrad.tensor import Tensor

# isort: split
from tensorgrad import autograd, cuda, functional
from tensorgrad.autograd import enable_grad, inference_mode, is_grad_enabled, no_grad, set_grad_enabled
from tensorgrad.backends import Device, device, get_default_device, set_default_device
from tensorgrad.config import set_strict_device
from tensorgrad.creation import (
    as_tensor,
    empty,
    empty_like,
    from_dlpack,
    from_numpy,
    full,
    full_like,
    ones,
    ones_like,
    tensor,
    zeros,
    zeros_like,
)
from tensorgrad.dtypes import (
    bool_ as bool,
)
from tensorgrad.dtypes import (
    float16,
    float32,
    float64,
    get_default_dtype,
    int8,
    int16,
    int32,
    int64,
    promote_types,
    set_default_dtype,
    uint8,
    uint16,
    uint32,
    uint64,
)
from tensorgrad.dtypes import (
    float16 as half,
)
from tensorgrad.dtypes import (
    float32 as float,
)
from tensorgrad.dtypes import (
    float64 as double,
)
from tensorgrad.dtypes import (
    int16 as short,
)
from tensorgrad.dtypes import (
    int32 as int,
)
from tensorgrad.dtypes import (
    int64 as long,
)
from tensorgrad.errors import (
    ArgumentError,
    BoundsError,
    DeviceError,
    DivisionByZeroError,
    DTypeError,
    EmptyError,
    ExchangeError,
    FormatError,
    GraphError,
    IndexShapeError,
    IndexTypeError,
    NonFiniteError,
    ScalarError,
    ShapeError,
    TensorgradError,
)
from tensorgrad.functional.activation import dropout, log_softmax, relu, sigmoid, softmax
from tensorgrad.functional.arithmetic import *
from tensorgrad.functional.choosing import *
from tensorgrad.functional.comparison import *
from tensorgrad.functional.conversion import *
from tensorgrad.functional.diagonals import *
from tensorgrad.functional.einsum import *
from tensorgrad.functional.gathering import *
from tensorgrad.functional.indexing import *
from tensorgrad.functional.joining import *
from tensorgrad.functional.linalg import *
from tensorgrad.functional.promotion import result_type
from tensorgrad.functional.reduction import *
from tensorgrad.functional.repeating import *
from tensorgrad.functional.rounding import *
from tensorgrad.functional.shape import *
from tensorgrad.functional.sorting import *
from tensorgrad.memory_formats import contiguous_format, preserve_format
from tensorgrad.names import listing
from tensorgrad.random import (
    Generator,
    bernoulli,
    get_rng_state,
    manual_seed,
    normal,
    rand,
    rand_like,
    randint,
    randint_like,
    randn,
    randn_like,
    randperm,
    set_rng_state,
)
from tensorgrad.ranges import arange, eye, linspace
from tensorgrad.version import __version__

if TYPE_CHECKING:
    from tensorgrad import checkpoint, data, nn, optim, train
    from tensorgrad.checkpoint import load, save

# fmt: off
__all__ = [
    "ArgumentError", "BoundsError", "DTypeError", "Device", "DeviceError", "DivisionByZeroError", "EmptyError",
    "ExchangeError", "FormatError", "Generator", "GraphError", "IndexShapeError", "IndexTypeError", "NonFiniteError",
    "ScalarError", "ShapeError", "Tensor", "TensorgradError", "__version__", "arange", "as_tensor", "autograd",
    "bernoulli", "bool", "checkpoint", "contiguous_format", "cuda", "data", "device", "double", "dropout", "dtype", "e",
    "empty", "empty_like", "enable_grad", "eye", "float", "float16", "float32", "float64", "from_dlpack", "from_numpy",
    "full", "full_like", "get_default_device", "get_default_dtype", "get_rng_state", "half", "inf", "inference_mode",
    "int", "int16", "int32", "int64", "int8", "is_grad_enabled", "linspace", "load", "log_softmax", "long",
    "manual_seed", "nan", "nn", "no_grad", "normal", "ones", "ones_like", "optim", "pi", "preserve_format",
    "promote_types", "rand", "rand_like", "randint", "randint_like", "randn", "randn_like", "randperm", "relu",
    "result_type", "save", "set_default_device", "set_default_dtype", "set_grad_enabled", "set_rng_state",
    "set_strict_device", "short", "sigmoid", "softmax", "tensor", "train", "uint16", "uint32", "uint64", "uint8",
    "zeros", "zeros_like",
    *functional.arithmetic.__all__, *functional.choosing.__all__, *functional.comparison.__all__,
    *functional.conversion.__all__,
    *functional.diagonals.__all__, *functional.einsum.__all__, *functional.gathering.__all__,
    *functional.indexing.__all__, *functional.joining.__all__, *functional.linalg.__all__,
    *functional.reduction.__all__, *functional.repeating.__all__, *functional.rounding.__all__,
    *functional.shape.__all__,
    *functional.sorting.__all__,
]
# fmt: on

_LATE = {"checkpoint", "data", "nn", "optim", "train"}  # loaded when first used: it halves the time to import


def _late(name: str) -> object:
    if name in _LATE:
        return importlib.import_module(f"tensorgrad.{name}")
    return getattr(importlib.import_module("tensorgrad.checkpoint"), name) if name in ("load", "save") else None


if not TYPE_CHECKING:  # a checker of types is to see the names themselves
    _ELSEWHERE = {
        "utils": "data sets and loaders are in tensorgrad.data, clipping is in tensorgrad.nn.utils",
        "jit": "there is none yet",
        "vmap": "there is none yet",
        "compile": "there is none yet",
        "distributed": "there is none yet",
        "FloatTensor": "use tg.tensor(..., dtype=tg.float32)",
        "LongTensor": "use tg.tensor(..., dtype=tg.int64)",
        "complex64": "there are no complex dtypes",
        "bfloat16": "NumPy has no such dtype; files of bfloat16 are read as float32",
    }
    __getattr__, __dir__ = listing("tensorgrad", __all__, _late, _ELSEWHERE)
