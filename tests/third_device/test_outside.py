"""The command line there, and an installed package that brings the device."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.test_cli import Capture, fact, fails, run


# ---------------------------------------------------------------------- the command line
def test_the_command_line_trains_and_predicts_there(capsys: Capture, tmp_path: Path) -> None:
    arguments = ("train", "digits", "--epochs", "2", "--hidden", "16", "--quiet", "--save")
    here, there = (str(tmp_path / f"{name}.safetensors") for name in ("here", "there"))
    expected = run(capsys, *arguments, here, "--device", "cpu")
    output = run(capsys, *arguments, there, "--device", "third:1")
    assert fact(output, "device") == "third:1"
    for name in ("accuracy", "epochs", "parameters"):
        assert fact(output, name) == fact(expected, name)
    predictions = run(capsys, "predict", here, "digits", "--device", "cpu")
    assert run(capsys, "predict", there, "digits", "--device", "third") == predictions
    assert fails(capsys, *arguments, there, "--device", "third:9").endswith("there are 2, third:0 and third:1")


# ---------------------------------------------------------------------- a package that brings the device
@pytest.fixture
def install(tmp_path: Path) -> Callable[[str], dict[str, str]]:
    """A function that installs a package with that entry point, and gives the environment in which it is there."""

    def installed(value: str) -> dict[str, str]:
        info = tmp_path / "third_device-1.0.dist-info"
        info.mkdir()
        (info / "METADATA").write_text("Metadata-Version: 2.1\nName: third-device\nVersion: 1.0\n")
        (info / "entry_points.txt").write_text(f"[tensorgrad.devices]\nthird = {value}\n")
        outside = {k: v for k, v in os.environ.items() if not k.startswith("TENSORGRAD_")}
        return {**outside, "PYTHONPATH": os.pathsep.join([str(tmp_path), str(Path(__file__).parents[2])])}

    return installed


def _child(environment: dict[str, str], *arguments: str) -> tuple[int, str, str]:
    done = subprocess.run(
        [sys.executable, "-W", "error", *arguments], env=environment, capture_output=True, text=True, timeout=120
    )
    return done.returncode, done.stdout, done.stderr


TRAIN = ("-m", "tensorgrad.cli", "train", "digits", "--epochs", "1", "--hidden", "none", "--quiet", "--device")


def test_an_installed_package_brings_its_device(install: Callable[[str], dict[str, str]]) -> None:
    environment = install("tests.third_device.backend:register")
    code, output, complaints = _child(environment, *TRAIN, "third")
    assert (code, complaints) == (0, "")
    assert fact(output, "device") == "third:0"
    asked = (
        "import tensorgrad as tg; x = tg.ones(2).to('third:1'); print(x.device, tg.device('third'), tg.ones(1).device)"
    )
    assert _child({**environment, "TENSORGRAD_DEVICE": "third"}, "-c", asked) == (0, "third:1 third:0 third:0\n", "")
    code, _, complaints = _child(environment, *TRAIN, "thrid")
    assert code == 2
    assert "expected one of 'cpu', 'cuda', 'cuda:1', 'auto', got 'thrid'" in complaints


@pytest.mark.parametrize(
    ("value", "why"),
    [
        ("no_such_module:register", "ModuleNotFoundError: No module named 'no_such_module'"),
        ("tests.third_device.backend:COUNT", "TypeError: 'int' object is not callable"),
    ],
)
def test_a_package_that_fails_is_why_its_device_cannot_be_used(
    value: str, why: str, install: Callable[[str], dict[str, str]]
) -> None:
    environment = install(value)
    reason = f"{value}, which brings it, has failed ({why})"
    code, output, complaints = _child(environment, "-W", "default", *TRAIN, "third:1")
    assert (code, fact(output, "device")) == (0, "cpu")
    assert complaints == f"tensorgrad: warning: device 'third:1' cannot be used, running on the CPU: {reason}\n"
    code, _, complaints = _child({**environment, "TENSORGRAD_STRICT_DEVICE": "1"}, *TRAIN, "third")
    assert (code, complaints) == (2, f"tensorgrad: error: device 'third' cannot be used: {reason}\n")


def test_packages_are_looked_through_for_unknown_names_only() -> None:
    code = (
        "import sys, tensorgrad as tg\n"
        "tg.ones(2).to('cpu').to(tg.device('auto')).to('float64')\n"
        "print('tensorgrad.backends.outside' in sys.modules)\n"
        "try: tg.device('third')\n"
        "except tg.DeviceError: print('tensorgrad.backends.outside' in sys.modules)"
    )
    assert _child(dict(os.environ), "-c", code) == (0, "False\nTrue\n", "")
