"""Runs CUDA sources on the CPU, thread by thread, and reports what a device would leave unsaid."""

from __future__ import annotations

from .errors import ArgumentError, BuildError, EmulationError, SanitizerError
from .module import EmulatedModule, build

__all__ = ["ArgumentError", "BuildError", "EmulatedModule", "EmulationError", "SanitizerError", "build"]
