"""The command line: `tensorgrad train`, `tensorgrad predict`, `tensorgrad info`."""

from __future__ import annotations

from tensorgrad.cli.entry import main

__all__ = ["main"]
