"""How training shows that it is alive: a bar on a terminal or in a notebook, ten plain lines elsewhere, or nothing.

All of it goes to standard error (but for a notebook's), so that standard output holds results only.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import dataclass
from html import escape
from time import perf_counter
from types import TracebackType
from typing import Any

__all__ = ["Reporter", "make_reporter"]

_REFRESH_SECONDS = 0.1
_PLAIN_LINES = 10
_NARROW = 100  # columns; below, a bar and three numbers do not stand side by side


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
    if console.is_jupyter:
        return _Notebook(epochs, batches)
    if console.is_terminal and not console.is_dumb_terminal:
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
    """One line on a terminal; two where it is narrow, so that no number is cut off."""

    def __init__(self, console: Any, epochs: int, batches: int | None) -> None:
        self._epochs = epochs
        self._batches = batches or 1
        self._progress = _progress(console)
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


def _progress(console: Any) -> Any:
    """Rich's bar, with the note about the latest epoch beside it or, in less than `_NARROW` columns, below."""
    from rich.progress import BarColumn, Progress, ProgressColumn, TextColumn, TimeRemainingColumn
    from rich.text import Text

    class Left(TimeRemainingColumn):
        def render(self, task: Any) -> Text:
            time = super().render(task)
            return time.append(" taken" if task.finished else " left")

    class WithNote(Progress):
        def get_renderables(self) -> Iterator[Any]:
            yield from super().get_renderables()
            if narrow:
                for task in self.tasks:
                    yield from map(Text, _broken(task.fields["note"], console.width))

    narrow = console.width < _NARROW
    note: list[ProgressColumn] = [] if narrow else [TextColumn("{task.fields[note]}", markup=False)]
    # Drawn by hand, never by a thread of its own: that thread would take the interpreter from the training.
    return WithNote(
        TextColumn("epoch {task.fields[done]}/{task.fields[epochs]}"),
        BarColumn(bar_width=None if narrow else 30),
        *note,
        Left(elapsed_when_finished=True),
        console=console,
        auto_refresh=False,
        expand=narrow,
    )


def _broken(note: str, width: int) -> list[str]:
    """A note in lines of at most `width` columns, broken between numbers, not between a name and its number."""
    lines: list[str] = []
    for part in note.split("  ") if note else ():
        if lines and len(lines[-1]) + 2 + len(part) <= width:
            lines[-1] += f"  {part}"
        else:
            lines.append(part)
    return lines


class _Notebook(_Shown):
    """One line of a notebook's output, written anew. Rich's bar would want ipywidgets there."""

    def __init__(self, epochs: int, batches: int | None) -> None:
        import IPython.display

        self._epochs, self._batches = epochs, batches
        self._started = self._drawn = perf_counter()
        self._done, self._note = 0, ""
        display: Any = IPython.display.display
        self._handle = display(self._line(0.0), display_id=True)

    def batch(self, batches_done: int) -> None:
        if self._batches is not None:
            self._show(batches_done / self._batches, perf_counter() - self._drawn >= _REFRESH_SECONDS)

    def epoch(self, epochs_done: int, note: str) -> None:
        self._done, self._note = epochs_done, note
        last = epochs_done == self._epochs
        self._show(float(epochs_done), last or perf_counter() - self._drawn >= _REFRESH_SECONDS)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._show(float(self._done), True)

    def _show(self, epochs: float, due: bool) -> None:
        if due:
            self._drawn = perf_counter()
            self._handle.update(self._line(epochs))

    def _line(self, epochs: float) -> _Line:
        spent = perf_counter() - self._started
        left = spent * (self._epochs / epochs - 1) if epochs else None
        return _Line(self._done, self._epochs, epochs, self._note, left)


@dataclass(frozen=True)
class _Line:
    """What a notebook shows: a bar where it shows HTML, else text."""

    done: int
    epochs: int
    passed: float
    note: str
    left: float | None

    def __repr__(self) -> str:
        return "  ".join(part for part in (f"epoch {self.done}/{self.epochs}", self.note, self._time()) if part)

    def _repr_html_(self) -> str:
        bar = f'<progress value="{self.passed:.3f}" max="{self.epochs}"></progress>'
        return f"epoch {self.done}/{self.epochs} {bar} {escape(self.note)} {self._time()}"

    def _time(self) -> str:
        if self.left is None or self.passed >= self.epochs:
            return ""
        minutes, seconds = divmod(round(self.left), 60)
        return f"{minutes}:{seconds:02} left"
