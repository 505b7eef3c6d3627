"""tensorgrad: a tensor autodiff engine with PyTorch's names, on NumPy and CuPy, small enough to read.

import tensorgrad as tg

x = tg.tensor([1.0, 2.0, 3.0], requires_grad=True)
(x * x).sum().backward()
x.grad  # tensor([2., 4., 6.])
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

from numpy import dtype

# First, because importing the module binds its name here, and `tensor` is to be the function.
from tensorgrad.tensor import Tensor

# isort: split
from tensorgrad import autograd, cuda
from tensorgrad.autograd import enable_grad, inference_mode, is_grad_enabled, no_grad, set_grad_enabled
from tensorgrad.backends import Device, device, get_default_device, set_default_device
from tensorgrad.config import set_strict_device
from tensorgrad.creation import (
    arange,
    as_tensor,
    empty,
    empty_like,
    eye,
    from_dlpack,
    from_numpy,
    full,
    full_like,
    linspace,
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
    DTypeError,
    FormatError,
    GraphError,
    NonFiniteError,
    ShapeError,
    TensorgradError,
)
from tensorgrad.functional.activation import dropout, log_softmax, relu, sigmoid, softmax
from tensorgrad.functional.arithmetic import (
    abs,
    add,
    ceil,
    clamp,
    clamp_max,
    clamp_min,
    cos,
    div,
    erf,
    exp,
    expm1,
    floor,
    floor_divide,
    log,
    log1p,
    log2,
    log10,
    masked_fill,
    maximum,
    minimum,
    mul,
    neg,
    pow,
    reciprocal,
    remainder,
    round,
    rsqrt,
    sign,
    sin,
    sqrt,
    square,
    sub,
    tan,
    tanh,
    trunc,
    where,
)
from tensorgrad.functional.arithmetic import (
    clamp as clip,
)
from tensorgrad.functional.comparison import (
    allclose,
    bitwise_and,
    bitwise_not,
    bitwise_or,
    bitwise_xor,
    eq,
    equal,
    ge,
    gt,
    isclose,
    isfinite,
    isinf,
    isnan,
    le,
    logical_and,
    logical_not,
    logical_or,
    logical_xor,
    lt,
    ne,
)
from tensorgrad.functional.conversion import clone, is_tensor
from tensorgrad.functional.diagonals import diag, diagonal, trace
from tensorgrad.functional.indexing import (
    argsort,
    argwhere,
    gather,
    index_add,
    index_put,
    index_select,
    masked_select,
    nonzero,
    scatter,
    scatter_add,
    sort,
    take_along_dim,
    topk,
)
from tensorgrad.functional.linalg import addmm, bmm, dot, einsum, matmul, mm, mv, outer
from tensorgrad.functional.promotion import result_type
from tensorgrad.functional.reduction import (
    all,
    amax,
    amin,
    any,
    argmax,
    argmin,
    count_nonzero,
    cumsum,
    logsumexp,
    max,
    mean,
    min,
    norm,
    prod,
    std,
    std_mean,
    sum,
    var,
    var_mean,
)
from tensorgrad.functional.shape import (
    broadcast_to,
    cat,
    chunk,
    flatten,
    flip,
    hstack,
    meshgrid,
    movedim,
    narrow,
    numel,
    permute,
    repeat_interleave,
    reshape,
    roll,
    split,
    squeeze,
    stack,
    tile,
    transpose,
    tril,
    triu,
    unbind,
    unflatten,
    unsqueeze,
    vstack,
)
from tensorgrad.functional.shape import (
    cat as concat,
)
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
from tensorgrad.version import __version__

if TYPE_CHECKING:
    from tensorgrad import checkpoint, data, nn, optim, train
    from tensorgrad.checkpoint import load, save

# fmt: off
__all__ = [
    "ArgumentError", "BoundsError", "DTypeError", "Device", "DeviceError", "FormatError", "Generator", "GraphError",
    "NonFiniteError", "ShapeError", "Tensor", "TensorgradError", "__version__", "abs", "add", "addmm", "all",
    "allclose", "amax", "amin", "any", "arange", "argmax", "argmin", "argsort", "argwhere", "as_tensor", "autograd",
    "bernoulli", "bitwise_and", "bitwise_not", "bitwise_or", "bitwise_xor", "bmm", "bool", "broadcast_to", "cat",
    "ceil", "checkpoint", "chunk", "clamp", "clamp_max", "clamp_min", "clip", "clone", "concat", "cos", "count_nonzero",
    "cuda", "cumsum", "data", "device", "diag", "diagonal", "div", "dot", "double", "dropout", "dtype", "einsum",
    "empty", "empty_like", "enable_grad", "eq", "equal", "erf", "exp", "expm1", "eye", "flatten", "flip", "float",
    "float16", "float32", "float64", "floor", "floor_divide", "from_dlpack", "from_numpy", "full", "full_like",
    "gather", "ge", "get_default_device", "get_default_dtype", "get_rng_state", "gt", "half", "hstack", "index_add",
    "index_put", "index_select", "inference_mode", "int", "int8", "int16", "int32", "int64", "is_grad_enabled",
    "is_tensor", "isclose", "isfinite", "isinf", "isnan", "le", "linspace", "load", "log", "log1p", "log2", "log10",
    "log_softmax", "logical_and", "logical_not", "logical_or", "logical_xor", "logsumexp", "long", "lt", "manual_seed",
    "masked_fill", "masked_select", "matmul", "max", "maximum", "mean", "meshgrid", "min", "minimum", "mm", "movedim",
    "mul", "mv", "narrow", "ne", "neg", "nn", "no_grad", "nonzero", "norm", "normal", "numel", "ones", "ones_like",
    "optim", "outer", "permute", "pow", "prod", "promote_types", "rand", "rand_like", "randint", "randint_like",
    "randn", "randn_like", "randperm", "reciprocal", "relu", "remainder", "repeat_interleave", "reshape", "result_type",
    "roll", "round", "rsqrt", "save", "scatter", "scatter_add", "set_default_device", "set_default_dtype",
    "set_grad_enabled", "set_rng_state", "set_strict_device", "short", "sigmoid", "sign", "sin", "softmax", "sort",
    "split", "sqrt", "square", "squeeze", "stack", "std", "std_mean", "sub", "sum", "take_along_dim", "tan", "tanh",
    "tensor", "tile", "topk", "trace", "train", "transpose", "tril", "triu", "trunc", "uint8", "uint16", "uint32",
    "uint64", "unbind", "unflatten", "unsqueeze", "var", "var_mean", "vstack", "where", "zeros", "zeros_like",
]
# fmt: on

_LAZY = {"checkpoint", "data", "nn", "optim", "train"}  # loaded when first used: it halves the time to import
_LAZY_NAMES = {"save": "checkpoint", "load": "checkpoint"}


def __getattr__(name: str) -> object:
    if name in _LAZY:
        return importlib.import_module(f"tensorgrad.{name}")
    if name in _LAZY_NAMES:
        return getattr(importlib.import_module(f"tensorgrad.{_LAZY_NAMES[name]}"), name)
    raise AttributeError(f"module 'tensorgrad' has no attribute {name!r}")
