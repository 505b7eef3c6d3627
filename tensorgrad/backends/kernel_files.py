"""Where the kernels' sources are, which of them holds a kernel, their digest, and how they are compiled."""

from __future__ import annotations

import hashlib
import re
from functools import lru_cache
from pathlib import Path

from tensorgrad.errors import ArgumentError, DeviceError

__all__ = [
    "FLOATS",
    "INTEGERS",
    "SUFFIXES",
    "all_sources",
    "compile_options",
    "dtype_suffix_of",
    "kernel_digest",
    "kernel_folder",
    "kernel_source",
    "source_of",
]

FLOATS = ("float32", "float64", "float16")
INTEGERS = ("int64", "int32", "int16", "int8", "uint8")
# Of a kernel's name, by the name of the dtype that it works on.
SUFFIXES = dict(zip((*FLOATS, *INTEGERS), "f32 f64 f16 i64 i32 i16 i8 u8".split(), strict=True))


@lru_cache(maxsize=1)
def kernel_folder() -> Path:
    """The folder that holds common/ and one folder a family: in an installed package within it, in a checkout at its
    root."""
    package = Path(__file__).resolve().parent.parent
    for folder in (package / "_kernels", package.parent / "kernels"):
        if (folder / "common" / "launch.cuh").exists():
            return folder
    raise DeviceError("the sources of the CUDA kernels are missing from this installation of tensorgrad; reinstall it")


def all_sources() -> list[str]:
    """Every file of the sources, headers too, by its path below `kernel_folder()`, in order."""
    folder = kernel_folder()
    return sorted(p.relative_to(folder).as_posix() for p in folder.glob("*/*") if p.suffix in (".cu", ".cuh", ".h"))


@lru_cache(maxsize=64)
def kernel_source(file: str) -> str:
    """The text of one of `all_sources()`."""
    return (kernel_folder() / file).read_text(encoding="utf8")


@lru_cache(maxsize=1)
def kernel_digest() -> str:
    """A digest of all sources. CuPy's cache of compiled kernels does not look into the headers that a source includes,
    so the digest goes with the compiler's options, which it does look at."""
    total = hashlib.sha256()
    for file in all_sources():
        total.update(file.encode() + b"\0" + kernel_source(file).encode() + b"\0")
    return total.hexdigest()[:16]


def compile_options(suffix: str | None = None) -> tuple[str, ...]:
    """What every compiler is told of a source. Of all its kernels (None), or of those whose names end in the suffix of
    one dtype, and those without one ("": the latter alone)."""
    options = ("-std=c++17", f"-I{kernel_folder()}", f"-DTENSORGRAD_DIGEST={kernel_digest()}")
    return options if suffix is None else (*options, f"-DTENSORGRAD_DTYPE={suffix or 'none'}")


# ---------------------------------------------------------------------- names
# Which file holds a kernel: by its name without the suffix of the dtype, _backward and _backward_bias.
_FILES = {
    "activation/relu.cu": "relu leaky_relu",
    "activation/gelu.cu": "gelu gelu_tanh",
    "activation/sigmoid.cu": "sigmoid",
    "activation/tanh.cu": "tanh",
    "activation/silu.cu": "silu",
    "activation/softmax.cu": "softmax log_softmax",
    "loss/softmax_cross_entropy.cu": "softmax_cross_entropy",
    "reduce/column_sums.cu": "column_sums column_finish",
    "check/check.cu": "check_bounds wrap_indices check_range",
    "optimizer/adam.cu": "adam adam_prepare",
    "optimizer/sgd.cu": "sgd sgd_prepare",
    "optimizer/rmsprop.cu": "rmsprop rmsprop_prepare",
    "optimizer/adagrad.cu": "adagrad adagrad_prepare",
    "optimizer/norm.cu": "norm_parts norm_finish scale_tensors clamp_tensors",
    "random/philox.cu": "random_bits random_words64 random_integers random_uniform random_normal random_bernoulli",
    "random/dropout.cu": "dropout",
}
_SOURCES = {name: file for file, names in _FILES.items() for name in names.split()}
_ENDINGS = re.compile(rf"(_backward|_backward_bias)?(_({'|'.join(SUFFIXES.values())}))?$")


def source_of(kernel: str) -> str:
    """The file of kernels/ that holds a kernel: `source_of("gelu_backward_f32") == "activation/gelu.cu"`."""
    file = _SOURCES.get(_ENDINGS.sub("", kernel))
    if file is None:
        raise ArgumentError(f"source_of: no file of kernels/ holds {kernel!r}; there are {', '.join(_SOURCES)}")
    return file


def dtype_suffix_of(kernel: str) -> str:
    """What a kernel's name says of its dtype: `dtype_suffix_of("adam_f32") == "f32"`, `("adam_prepare") == ""`."""
    last = kernel.rpartition("_")[2]
    return last if last in SUFFIXES.values() else ""
