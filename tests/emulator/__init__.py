"""Runs CUDA sources on the CPU, thread by thread, and reports what a device would leave unsaid.

`build(source)` compiles a .cu file with the host compiler; `module.launch(kernel, grid, block, args)` runs it on NumPy
arrays. Threads of a block and blocks of the grid run one at a time, in an order that a seed decides (or forward, or in
reverse); a thread runs until it waits. What is caught:

- always: barriers and warp collectives that not all threads reach, lanes that are not there, misaligned and null
  pointers, launch bounds, wrong arguments. Shared memory starts as NaN in every block;
- sanitizer="address,undefined": accesses out of bounds of an array or of a shared variable, shared memory that is read
  before it is written, undefined arithmetic;
- sanitizer="thread": races within a block and between blocks. Barriers, __syncwarp and fences order memory; shuffles,
  votes and atomics do not. One run compares a block with every second of the others; the seed decides which.

Not modelled: inline PTX, matrix and asynchronous-copy instructions, textures, cooperative groups, grid-wide barriers
(a block never waits for a later one), lanes in lockstep, a device's rounding of FMA and of fast functions, timing.
"""

from __future__ import annotations

from .errors import ArgumentError, BuildError, EmulationError, SanitizerError
from .module import EmulatedModule, build
from .toolchain import available

__all__ = ["ArgumentError", "BuildError", "EmulatedModule", "EmulationError", "SanitizerError", "available", "build"]
