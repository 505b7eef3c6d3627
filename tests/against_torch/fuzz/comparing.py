"""Whether what tensorgrad made is what PyTorch made, or nearer to what float64 makes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

import tensorgrad as tg
from tests.against_torch.fuzz.worlds import Outcome, numbers

__all__ = ["Doubt", "Mismatch", "arrays_differ", "compare_errors", "compare_values", "layout_differs", "to_numpy"]

Array = np.ndarray[Any, Any]
EPS64 = float(np.finfo("float64").eps)
SLACK = {"float16": 3.0, "float32": 3.0, "float64": 8.0}  # ulps nobody is blamed for; float64 has no better judge


@dataclass(frozen=True)
class Mismatch:
    """`kind`: a word for what differs; `detail`: how."""

    kind: str
    detail: str


def to_numpy(value: Any) -> Array:
    if isinstance(value, torch.Tensor):
        return np.asarray(numbers(value))
    return np.asarray(value.detach().numpy())


# ---------------------------------------------------------------------- errors
def compare_errors(mine: Outcome, other: Outcome) -> Mismatch | None:
    """Where at least one has raised."""
    if isinstance(other.error, NameError):  # of a program that was cut
        return None
    if other.error is None:
        return Mismatch("refused", f"ours {_said(mine.error)}; PyTorch answers {_brief(other.value)}")
    if mine.error is None:
        return Mismatch("answered", f"ours {_brief(mine.value)}; PyTorch {_said(other.error)}")
    if not isinstance(mine.error, type(other.error)) and type(other.error) is not NotImplementedError:
        return Mismatch("error class", f"ours {_said(mine.error)}; PyTorch {_said(other.error)}")
    natural = isinstance(mine.error, (tg.TensorgradError, TypeError, AttributeError, ZeroDivisionError))
    if not natural and str(mine.error) != str(other.error):
        return Mismatch("foreign error", f"ours {_said(mine.error)}; PyTorch {_said(other.error)}")
    return None


def _said(error: Exception | None) -> str:
    return f"{type(error).__name__}: {str(error)[:160]}"


def _brief(value: Any) -> str:
    return " ".join(repr(value).split())[:160]


# ---------------------------------------------------------------------- values
@dataclass(frozen=True)
class Doubt:
    """`moved()`: how far rounding may move a result (an array or a number), None where it cannot be told. `terms`: the
    most elements that one of its numbers may be made of, `steps`: the roundings on the way that `moved` leaves out."""

    moved: Callable[[], Any]
    terms: int = 1
    steps: int = 0


def compare_values(mine: Any, other: Any, true: Any, doubt: Doubt | None = None) -> Mismatch | None:
    """Whether two results are alike: classes, dtypes, shapes, values, histories.

    `true`: the result in float64, None where there is none. `doubt` is asked where values differ by more than a few
    ulps.
    """
    for a, b, c in _leaves(mine, other, true):
        found = _compare_one(a, b, c, doubt)
        if found:
            return found
    return None


def _leaves(mine: Any, other: Any, true: Any) -> Iterator[tuple[Any, Any, Any]]:
    if isinstance(other, (tuple, list)) and isinstance(mine, (tuple, list)) and len(mine) == len(other):
        trues = true if isinstance(true, (tuple, list)) and len(true) == len(other) else [None] * len(other)
        for a, b, c in zip(mine, other, trues, strict=True):
            yield from _leaves(a, b, c)
    else:
        yield mine, other, true


def _compare_one(mine: Any, other: Any, true: Any, doubt: Doubt | None) -> Mismatch | None:
    if isinstance(other, torch.Tensor) and isinstance(mine, tg.Tensor):
        return _compare_tensors(mine, other, true, doubt)
    if isinstance(other, torch.dtype):
        same = _dtype(mine) == _dtype(other)
    elif isinstance(other, np.ndarray) and isinstance(mine, np.ndarray):
        same = mine.dtype == other.dtype and np.allclose(mine, other, 1e-3, equal_nan=True)
    else:
        same = type(other).__name__ in (type(mine).__name__, "Size") and _alike(mine, other)
    return None if same else Mismatch("result", f"ours {_brief(mine)}; PyTorch {_brief(other)}")


def _alike(mine: Any, other: Any) -> bool:
    if isinstance(other, float):
        return bool(np.isclose(mine, other, 1e-3, equal_nan=True))
    if isinstance(other, (tuple, list)):
        return len(mine) == len(other) and all(map(_alike, mine, other))
    return bool(mine == other)


def _dtype(x: Any) -> str:
    return str(x).removeprefix("torch.")


def _compare_tensors(mine: Any, other: Any, true: Any, doubt: Doubt | None) -> Mismatch | None:
    if _dtype(mine.dtype) != _dtype(other.dtype):
        return Mismatch("dtype", f"ours {_dtype(mine.dtype)}; PyTorch {_dtype(other.dtype)}")
    if tuple(mine.shape) != tuple(other.shape):
        return Mismatch("shape", f"ours {tuple(mine.shape)}; PyTorch {tuple(other.shape)}")
    if mine.requires_grad != other.requires_grad and other.is_floating_point():
        return Mismatch("requires_grad", f"ours {mine.requires_grad}; PyTorch {other.requires_grad}")
    fits = isinstance(true, torch.Tensor) and true.shape == other.shape and true.dtype == torch.float64
    exact = to_numpy(true) if fits and other.is_floating_point() else None
    return arrays_differ(to_numpy(mine), to_numpy(other), exact, doubt)


def arrays_differ(mine: Array, other: Array, true: Array | None, doubt: Doubt | None) -> Mismatch | None:
    if mine.tobytes() == other.tobytes():
        return None
    if mine.dtype.kind != "f":
        where = mine != other
        return _at("value", where, mine, other, None) if where.any() else None
    with np.errstate(all="ignore"):
        return _special_differ(mine, other, true) or _finite_differ(mine, other, true, doubt)


def _special_differ(mine: Array, other: Array, true: Array | None) -> Mismatch | None:
    """Nan, infinities and the signs of zeros: as PyTorch's, or as they truly are."""
    reached = np.isfinite(other) | np.isfinite(mine)
    wrong = (np.isnan(mine) != np.isnan(other)) | ((mine != other) & ~(np.isnan(mine) & np.isnan(other)) & ~reached)
    wrong |= np.isinf(mine) != np.isinf(other)
    if true is not None:
        rounded = true.astype(mine.dtype)
        near_limit = np.isfinite(true) & (np.abs(true) > 0.9 * float(np.finfo(mine.dtype).max))
        right = (np.isnan(mine) == np.isnan(rounded)) & (np.isinf(mine) == np.isinf(rounded))
        wrong &= ~near_limit & ~right
    if wrong.any():
        return _at("special", wrong, mine, other, true)
    zeros = (mine == 0) & (other == 0) & (np.signbit(mine) != np.signbit(other))
    if true is not None:
        zeros &= (true == 0) & (np.signbit(true) == np.signbit(other))
    return _at("zero sign", zeros, mine, other, true) if zeros.any() else None


def _finite_differ(mine: Array, other: Array, true: Array | None, doubt: Doubt | None) -> Mismatch | None:
    finite = np.isfinite(mine) & np.isfinite(other)
    goal = (other if true is None else true).astype("float64")
    finite &= np.isfinite(goal)
    error = np.where(finite, np.abs(mine.astype("float64") - goal), 0)
    theirs = np.where(finite, np.abs(other.astype("float64") - goal), 0)
    ulp = np.spacing(np.abs(np.where(finite, goal, 0)).astype(mine.dtype)).astype("float64")
    ulp = np.where(np.isfinite(ulp), ulp, np.inf)
    worst = float((theirs / ulp).max(initial=0))
    slack = SLACK[mine.dtype.name]
    if mine.dtype == "float64" and doubt is not None:  # what is taken for true has been added up in float64, too
        slack += doubt.terms**0.5 / 2 + doubt.steps
    allowed = (slack + 2 * worst) * ulp + 4 * EPS64 * float(np.abs(goal[finite]).max(initial=0))
    if not (error > allowed).any():
        return None
    spread = doubt.moved() if doubt is not None else 0.0
    if spread is None:
        return None
    wrong = error > allowed + spread
    return _at("accuracy" if true is not None else "value", wrong, mine, other, true) if wrong.any() else None


def _at(kind: str, wrong: Array, mine: Array, other: Array, true: Array | None) -> Mismatch:
    index = tuple(int(k) for k in np.argwhere(wrong)[0]) if wrong.ndim else ()
    exact = "" if true is None else f"; float64 {true[index]!r}"
    return Mismatch(kind, f"at {index} of {mine.dtype}: ours {mine[index]!r}; PyTorch {other[index]!r}{exact}")


# ---------------------------------------------------------------------- memory
def layout_differs(mine: Any, other: Any) -> Mismatch | None:
    """Contiguous where PyTorch's is."""
    if other.is_contiguous() and not mine.is_contiguous():
        return Mismatch("layout", f"shape {tuple(other.shape)}: not contiguous; PyTorch's is")
    return None
