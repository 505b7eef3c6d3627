"""Checks of what optimizers are given. Each raises an error that begins with the optimizer's name."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

import numpy as np

from tensorgrad.arguments import check_names
from tensorgrad.dtypes import type_name
from tensorgrad.errors import ArgumentError, DTypeError, GraphError
from tensorgrad.names import nearest
from tensorgrad.tensor import Tensor

__all__ = [
    "SYNONYMS",
    "check_below_one",
    "check_epsilon",
    "check_group_options",
    "check_not_negative",
    "checked_parameter",
    "checked_rate",
    "plain",
]

# What other libraries call the same options.
SYNONYMS = {
    "beta1": "betas",
    "beta2": "betas",
    "beta_1": "betas",
    "beta_2": "betas",
    "epsilon": "eps",
    "learning_rate": "lr",
    "parameters": "params",
    "rho": "alpha",
    "wd": "weight_decay",
}


def check_group_options(owner: str, known: Iterable[str], given: Iterable[str]) -> None:
    """DTypeError for a key of a parameter group that is no option, but like one."""
    names = [*known]
    likely = [*names, *(other for other, own in SYNONYMS.items() if own in names)]
    unknown = [key for key in given if key not in names and isinstance(key, str)]
    alike = [key for key in unknown if nearest(key, likely, 0.85) is not None]
    check_names(f"{owner}: parameter group", names, alike, SYNONYMS)


def plain(options: dict[str, Any]) -> dict[str, Any]:
    """Options with Python's numbers for NumPy's scalars, also within tuples: what a checkpoint can hold."""
    return {name: _plain(value) for name, value in options.items()}


def _plain(value: Any) -> Any:
    if isinstance(value, tuple):
        return tuple(_plain(v) for v in value)
    return value.item() if isinstance(value, np.generic) else value


def check_not_negative(owner: str, group: dict[str, Any], *names: str) -> None:
    """ArgumentError unless the options `names` of `group` are zero or more."""
    for name in names:
        if not float(group[name]) >= 0.0:
            raise ArgumentError(f"{owner}: {name} must not be negative, got {group[name]}")


def check_below_one(owner: str, name: str, value: float) -> None:
    """ArgumentError unless `value` is in [0, 1)."""
    if not 0.0 <= value < 1.0:
        raise ArgumentError(f"{owner}: {name} must be in [0, 1), got {value}")


def check_epsilon(owner: str, parameter: Tensor, eps: float, factor: float = 1.0) -> None:
    """ArgumentError where eps * factor is positive but rounds to zero in the parameter's dtype."""
    if eps > 0.0 and parameter.dtype.type(eps * factor) == 0:
        raise ArgumentError(
            f"{owner}: eps={eps} is zero in {parameter.dtype}, and the update would divide by zero; "
            "pass a larger eps (1e-4), or keep the parameters in float32"
        )


def checked_parameter(owner: str, what: str, parameter: Any) -> Tensor:
    """`parameter`, if an optimizer can change it: a floating leaf Tensor. `what` names it in errors."""
    if not isinstance(parameter, Tensor):
        raise DTypeError(f"{owner}: {what} must be a Tensor, got {type_name(parameter)}; pass model.parameters()")
    if parameter.dtype.kind != "f":
        raise DTypeError(f"{owner}: {what} must be of a floating dtype, got {parameter.dtype}")
    if not parameter.is_leaf:
        raise GraphError(
            f"{owner}: {what} (shape {parameter.shape}) is the result of an operation, not a leaf; "
            "pass the tensor it was computed from, or a detached one"
        )
    if not parameter.device.backend.is_writable(parameter.array):
        raise GraphError(f"{owner}: {what} has read-only memory, as the array that it was made from; clone() it first")
    return parameter


def checked_rate(owner: str, value: Any) -> float:
    """A learning rate as a float that is not negative and not nan."""
    rate = float(value)
    if not rate >= 0.0 or math.isinf(rate):
        raise ArgumentError(f"{owner}: lr must be finite and not negative, got {value}")
    return rate
