"""`tensorgrad info`: what runs here, and on what."""

from __future__ import annotations

import argparse
import os
import platform
import warnings
from importlib import metadata

import numpy as np

from tensorgrad.backends import device, get_default_device
from tensorgrad.backends.device import automatic_types, why_unusable
from tensorgrad.config import first_set
from tensorgrad.errors import DeviceError
from tensorgrad.version import __version__

__all__ = ["run_info"]

# Of a BLAS, what says how many threads it has; else OMP_NUM_THREADS does.
_VARIABLES = {
    "mkl": "MKL_NUM_THREADS",
    "blis": "BLIS_NUM_THREADS",
    "accelerate": "VECLIB_MAXIMUM_THREADS",
    "openblas": "OPENBLAS_NUM_THREADS",
}


def run_info(arguments: argparse.Namespace) -> int:
    """Print it; return the exit code."""
    rows = {
        "tensorgrad": __version__,
        "python": f"{platform.python_version()} ({platform.python_implementation()})",
        "platform": platform.platform(),
        **{name: _version(name) for name in ("numpy", "safetensors", "rich", "matplotlib")},
        "BLAS": _blas(),
        "CPU threads": f"{_usable_threads()} usable of {os.cpu_count()}",
        "threads": _threads(),
        "default device": _default_device(),
        **{kind.upper(): _usability(kind) for kind in automatic_types()},
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


def _threads() -> str:
    """What says how many threads the BLAS has, or how to say it."""
    own = next((own for name, own in _VARIABLES.items() if name in _blas().lower()), "OPENBLAS_NUM_THREADS")
    found = first_set((own, "OMP_NUM_THREADS"))
    return f"{found} is set" if found else f"slow on a shared machine? set {own}=1"


def _usable_threads() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _default_device() -> str:
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            found = str(get_default_device())
        except DeviceError as reason:
            return f"none: {reason}"
    return f"{found} ({caught[0].message})" if caught else found


def _usability(kind: str) -> str:
    reason = why_unusable(kind)
    return f"usable ({device(kind)})" if reason is None else f"not usable: {reason}"
