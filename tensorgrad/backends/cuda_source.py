"""Where the kernels' sources are, what is in them, their digest, and how they are compiled."""

from __future__ import annotations

import hashlib
from functools import lru_cache
from pathlib import Path

from tensorgrad.errors import DeviceError

__all__ = ["compile_options", "kernel_digest", "kernel_folder", "kernel_source"]


@lru_cache(maxsize=1)
def kernel_folder() -> Path:
    """The folder of the `.cu` and `.h` files: in an installed package beside it, in a checkout at its root."""
    package = Path(__file__).resolve().parent.parent
    for folder in (package / "_kernels", package.parent / "kernels"):
        if (folder / "launch.cuh").exists():
            return folder
    raise DeviceError("the sources of the CUDA kernels are missing from this installation of tensorgrad; reinstall it")


@lru_cache(maxsize=64)
def kernel_source(file: str) -> str:
    """The text of one file."""
    return (kernel_folder() / file).read_text(encoding="utf8")


@lru_cache(maxsize=1)
def kernel_digest() -> str:
    """A digest of all sources. CuPy's cache of compiled kernels does not look into the headers that a source includes,
    so the digest goes with the compiler's options, which it does look at."""
    total = hashlib.sha256()
    for path in sorted(kernel_folder().iterdir()):
        if path.suffix in (".cu", ".cuh", ".h"):
            total.update(path.name.encode() + b"\0" + path.read_bytes() + b"\0")
    return total.hexdigest()[:16]


def compile_options(suffix: str | None = None) -> tuple[str, ...]:
    """What every compiler is told of a source. Of all its kernels (None), or of those whose names end in the suffix of
    one dtype, and those without one ("": the latter alone)."""
    options = ("-std=c++17", f"-I{kernel_folder()}", f"-DTENSORGRAD_DIGEST={kernel_digest()}")
    return options if suffix is None else (*options, f"-DTENSORGRAD_DTYPE={suffix or 'none'}")
