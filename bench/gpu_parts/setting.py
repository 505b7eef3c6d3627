"""What every part of `bench.gpu` is given, and what it hands back."""

from __future__ import annotations

import importlib
import json
import os
from dataclasses import dataclass, field
from pathlib import Path
from time import monotonic
from typing import Any

__all__ = ["EMULATE", "Finding", "Setting", "open_cupy", "read_finding", "write_json"]

# Read by the tests' plugin too: run on the emulated device although there may be a GPU.
EMULATE = "TENSORGRAD_TEST_EMULATE_CUDA"


def open_cupy(dry_run: bool) -> Any:
    """CuPy, or its stand-in on the emulator. Call it before anything asks tensorgrad for a CUDA device."""
    if not dry_run:
        return importlib.import_module("cupy")
    from tests.cupy_standin import install  # where it plays no part, `first_steps` times imports without it

    os.environ[EMULATE] = "1"
    return install()


@dataclass(frozen=True)
class Setting:
    """folder: where the parts leave their findings. seconds: this part's limit, from now on."""

    dry_run: bool
    folder: Path
    seconds: float
    start: float = field(default_factory=monotonic)

    def left(self) -> float:
        """Seconds until this part is stopped."""
        return self.seconds - (monotonic() - self.start)

    def cupy(self) -> Any:
        return open_cupy(self.dry_run)


class Finding:
    """What a part found. It is written at every change, so that a part that is stopped has not worked for nothing."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self.raw: dict[str, Any] = {}
        self._paragraphs: dict[str, str] = {}
        self.failures: list[str] = []
        self.complete = False

    def say(self, paragraph: str, about: str = "") -> None:
        """A paragraph of the report; it takes the place of an earlier one about the same."""
        self._paragraphs[about or f"paragraph {len(self._paragraphs)}"] = paragraph
        self.save()

    def fail(self, what: str) -> None:
        """Note that something was wrong; the part goes on."""
        self.failures.append(what)
        self.save()

    def save(self) -> None:
        content = {
            "complete": self.complete,
            "paragraphs": list(self._paragraphs.values()),
            "failures": self.failures,
            "raw": self.raw,
        }
        write_json(self._file, content)


def write_json(file: Path, content: Any) -> None:
    """Whoever reads the file, or stops the writer, finds the old content or the new."""
    draft = file.with_suffix(".draft")
    draft.write_text(json.dumps(content))
    draft.replace(file)


def read_finding(file: Path) -> dict[str, Any]:
    """What a part has written; an empty finding where it wrote nothing."""
    if not file.exists():
        return {"complete": False, "paragraphs": [], "failures": [], "raw": {}}
    return json.loads(file.read_text())  # type: ignore[no-any-return]
