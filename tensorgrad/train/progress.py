"""How training shows that it is alive: a bar on a terminal, about ten plain lines elsewhere, or nothing.

All of it goes to standard error, so that standard output holds results only.
"""

from __future__ import annotations

import sys
from time import perf_counter
from types import TracebackType
from typing import Any

__all__ = ["Reporter", "make_reporter"]

_REFRESH_SECONDS = 0.1
_PLAIN_LINES = 10


class Reporter:
    """Shows nothing; the others override. Used as a context manager around the whole training."""

    def __enter__(self) -> Reporter:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Called on every way out."""

    def batch(self, batches_done: int) -> None:
        """One more batch: `batches_done` since the first epoch began."""

    def epoch(self, epochs_done: int, note: str) -> None:
        """One more epoch; `note` says what came of it."""

    def close(self, note: str) -> None:
        """The last word, when nothing is drawn any more."""


def make_reporter(shown: bool, epochs: int, batches: int | None) -> Reporter:
    """The one that suits standard error; `batches` in an epoch, None where that is not known."""
    if not shown:
        return Reporter()
    # Imported here because of what it costs: nobody should pay for rich who does not look at a bar.
    from rich.console import Console

    console = Console(stderr=True)
    if console.is_jupyter or (console.is_terminal and not console.is_dumb_terminal):
        return _Bar(console, epochs, batches)
    return _Lines(epochs)


class _Shown(Reporter):
    def close(self, note: str) -> None:
        print(note, file=sys.stderr, flush=True)


class _Lines(_Shown):
    def __init__(self, epochs: int) -> None:
        self._epochs = epochs
        self._every = max(1, epochs // _PLAIN_LINES)

    def epoch(self, epochs_done: int, note: str) -> None:
        if epochs_done % self._every == 0 or epochs_done == self._epochs:
            print(f"epoch {epochs_done}/{self._epochs}  {note}", file=sys.stderr, flush=True)


class _Bar(_Shown):
    def __init__(self, console: Any, epochs: int, batches: int | None) -> None:
        from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

        self._epochs = epochs
        self._batches = batches or 1
        # Drawn by hand, never by a thread of its own: that thread would take the interpreter from the
        # training.
        self._progress = Progress(
            TextColumn("epoch {task.fields[done]}/{task.fields[epochs]}"),
            BarColumn(bar_width=30),
            TextColumn("{task.fields[note]}", markup=False),
            TimeRemainingColumn(),
            console=console,
            auto_refresh=False,
        )
        self._task = self._progress.add_task("", total=epochs * self._batches, epochs=epochs, done=0, note="")
        self._counts_batches = batches is not None
        self._drawn = 0.0

    def __enter__(self) -> Reporter:
        self._progress.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._progress.refresh()
        self._progress.stop()

    def batch(self, batches_done: int) -> None:
        if self._counts_batches and self._due():
            self._progress.update(self._task, completed=batches_done, refresh=True)

    def epoch(self, epochs_done: int, note: str) -> None:
        completed = epochs_done * self._batches
        self._progress.update(
            self._task,
            completed=completed,
            done=epochs_done,
            note=note,
            refresh=self._due() or epochs_done == self._epochs,
        )

    def _due(self) -> bool:
        now = perf_counter()
        if now - self._drawn < _REFRESH_SECONDS:
            return False
        self._drawn = now
        return True
