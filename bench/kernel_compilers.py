"""CUDA compilers that need no driver, behind one method: compile a file for an architecture as CuPy will, and read what
ptxas says.
"""

from __future__ import annotations

import ctypes
import hashlib
import importlib
import json
import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from importlib import metadata
from pathlib import Path
from typing import Any, ClassVar, Protocol

from tensorgrad.backends.kernel_files import compile_options, kernel_folder

__all__ = ["Compiled", "Compiler", "Remembering", "Usage", "find_compiler", "parse_usage"]


@dataclass(frozen=True)
class Usage:
    """What one kernel takes: registers a thread, bytes of static shared memory, stack and spills."""

    kernel: str
    registers: int
    shared: int
    stack: int
    spill: int


@dataclass(frozen=True)
class Compiled:
    """One file for one architecture: what its kernels take, or why it does not compile."""

    file: str
    architecture: int
    usages: tuple[Usage, ...] = ()
    error: str = ""

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


class Compiler(Protocol):
    name: str

    def compile(self, file: str, architecture: int, suffix: str | None = None) -> Compiled:
        """All kernels of a file (below kernels/, or an absolute path), or those of one dtype: see `compile_options`."""


class CompileError(Exception):
    """A source does not compile; the message is the compiler's log."""


def find_compiler() -> Compiler | None:
    """The first compiler that this machine has."""
    for make in (CupyNvrtc, WheelNvrtc, Nvcc):
        try:
            return make()
        except (ImportError, OSError):
            continue
    return None


def parse_usage(log: str) -> tuple[Usage, ...]:
    """The kernels in a log of `ptxas -v`."""
    parts = re.split(r"Compiling entry function '(\w+)' for '\w+'", log)
    return tuple(_usage(kernel, text) for kernel, text in zip(parts[1::2], parts[2::2], strict=True))


def _usage(kernel: str, text: str) -> Usage:
    frame = re.search(r"(\d+) bytes stack frame, (\d+) bytes spill stores, (\d+) bytes spill loads", text)
    registers = re.search(r"Used (\d+) registers", text)
    if frame is None or registers is None:
        raise CompileError(f"the compiler's log says nothing of {kernel}:\n{text}")
    shared = re.search(r"(\d+) bytes smem", text)
    stack, stores, loads = map(int, frame.groups())
    return Usage(kernel, int(registers[1]), int(shared[1]) if shared else 0, stack, max(stores, loads))


class _Base:
    cupys: ClassVar[tuple[str, ...]] = ("-ftz=true", "--device-as-default-execution-space")  # what CuPy adds

    def compile(self, file: str, architecture: int, suffix: str | None = None) -> Compiled:
        options = [f"-arch=sm_{architecture}", *self.cupys, *compile_options(suffix)]
        try:
            return Compiled(file, architecture, parse_usage(self._log(kernel_folder() / file, options)))
        except CompileError as error:
            return Compiled(file, architecture, error=str(error))

    def _log(self, file: Path, options: list[str]) -> str:
        """What the compiler prints with `ptxas -v`; raises CompileError."""
        raise NotImplementedError


class Remembering:
    """A compiler that keeps what it found in `folder`, until it, the file, or any header in `sources` (by default
    kernels/) changes. Errors are found anew."""

    def __init__(self, compiler: Compiler, folder: Path, sources: Path | None = None) -> None:
        self._compiler = compiler
        self._folder = folder
        self._sources = sources or kernel_folder()
        self.name = compiler.name

    def compile(self, file: str, architecture: int, suffix: str | None = None) -> Compiled:
        kept = self._folder / f"{self._key(file, architecture, suffix)}.json"
        if kept.exists():
            usages = json.loads(kept.read_text())
            return Compiled(file, architecture, tuple(Usage(**usage) for usage in usages))
        result = self._compiler.compile(file, architecture, suffix)
        if not result.error:
            self._folder.mkdir(parents=True, exist_ok=True)
            scratch = kept.with_suffix(f".{os.getpid()}")
            scratch.write_text(json.dumps(result.as_json()["usages"]))
            scratch.replace(kept)
        return result

    def _key(self, file: str, architecture: int, suffix: str | None) -> str:
        headers = sorted(path for path in self._sources.rglob("*") if path.suffix in (".h", ".cuh"))
        options = (*_Base.cupys, *(option for option in compile_options(suffix) if "DIGEST" not in option))
        digest = hashlib.sha256(" ".join((self.name, str(architecture), *options)).encode())
        for path in (self._sources / file, *headers):
            digest.update(f"\0{path.relative_to(self._sources)}\0".encode() + path.read_bytes())
        return digest.hexdigest()[:32]


class CupyNvrtc(_Base):
    """NVRTC as CuPy finds it."""

    def __init__(self) -> None:
        self._nvrtc: Any = importlib.import_module("cupy_backends.cuda.libs.nvrtc")
        major, minor = self._nvrtc.getVersion()
        self.name = f"NVRTC {major}.{minor} (CuPy)"

    def _log(self, file: Path, options: list[str]) -> str:
        nvrtc = self._nvrtc
        program = nvrtc.createProgram(file.read_text(), file.name, [], [])
        try:
            nvrtc.compileProgram(program, (*options, "--ptxas-options=-v"))
            return str(nvrtc.getProgramLog(program))
        except nvrtc.NVRTCError as error:
            raise CompileError(nvrtc.getProgramLog(program)) from error
        finally:
            nvrtc.destroyProgram(program)


class WheelNvrtc(_Base):
    """NVRTC of the package nvidia-cuda-nvrtc, through ctypes."""

    def __init__(self) -> None:
        self._library = ctypes.CDLL(str(next(_wheel_libraries(), "libnvrtc.so.13")))
        major, minor = ctypes.c_int(), ctypes.c_int()
        self._library.nvrtcVersion(ctypes.byref(major), ctypes.byref(minor))
        self.name = f"NVRTC {major.value}.{minor.value}"

    def _log(self, file: Path, options: list[str]) -> str:
        library, program = self._library, ctypes.c_void_p()
        source = file.read_bytes()
        if library.nvrtcCreateProgram(ctypes.byref(program), source, file.name.encode(), 0, None, None):
            raise CompileError("nvrtcCreateProgram failed")
        words = [option.encode() for option in (*options, "--ptxas-options=-v")]
        failed = library.nvrtcCompileProgram(program, len(words), (ctypes.c_char_p * len(words))(*words))
        log = self._program_log(program)
        library.nvrtcDestroyProgram(ctypes.byref(program))
        if failed:
            raise CompileError(log)
        return log

    def _program_log(self, program: ctypes.c_void_p) -> str:
        size = ctypes.c_size_t()
        self._library.nvrtcGetProgramLogSize(program, ctypes.byref(size))
        text = ctypes.create_string_buffer(size.value)
        self._library.nvrtcGetProgramLog(program, text)
        return text.value.decode()


def _wheel_libraries() -> Iterator[Path]:
    for package in ("nvidia-cuda-nvrtc", "nvidia-cuda-nvrtc-cu12"):
        try:
            files = metadata.files(package) or []
        except metadata.PackageNotFoundError:
            continue
        for file in files:
            if re.fullmatch(r"libnvrtc\.so\.\d+", file.name):
                yield Path(str(file.locate()))


class Nvcc(_Base):
    """nvcc on PATH."""

    cupys = ("-ftz=true",)  # it does not know the other

    def __init__(self) -> None:
        found = shutil.which("nvcc")
        if found is None:
            raise FileNotFoundError("nvcc")
        self._command = found
        version = subprocess.run([found, "--version"], capture_output=True, text=True, check=True).stdout
        release = re.search(r"release ([\d.]+)", version)
        self.name = f"nvcc {release[1] if release else ''}".strip()

    def _log(self, file: Path, options: list[str]) -> str:
        with tempfile.TemporaryDirectory() as folder:
            target = ["-cubin", "-o", f"{folder}/kernel.cubin"]
            command = [self._command, *options, "-Xptxas=-v", *target, str(file)]
            done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            raise CompileError(done.stderr)
        return done.stderr
