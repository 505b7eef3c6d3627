"""Which modules are being called: what an error that comes late must know to name the place where it arose."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from weakref import ref

from tensorgrad.errors import Caller, TensorgradError

__all__ = ["Callers", "here"]


class _Here(threading.local):
    """The modules that are being called in this thread, outermost first. `Module.__call__` keeps the list."""

    def __init__(self) -> None:
        self.modules: list[Caller] = []


here = _Here()


class Callers:
    """A copy of `here.modules` that keeps no module alive. Two are equal that are of the same modules."""

    __slots__ = ("_identity", "_innermost", "_modules")

    def __init__(self, modules: Sequence[Caller]) -> None:
        self._modules = [ref(m) for m in modules]
        # A module has one such reference, as long as that is held, and its id is nobody else's. Modules themselves may
        # compare as they like, and when they are gone others get their ids.
        self._identity = tuple(map(id, self._modules))
        self._innermost = type(modules[-1]).__name__ if modules else ""

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Callers) and self._identity == other._identity

    def __hash__(self) -> int:
        return hash(self._identity)

    def trace(self, error: TensorgradError) -> TensorgradError:
        """`error`, settled with the path of one raised in these calls, as far as their modules are still there."""
        alive = [m for reference in reversed(self._modules) if (m := reference()) is not None]
        error.settle(self._innermost, alive)
        return error
