"""`import tensorgrad` costs little: it loads NumPy and itself, and nothing that most programs do not need."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

import tensorgrad as tg

HEAVY = (
    "cupy",
    "torch",
    "jax",
    "scipy",
    "matplotlib",
    "rich",
    "safetensors",
    "pandas",
    "sklearn",
    "pytest",
    "numba",
    "multiprocessing",
    "unittest",
    "pydoc",
)


def _run(code: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
        env={**os.environ, "OPENBLAS_NUM_THREADS": "1"},
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def _loaded_by(statement: str) -> set[str]:
    return set(_run(f"import sys\n{statement}\nprint(' '.join(sys.modules))").split())


def test_nothing_heavy_is_imported() -> None:
    loaded = _loaded_by("import tensorgrad")
    by_numpy = _loaded_by("import numpy")
    assert {m for m in HEAVY if m in loaded and m not in by_numpy} == set()


def test_training_does_not_import_it_either() -> None:
    loaded = _loaded_by(
        "import tensorgrad as tg\n"
        "model = tg.nn.MLP([2, 3, 2])\n"
        "optimizer = tg.optim.Adam(model.parameters())\n"
        "tg.nn.functional.cross_entropy(model(tg.ones(4, 2)), tg.tensor([0, 1, 0, 1])).backward()\n"
        "optimizer.step()"
    )
    assert loaded & {"cupy", "torch", "scipy", "matplotlib"} == set()


# Files that are imported when a CUDA device is started, and not before.
OF_CUPY = ("cuda.backend", "cuda.extremes", "cuda.results", "cuda.sums")


def test_importing_every_module_does_not_import_cupy() -> None:
    code = (
        "import sys, pkgutil, importlib, tensorgrad\n"
        f"OF_CUPY = {OF_CUPY}\n"
        "for m in pkgutil.walk_packages(tensorgrad.__path__, 'tensorgrad.'):\n"
        "    if not m.name.endswith(('__main__', *OF_CUPY)): importlib.import_module(m.name)\n"
        "print('cupy' in sys.modules)"
    )
    assert _run(code) == "False"


def test_importing_prints_nothing_and_warns_of_nothing() -> None:
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", "import tensorgrad"], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_the_import_stays_small() -> None:
    """How long it takes is measured by `bench.import_time`; this is what it loads: the core, and nothing else."""
    added = _loaded_by("import tensorgrad") - _loaded_by("import numpy")
    assert {m for m in added if m.split(".")[0] != "tensorgrad"} <= {"__future__", "copy", "threading"}
    late = ("nn", "optim", "data", "train", "checkpoint", "cli")
    assert {m for m in added if m.split(".")[1:2] and m.split(".")[1] in late} == set()


def test_the_public_names_are_there() -> None:
    assert len(set(tg.__all__)) == len(tg.__all__) > 100
    missing = [name for name in tg.__all__ if not hasattr(tg, name)]
    assert missing == []
    assert callable(tg.tensor)
    assert tg.__version__


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no_such_name"):
        _ = tg.no_such_name  # type: ignore[attr-defined]
