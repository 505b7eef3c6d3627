"""Devices: names, the default, and what happens where one cannot be used."""

from __future__ import annotations

import copy
import re
import subprocess
import sys
import warnings
from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

import tensorgrad as tg
from tensorgrad.backends import device as device_module
from tensorgrad.backends import register_backend
from tensorgrad.backends.cpu.backend import CpuBackend
from tensorgrad.errors import DeviceError

registry: Any = sys.modules["tensorgrad.backends.device"]


def foreign(kind: str, index: Any = None) -> Any:
    """A device of another library."""
    return SimpleNamespace(type=kind, index=index)


class Elsewhere(CpuBackend):
    """The CPU, but what comes from the host is copied, as it is to a device."""

    @staticmethod
    def asarray(data: Any, *, dtype: Any = None) -> Any:
        return np.array(data, dtype)


def give(count: int) -> None:
    """From now on there are so many CUDA devices, which are the CPU by another name."""

    def make(index: int | None) -> Any:
        if index is None or index >= count:
            raise DeviceError(f"there are only {count}")
        return Elsewhere()

    register_backend("cuda", make, numbered=True)


def _refuse(index: int | None) -> Any:
    raise DeviceError("no such card in this machine")


@pytest.fixture(autouse=True)
def _without_cuda(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Whatever this machine has: "cuda" cannot be used, and nobody has been warned yet."""
    before = tg.get_default_device()
    monkeypatch.setattr(registry, "_factories", {**registry._factories, "cuda": _refuse})
    monkeypatch.setattr(registry, "_devices", dict(registry._devices))
    monkeypatch.setattr(registry, "_warned", set())
    monkeypatch.setattr(registry, "_failures", {})
    for key in [k for k in registry._devices if k[0] == "cuda"]:
        del registry._devices[key]
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


FAR = "cuda:" + "9" * 5000  # more digits than Python makes an integer of
UNKNOWN = [FAR, "gpu", "CPU", "cuda:", "cuda:x", "cuda:-1", "", "cpu0", "mps", "0", "float32"]
NO_NAMES = [
    -1,
    True,
    False,
    np.True_,
    np.int64(-1),
    10**12,
    1.5,
    [],
    np.float32,
    np.ones(2),
    foreign("mps"),
    foreign("cuda", -1),
    foreign("cuda", "0"),
]


@pytest.mark.parametrize("name", UNKNOWN)
def test_unknown_names_are_refused(name: Any) -> None:
    for ask in (tg.device, tg.set_default_device, tg.ones(2).cuda, tg.cuda.synchronize, tg.cuda.memory_reserved):
        with pytest.raises(tg.DeviceError, match=rf"^device: expected one of .*'cpu'.*'cuda:1', 'auto', got '{name}'$"):
            ask(name)
    with pytest.raises(tg.DeviceError):
        tg.ones(2, device=name)


@pytest.mark.parametrize("name", NO_NAMES, ids=repr)
def test_what_is_no_name_is_refused(name: Any) -> None:
    wanted = r"^device: expected one of .*'auto', or the number of a CUDA device, got " + re.escape(repr(name))
    for ask in (tg.device, tg.ones(2).cuda, tg.nn.Linear(1, 1).cuda, tg.cuda.synchronize, tg.cuda.memory_allocated):
        with pytest.raises(tg.DeviceError, match=wanted):
            ask(name)
    with pytest.raises(tg.DeviceError, match=wanted):
        tg.ones(2, device=name)
    with pytest.raises(tg.DeviceError, match=wanted):
        tg.ones(2).to(device=name)


MOVERS = [("to", tg.ones(2).to), ("Module.to", tg.nn.Linear(1, 1).to)]


@pytest.mark.parametrize(("name", "to"), MOVERS, ids=["Tensor", "Module"])
def test_to_says_what_it_takes(name: str, to: Any) -> None:
    wanted = f"^{name}: expected a device, a dtype or a tensor, got "
    for unknown in ("flaot32", "gpu", "f4,,", ",", -1):
        with pytest.raises(tg.DeviceError, match=f"{wanted}{unknown!r}$"):
            to(unknown)
    for number, said in ((np.int64(-1), r".*-1"), (10**5000, "an integer of 16610 bits$")):
        for ask in (to, tg.device):
            with pytest.raises(tg.DeviceError, match=rf"{wanted if ask is to else ''}.*{said}"):
                ask(number)
    for other, class_ in ((1.5, "float"), ([1], "list"), (foreign("mps"), "types.SimpleNamespace")):
        with pytest.raises(tg.DTypeError, match=rf"{wanted}.* of <class '{class_}'>$"):
            to(other)
    with pytest.raises(tg.ArgumentError, match=f"{wanted}a bool; pass flags by keyword"):
        to("cpu", tg.float32, True)
    with pytest.raises(tg.DTypeError, match=r"^dtype: expected one of float16, .* got 'complex64'"):
        to("complex64")
    known: list[Any] = [tg.float32, "float32", "f4", np.float32, float, "cpu", foreign("cpu"), foreign("cpu", 0)]
    for arg in (*known, tg.ones(1)):
        to(arg, non_blocking=True)


@pytest.mark.parametrize("index", range(3))
def test_names_of_one_device_are_one_device(index: int) -> None:
    give(3)
    there, x, layer = tg.device(f"cuda:{index}"), tg.ones(2), tg.nn.Linear(1, 1)
    assert (str(there), there.index) == (f"cuda:{index}", index)
    for name in (f"cuda:{index}", there, index, np.int64(index), np.uint8(index), foreign("cuda", index)):
        assert tg.device(name) is there
        for made in (tg.zeros(1, device=name), tg.tensor([1.0], device=name), tg.rand(1, device=name)):
            assert made.device is there
        for moved in (x.to(name), x.to(name, tg.float64), x.to(device=name), x.cuda(name), x.cuda(device=name)):
            assert moved.device is there
        assert layer.cpu().to(name).weight.device is layer.cpu().to(device=name).weight.device is there
        assert layer.cpu().cuda(name).weight.device is layer.cpu().cuda(device=name).weight.device is there
        tg.set_default_device(name)
        assert tg.get_default_device() is there
        tg.set_default_device("cpu")


def test_an_index_that_is_not_said_is_0() -> None:
    give(1)
    assert tg.device(foreign("cuda")) is tg.device("cuda") is tg.device("cuda:0")
    assert tg.device(foreign("cpu")) is tg.device(foreign("cpu", 0)) is tg.device("cpu")


def test_cuda_without_a_name_is_the_default_device_or_the_first() -> None:
    give(2)
    assert str(tg.ones(1).cuda().device) == str(tg.nn.Linear(1, 1).cuda().weight.device) == "cuda:0"
    assert tg.cuda.current_device() == 0
    tg.set_default_device("cuda:1")
    assert str(tg.ones(1, device="cpu").cuda().device) == "cuda:1"
    assert str(tg.nn.Linear(1, 1, device="cpu").cuda().weight.device) == "cuda:1"
    assert tg.cuda.current_device() == 1


@pytest.mark.parametrize("name", ["cpu", foreign("cpu", 0)], ids=str)
def test_cuda_is_not_another_device(name: Any) -> None:
    for usable in (False, True):
        if usable:
            give(1)
        calls: dict[str, Callable[[Any], object]] = {
            "cuda": tg.ones(1).cuda,
            "Module.cuda": tg.nn.Linear(1, 1).cuda,
            "cuda.memory_allocated": tg.cuda.memory_allocated,
            "cuda.reset_peak_memory_stats": tg.cuda.reset_peak_memory_stats,
        }
        for asker, call in calls.items():
            with pytest.raises(tg.DeviceError, match=rf"^{asker}: expected a CUDA device, got cpu$"):
                call(name)


def test_the_device_that_the_name_gave_is_as_good_as_the_name() -> None:
    with pytest.warns(UserWarning, match="cannot be used"):
        place = tg.device("cuda")
    assert tg.ones(1).cuda(place).device is tg.nn.Linear(1, 1).cuda(place).weight.device is tg.device("cpu")
    assert tg.cuda.memory_allocated(place) == 0
    give(1)  # from here on it is the CPU and nothing else
    with pytest.raises(tg.DeviceError, match="expected a CUDA device, got cpu"):
        tg.ones(1).cuda(place)


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


def test_one_reason_is_one_warning_however_the_device_was_called() -> None:
    x, layer = tg.ones(2), tg.nn.Linear(1, 1)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        for name in ("cuda", "cuda:0", "cuda:1", 0, 7, foreign("cuda", 2)):
            for found in (tg.ones(1, device=name), x.to(name), x.cuda(name), layer.to(name).weight):
                assert found.device is tg.device("cpu")
            tg.cuda.synchronize(name)
            assert tg.cuda.max_memory_allocated(name) == 0
    assert [str(w.message)[:70] for w in caught] == [
        "device 'cuda' cannot be used, running on the CPU: no such card in this"
    ]

    def refuse_otherwise(index: int | None) -> Any:
        raise DeviceError("it is on fire")

    register_backend("cuda", refuse_otherwise)
    with pytest.warns(UserWarning, match="'cuda:3' cannot be used, running on the CPU: it is on fire"):
        tg.device("cuda:3")


def test_a_warning_that_is_an_error_is_one_every_time() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for name in ("cuda", "cuda", "cuda:1"):
            with pytest.raises(UserWarning, match=f"'{name}' cannot be used"):
                tg.ones(2, device=name)
    with pytest.warns(UserWarning, match="'cuda' cannot be used"):
        assert tg.device("cuda") is tg.device("cpu")


def test_the_warning_points_at_the_callers_line() -> None:
    with pytest.warns(UserWarning, match="cannot be used") as caught:
        tg.device("cuda")
    assert caught[0].filename == __file__


@pytest.mark.parametrize("strict", [False, True])
def test_where_cuda_works_a_device_that_is_not_there_is_an_error(strict: bool) -> None:
    give(2)
    tg.set_strict_device(strict)
    x, layer = tg.ones(2), tg.nn.Linear(1, 1)
    for name in (2, "cuda:2", foreign("cuda", 2)):
        for ask in (tg.device, x.to, x.cuda, layer.to, layer.cuda, tg.cuda.synchronize, tg.cuda.memory_allocated):
            with pytest.raises(tg.DeviceError, match=r"^device 'cuda:2' cannot be used: there are only 2$"):
                ask(name)
        with pytest.raises(tg.DeviceError, match="there are only 2"):
            tg.ones(2, device=name)
    assert str(tg.device("cuda:1")) == "cuda:1"


def test_the_first_device_is_not_started_for_another() -> None:
    asked = []

    def make(index: int | None) -> Any:
        asked.append(index)
        return CpuBackend()

    register_backend("cuda", make, numbered=True)
    assert tg.device(1).index == 1
    assert asked == [1]


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
    for name, text in (("cuda:1", "cuda:1"), ("cuda", "cuda"), (3, "cuda:3")):
        for ask in (tg.device, tg.ones(2).to, tg.nn.Linear(1, 1).cuda, tg.cuda.synchronize, tg.cuda.memory_allocated):
            with pytest.raises(
                tg.DeviceError, match=rf"^device '{text}' cannot be used: no such card in this machine$"
            ):
                ask(name)
    with pytest.raises(tg.DeviceError, match="device 'cuda' cannot be used: no such card"):
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
    assert fallen.stderr.count("UserWarning: TENSORGRAD_DEVICE='cuda' cannot be used, running on the CPU: ") == 1
    strict = _child(code, TENSORGRAD_DEVICE="cuda", TENSORGRAD_STRICT_DEVICE="1")
    assert strict.returncode == 1
    assert "DeviceError: TENSORGRAD_DEVICE='cuda' cannot be used: " in strict.stderr
    assert _child(code, TENSORGRAD_STRICT_DEVICE="1").stdout == "cpu\n"
    unknown = _child(code, TENSORGRAD_DEVICE="gpu")
    assert re.search(r"DeviceError: TENSORGRAD_DEVICE: expected one of 'cpu', .* got 'gpu'$", unknown.stderr.strip())
