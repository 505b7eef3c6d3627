"""Running recorded calls again without taking memory: whoever replays owns what the calls work in.

A replayed call is given `out=` for what it makes. What it makes on the way (the results of the primitives that a
composition calls, and what it asks of `Backend.scratch`) is taken from a `Workspace`, and given back when it returns.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from typing import Any

from tensorgrad.backends.base import Backend
from tensorgrad.backends.primitives import TABLE, Array, Row, Shape, Spec
from tensorgrad.dtypes import DType

__all__ = ["Workspace", "replaying"]


class Workspace:
    """Memory of one device that is handed out, taken back, and handed out again.

    What was taken last is given back first: `release(mark())` gives back what was taken in between. Calls that ask for
    the same in every run take new memory in the first run only. For one thread at a time.
    """

    def __init__(self, backend: Backend) -> None:
        self._backend = backend
        self._free: defaultdict[Spec, list[Array]] = defaultdict(list)
        self._taken: list[tuple[Spec, Array]] = []

    def take(self, shape: Shape, dtype: DType) -> Array:
        """An uninitialised array, until it is released."""
        spec = Spec(tuple(shape), dtype)
        free = self._free[spec]
        array = free.pop() if free else self._backend.empty(*spec)
        self._taken.append((spec, array))
        return array

    def mark(self) -> int:
        """How much is taken now."""
        return len(self._taken)

    def release(self, mark: int) -> None:
        """Take back what was taken since that `mark`."""
        while len(self._taken) > mark:
            spec, array = self._taken.pop()
            self._free[spec].append(array)


def replaying(backend: Backend, workspace: Workspace) -> Any:
    """The same device for recorded calls: a backend whose primitives take memory from `workspace` alone.

    A primitive called without `out=` makes its result there too, where it lasts until the call that it is part of
    returns. What the array library takes for itself (`Row.scratch` is "library") it cannot spare.
    """
    made: Any = backend.for_replay()
    made.__class__ = _replaying_class(type(made))
    made.workspace = workspace
    made.settle()
    return made


_classes: dict[type, type] = {}


def _replaying_class(cls: type) -> type:
    """A subclass of a device's backend, with each primitive that makes arrays making them in `self.workspace`."""
    if cls in _classes:
        return _classes[cls]
    members: dict[str, Any] = {"scratch": _take, "empty": _take}
    for name, row in TABLE.items():
        if row.alias == "by layout":
            members[name] = _tidied(Backend, row)  # the composition: a device's own version may copy where it likes
        elif row.takes_out and hasattr(cls, name):
            members[name] = _placed(cls, row)
        elif row.kind in ("compute", "check") and not row.result and not row.several and hasattr(cls, name):
            members[name] = _tidied(cls, row)
    return _classes.setdefault(cls, type(f"Replaying{cls.__name__}", (cls,), members))


def _take(self: Any, shape: Shape, dtype: DType) -> Array:
    return self.workspace.take(shape, dtype)


def _placed(cls: type, row: Row) -> Any:
    """The primitive of `row` as `cls` has it, with what it makes in the workspace where nobody says where."""
    rule, bound = row.result, _member(cls, row)
    assert rule is not None

    def primitive(self: Any, *args: Any, out: Any = None, **kwargs: Any) -> Any:
        workspace: Workspace = self.workspace
        if out is None:
            spec = rule(*args, **kwargs)
            out = workspace.take(*spec) if isinstance(spec, Spec) else tuple([workspace.take(*s) for s in spec])
        mark = workspace.mark()
        try:
            return bound(self)(*args, out=out, **kwargs)
        finally:
            workspace.release(mark)

    return primitive


def _tidied(cls: type, row: Row) -> Any:
    """A primitive that makes nothing: what it worked in is given back. One that may answer with a view of what it
    made keeps that, unless it wrote it into `out`."""
    bound = _member(cls, row)

    def primitive(self: Any, *args: Any, **kwargs: Any) -> Any:
        if row.alias == "by layout" and kwargs.get("out") is None:
            return bound(self)(*args, **kwargs)
        workspace: Workspace = self.workspace
        mark = workspace.mark()
        try:
            return bound(self)(*args, **kwargs)
        finally:
            workspace.release(mark)

    return primitive


def _member(cls: type, row: Row) -> Callable[[Any], Callable[..., Any]]:
    """The primitive of `row` of an instance, as `cls` has it."""
    member: Any = next(vars(c)[row.name] for c in cls.__mro__ if row.name in vars(c))
    bind = getattr(member, "__get__", None)  # CuPy's ufuncs have none
    return (lambda self: bind(self, cls)) if bind else lambda self: member
