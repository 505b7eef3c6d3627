"""Whether a result can be written, asked before the work that leads to it."""

from __future__ import annotations

import os

from tensorgrad.errors import ArgumentError

__all__ = ["check_writable"]


def check_writable(path: str) -> None:
    """Raise ArgumentError unless a file can be written at `path`."""
    folder = os.path.dirname(os.path.abspath(path))
    if os.path.isdir(path):
        raise ArgumentError(f"cannot write {path}: it is a folder; give a file name")
    if not os.path.isdir(folder):
        raise ArgumentError(f"cannot write {path}: there is no folder {folder}; make it first")
    if not os.access(folder, os.W_OK) or (os.path.exists(path) and not os.access(path, os.W_OK)):
        raise ArgumentError(f"cannot write {path}: permission denied")
