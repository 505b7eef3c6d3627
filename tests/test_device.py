"""Devices: names, the default, and what happens where one cannot be used."""

from __future__ import annotations

import copy
import subprocess
import sys
import warnings
from collections.abc import Callable, Iterator
from typing import Any

import pytest

import tensorgrad as tg
from tensorgrad.backends import device as device_module
from tensorgrad.backends import register_backend
from tensorgrad.errors import DeviceError

registry: Any = sys.modules["tensorgrad.backends.device"]


def _refuse(index: int | None) -> Any:
    raise DeviceError("no such card in this machine")


@pytest.fixture(autouse=True)
def _without_cuda(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Whatever this machine has: "cuda" cannot be used, and nobody has been warned yet."""
    monkeypatch.setattr(registry, "_factories", {**registry._factories, "cuda": _refuse})
    monkeypatch.setattr(registry, "_devices", dict(registry._devices))
    monkeypatch.setattr(registry, "_warned", set())
    monkeypatch.setattr(registry, "_failures", {})
    for key in [k for k in registry._devices if k[0] == "cuda"]:
        del registry._devices[key]
    before = tg.get_default_device()
    yield
    tg.set_strict_device(False)
    tg.set_default_device(before)


def test_the_cpu_is_one_device() -> None:
    cpu = tg.device("cpu")
    assert cpu is tg.device("cpu") is tg.device("cpu:0") is tg.device(cpu)
    assert str(cpu) == "cpu"
    assert repr(cpu) == "device('cpu')"
    assert cpu.type == "cpu"
    assert cpu.index is None
    assert copy.deepcopy(cpu) is cpu
    assert device_module("cpu") is cpu


def test_tensors_say_where_they_are() -> None:
    assert tg.ones(2).device is tg.device("cpu")
    assert tg.ones(2, device="cpu").device.type == "cpu"
    assert tg.zeros_like(tg.ones(2)).device is tg.device("cpu")


@pytest.mark.parametrize("name", ["gpu", "CPU", "cuda:", "cuda:x", "", "cpu0", "mps", 0, 1.5])
def test_unknown_names_are_refused(name: Any) -> None:
    with pytest.raises(tg.DeviceError, match=r"device: expected one of .*'cpu'.*'cuda:1', 'auto', got "):
        tg.device(name)
    with pytest.raises(tg.DeviceError):
        tg.ones(2, device=name)


def test_a_device_that_cannot_be_used_is_the_cpu_with_one_warning() -> None:
    with pytest.warns(UserWarning, match=r"'cuda' cannot be used, running on the CPU: no such card") as caught:
        x = tg.ones(2, device="cuda")
    assert len(caught) == 1
    assert x.device.type == "cpu"
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert tg.device("cuda") is tg.device("cpu")
        assert tg.ones(2).to("cuda").device.type == "cpu"
        assert tg.ones(2).cuda().device.type == "cpu"


def test_the_warning_points_at_the_callers_line() -> None:
    with pytest.warns(UserWarning, match="cannot be used") as caught:
        tg.device("cuda")
    assert caught[0].filename == __file__


def test_however_deep_the_question_was_asked() -> None:
    questions: list[Callable[[], object]] = [
        lambda: tg.ones(1).to("cuda"),
        lambda: tg.nn.Linear(1, 1).cuda(),
        lambda: tg.nn.MLP([2, 2], device="cuda"),
        lambda: tg.data.digits(device="cuda"),
        lambda: tg.set_default_device("cuda"),
    ]
    for ask in questions:
        registry._warned.clear()
        with pytest.warns(UserWarning, match="cannot be used") as caught:
            ask()
        assert [(w.filename, w.lineno) for w in caught] == [(__file__, ask.__code__.co_firstlineno)]


def test_in_strict_mode_it_is_an_error() -> None:
    tg.set_strict_device(True)
    with pytest.raises(tg.DeviceError, match="no such card"):
        tg.device("cuda:1")
    with pytest.raises(tg.DeviceError, match="no such card"):
        tg.ones(2, device="cuda")
    assert tg.device("auto") is tg.device("cpu")
    tg.set_strict_device(False)
    with pytest.warns(UserWarning, match="cuda:1"):
        assert tg.device("cuda:1") is tg.device("cpu")


def test_auto_takes_the_cpu_in_silence() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert tg.device("auto") is tg.device("cpu")


def test_auto_takes_cuda_where_it_can_be_used() -> None:
    cpu = tg.device("cpu").backend
    indices = []
    register_backend("cuda", lambda index: indices.append(index) or cpu)  # type: ignore[func-returns-value]
    found = tg.device("auto")
    assert str(found) == "cuda:0"
    assert (found.type, found.index) == ("cuda", 0)
    assert found is tg.device("cuda") is tg.device("cuda:0") is tg.device("cuda:00")
    assert str(tg.device("cuda:1")) == "cuda:1"
    assert tg.device("cuda:1") is not found
    assert indices == [0, 1]


def test_an_unusable_device_is_tried_once() -> None:
    tries = []

    def refuse(index: int | None) -> Any:
        tries.append(index)
        raise DeviceError("no such card in this machine")

    register_backend("cuda", refuse)
    with pytest.warns(UserWarning, match="no such card"):
        tg.device("cuda")
    for _ in range(3):
        assert tg.device("cuda") is tg.device("auto") is tg.device("cpu")
    tg.set_strict_device(True)
    for _ in range(2):
        with pytest.raises(tg.DeviceError, match="no such card"):
            tg.device("cuda:0")
    assert tries == [0]
    register_backend("cuda", lambda index: tg.device("cpu").backend)
    assert str(tg.device("cuda")) == "cuda:0"


def test_the_default_device() -> None:
    register_backend("other", lambda index: tg.device("cpu").backend)
    tg.set_default_device("other")
    assert str(tg.get_default_device()) == "other"
    assert str(tg.ones(2).device) == "other"
    assert str(tg.tensor([1.0]).device) == "other"
    assert str(tg.device()) == "other"
    assert tg.ones(2, device="cpu").device.type == "cpu"


def test_operands_on_two_devices_are_an_error_that_names_them() -> None:
    register_backend("other", lambda index: tg.device("cpu").backend)
    x, y = tg.ones(2), tg.ones(2, device="other")
    with pytest.raises(tg.DeviceError, match=r"multiply: .*operand 0 on cpu, operand 1 on other; .*\.to\(device\)"):
        x * y


def _child(code: str, **environment: str) -> subprocess.CompletedProcess[str]:
    import os

    variables = {k: v for k, v in os.environ.items() if not k.startswith("TENSORGRAD_")}
    return subprocess.run(
        [sys.executable, "-c", code],
        env={**variables, **environment, "CUDA_VISIBLE_DEVICES": ""},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


def test_the_environment_sets_the_default_and_the_strictness() -> None:
    code = "import tensorgrad as tg; print(tg.ones(1).device)"
    assert _child(code).stdout == "cpu\n"
    fallen = _child(code, TENSORGRAD_DEVICE="cuda")
    assert fallen.stdout == "cpu\n"
    assert fallen.stderr.count("cannot be used") == 1
    strict = _child(code, TENSORGRAD_DEVICE="cuda", TENSORGRAD_STRICT_DEVICE="1")
    assert strict.returncode == 1
    assert "DeviceError" in strict.stderr
    assert _child(code, TENSORGRAD_STRICT_DEVICE="1").stdout == "cpu\n"
