"""An emulated module: kernels by name, launched on NumPy arrays."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

import numpy as np

from . import isolated, toolchain
from .arguments import Packer, check_grid
from .errors import ArgumentError
from .in_process import Launch, Library
from .signature import Kernel, find_kernels
from .source import rewrite, trampolines

__all__ = ["EmulatedModule", "Order", "Sanitizer", "build"]

Order = Literal["random", "forward", "reverse"]
Sanitizer = Literal["address,undefined", "thread"]

_ORDERS: dict[str, int] = {"random": 0, "forward": 1, "reverse": 2}


def build(
    source: Path | str,
    include_dirs: Sequence[Path | str] = (),
    sanitizer: Sanitizer | None = None,
    *,
    options: Sequence[str] = (),
    name: str = "kernel.cu",
) -> EmulatedModule:
    """Compiles a .cu file (a Path) or its text (a str) for the CPU.

    `options` are further -D and -U. `name` is what error messages call a text. Raises BuildError. Builds are cached on
    disk by the preprocessed source, so a change in any header counts.
    """
    if sanitizer not in toolchain.SANITIZERS:
        raise ValueError(f"sanitizer must be one of {list(toolchain.SANITIZERS)}, got {sanitizer!r}")
    options = [*options, *toolchain.SANITIZERS[sanitizer].macros]
    text = toolchain.preprocess(source, name, [Path(directory) for directory in include_dirs], options)
    kernels = find_kernels(text)
    return EmulatedModule(f"{rewrite(text)}\n{trampolines(kernels)}\n", kernels, sanitizer)


class EmulatedModule:
    """`kernels` maps a name to its signature.

    Without a sanitizer a launch runs in this process, on the arrays in place; with one, in a process of its own.
    """

    def __init__(self, text: str, kernels: dict[str, Kernel], sanitizer: Sanitizer | None) -> None:
        self.kernels = kernels
        self.sanitizer = sanitizer
        self._packers = {name: Packer(kernel) for name, kernel in kernels.items()}
        if sanitizer is None:
            self._library = Library(toolchain.build_library(text))
        else:
            self._program = toolchain.build_executable(text, sanitizer)

    def launch(
        self,
        name: str,
        grid: Sequence[int],
        block: Sequence[int],
        args: Sequence[Any],
        shared_mem: int = 0,
        order: Order = "random",
        seed: int = 0,
        memory: Sequence[np.ndarray[Any, Any]] = (),
    ) -> None:
        """Runs a kernel to its end.

        `args`: NumPy arrays for pointers (or an int: an address), int, np.float32, float / np.float64. `order` is that
        of the threads in a block and of the blocks in the grid. `memory` (needed under a sanitizer only): arrays that
        the kernel reaches through addresses stored in other arrays.

        Raises ArgumentError, EmulationError and, under a sanitizer, SanitizerError.
        """
        if name not in self.kernels:
            raise ArgumentError(f"no kernel {name}; there are: {', '.join(sorted(self.kernels)) or 'none'}")
        launch = Launch(name, _three(grid), _three(block), shared_mem, _ORDERS[order], seed)
        check_grid(name, launch.grid, launch.block, shared_mem)
        packed = self._packers[name](args)
        if self.sanitizer is None:
            self._library.launch(launch, packed)
        else:
            isolated.run(self._program, launch, packed, args, memory)


def _three(sizes: Sequence[int]) -> tuple[int, int, int]:
    x, y, z = (*sizes, 1, 1, 1)[:3]
    return int(x), int(y), int(z)
