"""Every error tensorgrad raises: each is also the builtin a PyTorch or NumPy user would catch."""

from __future__ import annotations

__all__ = [
    "ArgumentError",
    "BoundsError",
    "DTypeError",
    "DeviceError",
    "FormatError",
    "GraphError",
    "NonFiniteError",
    "ShapeError",
    "TensorgradError",
]


class TensorgradError(Exception):
    """Base of all errors. `str(error)` leads with the path of the module it was raised in, where there is one."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message
        self._path: list[str] = []
        self._kind = ""
        self._innermost: object = None

    def enter(self, module: object, child: str | None = None) -> None:
        """Note that the error passed through `module`; `child` is the name under which it holds the last one noted."""
        if self._innermost is None:
            self._kind = type(module).__name__
        elif child is not None:
            self._path.insert(0, child)
        self._innermost = module

    @property
    def origin(self) -> object:
        """The outermost module the error has passed through so far, or None."""
        return self._innermost

    def __str__(self) -> str:
        if self._innermost is None:
            return self.message
        return f"{'.'.join(['model', *self._path])} ({self._kind}): {self.message}"


class ShapeError(TensorgradError, ValueError):
    """Shapes do not fit together."""


class DTypeError(TensorgradError, TypeError):
    """A type or dtype that the operation does not take."""


class DeviceError(TensorgradError, RuntimeError):
    """Tensors on different devices, or a device that cannot be used."""


class GraphError(TensorgradError, RuntimeError):
    """The tape was asked for something it cannot give."""


class BoundsError(TensorgradError, IndexError):
    """An index, label or dimension outside its range."""


class ArgumentError(TensorgradError, ValueError):
    """An argument outside the values the operation takes."""


class NonFiniteError(ArgumentError, RuntimeError):
    """Numbers that are nan or infinite where they must not be. PyTorch raises a RuntimeError there."""


class FormatError(TensorgradError, ValueError):
    """A file that is not what it should be."""
