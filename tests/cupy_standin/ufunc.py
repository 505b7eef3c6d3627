"""`cupy.ufunc`: CuPy's choice of loop, its checks, and NumPy's arithmetic inside."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any

import numpy as np

from tests.cupy_standin.array import empty, host, ndarray
from tests.cupy_standin.casting import Host, as_dtype, cast, copy_into, flush_subnormals
from tests.cupy_standin.rules import RULES
from tests.cupy_standin.surface import Loops, Surface

__all__ = ["loop_of", "make_ufuncs", "ufunc"]

Types = tuple[str, ...]
Loop = tuple[Types, Types]  # the dtypes of the inputs and of the outputs, by letter
_KINDS = {"b": 0, "u": 1, "i": 1, "f": 2, "c": 2}
# These move values without arithmetic, and so keep subnormal ones.
_MOVERS = frozenset("where isfinite isnan isinf signbit".split())


class ufunc:
    """A universal function of one output."""

    def __init__(self, name: str, loops: Loops) -> None:
        self.name = f"cupy_{name}"
        self.__name__ = name
        self.types = loops["types"]
        self._scatter_op = loops["scatter"]
        self._loops = tuple(_parsed(t) for t in loops["types"])
        self.nin, self.nout = len(self._loops[0][0]), len(self._loops[0][1])
        self.nargs = self.nin + self.nout
        self._compute: Callable[..., Any] = RULES.get(name) or getattr(np, name)

    def __repr__(self) -> str:
        return f"<ufunc {self.name!r}>"

    def __call__(self, *args: Any, out: Any = None, dtype: Any = None, casting: str = "same_kind") -> Any:
        if not self.nin <= len(args) <= self.nargs:
            raise TypeError(
                f"Wrong number of arguments for {self.name!r}. It must be either {self.nin} or {self.nargs} "
                f"(with outputs), but given {len(args)}."
            )
        if out is not None and len(args) > self.nin:
            raise ValueError("Cannot specify 'out' as both a positional and keyword argument")
        target = _only(out if len(args) == self.nin else args[self.nin])
        inputs = args[: self.nin]
        values = [_value(x) for x in inputs]
        loop = self._loop(inputs, values, dtype)
        shape = np.broadcast_shapes(*(v.shape for v in values), *(() if target is None else (host(target).shape,)))
        if target is None:
            target = empty(shape, loop[1][0])
        else:
            _check_target(target, shape, np.dtype(loop[1][0]), casting)
        if target.size:
            self._run(loop, inputs, values, target)
        return target

    def _loop(self, inputs: tuple[Any, ...], values: list[Host], dtype: Any) -> Loop:
        if dtype is not None:
            found = loop_by_output(self._loops, as_dtype(dtype))
        else:
            found = loop_of(self._loops, tuple(v.dtype for v in values), tuple(_weak(x) for x in inputs))
        if found is None:
            types = dtype if dtype is not None else tuple(v.dtype for v in values)
            raise TypeError(f"Wrong type ({types}) of arguments for {self.name}")
        return found

    def _run(self, loop: Loop, inputs: tuple[Any, ...], values: list[Host], target: ndarray) -> None:
        with np.errstate(all="ignore"):
            operands = [_operand(x, v, t) for x, v, t in zip(inputs, values, loop[0], strict=True)]
            if self.__name__ in _MOVERS:
                result = self._compute(*operands)
            else:
                result = self._compute(*map(flush_subnormals, operands))
                result = flush_subnormals(np.asarray(result, loop[1][0]))
            copy_into(target._host, np.asarray(result))

    # ------------------------------------------------------------------ the methods CuPy's have
    def at(self, a: Any, indices: Any, b: Any = None) -> None:
        if self._scatter_op is None:
            raise NotImplementedError(f"`{self.name}.at` is not supported yet")
        a._scatter_op(indices, b, self._scatter_op)

    def outer(self, A: Any, B: Any, **kwargs: Any) -> Any:
        return self(A.reshape(A.shape + (1,) * B.ndim), B.reshape((1,) * A.ndim + B.shape), **kwargs)

    def reduce(self, array: Any, axis: Any = 0, dtype: Any = None, out: Any = None, keepdims: bool = False) -> Any:
        method = {"cupy_add": "sum", "cupy_multiply": "prod"}.get(self.name)
        if method is None:
            raise NotImplementedError(f"`{self.name}.reduce` is not supported yet")
        return getattr(array, method)(axis, dtype, out, keepdims)

    def accumulate(self, array: Any, axis: int = 0, dtype: Any = None, out: Any = None) -> Any:
        if self.name != "cupy_add":
            raise NotImplementedError(f"`{self.name}.accumulate` is not supported yet")
        return array.cumsum(axis, dtype, out)


def make_ufuncs(surface: Surface, module: str) -> dict[str, ufunc]:
    """The ufuncs of a module, as far as there is a rule for them here; one object for two names of the same."""
    made: dict[str, ufunc] = {}
    for path, loops in surface["ufuncs"].items():
        owner, _, name = path.rpartition(".")
        if owner == module and (name in RULES or isinstance(getattr(np, name, None), np.ufunc)) and _one_output(loops):
            made[name] = ufunc(name, loops)
    return made


def _one_output(loops: Loops) -> bool:
    return bool(loops["types"]) and all(len(t.partition("->")[2] or "x") == 1 for t in loops["types"])


def _parsed(types: str) -> Loop:
    inputs, _, outputs = types.partition("->")
    return tuple(inputs), tuple(outputs or inputs)


# ---------------------------------------------------------------------- operands
def _weak(x: Any) -> type | None:
    """The type of a Python scalar, whose dtype gives way to those of arrays."""
    return type(x) if type(x) in (int, float, bool, complex) and type(x) is not bool else None


def _value(x: Any) -> Host:
    if isinstance(x, np.generic):
        as_dtype(x.dtype)
        return np.asarray(x)
    if type(x) in (bool, int, float, complex):
        return np.asarray(x)
    return host(x)


def _operand(x: Any, value: Host, wanted: str) -> Host:
    """OverflowError for a Python integer that the dtype of the loop does not hold."""
    return cast(value, np.dtype(wanted)) if _weak(x) is None else np.asarray(x, wanted)


def _only(out: Any) -> Any:
    if not isinstance(out, tuple):
        return out
    if len(out) != 1:
        raise ValueError("The 'out' tuple must have exactly one entry per ufunc output")
    return out[0]


def _check_target(target: Any, shape: tuple[int, ...], dtype: np.dtype[Any], casting: Any) -> None:
    if target.shape != shape:
        raise ValueError("Out shape is mismatched")
    if not np.can_cast(dtype, target.dtype, casting):
        raise TypeError(f"Cannot cast output operand from {dtype} to {target.dtype} with casting rule {casting!r}")


# ---------------------------------------------------------------------- the loop
@lru_cache(maxsize=4096)
def loop_of(loops: tuple[Loop, ...], dtypes: tuple[np.dtype[Any], ...], weak: tuple[type | None, ...]) -> Loop | None:
    """The first loop that takes the dtypes; Python scalars (`weak`) fit where they would not promote."""
    if not _weak_count(dtypes, weak):
        weak = (None,) * len(weak)
    for loop in loops:
        if all(_fits(d, np.dtype(t), w) for d, t, w in zip(dtypes, loop[0], weak, strict=True)):
            return loop
    return None


def loop_by_output(loops: tuple[Loop, ...], dtype: np.dtype[Any]) -> Loop | None:
    return next((loop for loop in loops if all(np.dtype(t) == dtype for t in loop[1])), None)


def _weak_count(dtypes: tuple[np.dtype[Any], ...], weak: tuple[type | None, ...]) -> bool:
    arrays = [_KINDS[d.kind] for d, w in zip(dtypes, weak, strict=True) if w is None]
    scalars = [_KINDS[np.dtype(w).kind] for w in weak if w is not None]
    return bool(arrays and scalars) and max(arrays) >= max(scalars)


def _fits(dtype: np.dtype[Any], wanted: np.dtype[Any], weak: type | None) -> bool:
    if np.can_cast(dtype, wanted):
        return True
    return weak is not None and np.result_type(weak(0), wanted) == wanted
