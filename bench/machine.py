"""The stamp on every result: what it ran on, without naming the host or any path."""

from __future__ import annotations

import importlib
import os
import platform
import re
import subprocess
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path
from typing import Any

import numpy as np

__all__ = ["machine_name", "stamp"]

ROOT = Path(__file__).resolve().parent.parent
PACKAGES = ("tensorgrad-engine", "numpy", "torch", "jax", "jaxlib", "optax")
BLAS_VARIABLES = (
    "OPENBLAS_NUM_THREADS",
    "OMP_NUM_THREADS",
    "MKL_NUM_THREADS",
    "OPENBLAS_CORETYPE",
    "OPENBLAS_L2_SIZE",
)
GOVERNOR = "/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor"


def stamp() -> dict[str, Any]:
    """CPU, Python, libraries, BLAS, date and commit of this run; what cannot be read is None."""
    return {
        "cpu": cpu_model(),
        "cores": usable_cores(),
        "governor": text_of(GOVERNOR),
        "load_before": load_average(),
        "system": f"{platform.system()} {platform.machine()}",
        "python": f"{platform.python_implementation()} {platform.python_version()}",
        "packages": {name: version for name in PACKAGES if (version := version_of(name))},
        "blas": blas(),
        "blas_variables": {name: os.environ[name] for name in BLAS_VARIABLES if name in os.environ},
        "date": datetime.now(UTC).strftime("%Y-%m-%d"),
        "commit": commit(),
    }


def machine_name(of: dict[str, Any]) -> str:
    """A file-name part for a stamp: the CPU model and the number of cores."""
    words = re.sub(r"\((r|tm)\)|@.*|\bcpu\b|processor", "", of["cpu"].lower())
    return f"{re.sub(r'[^a-z0-9]+', '-', words).strip('-')}-{of['cores']}c"


def cpu_model() -> str:
    """The processor's model name, from /proc/cpuinfo or sysctl where there is one."""
    match = re.search(r"^model name\s*:\s*(.+)$", text_of("/proc/cpuinfo") or "", re.MULTILINE)
    named = match.group(1).strip() if match else output_of("sysctl", "-n", "machdep.cpu.brand_string")
    return named or platform.processor() or platform.machine()


def usable_cores() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def load_average() -> float | None:
    return round(os.getloadavg()[0], 2) if hasattr(os, "getloadavg") else None


def blas() -> dict[str, Any]:
    """NumPy's BLAS as built; and, where threadpoolctl is installed, as loaded: kernels chosen and threads."""
    built: dict[str, Any] = dict(np.show_config(mode="dicts")["Build Dependencies"]["blas"])
    keys = ("name", "version", "openblas configuration")
    return {key: built.get(key) for key in keys} | {"loaded": loaded_blas()}


def loaded_blas() -> list[dict[str, Any]] | None:
    try:
        pools = importlib.import_module("threadpoolctl").threadpool_info()
    except ModuleNotFoundError:
        return None
    keys = ("internal_api", "version", "architecture", "num_threads")
    return [{key: pool.get(key) for key in keys} for pool in pools]


def commit() -> str | None:
    """The short hash of the checked-out commit, marked where tracked files differ from it."""
    number = output_of("git", "-C", str(ROOT), "rev-parse", "--short", "HEAD")
    changed = output_of("git", "-C", str(ROOT), "status", "--porcelain", "--untracked-files=no")
    return f"{number} with changes" if number and changed else number


def version_of(package: str) -> str | None:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return None


def text_of(path: str) -> str | None:
    try:
        return Path(path).read_text().strip()
    except OSError:
        return None


def output_of(*command: str) -> str | None:
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=10, check=True)
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout.strip() or None
