"""Reductions under PyTorch's names.

`dim`: an int, several, or None for all; negative ones count from the end. A dimension out of range is a BoundsError,
one named twice an ArgumentError. `keepdim` keeps the reduced dimensions with size 1. A tensor of no elements has sum
0, product 1 and mean nan.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

from tensorgrad.arguments import hinted
from tensorgrad.autograd.op import Op
from tensorgrad.autograd.tape import apply
from tensorgrad.autograd.variable import Tensor, Variable
from tensorgrad.dtypes import as_dtype, float16, int64, is_floating, uint8
from tensorgrad.errors import ArgumentError, DTypeError, EmptyError
from tensorgrad.functional.arithmetic import maximum, minimum
from tensorgrad.functional.dims import Dims, normalize_dim, normalize_dims, numpy_names
from tensorgrad.functional.linalg import nuclear_norm
from tensorgrad.functional.promotion import cast, floating, shape_of
from tensorgrad.ops import elementwise as E
from tensorgrad.ops import index as I
from tensorgrad.ops import reduce as R
from tensorgrad.ops import shape as S

__all__ = [
    "all",
    "amax",
    "amin",
    "any",
    "argmax",
    "argmin",
    "count_nonzero",
    "cumsum",
    "logsumexp",
    "max",
    "mean",
    "min",
    "norm",
    "prod",
    "std",
    "std_mean",
    "sum",
    "var",
    "var_mean",
]


class ValuesAndIndices(NamedTuple):
    """What `max` and `min` along a dimension return."""

    values: Tensor
    indices: Tensor


# ---------------------------------------------------------------------- sums and products
@numpy_names
def sum(input: Tensor, dim: Dims = None, keepdim: bool = False, *, dtype: object = None) -> Tensor:
    """The sum over `dim`, of floats with the error of pairwise summation whatever `dim` and the layout.

    Integers and bools are summed in int64. `dtype`, which the sum has, converts the input first: integers of it wrap
    around, and the sum of bools is whether any is True.
    """
    if dtype is None and dim is None and isinstance(input, Variable) and input.array.dtype.kind == "f":
        return apply(R.sum, input, axis=None, keepdims=keepdim)
    return _reduced(R.sum, _summable("sum", input, dtype), dim, keepdim)


@numpy_names
def prod(input: Tensor, dim: Dims = None, keepdim: bool = False, *, dtype: object = None) -> Tensor:
    """The product over `dim`, dtypes as for `sum`; of bools, whether all are True.

    Its gradient is right where elements are zero, to any order.
    """
    return _reduced(R.prod, _summable("prod", input, dtype), dim, keepdim)


@numpy_names
def mean(input: Tensor, dim: Dims = None, keepdim: bool = False, *, dtype: object = None) -> Tensor:
    """The mean over `dim`; `dtype` converts the input first, to float16 the mean itself. Integers are a DTypeError."""
    shape_of("mean", input)
    if dtype is not None:
        wanted = as_dtype(dtype)
        if wanted == float16 and input.array.dtype.kind == "f":
            return cast(mean(input, dim, keepdim), wanted)
        input = cast(input, wanted)
    if dim is None and input.array.dtype.kind == "f":
        return apply(R.mean, input, axis=None, keepdims=keepdim)
    return _reduced(R.mean, _only_floating("mean", input), dim, keepdim)


@numpy_names
@hinted
def cumsum(input: Tensor, dim: int, *, dtype: object = None) -> Tensor:
    """The sums of the first 1, 2, ... elements along `dim`; dtypes and accuracy as for `sum`."""
    summable = _summable("cumsum", input, dtype)
    axis = normalize_dim("cumsum", dim, input.ndim)
    return apply(R.cumsum, summable, axis=axis) if input.ndim else apply(E.copy, summable)


@numpy_names
def count_nonzero(input: Tensor, dim: Dims = None) -> Tensor:
    """How many elements over `dim` are not zero, int64; nan counts."""
    shape_of("count_nonzero", input)
    return sum(apply(E.not_equal, input, 0), dim)


# ---------------------------------------------------------------------- spread
@numpy_names
@hinted
def var(
    input: Tensor,
    dim: Dims = None,
    unbiased: bool | None = None,
    keepdim: bool = False,
    *,
    correction: float | None = None,
) -> Tensor:
    """sum((x - mean)^2) / max(0, n - correction) over `dim`.

    `correction` is 1 unless given; `unbiased=False` is another way to say 0. `var(x, False)` is also understood.
    """
    variance: Tensor = _spread(R.var, input, dim, unbiased, keepdim, correction)
    return variance


@numpy_names
@hinted
def std(
    input: Tensor,
    dim: Dims = None,
    unbiased: bool | None = None,
    keepdim: bool = False,
    *,
    correction: float | None = None,
) -> Tensor:
    """The square root of `var`; its gradient where it is 0 is 0."""
    deviation: Tensor = _spread(R.std, input, dim, unbiased, keepdim, correction)
    return deviation


@numpy_names
@hinted
def var_mean(
    input: Tensor,
    dim: Dims = None,
    unbiased: bool | None = None,
    keepdim: bool = False,
    *,
    correction: float | None = None,
) -> tuple[Tensor, Tensor]:
    """`var` and `mean`, with one pass less than both; arguments as for `var`."""
    variance, centre = _spread(R.var_mean, input, dim, unbiased, keepdim, correction)
    return variance, centre


@numpy_names
@hinted
def std_mean(
    input: Tensor,
    dim: Dims = None,
    unbiased: bool | None = None,
    keepdim: bool = False,
    *,
    correction: float | None = None,
) -> tuple[Tensor, Tensor]:
    """`std` and `mean`, with one pass less than both; arguments as for `std`."""
    deviation, centre = _spread(R.std_mean, input, dim, unbiased, keepdim, correction)
    return deviation, centre


def _spread(op: Op, input: Tensor, dim: Dims, unbiased: bool | None, keepdim: bool, correction: float | None) -> Any:
    if isinstance(dim, bool):
        dim, unbiased = None, dim
    if unbiased is not None and correction is not None:
        raise ArgumentError(f"{op.name}: expected unbiased or correction, got both")
    if correction is None:
        correction = 0 if unbiased is False else 1
    _only_floating(op.name, input)
    return apply(op, input, axis=_axis(op.name, dim, input.ndim), correction=float(correction), keepdims=keepdim)


# ---------------------------------------------------------------------- extremes
@numpy_names
def amax(input: Tensor, dim: Dims = None, keepdim: bool = False) -> Tensor:
    """The greatest over `dim`, nan where there is one. Equals share the gradient evenly."""
    return _extreme("amax", R.max, input, dim, keepdim)


@numpy_names
def amin(input: Tensor, dim: Dims = None, keepdim: bool = False) -> Tensor:
    """The least over `dim`, nan where there is one. Equals share the gradient evenly."""
    return _extreme("amin", R.min, input, dim, keepdim)


@numpy_names
def max(input: Tensor, dim: Any = None, keepdim: bool = False) -> Any:
    """The greatest element (as `amax`); with an int `dim`, (values, indices) along it; with a tensor, `maximum`.

    Along a dimension the gradient goes to the element at the index returned: the first of equals.
    """
    if dim is None:
        return _extreme("max", R.max, input, None, keepdim)
    if isinstance(dim, Variable):
        return maximum(input, dim)
    return _along("max", R.argmax, input, dim, keepdim)


@numpy_names
def min(input: Tensor, dim: Any = None, keepdim: bool = False) -> Any:
    """The least element (as `amin`); with an int `dim`, (values, indices) along it; with a tensor, `minimum`."""
    if dim is None:
        return _extreme("min", R.min, input, None, keepdim)
    if isinstance(dim, Variable):
        return minimum(input, dim)
    return _along("min", R.argmin, input, dim, keepdim)


@numpy_names
def argmax(input: Tensor, dim: int | None = None, keepdim: bool = False) -> Tensor:
    """The int64 position of the greatest along `dim`, the first of equals; None: within the flattened tensor."""
    return _position("argmax", R.argmax, input, dim, keepdim)


@numpy_names
def argmin(input: Tensor, dim: int | None = None, keepdim: bool = False) -> Tensor:
    """The int64 position of the least along `dim`, the first of equals; None: within the flattened tensor."""
    return _position("argmin", R.argmin, input, dim, keepdim)


def _extreme(name: str, op: Op, input: Tensor, dim: Dims, keepdim: bool) -> Tensor:
    shape = shape_of(name, input)
    axis = _axis(name, dim, len(shape))
    if 0 in shape:
        _refuse_empty(name, input, axis)
    return apply(op, input, axis=axis, keepdims=keepdim)


def _along(name: str, op: Op, input: Tensor, dim: int, keepdim: bool) -> ValuesAndIndices:
    axis = normalize_dim(name, dim, len(shape_of(name, input)))
    if not input.ndim:
        return ValuesAndIndices(apply(E.copy, input), _position(name, op, input, None, False))
    if 0 in input.shape:
        _refuse_empty(name, input, (axis,))
    indices = apply(op, input, axis=axis, keepdims=True)
    values = apply(I.take_along_axis, input, indices, axis=axis, unique=True)
    if keepdim:
        return ValuesAndIndices(values, indices)
    shape = (*input.shape[:axis], *input.shape[axis + 1 :])
    return ValuesAndIndices(*(apply(S.reshape, t, shape=shape) for t in (values, indices)))


def _position(name: str, op: Op, input: Tensor, dim: int | None, keepdim: bool) -> Tensor:
    shape_of(name, input)
    axis = None if dim is None else normalize_dim(name, dim, input.ndim)
    if 0 in input.shape:
        _refuse_empty(name, input, None if axis is None else (axis,))
    if axis is not None and input.ndim:
        return apply(op, input, axis=axis, keepdims=keepdim)
    found = apply(op, apply(S.reshape, input, shape=(math.prod(input.shape),)), axis=0, keepdims=False)
    return apply(S.reshape, found, shape=(1,) * input.ndim) if keepdim else found


def _refuse_empty(name: str, input: Tensor, axis: tuple[int, ...] | None) -> None:
    axes = range(input.ndim) if axis is None else axis
    empty = [a for a in axes if input.shape[a] == 0]
    if empty:
        raise EmptyError(
            f"{name}: no element is the greatest or least of none; dim {empty[0]} of shape {input.shape} is empty"
        )


# ---------------------------------------------------------------------- truth
@numpy_names
def any(input: Tensor, dim: Dims = None, keepdim: bool = False) -> Tensor:
    """Whether any element over `dim` is not zero; False of none. A bool tensor; uint8 of uint8, as in PyTorch.

    Here and in `all` a `dim` of `()` reduces nothing (PyTorch's rule for these two): each element by itself.
    """
    return _truth(R.any, input, dim, keepdim)


@numpy_names
def all(input: Tensor, dim: Dims = None, keepdim: bool = False) -> Tensor:
    """Whether all elements over `dim` are not zero; True of none. A bool tensor; uint8 of uint8, as in PyTorch."""
    return _truth(R.all, input, dim, keepdim)


def _truth(op: Op, input: Tensor, dim: Dims, keepdim: bool) -> Tensor:
    if not dim and isinstance(dim, (tuple, list)):
        shape_of(op.name, input)
        found = apply(E.not_equal, input, 0)
    else:
        found = _reduced(op, input, dim, keepdim)
    return cast(found, uint8) if input.array.dtype == uint8 else found


# ---------------------------------------------------------------------- logsumexp and norms
@numpy_names
@hinted
def logsumexp(input: Tensor, dim: Dims = None, keepdim: bool = False) -> Tensor:
    """log(sum(exp(input))) over `dim`, without overflow; -inf of none, and of -inf alone."""
    return _reduced(R.logsumexp, floating("logsumexp", input), dim, keepdim)


@numpy_names
@hinted
def norm(input: Tensor, p: float | str = 2, dim: Dims = None, keepdim: bool = False, dtype: object = None) -> Tensor:
    """The vector norm sum(|x|^p)^(1/p) over `dim`.

    `p` is any number: inf the greatest |x|, -inf the least, 0 the count of nonzero elements, "fro" is 2; "nuc" is the
    sum of the singular values (`linalg.nuclear_norm`). The gradient at a norm of 0 is 0. `dtype` converts the input
    first; integers are a DTypeError. Of no elements it is an EmptyError where `p` is negative or inf, else 0.
    """
    shape_of("norm", input)
    if dtype is not None:
        input = cast(input, as_dtype(dtype))
    _only_floating("norm", input)
    if p == "nuc":
        return nuclear_norm(input, dim, keepdim)
    order = _order(p)
    if order in (math.inf, -math.inf):
        return _extreme("norm", R.max if order > 0 else R.min, apply(E.absolute, input), dim, keepdim)
    if order == 1:
        return _reduced(R.sum, apply(E.absolute, input), dim, keepdim)
    axis = _axis("norm", dim, input.ndim)
    if order < 0 and 0 in input.shape:
        _refuse_empty("norm", input, axis)
    return apply(R.norm, input, p=order, axis=axis, keepdims=keepdim)


def _order(p: float | str) -> float:
    if p == "fro":
        return 2
    try:
        return float(p)
    except (TypeError, ValueError):
        raise ArgumentError(f'norm: p must be a number, inf, -inf, "fro" or "nuc", got {p!r}') from None


# ---------------------------------------------------------------------- helpers
def _axis(name: str, dim: Dims, ndim: int) -> tuple[int, ...] | None:
    """`dim` for an op: None for all, which `()` means too (PyTorch's rule)."""
    if dim is None or (not dim and isinstance(dim, (tuple, list))):
        return None
    return normalize_dims(name, dim, ndim)


def _reduced(op: Op, input: Tensor, dim: Dims, keepdim: bool) -> Tensor:
    return apply(op, input, axis=_axis(op.name, dim, len(shape_of(op.name, input))), keepdims=keepdim)


def _summable(name: str, input: Tensor, dtype: object) -> Tensor:
    shape_of(name, input)
    if dtype is not None:
        return cast(input, as_dtype(dtype))
    return input if input.array.dtype.kind == "f" else cast(input, int64)


def _only_floating(name: str, input: Tensor) -> Tensor:
    shape_of(name, input)
    if not is_floating(input.array.dtype):
        raise DTypeError(f"{name}: expected a floating tensor, got {input.dtype}; convert it with .float()")
    return input


class ReductionMethods:
    """Tensor's methods among these."""

    __slots__ = ()
    sum = sum
    mean = mean
    var = var
    std = std
    max = max
    min = min
    amax = amax
    amin = amin
    argmax = argmax
    argmin = argmin
    prod = prod
    all = all
    any = any
    logsumexp = logsumexp
    norm = norm
    cumsum = cumsum
    count_nonzero = count_nonzero
