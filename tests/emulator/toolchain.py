"""Runs the host compiler, and keeps what it made: in a cache keyed by everything that went in."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterable, Sequence
from functools import cache
from pathlib import Path
from typing import NamedTuple

from .errors import BuildError

__all__ = ["RUNTIME", "SANITIZERS", "available", "build_executable", "build_library", "preprocess"]

RUNTIME = Path(__file__).parent / "runtime"

# -ffp-contract=off: results must not depend on the host's instruction set.
# -fno-strict-aliasing: kernels read float arrays through float4 pointers, as nvcc allows.
# -fno-gnu-unique: two loaded modules must not share the statics of a template.
_COMMON = (
    "-std=c++17 -fPIC -fvisibility=hidden -fno-gnu-unique -fno-exceptions -ffp-contract=off -fno-strict-aliasing"
).split()

# The call threshold makes every access a call of __asan_load / __asan_store, which init_check.cpp wraps.
_INSTRUMENT = {
    "alignment": "-O1 -fsanitize=alignment,null -fno-sanitize-recover=all",
    "address": "-O1 -g -fno-omit-frame-pointer -fsanitize=address,undefined -fno-sanitize-recover=all "
    "--param asan-instrumentation-with-call-threshold=0",
    "thread": "-O1 -g -fno-omit-frame-pointer -fsanitize=thread",
}


class Build(NamedTuple):
    """`instrument` is for the kernels' own file only: the runtime is never instrumented, it is told by `macros`."""

    instrument: tuple[str, ...]
    macros: tuple[str, ...]


SANITIZERS: dict[str | None, Build] = {
    None: Build(tuple(_INSTRUMENT["alignment"].split()), ()),
    "address,undefined": Build(tuple(_INSTRUMENT["address"].split()), ("-DEMU_ADDRESS",)),
    "thread": Build(tuple(_INSTRUMENT["thread"].split()), ("-DEMU_THREAD",)),
}

_LIBRARY_SOURCES = "fiber failure scheduler barrier warp shared_memory launch".split()
_WRAPPED = [f"__asan_{kind}{size}" for kind in ("load", "store") for size in (1, 2, 4, 8, 16, "N")]
_WRAPPED += ["memcpy", "memmove", "memset"]


def available() -> bool:
    """Whether the host compiler is there."""
    return shutil.which(_compiler()) is not None


def preprocess(source: Path | str, name: str, include_dirs: Sequence[Path], options: Sequence[str]) -> str:
    """The source with every macro expanded and markers that say which line came from where."""
    command = [_compiler(), "-E", "-x", "c++", "-std=c++17", f"-I{RUNTIME}", "-include", "emulator.h"]
    command += [f"-I{directory}" for directory in include_dirs] + list(options)
    if isinstance(source, Path):
        return _run([*command, str(source)])
    return _run([*command, "-"], f'#line 1 "{name}"\n{source}')


def build_library(text: str) -> Path:
    """A shared library of a rewritten source, for this process to load."""
    objects = _runtime(None, "alignment_check")
    kind = ["-shared", "-Wl,-Bsymbolic"]
    return _cached("so", [text, *objects], lambda target: _link(kind, None, text, objects, target))


def build_executable(text: str, sanitizer: str) -> Path:
    """A program that runs one launch under a sanitizer; see isolated.py."""
    address = "address" in sanitizer
    objects = _runtime(sanitizer, "runner", *(["init_check"] if address else []))
    kind = ["-rdynamic", *(f"-Wl,--wrap={name}" for name in _WRAPPED if address)]
    return _cached("exe", [text, sanitizer, *objects], lambda target: _link(kind, sanitizer, text, objects, target))


def _link(kind: list[str], sanitizer: str | None, text: str, objects: list[str], target: Path) -> None:
    instrument = SANITIZERS[sanitizer].instrument
    checks = [flag for flag in instrument if flag.startswith("-fsanitize")] if sanitizer else []
    _run([_compiler(), *_COMMON, *instrument, "-c", "-x", "c++", "-fpreprocessed", "-", "-o", f"{target}.o"], text)
    _run([_compiler(), *kind, *checks, f"{target}.o", *objects, "-ldl", "-o", str(target)])
    os.unlink(f"{target}.o")


def _runtime(sanitizer: str | None, *more: str) -> list[str]:
    return [str(_runtime_object(name, SANITIZERS[sanitizer].macros)) for name in (*_LIBRARY_SOURCES, *more)]


@cache
def _runtime_object(name: str, macros: tuple[str, ...]) -> Path:
    source = RUNTIME / f"{name}.cpp"
    command = [_compiler(), *_COMMON, "-O2", *(["-g"] if macros else []), *macros, "-c", str(source), "-o"]
    return _cached("o", [name, *macros, _runtime_digest()], lambda target: _run([*command, str(target)]))


@cache
def _runtime_digest() -> str:
    return _digest(path.read_text() for path in sorted(RUNTIME.iterdir()) if path.suffix in (".h", ".cpp"))


def _cached(suffix: str, key: Iterable[str], make: Callable[[Path], object]) -> Path:
    """The file made before for this key, or a new one. Another process may be making the same: the last one wins."""
    path = _directory() / f"{_digest([suffix, _compiler_version(), repr((_COMMON, SANITIZERS)), *key])}.{suffix}"
    if not path.exists():
        with tempfile.TemporaryDirectory(dir=_directory()) as scratch:
            made = Path(scratch) / path.name
            make(made)
            made.replace(path)
    return path


def _digest(parts: Iterable[str]) -> str:
    digest = hashlib.sha256()
    for part in parts:
        digest.update(f"{len(part)}:".encode() + part.encode())
    return digest.hexdigest()[:32]


@cache
def _directory() -> Path:
    """Owned by this user and closed to others: what lies in it is executed."""
    path = Path(tempfile.gettempdir()) / f"tensorgrad-emulator-{os.getuid()}"
    path.mkdir(mode=0o700, exist_ok=True)
    if path.stat().st_uid != os.getuid():
        raise BuildError(f"{path} belongs to somebody else")
    return path


def _compiler() -> str:
    return os.environ.get("CXX", "g++")


@cache
def _compiler_version() -> str:
    return _run([_compiler(), "--version"])


def _run(command: Sequence[str], text: str | None = None) -> str:
    try:
        done = subprocess.run(command, input=text, capture_output=True, text=True, check=False)
    except FileNotFoundError:
        raise BuildError(f"{command[0]} is not installed: the emulator needs g++ (or CXX=...)") from None
    if done.returncode:
        raise BuildError(f"{command[0]} failed:\n{done.stderr[:8000]}")
    return done.stdout
