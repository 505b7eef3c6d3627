"""One CUDA device: its names, what is not its name, and what is particular to it in `tg.cuda`."""

from __future__ import annotations

import importlib
import warnings
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest

import tensorgrad as tg

NOWHERE = 999


@pytest.fixture(autouse=True)
def _no_warning() -> Iterator[None]:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        yield
    tg.set_strict_device(False)


@pytest.mark.parametrize("name", ["cuda", "cuda:0", 0, SimpleNamespace(type="cuda", index=0), "auto"], ids=str)
def test_all_its_names(name: Any, cuda_device: tg.Device) -> None:
    assert tg.device(name) is cuda_device
    assert tg.ones(2, device=name).device is tg.ones(2).to(name).device is tg.ones(2).cuda(name).device is cuda_device
    assert tg.nn.Linear(1, 1).cuda(name).weight.device is tg.nn.Linear(1, 1, device=name).weight.device is cuda_device
    x = tg.zeros(1 << 12, device=name)
    assert tg.cuda.memory_reserved(name) >= tg.cuda.memory_allocated(name) >= x.nbytes
    tg.cuda.synchronize(name)


@pytest.mark.parametrize("strict", [False, True])
@pytest.mark.parametrize("name", [NOWHERE, f"cuda:{NOWHERE}", SimpleNamespace(type="cuda", index=NOWHERE)], ids=str)
def test_another_is_an_error_and_never_the_cpu(name: Any, strict: bool, cuda_device: tg.Device) -> None:
    tg.set_strict_device(strict)
    wanted = (
        rf"^device 'cuda:{NOWHERE}' cannot be used: CUDA device {NOWHERE} does not exist: this process sees \d+, cuda"
    )
    for ask in (
        tg.device,
        tg.ones(1).to,
        tg.ones(1).cuda,
        tg.nn.Linear(1, 1).to,
        tg.nn.Linear(1, 1).cuda,
        tg.cuda.synchronize,
        tg.cuda.memory_allocated,
        tg.cuda.get_device_name,
        tg.set_default_device,
    ):
        with pytest.raises(tg.DeviceError, match=wanted):
            ask(name)
    with pytest.raises(tg.DeviceError, match=wanted):
        tg.ones(1, device=name)


def test_it_has_a_name_and_a_number(cuda_device: tg.Device) -> None:
    expected = importlib.import_module("cupy").cuda.runtime.getDeviceProperties(0)["name"].decode()
    assert tg.cuda.get_device_name() == tg.cuda.get_device_name("cuda") == tg.cuda.get_device_name(0) == expected
    assert tg.cuda.current_device() == 0
    with pytest.raises(tg.DeviceError, match=r"^cuda\.get_device_name: expected a CUDA device, got cpu$"):
        tg.cuda.get_device_name("cpu")


def test_waiting_for_the_cpu_waits_for_nothing_else(cuda_device: tg.Device) -> None:
    _ = tg.zeros(2, device=cuda_device)[tg.tensor([9], device=cuda_device)]
    for name in ("cpu", tg.device("cpu")):
        tg.cuda.synchronize(name)
    with pytest.raises(tg.BoundsError, match="got 9"):
        tg.cuda.synchronize()  # the default device is the CPU, so the first CUDA device is meant


def test_memory_is_asked_of_cuda_devices_only(cuda_device: tg.Device) -> None:
    for name in ("memory_allocated", "memory_reserved", "max_memory_allocated", "reset_peak_memory_stats"):
        for place in ("cpu", tg.device("cpu")):
            with pytest.raises(tg.DeviceError, match=f"^cuda.{name}: expected a CUDA device, got cpu$"):
                getattr(tg.cuda, name)(place)
        with pytest.raises(tg.DeviceError, match=r"^device: expected one of .* got 'gpu'$"):
            getattr(tg.cuda, name)("gpu")


@pytest.mark.parametrize("seed", [tg.cuda.manual_seed, tg.cuda.manual_seed_all])
def test_a_seed_is_that_of_every_device(seed: Any, cuda_device: tg.Device) -> None:
    tg.manual_seed(7)
    expected = tg.rand(4).tolist()
    for place in (cuda_device, "cpu"):
        seed(7)
        assert tg.rand(4, device=place).tolist() == expected
