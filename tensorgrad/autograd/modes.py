"""Whether operations are recorded on the tape: a switch for each thread, and the contexts that turn it."""

from __future__ import annotations

import functools
import threading
from collections.abc import Callable, Generator
from types import TracebackType
from typing import Any, ParamSpec, TypeVar, overload

__all__ = ["enable_grad", "inference_mode", "is_grad_enabled", "mode", "no_grad", "set_grad_enabled"]

P = ParamSpec("P")
R = TypeVar("R")
_GENERATOR = 0x20  # inspect.CO_GENERATOR; `inspect` itself takes long to import


class _Mode(threading.local):
    grad: bool = True


mode = _Mode()


def is_grad_enabled() -> bool:
    """Whether operations are being recorded in this thread."""
    return mode.grad


class _Switch:
    """Context manager and decorator: the switch stands at `enabled` inside; None leaves it as it is.

    One instance may be entered again inside itself, and in several threads at once.
    """

    def __init__(self, enabled: bool | None) -> None:
        self._enabled = enabled
        self._before: dict[int, list[bool]] = {}  # for each thread, a stack

    def __enter__(self) -> None:
        self._enter(mode.grad)

    def _enter(self, before: bool) -> None:
        self._before.setdefault(threading.get_ident(), []).append(before)
        if self._enabled is not None:
            mode.grad = self._enabled

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        mode.grad = self._before[threading.get_ident()].pop()

    def __call__(self, function: Callable[P, R]) -> Callable[P, R]:
        enabled = self._enabled

        @functools.wraps(function)
        def wrapped(*args: P.args, **kwargs: P.kwargs) -> R:
            with _Switch(enabled):
                return function(*args, **kwargs)

        @functools.wraps(function)
        def stepwise(*args: P.args, **kwargs: P.kwargs) -> Any:
            return (yield from _Steps(function(*args, **kwargs), enabled))

        code = getattr(function, "__code__", None)
        return stepwise if code is not None and code.co_flags & _GENERATOR else wrapped


class _Steps(Generator[Any, Any, Any]):
    """A generator whose body runs under the switch, while its caller, between two steps, does not."""

    def __init__(self, body: Any, enabled: bool | None) -> None:
        self._body = body
        self._enabled = enabled

    def send(self, value: Any) -> Any:
        with _Switch(self._enabled):
            return self._body.send(value)

    def throw(self, *error: Any) -> Any:
        with _Switch(self._enabled):
            return self._body.throw(*error)

    def close(self) -> None:
        with _Switch(self._enabled):
            self._body.close()


class set_grad_enabled(_Switch):
    """Record operations from here on (True), or do not (False); as a context manager or decorator, only inside.

    `tg.set_grad_enabled(False)` by itself switches at once.
    """

    def __init__(self, mode: bool) -> None:
        super().__init__(bool(mode))
        self._at_call: bool | None = is_grad_enabled()  # what it was, until a context or a decorator has put it back
        _turn(bool(mode))

    def __enter__(self) -> None:
        before, self._at_call = self._at_call, None
        self._enter(is_grad_enabled() if before is None else before)

    def __call__(self, function: Callable[P, R]) -> Callable[P, R]:
        if self._at_call is not None:
            _turn(self._at_call)
            self._at_call = None
        return super().__call__(function)


def _turn(enabled: bool) -> None:
    mode.grad = enabled


@overload
def no_grad() -> _Switch: ...
@overload
def no_grad(function: Callable[P, R], /) -> Callable[P, R]: ...
def no_grad(function: Callable[P, R] | None = None, /) -> _Switch | Callable[P, R]:
    """Context manager and decorator, with or without parentheses: operations inside are not recorded.

    Their results do not require grad. A generator's body runs under it, the loop over the generator does not.
    """
    return _Switch(False) if function is None else _Switch(False)(function)


@overload
def enable_grad() -> _Switch: ...
@overload
def enable_grad(function: Callable[P, R], /) -> Callable[P, R]: ...
def enable_grad(function: Callable[P, R] | None = None, /) -> _Switch | Callable[P, R]:
    """Context manager and decorator, with or without parentheses: operations inside are recorded, even in `no_grad`."""
    return _Switch(True) if function is None else _Switch(True)(function)


@overload
def inference_mode(mode: bool = True) -> _Switch: ...
@overload
def inference_mode(mode: Callable[P, R]) -> Callable[P, R]: ...
def inference_mode(mode: bool | Callable[P, R] = True) -> _Switch | Callable[P, R]:
    """Context manager and decorator: as `no_grad`; `inference_mode(False)` leaves things as they are.

    PyTorch's also skips version counting, which is free here.
    """
    return _Switch(False if mode else None) if isinstance(mode, bool) else _Switch(False)(mode)
