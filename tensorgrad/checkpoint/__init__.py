"""Checkpoints: `save` and `load`, in safetensors."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tensorgrad.checkpoint.safetensors_file import load, read_metadata, save
from tensorgrad.names import listing

__all__ = ["load", "read_metadata", "save"]

if not TYPE_CHECKING:
    __getattr__, __dir__ = listing(__name__, __all__)
