"""Tables, and result files: one JSON with everything measured, one Markdown with what to read."""

from __future__ import annotations

import argparse
import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from bench.machine import machine_name, stamp

__all__ = ["RESULTS", "Report", "add_save_option", "numbers_in_lines", "table"]

RESULTS = Path(__file__).resolve().parent / "results"
BUSY_SHARE = 0.05


def table(headers: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A Markdown table that also lines up as plain text: first column to the left, others to the right."""
    columns = list(zip(headers, *rows, strict=True))
    widths = [max(3, *map(len, column)) for column in columns]
    rule = ["-" * widths[0], *("-" * (width - 1) + ":" for width in widths[1:])]
    return "\n".join(line(cells, widths) for cells in (headers, rule, *rows))


def line(cells: Sequence[str], widths: Sequence[int]) -> str:
    first, *others = zip(cells, widths, strict=True)
    padded = [first[0].ljust(first[1]), *(cell.rjust(width) for cell, width in others)]
    return f"| {' | '.join(padded)} |"


def add_save_option(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--save",
        nargs="?",
        type=Path,
        const=RESULTS,
        metavar="FOLDER",
        help="save the result as JSON and Markdown (default folder: bench/results)",
    )


class Report:
    """Collects paragraphs, printing each at once, and saves them with the raw measurements. `lead`, a paragraph that
    may change until the end, comes before all others; `ending` comes last in the files' names."""

    def __init__(self, name: str, title: str) -> None:
        self.name = name
        self.stamp = stamp()
        self.raw: dict[str, Any] = {}
        self.lead = self.ending = ""
        self._head = [f"# {title}", describe(self.stamp)]
        self._paragraphs: list[str] = []
        if self.stamp["blas_variables"]:
            self.say(f"The environment steers BLAS: {assignments(self.stamp)}. Unset, it chooses for itself.")

    def say(self, paragraph: str) -> None:
        self._paragraphs.append(paragraph)
        print(paragraph, end="\n\n", flush=True)

    def warn_if_busy(self, share: float | None) -> None:
        """Say so when other programs used the machine while this one was timing."""
        if share is not None and share > BUSY_SHARE:
            self.say(f"Not a quiet machine: other programs used {share:.0%} of it during the timing.")

    def save(self, folder: Path | None) -> Path | None:
        """Write `NAME-MACHINE-DATE.json` and `.md`, and say so; does nothing without a folder."""
        if folder is None:
            return None
        markdown = self.write(folder)
        print(f"saved as {markdown.name} and .json")
        return markdown

    def write(self, folder: Path) -> Path:
        """The two files, as far as the report has come; gives the `.md`."""
        folder.mkdir(parents=True, exist_ok=True)
        stem = folder / f"{self.name}-{machine_name(self.stamp)}-{self.stamp['date']}{self.ending}"
        content = numbers_in_lines(json.dumps({"name": self.name, "machine": self.stamp, **self.raw}, indent=1))
        stem.with_suffix(".json").write_text(content + "\n")
        markdown = stem.with_suffix(".md")
        lead = [self.lead] if self.lead else []
        markdown.write_text("\n\n".join([*self._head, *lead, *self._paragraphs]) + "\n")
        return markdown


def numbers_in_lines(content: str) -> str:
    """Indented JSON with each list of plain values in one line."""
    return re.sub(r'\[\n\s*([^][{}"]*?)\n\s*\]', lambda found: f"[{' '.join(found[1].split())}]", content)


def describe(of: dict[str, Any]) -> str:
    """The stamp in one paragraph."""
    packages = ", ".join(f"{name} {version}" for name, version in of["packages"].items())
    library = f"{of['blas'].get('name', 'unknown BLAS')} {of['blas'].get('version', '')}".strip()
    where = f"{of['cpu']}, {of['cores']} cores, {of['system']}, {of['python']}"
    when = f"{of['date']}, commit {of['commit'] or 'unknown'}"
    return f"{where}; {packages}; NumPy's BLAS: {library}. {when}."


def assignments(of: dict[str, Any]) -> str:
    return ", ".join(f"{name}={value}" for name, value in of["blas_variables"].items())
