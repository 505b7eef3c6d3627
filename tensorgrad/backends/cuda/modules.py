"""The compiled kernels of a device.

Each source is compiled for one dtype at a time, when a kernel of that dtype is first asked for: whoever trains in
float32 does not wait for the other dtypes.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tensorgrad.backends.kernel_files import compile_options, dtype_suffix_of, kernel_source, source_of
from tensorgrad.errors import DeviceError

__all__ = ["KernelModules"]


class KernelModules:
    """`make_module` is cupy.RawModule, which compiles for whichever device is current and keeps the result on disk."""

    def __init__(self, make_module: Callable[..., Any]) -> None:
        self._make_module = make_module
        self._modules: dict[tuple[str, str], Any] = {}
        self._functions: dict[str, Any] = {}

    def get_function(self, name: str) -> Any:
        """The kernel called `name`. DeviceError where its source does not compile or does not hold it."""
        found = self._functions.get(name)
        if found is None:
            found = self._functions[name] = self._compiled(name)
        return found

    def _compiled(self, name: str) -> Any:
        file, suffix = source_of(name), dtype_suffix_of(name)
        try:
            return self._module(file, suffix).get_function(name)
        except Exception as error:
            part = f"{file} compiled for {suffix}" if suffix else f"the part of {file} without a dtype"
            first_line = str(error).strip().split("\n")[0]
            why = f"({type(error).__name__}: {first_line})"
            raise DeviceError(f"CUDA kernel {name}: {part} does not give it {why}") from error

    def _module(self, file: str, suffix: str) -> Any:
        found = self._modules.get((file, suffix))
        if found is None:
            found = self._make_module(code=kernel_source(file), options=compile_options(suffix))
            self._modules[file, suffix] = found
        return found
