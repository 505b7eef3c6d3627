"""The command line and the device: `info`, and what is said where CUDA cannot be used."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import tensorgrad as tg
from tensorgrad.backends.cuda.available import NOT_INSTALLED
from tensorgrad.cli import main
from tests.test_cli import Capture, fact, fails, hide_cuda, run

registry: Any = sys.modules["tensorgrad.backends.device"]


def test_info(capsys: Capture, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "BLIS_NUM_THREADS", "OMP_NUM_THREADS"):
        monkeypatch.delenv(name, raising=False)
    output = run(capsys, "info")
    assert fact(output, "tensorgrad") == tg.__version__
    assert fact(output, "numpy") == np.__version__
    assert "usable" in fact(output, "CUDA")
    assert re.fullmatch(r"slow on a shared machine\? set \w+_NUM_THREADS=1", fact(output, "threads"))
    assert "BLAS" in output


@pytest.mark.parametrize(
    ("blas", "variable"),
    [
        ("scipy-openblas", "OPENBLAS_NUM_THREADS"),
        ("mkl-sdl", "MKL_NUM_THREADS"),
        ("blis", "BLIS_NUM_THREADS"),
        ("accelerate", "VECLIB_MAXIMUM_THREADS"),
        ("unknown", "OPENBLAS_NUM_THREADS"),
    ],
)
def test_info_does_not_say_to_set_what_is_set(
    capsys: Capture, monkeypatch: pytest.MonkeyPatch, blas: str, variable: str
) -> None:
    found = {"Build Dependencies": {"blas": {"name": blas, "version": "1"}}}
    monkeypatch.setattr(np, "show_config", lambda mode: found)
    for name in (variable, "OMP_NUM_THREADS"):
        monkeypatch.delenv(name, raising=False)
    assert fact(run(capsys, "info"), "threads").endswith(f"set {variable}=1")
    monkeypatch.setenv("OMP_NUM_THREADS", "2")
    assert fact(run(capsys, "info"), "threads") == "OMP_NUM_THREADS=2 is set"
    monkeypatch.setenv(variable, "1")
    assert fact(run(capsys, "info"), "threads") == f"{variable}=1 is set"


def _info(**environment: str) -> tuple[int, str, str]:
    """Exit code, output and complaints where no GPU can be used."""
    outside = {k: v for k, v in os.environ.items() if not k.startswith("TENSORGRAD_")}
    done = subprocess.run(
        [sys.executable, "-W", "error", "-m", "tensorgrad.cli", "info"],
        capture_output=True,
        text=True,
        env={**outside, **environment, "CUDA_VISIBLE_DEVICES": ""},
    )
    return done.returncode, done.stdout, done.stderr


@pytest.mark.parametrize(
    ("environment", "device"),
    [
        ({}, "cpu"),
        ({"TENSORGRAD_DEVICE": "auto"}, "cpu"),
        ({"TENSORGRAD_DEVICE": "gpu"}, r"none: TENSORGRAD_DEVICE: expected one of 'cpu', .*, got 'gpu'"),
        (
            {"TENSORGRAD_DEVICE": "cuda:1"},
            r"cpu \(TENSORGRAD_DEVICE='cuda:1' cannot be used, running on the CPU: (.*)\)",
        ),
        (
            {"TENSORGRAD_DEVICE": "cuda", "TENSORGRAD_STRICT_DEVICE": "1"},
            r"none: TENSORGRAD_DEVICE='cuda' cannot be used: (.*)",
        ),
    ],
)
def test_info_is_printed_whatever_the_environment_says(environment: dict[str, str], device: str) -> None:
    code, output, complaints = _info(**environment)
    assert (code, complaints) == (0, "")
    found = re.fullmatch(device, fact(output[output.index("default") :], "default").removeprefix("device").strip())
    assert found is not None
    assert fact(output, "CUDA").startswith("not usable: ")
    if found.groups():
        assert fact(output, "CUDA") == f"not usable: {found[1]}"


@pytest.fixture
def no_cuda(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """A function after which CUDA cannot be used, for the reason it is given."""
    return lambda reason: hide_cuda(monkeypatch, reason)


def test_train_says_why_it_does_not_use_the_gpu(
    capsys: Capture, no_cuda: Callable[[str], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    arguments = ("train", "digits", "--epochs", "1", "--hidden", "none", "--quiet")
    no_cuda("the driver sleeps")
    assert fact(run(capsys, *arguments), "device") == "cpu (no CUDA: the driver sleeps)"
    assert fact(run(capsys, *arguments, "--device", "cpu"), "device") == "cpu"
    monkeypatch.setattr(warnings, "filters", [])  # as in a process of its own: a warning is no error
    assert main([*arguments, "--device", "cuda"]) == 0
    shown = capsys.readouterr()
    assert fact(shown.out, "device") == "cpu"
    assert shown.err == ("tensorgrad: warning: device 'cuda' cannot be used, running on the CPU: the driver sleeps\n")
    no_cuda(NOT_INSTALLED)  # nobody expects a GPU there
    assert fact(run(capsys, *arguments), "device") == "cpu"


def test_a_device_that_is_not_there_is_one_line(capsys: Capture, monkeypatch: pytest.MonkeyPatch) -> None:
    def make(index: int | None) -> Any:
        if index:
            raise tg.DeviceError("there is one")
        return tg.device("cpu").backend

    for name, value in (
        ("_devices", {**registry._devices}),
        ("_factories", {**registry._factories}),
        ("_failures", {}),
    ):
        monkeypatch.setattr(registry, name, value)
    registry.register_backend("cuda", make)
    assert fails(capsys, "train", "digits", "--device", "cuda:4").endswith("'cuda:4' cannot be used: there is one")
