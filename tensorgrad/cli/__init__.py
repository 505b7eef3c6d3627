"""The command line: `tensorgrad train`, `predict`, `data` and `info`."""

from __future__ import annotations

from tensorgrad.cli.entry import main

__all__ = ["main"]
