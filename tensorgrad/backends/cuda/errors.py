"""Errors that a device finds while the host has gone on: noted in device memory, raised when the host next waits."""

from __future__ import annotations

import copy
import math
import threading
import weakref
from typing import Any, NamedTuple, Protocol

import numpy as np

from tensorgrad.backends.primitives import Array, Shape
from tensorgrad.backends.primitives.check import is_zero, not_finite, out_of_bounds, out_of_range, place
from tensorgrad.calls import Callers, here
from tensorgrad.errors import TensorgradError

__all__ = ["ERROR_WORDS", "DeferredErrors"]

ERROR_WORDS = 9  # integers of the error word: ErrorWord in kernels/check/check.h

_OUT_OF_BOUNDS, _NOT_FINITE, _OUT_OF_RANGE, _IS_ZERO = 1, 2, 3, 4
_CODE, _DESCRIPTION, _RUN = 0, 1, 8  # where in the word they stand
_KEPT = 4096  # descriptions of checks: some megabytes


class _Description(NamedTuple):
    """What the host knows about a check before it fails."""

    what: str
    shape: Shape
    number: type[Any]  # of NumPy
    hint: str
    callers: Callers


_FORGOTTEN = _Description("something that was checked long ago", (), np.float64, "", Callers(()))


class _Checks(Protocol):
    """The launches of checks (`CheckKernels`)."""

    def check_bounds(self, indices: Array, low: int, high: int, code: int, where: int, error: Array) -> None: ...
    def wrap_indices(self, indices: Array, out: Array, size: int, code: int, where: int, error: Array) -> None: ...
    def check_range(self, x: Array, low: float, high: float, code: int, where: int, error: Array) -> None: ...
    def check_finite(self, x: Array, code: int, where: int, error: Array) -> None: ...


class DeferredErrors:
    """The error word of a device, int64[ERROR_WORDS] (see `CheckKernels`): the first check that fails is noted there.

    `raise_pending` is called wherever the host waits for the device, and costs a small copy where anything was checked.

    Threads and streams share the word. An error is raised in the thread that waits first, whoever's check it was. On a
    stream of its own a check may still be running when the host waits for another one: its error then comes at the
    wait after a later check or optimizer step, or when the host waits for the whole device (`tg.cuda.synchronize()`).

    From a check's failure until its error is raised, optimizer steps on the device change nothing: on the CPU, where
    the error comes at once, they would not be reached. That holds for the steps of all threads, but only on the stream
    of the check, or after it (an event): on another stream a step may run before the check, and does its work. Nor does
    it hold on other devices, which have words of their own, or for whoever writes into parameters without an optimizer.
    """

    def __init__(self, kernels: _Checks, word: Array) -> None:
        self._kernels = kernels
        self._word = word
        self._shared = _Shared()
        self._kept: _Kept | None = None

    def for_replay(self) -> DeferredErrors:
        """The same word, for checks that are launched again and again: what they are about is known as long as this
        object lives."""
        made = copy.copy(self)
        made._kept = _Kept()
        self._shared.described.keep(made._kept)
        return made

    def begin_replay(self) -> None:
        """Tell the device that its checks run anew: a replayed launch has the number that it had before, and what it
        finds must not pass for a part of what it found then. No wait: a write in the stream's order."""
        self._shared.runs += 1
        self._word[_RUN : _RUN + 1].fill(self._shared.runs)
        self._shared.unread = True

    @property
    def word(self) -> Array:
        """The word, for kernels that do nothing while its first integer, a code, is not 0. The array stays the same."""
        return self._word

    def _number(self, what: str, x: Array, hint: str = "") -> int:
        described = _Description(what, x.shape, x.dtype.type, hint, Callers(here.modules))
        return self._shared.described.number(described, self._kept)

    def check_bounds(self, indices: Array, low: int, high: int, what: str) -> None:
        """Let the device note the first of the contiguous `indices` outside [low, high)."""
        number = self._number(what, indices)
        self._kernels.check_bounds(indices, low, high, _OUT_OF_BOUNDS, number, self._word)
        self._shared.unread = True

    def wrap_indices(self, indices: Array, out: Array, size: int, what: str) -> None:
        """out = indices counted from the start; the device notes the first one outside [-size, size)."""
        number = self._number(what, indices)
        self._kernels.wrap_indices(indices, out, size, _OUT_OF_BOUNDS, number, self._word)
        self._shared.unread = True

    def check_range(self, x: Array, low: float, high: float, what: str, hint: str) -> None:
        """Let the device note the first element of the contiguous floating `x` outside [low, high]; nan is outside."""
        number = self._number(what, x, hint)
        self._kernels.check_range(x, low, high, _OUT_OF_RANGE, number, self._word)
        self._shared.unread = True

    def check_finite(self, x: Array, what: str, hint: str) -> None:
        """Let the device note the first element of the contiguous floating `x` that is nan or infinite."""
        number = self._number(what, x, hint)
        self._kernels.check_finite(x, _NOT_FINITE, number, self._word)
        self._shared.unread = True

    def check_nonzero(self, zeros: Array, what: str, hint: str) -> None:
        """Let the device note the first element of what was checked that is 0: there the contiguous `zeros` are 1."""
        number = self._number(what, zeros, hint)
        self._kernels.check_bounds(zeros, 0, 1, _IS_ZERO, number, self._word)
        self._shared.unread = True

    def look_at_the_next_wait(self) -> None:
        """Although no check was launched: what a stream of its own has found meanwhile would hold up every step."""
        self._shared.unread = True

    def raise_pending(self, always: bool = False) -> None:
        """Raise what the first check to fail since the last error has found: a BoundsError or an ArgumentError.

        `always` looks although no check was launched from here since: a graph that is replayed launches its own.
        """
        if not (self._shared.unread or always):
            return
        with self._shared.reading:  # another thread must not raise the same error, nor clear the next one with it
            self._shared.unread = False  # before the word is read: a check launched meanwhile sets it again
            if self._word.get()[_CODE] == 0:
                return
            found = self._word.get()  # again: on another stream, the rest may have been written since
            self._word[_CODE : _CODE + 1].fill(0)
            self._word.get()  # a wait: a check launched next on another stream must find the word free
        described = self._shared.described.get(int(found[_DESCRIPTION]))
        raise (described or _FORGOTTEN).callers.trace(_error(found, described))


def _error(word: np.ndarray[Any, Any], described: _Description | None) -> TensorgradError:
    code, _, index, position, low, high, *_ = word.tolist()
    what, shape, kind, hint, _ = described or _FORGOTTEN
    if described is None:
        where = f" at position {position}, counted in C order; call tg.cuda.synchronize() sooner to learn what it was"
    else:
        where = place(_unravelled(position, shape))
    if code == _OUT_OF_BOUNDS:
        return out_of_bounds(what, low, high, index, where)
    if code == _IS_ZERO:
        return is_zero(what, where, hint)
    value, _, least, greatest = word[2:6].view(np.float64)
    if code == _NOT_FINITE:
        return not_finite(what, value, where, hint)
    return out_of_range(what, least, greatest, kind(value), where, hint)


class _Descriptions:
    """Descriptions by their numbers: the `_KEPT` that were asked for last, and those that a replay keeps. No number is
    given twice, so that an error whose description is gone is not told as another's."""

    def __init__(self) -> None:
        self._numbers: dict[_Description, int] = {}
        self._next = 0
        self._lock = threading.Lock()
        self._keepers: weakref.WeakSet[_Kept] = weakref.WeakSet()

    def keep(self, kept: _Kept) -> None:
        """Know what is put into `kept` as long as it lives."""
        with self._lock:
            self._keepers.add(kept)

    def number(self, described: _Description, kept: _Kept | None) -> int:
        """The number of a description."""
        with self._lock:
            found = self._numbers.pop(described, None)
            if found is None:
                found, self._next = self._next, self._next + 1
                if len(self._numbers) >= _KEPT:
                    del self._numbers[next(iter(self._numbers))]
            self._numbers[described] = found  # the last to be asked for stands last
            if kept is not None:
                kept.numbers[found] = described
            return found

    def get(self, number: int) -> _Description | None:
        with self._lock:
            known = (described for described, found in self._numbers.items() if found == number)
            kept = (keeper.numbers.get(number) for keeper in self._keepers)
            return next(known, None) or next((described for described in kept if described is not None), None)


class _Kept:
    """What the checks of one replay are about, by number."""

    def __init__(self) -> None:
        self.numbers: dict[int, _Description] = {}


class _Shared:
    """What all who launch checks on a device have in common."""

    def __init__(self) -> None:
        self.described = _Descriptions()
        self.reading = threading.Lock()
        self.unread = False
        self.runs = 0


def _unravelled(position: int, shape: Shape) -> tuple[int, ...]:
    """The position of an element in C order, in each dimension."""
    return tuple([position // math.prod(shape[i + 1 :]) % shape[i] for i in range(len(shape))])
