"""Checkpoints: `save` and `load`, in safetensors."""

from __future__ import annotations

from tensorgrad.checkpoint.safetensors_file import load, read_metadata, save

__all__ = ["load", "read_metadata", "save"]
