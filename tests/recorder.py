"""A recorder of primitive calls, and what runs them again: the least for which the table and the contracts must do.

It stands in `device.backend`'s place while a step runs, and knows of each primitive what its row in the table says. The
arrays that the recorded calls made are the buffers of the replays.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import tensorgrad as tg
from tensorgrad.backends import Backend
from tensorgrad.backends.primitives import TABLE, Row
from tensorgrad.backends.replay import Workspace, replaying

__all__ = ["Call", "Recorder", "Replay", "recording"]

Array = Any


@dataclass
class Call:
    """One primitive call: what it was given, and the arrays that it made (its `out`, where it was given one)."""

    row: Row
    args: tuple[Any, ...]
    kwargs: dict[str, Any]
    results: tuple[Array, ...] = ()
    last_for: list[Array] = field(default_factory=list)  # memory that nobody reads after this call


class Recorder:
    """Forwards each primitive to the device and notes it."""

    def __init__(self, device: Backend) -> None:
        self._device = device
        self.calls: list[Call] = []
        self.made: dict[int, Array] = {}  # arrays that recorded calls made, by identity
        self.root: dict[int, Array] = {}  # of each array that was seen: whose memory it is
        self._alive: list[Any] = []  # an identity must not be given away again

    def __getattr__(self, name: str) -> Any:
        row = TABLE.get(name)
        if row is None:
            return getattr(self._device, name)
        if row.alias == "by layout":
            assert row.default is not None
            return lambda *args, **kwargs: row.default(self, *args, **kwargs)
        if row.kind in ("query", "host"):
            return self._host(row)
        return lambda *args, **kwargs: self._note(row, args, kwargs)

    def _host(self, row: Row) -> Callable[..., Any]:
        assert row.name != "to_numpy", "a step that is recorded reads a value back"
        function: Callable[..., Any] = getattr(self._device, row.name)
        return function

    def _note(self, row: Row, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        result = getattr(self._device, row.name)(*args, **kwargs)
        results = result if isinstance(result, tuple) else () if result is None else (result,)
        call = Call(row, tuple(_own(a) for a in args), kwargs, results)
        self._alive.append(call)
        if row.kind == "view":
            self.root[id(result)] = self._root(args[0])
            return result
        self.calls.append(call)
        if kwargs.get("out") is None:
            for array in results:
                assert id(array) not in self.root, f"{row.name} returned an array that was there before"
                self.made[id(array)] = self.root[id(array)] = array
        return result

    def _root(self, array: Array) -> Array:
        return self.root.setdefault(id(array), array)

    def memory(self, arrays: list[Array]) -> list[Array]:
        """The arrays made here whose memory these are or look at."""
        return [root for root in (self._root(a) for a in arrays) if id(root) in self.made]


def _own(argument: Any) -> Any:
    """A sequence is the caller's, who may fill it anew for the next call."""
    return [*argument] if isinstance(argument, list) else argument


@contextmanager
def recording(device: tg.Device) -> Iterator[Recorder]:
    """The primitive calls on `device` inside."""
    real = device.backend
    recorder = Recorder(real)
    device.backend = recorder  # type: ignore[assignment]
    try:
        yield recorder
    finally:
        device.backend = real


class Replay:
    """The calls of a recording, to be run again. `kept`: arrays made by them that are read afterwards."""

    def __init__(self, recorder: Recorder, device: Backend, kept: list[Array]) -> None:
        self.workspace = Workspace(device)
        self.backend = replaying(device, self.workspace)
        self.calls = recorder.calls
        self.made = list(recorder.made.values())
        last: dict[int, int] = {}
        for number, call in enumerate(self.calls):
            touched = [*call.row.read(call.args, call.kwargs), *call.row.written(call.args, call.kwargs), *call.results]
            for root in recorder.memory(touched):
                last[id(root)] = number
        for root in recorder.memory(kept):
            last.pop(id(root), None)
        for identity, number in last.items():
            self.calls[number].last_for.append(recorder.made[identity])
        self.blocks = sum(call.args[1] for call in self.calls if call.row.name == "next_key")

    def run(self, spoil: Callable[[Array], None] | None = None) -> None:
        """All calls once more. `spoil` is called with every buffer as soon as nobody reads it any more."""
        self.backend.begin_replay()
        for call in self.calls:
            self._run(call)
            for array in call.last_for if spoil else ():
                spoil(array)  # type: ignore[misc]

    def _run(self, call: Call) -> None:
        primitive = getattr(self.backend, call.row.name)
        if not call.row.takes_out:
            primitive(*call.args, **call.kwargs)
            return
        out = call.results if call.row.several else call.results[0]
        primitive(*call.args, **{**call.kwargs, "out": out})
