"""Whether operations are recorded on the tape: a switch for each thread, and the contexts that turn it."""

from __future__ import annotations

import functools
import threading
from collections.abc import Callable
from types import TracebackType
from typing import ParamSpec, TypeVar

__all__ = ["enable_grad", "inference_mode", "is_grad_enabled", "mode", "no_grad", "set_grad_enabled"]

P = ParamSpec("P")
R = TypeVar("R")


class _Mode(threading.local):
    grad: bool = True


mode = _Mode()


def is_grad_enabled() -> bool:
    """Whether operations are being recorded in this thread."""
    return mode.grad


class set_grad_enabled:
    """Context manager and decorator: record operations inside (True), or do not (False)."""

    def __init__(self, enabled: bool) -> None:
        self._enabled = enabled
        self._before: list[bool] = []  # a stack: one instance may be entered again inside itself

    def __enter__(self) -> None:
        self._before.append(mode.grad)
        mode.grad = self._enabled

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        mode.grad = self._before.pop()

    def __call__(self, function: Callable[P, R]) -> Callable[P, R]:
        enabled = self._enabled

        @functools.wraps(function)
        def wrapped(*args: P.args, **kwargs: P.kwargs) -> R:
            with set_grad_enabled(enabled):
                return function(*args, **kwargs)

        return wrapped


class no_grad(set_grad_enabled):
    """Context manager and decorator: operations inside are not recorded; their results do not require grad."""

    def __init__(self) -> None:
        super().__init__(False)


class enable_grad(set_grad_enabled):
    """Context manager and decorator: operations inside are recorded, also within `no_grad`."""

    def __init__(self) -> None:
        super().__init__(True)


class inference_mode(set_grad_enabled):
    """Context manager and decorator: as `no_grad`. PyTorch's also skips version counting, which is free here."""

    def __init__(self, mode: bool = True) -> None:
        super().__init__(not mode and is_grad_enabled())
