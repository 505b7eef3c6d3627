"""Dimensions as users write them, negative or several, as the non-negative ones that ops take."""

from __future__ import annotations

import functools
import operator
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import numpy as np

from tensorgrad.errors import ArgumentError, BoundsError, DTypeError

__all__ = ["Dim", "Dims", "as_flag", "as_integer", "normalize_dim", "normalize_dims", "numpy_names"]

F = TypeVar("F", bound=Callable[..., Any])
Dim = int
Dims = int | Sequence[int] | None


def normalize_dim(name: str, dim: Dim, ndim: int) -> int:
    """`dim` counted from the front: in [0, ndim), and 0 for a 0-d tensor, which counts as one of one dimension.

    Raises BoundsError unless -ndim <= dim < ndim and DTypeError unless it is an integer; both name `name`, the op.
    """
    extent = ndim or 1
    if type(dim) is not int:
        dim = _integer(name, dim)
    if not -extent <= dim < extent:
        raise BoundsError(
            f"{name}: dim must be in [{-extent}, {extent - 1}] for a tensor of {ndim} dimensions, got {dim}"
        )
    return dim + extent if dim < 0 else dim


def normalize_dims(name: str, dim: Dims, ndim: int) -> tuple[int, ...]:
    """The dimensions meant by `dim`, an int, several, or None for all of them, in the order given.

    Those of a 0-d tensor are (). Raises as `normalize_dim`, and ArgumentError where one dimension is named twice.
    """
    if dim is None:
        return tuple(range(ndim))
    if isinstance(dim, Sequence) and not isinstance(dim, str):
        dims = tuple([normalize_dim(name, d, ndim) for d in dim])
        if len(set(dims)) != len(dims):
            raise ArgumentError(f"{name}: each dimension may be named once, got dim={tuple(dim)}")
    else:
        dims = (normalize_dim(name, dim, ndim),)
    return dims if ndim else ()


def as_integer(name: str, value: Any) -> int:
    """The whole number `value`, of Python, NumPy or a tensor of one element; DTypeError, which names `name`, for
    anything else. A bool is no number, but another argument in the wrong place.
    """
    if type(value) is int:
        return value
    try:
        if isinstance(value, bool):
            raise TypeError
        return operator.index(value)
    except TypeError:
        raise DTypeError(f"{name}: expected a whole number, got {value!r}") from None


def _integer(name: str, dim: Any) -> int:
    try:
        if isinstance(dim, bool) or getattr(dim, "ndim", 0) > 0:  # keepdim in its place; several dims
            raise TypeError
        return operator.index(dim)
    except TypeError:
        raise DTypeError(f"{name}: dim must be an integer or a tuple of integers, got {dim!r}") from None


def as_flag(name: str, what: str, value: Any) -> bool:
    """`value`, which must be a bool; DTypeError, which names `name` and `what` it is, for anything else."""
    if not isinstance(value, (bool, np.bool_)):
        raise DTypeError(f"{name}: {what} must be True or False, got {value!r}")
    return bool(value)


def numpy_names(function: F) -> F:
    """`function`, also with NumPy's names for `dim` and `keepdim`, as PyTorch has it: `x.sum(axis=1, keepdims=True)`.

    What `np.sum(tensor)` and `np.std(tensor)` pass on is taken too: `out=None`, and `ddof` for `correction`.
    """

    @functools.wraps(function)
    def named(*args: Any, **kwargs: Any) -> Any:
        if kwargs:
            for theirs, ours in (("axis", "dim"), ("keepdims", "keepdim")):
                if theirs in kwargs:
                    kwargs[ours] = kwargs.pop(theirs)
            if "out" in kwargs and kwargs.pop("out") is not None:
                raise ArgumentError(f"{function.__name__}: out= is not taken; use the result, or copy_() it")
            if "ddof" in kwargs:
                kwargs["correction"] = kwargs.pop("ddof")
                dtype = kwargs.pop("dtype", None)
                args = args if dtype is None else (args[0].to(dtype), *args[1:])
        return function(*args, **kwargs)

    return named  # type: ignore[return-value]
