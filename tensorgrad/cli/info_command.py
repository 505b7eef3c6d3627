"""`tensorgrad info`: what runs here, and on what."""

from __future__ import annotations

import argparse
import os
import platform
from importlib import metadata

import numpy as np

from tensorgrad import config
from tensorgrad.backends import device, get_default_device
from tensorgrad.errors import DeviceError
from tensorgrad.version import __version__

__all__ = ["run_info"]


def run_info(arguments: argparse.Namespace) -> int:
    """Print it; return the exit code."""
    rows = {
        "tensorgrad": __version__,
        "python": f"{platform.python_version()} ({platform.python_implementation()})",
        "platform": platform.platform(),
        **{name: _version(name) for name in ("numpy", "safetensors", "rich", "matplotlib")},
        "BLAS": _blas(),
        "CPU threads": f"{_usable_threads()} usable of {os.cpu_count()}",
        "threads": f"slow on a shared machine? set {_threads_variable()}=1",
        "default device": str(get_default_device()),
        "CUDA": _cuda(),
    }
    width = max(len(name) for name in rows)
    for name, value in rows.items():
        print(f"{name:<{width}}  {value}")
    return 0


def _version(package: str) -> str:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return "not installed"


def _blas() -> str:
    blas = np.show_config(mode="dicts").get("Build Dependencies", {}).get("blas", {})
    return f"{blas.get('name', 'unknown')} {blas.get('version', '')} (NumPy's)".replace("  ", " ")


def _threads_variable() -> str:
    return "MKL_NUM_THREADS" if "mkl" in _blas().lower() else "OPENBLAS_NUM_THREADS"


def _usable_threads() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _cuda() -> str:
    strict = config.strict_device()
    config.set_strict_device(True)
    try:
        return f"usable ({device('cuda')})"
    except DeviceError as reason:
        return f"not usable: {reason}"
    finally:
        config.set_strict_device(strict)
