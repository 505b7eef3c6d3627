"""Every error tensorgrad raises. Each is a RuntimeError, as nearly all of PyTorch's are, and the builtin that a Python
or NumPy user would catch: a ShapeError is caught by `except RuntimeError` and by `except ValueError`.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol

__all__ = [
    "ArgumentError",
    "BoundsError",
    "DTypeError",
    "DeviceError",
    "DivisionByZeroError",
    "EmptyError",
    "ExchangeError",
    "FormatError",
    "GraphError",
    "IndexShapeError",
    "IndexTypeError",
    "NonFiniteError",
    "ScalarError",
    "ShapeError",
    "TensorgradError",
]


class Caller(Protocol):
    """What an error asks of a module that it passes through."""

    def named_modules(self) -> Iterable[tuple[str, object]]:
        """(dotted path, module) of the module itself and of all below."""


class TensorgradError(RuntimeError):
    """Base of all errors. `str(error)` leads with the path of the module it was raised in, where there is one."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message
        self._path: list[str] = []
        self._kind = ""
        self._outermost: Caller | None = None  # of the modules it has passed through so far
        self._settled = False

    def enter(self, module: Caller) -> None:
        """Note that the error passes through `module` on its way out. An error that is settled takes no notice."""
        if self._settled:
            return
        if self._outermost is not None and self._outermost is not module:
            self._path[:0] = _name_within(module, self._outermost)
        self._kind = self._kind or type(module).__name__
        self._outermost = module

    def settle(self, kind: str, modules: Iterable[Caller]) -> None:
        """Say once and for all where the error arose, although it is raised elsewhere, or later.

        `kind`: the class of the module, "" for none. `modules`: that module and those around it, innermost first, as
        far as they are known.
        """
        self._kind = kind
        for module in modules:
            self.enter(module)
        self._outermost, self._settled = None, True

    def __str__(self) -> str:
        if not self._kind:
            return self.message
        if not self._path:
            if self.message.startswith(f"{self._kind}: "):
                return self.message
            return f"{self._kind}: {self.message}"  # of the module that was called: a model, or a loss by itself
        return f"{'.'.join(['model', *self._path])} ({self._kind}): {self.message}"


def _name_within(outer: Caller, inner: Caller) -> list[str]:
    """The path from `outer` to `inner`; nothing where it does not hold it."""
    return next(([name] for name, module in outer.named_modules() if module is inner), [])


class ShapeError(TensorgradError, ValueError):
    """Shapes do not fit together."""


class ScalarError(ShapeError, TypeError):
    """A 0-d tensor was asked for its length or its rows. Python's protocols know by the TypeError that it has none."""


class DTypeError(TensorgradError, TypeError):
    """A type or dtype that the operation does not take."""


class DeviceError(TensorgradError):
    """Tensors on different devices, or a device that cannot be used."""


class GraphError(TensorgradError):
    """The tape was asked for something it cannot give."""


class BoundsError(TensorgradError, IndexError):
    """An index, label or dimension outside its range."""


class ArgumentError(TensorgradError, ValueError):
    """An argument outside the values the operation takes."""


class DivisionByZeroError(ArgumentError, ZeroDivisionError):
    """An integer divided by zero: integers have no infinity to answer with."""


class EmptyError(ArgumentError, IndexError):
    """The greatest or least element, or its place, of none."""


class IndexShapeError(ShapeError, IndexError):
    """An index, or the dimension it goes into, of a shape that cannot be indexed so."""


class IndexTypeError(DTypeError, IndexError):
    """An index of a type or dtype that is none."""


class NonFiniteError(ArgumentError):
    """Numbers that are nan or infinite where they must not be."""


class ExchangeError(ArgumentError, BufferError):
    """Memory that cannot be handed to another library as it lies. DLPack asks for a BufferError there."""


class FormatError(TensorgradError, ValueError):
    """A file that is not what it should be."""
