"""`cupy.RawModule` and `cupy.RawKernel`, run by the emulator in tests/emulator."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any

from tests.cupy_standin.casting import arbitrary
from tests.cupy_standin.launch import DEFAULT_SHARED, MOST_SHARED, check_geometry, check_shared, checked_arguments
from tests.cupy_standin.memory import live_buffers
from tests.emulator import build as emulate

__all__ = ["CUDADriverError", "RawKernel", "RawModule", "use_emulator"]

Build = Callable[..., Any]
_IGNORED = (
    "-std=",
    "--std=",
    "-O",
    "-lineinfo",
    "--generate-line-info",
    "--use_fast_math",
    "-arch=",
    "-w",
    "--restrict",
)
_emulator: dict[str, Any] = {"build": emulate, "sanitizer": None, "order": "random"}


class CUDADriverError(RuntimeError):
    """An error of the CUDA driver."""


def use_emulator(build: Build | None = None, sanitizer: str | None = None, order: str = "random") -> None:
    """Which emulator runs the kernels (None: that of tests/emulator), under which sanitizer, in which thread order."""
    _emulator.update(build=build or emulate, sanitizer=sanitizer, order=order)
    _built.cache_clear()


@lru_cache(maxsize=256)
def _built(code: str, include_dirs: tuple[str, ...], sanitizer: str | None) -> Any:
    return _emulator["build"](code, include_dirs, sanitizer=sanitizer)


def _compiled(code: str, options: tuple[str, ...]) -> Any:
    text, include_dirs = _prepared(code, options)
    return _built(text, include_dirs, _emulator["sanitizer"])


def _prepared(code: str, options: tuple[str, ...]) -> tuple[str, tuple[str, ...]]:
    """The source with the macros of the options, and the folders of its headers."""
    macros, folders, rest = [], [], list(options)
    while rest:
        option = rest.pop(0)
        if option in ("-I", "-D") and rest:
            option += rest.pop(0)
        if option.startswith(("-I", "--include-path=")):
            folders.append(option.removeprefix("-I").removeprefix("--include-path="))
        elif option.startswith(("-D", "--define-macro=")):
            name, _, value = option.removeprefix("-D").removeprefix("--define-macro=").partition("=")
            macros.append(f"#define {name} {value or 1}\n")
        elif not option.startswith(_IGNORED):
            raise ValueError(f"RawModule: the stand-in does not know the compiler option {option!r}")
    return "".join(macros) + ("#line 1\n" if macros else "") + code, tuple(folders)


class RawKernel:
    """A kernel of CUDA source."""

    def __init__(
        self,
        code: str,
        name: str,
        options: tuple[str, ...] = (),
        backend: str = "nvrtc",
        *,
        translate_cucomplex: bool = False,
        enable_cooperative_groups: bool = False,
        jitify: Any = None,
    ) -> None:
        _check_options(code, options, backend, translate_cucomplex, enable_cooperative_groups, jitify)
        self.code = code
        self.name = name
        self.options = options
        self.backend = backend
        self.enable_cooperative_groups = enable_cooperative_groups
        self._allowed_shared = DEFAULT_SHARED

    def compile(self, log_stream: Any = None) -> None:
        self._module()

    def _module(self) -> Any:
        module = _compiled(self.code, self.options)
        if self.name not in module.kernels:
            raise CUDADriverError(f"CUDA_ERROR_NOT_FOUND: named symbol not found ({self.name})")
        return module

    @property
    def max_dynamic_shared_size_bytes(self) -> int:
        return self._allowed_shared

    @max_dynamic_shared_size_bytes.setter
    def max_dynamic_shared_size_bytes(self, size: int) -> None:
        if not 0 <= size <= MOST_SHARED:
            raise CUDADriverError(f"CUDA_ERROR_INVALID_VALUE: {size} bytes of shared memory; at most {MOST_SHARED}")
        self._allowed_shared = max(size, DEFAULT_SHARED)

    def __call__(self, grid: Any, block: Any, args: Any, **kwargs: Any) -> None:
        shared = kwargs.pop("shared_mem", 0)
        kwargs.pop("stream", None)
        if kwargs:
            raise TypeError(f"{self.name}: unexpected keyword argument {next(iter(kwargs))!r}")
        module = self._module()
        check_geometry(self.name, grid, block)
        check_shared(self.name, shared, self._allowed_shared)
        values = checked_arguments(self.name, _parameter_types(module.kernels[self.name]), args)
        geometry = [tuple(int(n) for n in (*sizes, 1, 1)[:3]) for sizes in (grid, block)]
        seed = int(arbitrary.integers(2**31))
        extra = {"memory": live_buffers()} if _emulator["sanitizer"] else {}
        module.launch(
            self.name, *geometry, values, shared_mem=int(shared), order=_emulator["order"], seed=seed, **extra
        )


class RawModule:
    """CUDA source with kernels in it."""

    def __init__(
        self,
        *,
        code: str | None = None,
        path: str | None = None,
        options: tuple[str, ...] = (),
        backend: str = "nvrtc",
        translate_cucomplex: bool = False,
        enable_cooperative_groups: bool = False,
        name_expressions: Any = None,
        jitify: Any = None,
    ) -> None:
        if (code is None) == (path is None):
            raise TypeError("Exactly one of `code` and `path` keyword arguments must be given.")
        if code is None or name_expressions is not None:
            raise NotImplementedError('RawModule: the stand-in compiles source with extern "C" kernels only')
        _check_options(code, options, backend, translate_cucomplex, enable_cooperative_groups, jitify)
        self.code = code
        self.options = options
        self.backend = backend
        self.enable_cooperative_groups = enable_cooperative_groups

    def compile(self, log_stream: Any = None) -> None:
        _compiled(self.code, self.options)

    def get_function(self, name: str) -> RawKernel:
        """The kernel called `name`, compiled."""
        if not isinstance(name, str):
            raise TypeError(f"get_function: Expected str, got {type(name).__name__}")
        kernel = RawKernel(self.code, name, self.options)
        kernel.compile()
        return kernel


def _check_options(code: Any, options: Any, backend: Any, *unsupported: Any) -> None:
    if not isinstance(code, str):
        raise TypeError(f"code: Expected str, got {type(code).__name__}")
    if not isinstance(options, tuple) or not all(isinstance(o, str) for o in options):
        raise TypeError(f"options: Expected tuple of str, got {options!r}")
    if backend not in ("nvrtc", "nvcc"):
        raise ValueError(f"backend: expected nvrtc or nvcc, got {backend!r}")
    if any(unsupported):
        raise NotImplementedError("the stand-in has no cooperative launches, complex numbers or jitify")


def _parameter_types(kernel: Any) -> list[str]:
    """The C types of a kernel's parameters, of the emulator's description of it."""
    parameters = getattr(kernel, "parameters", kernel)
    return [p if isinstance(p, str) else str(p.type) for p in parameters]
