"""Its names, what is said of tensors on it, "auto", memory of other libraries, and the table of ops."""

from __future__ import annotations

import copy
import sys
import warnings
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

import tensorgrad as tg
from tensorgrad import nn
from tensorgrad.backends import register_backend
from tensorgrad.nn import functional as F
from tests.ops.table import CHECKS, checks_of, families
from tests.third_device.backend import make

registry: Any = sys.modules["tensorgrad.backends.device"]


# ---------------------------------------------------------------------- names
def test_its_names(third: tg.Device) -> None:
    second = tg.device("third:1")
    assert (str(third), str(second), third.type, second.index) == ("third:0", "third:1", "third", 1)
    assert tg.device("third:0") is tg.device(SimpleNamespace(type="third", index=None)) is third is not second
    assert copy.deepcopy(second) is tg.device(SimpleNamespace(type="third", index=1)) is second
    assert second.backend.device_count() == 2
    for ask in (tg.device, tg.ones(1).to, nn.Linear(1, 1).to, tg.set_default_device):
        with pytest.raises(tg.DeviceError, match=r"^device 'third:2' cannot be used: there are 2, third:0 and third:1"):
            ask("third:2")
    with pytest.raises(tg.DeviceError, match=r"expected one of 'cpu', .*'third', 'cuda:1', 'auto', got 'thrid'$"):
        tg.device("thrid")
    assert tg.device("auto").type != "third"


def test_each_of_its_devices_takes_its_own_arrays_only(third: tg.Device) -> None:
    first, second = third.backend, tg.device("third:1").backend
    here, there = tg.ones(2, device=third).array, tg.ones(2, device="third:1").array
    assert (type(here), type(there)) == (first.array_type, second.array_type)
    calls: list[Callable[[Any], Any]] = [lambda x: first.add(here, x), lambda x: first.concatenate([here, x], 0)]
    for stranger in (there, np.ones(2, np.float32)):
        for call in calls:
            with pytest.raises(AssertionError, match="was given a"):
                call(stranger)


@pytest.mark.parametrize("kind", ["auto", "Third", "third:1", "third2", "", "my_device"])
def test_a_type_that_no_name_could_ask_for_is_refused(kind: str) -> None:
    with pytest.raises(tg.ArgumentError, match=r"^register_backend: a device type is all small letters"):
        register_backend(kind, make)


def test_tensors_there_are_neither_on_the_cpu_nor_on_cuda(third: tg.Device) -> None:
    x = tg.ones(2, device=third)
    assert not x.is_cuda
    assert repr(x) == "tensor([1., 1.], device='third:0')"
    calls: list[Callable[[], Any]] = [x.numpy, lambda: np.asarray(x), lambda: np.exp(x)]
    for call in calls:
        with pytest.raises(tg.DTypeError, match=r"^numpy: this tensor is on third:0; use \.cpu\(\)\.numpy\(\)"):
            call()
    assert x.cpu().numpy().tolist() == x.numpy(force=True).tolist() == x.tolist() == [1, 1]
    with pytest.raises(AttributeError, match="this tensor is on third:0"):
        _ = x.__cuda_array_interface__
    with pytest.raises(tg.DeviceError, match=r"a NumPy array and a tensor on third:0; use tg\.as_tensor"):
        x + np.ones(2, np.float32)
    with pytest.raises(tg.DeviceError, match=r"operand 0 on third:0, operand 1 on third:1"):
        x + tg.ones(2, device="third:1")
    with pytest.raises(tg.DeviceError, match=r"^cuda: expected a CUDA device, got third:0$"):
        x.cuda(third)


def test_tensors_move_and_carry_gradients() -> None:
    x = tg.tensor([1.0, 2.0], requires_grad=True)
    y = x.to("third").to("third:1", tg.float64) * 3
    y.cpu().sum().backward()
    assert (str(y.device), y.dtype) == ("third:1", tg.float64)
    assert x.grad is not None
    assert (x.grad.device, x.grad.tolist()) == (tg.device("cpu"), [3, 3])
    assert tg.zeros_like(y).device is y.new_ones(2).device is tg.arange(3, device=y.device).device is y.device


def test_there_is_nothing_to_wait_for_and_nothing_to_count(third: tg.Device) -> None:
    backend = third.backend
    backend.synchronize()
    backend.raise_pending()
    backend.empty_cache()
    tg.cuda.synchronize(third)
    assert backend.device_name() == "third"
    for name in ("memory_allocated", "memory_reserved", "max_memory_allocated", "reset_peak_memory_stats"):
        with pytest.raises(tg.DeviceError, match=f"^{name}: the third backend does not count its memory$"):
            getattr(backend, name)()
        with pytest.raises(tg.DeviceError, match=f"^cuda.{name}: expected a CUDA device, got third:0$"):
            getattr(tg.cuda, name)(third)


def test_errors_come_at_once(by_default: tg.Device) -> None:
    with pytest.raises(tg.BoundsError, match=r"must be in \[-3, 3\), got 5"):
        tg.zeros(3)[tg.tensor([0, 5])]
    with pytest.raises(tg.BoundsError, match="cross_entropy: labels must be in"):
        F.cross_entropy(tg.randn(2, 3), tg.tensor([0, 7]))


# ---------------------------------------------------------------------- "auto", numbers, memory of other libraries
@pytest.mark.usefixtures("fresh")
def test_auto_takes_the_first_type_that_works(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(index: int | None) -> Any:
        raise tg.DeviceError("it sleeps")

    register_backend("cuda", refuse)
    register_backend("third", make, automatic=True)
    monkeypatch.delitem(registry._devices, ("cuda", 0), raising=False)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert str(tg.device("auto")) == "third:0"
    assert registry.passed_over() == {"cuda": "it sleeps"}
    with pytest.warns(UserWarning, match="'cuda:1' cannot be used, running on the CPU: it sleeps"):
        assert tg.device(1) is tg.device("cpu")  # a number is one of the first type
    with pytest.raises(tg.DeviceError, match=r"^cuda: expected a CUDA device, got third:0$"):
        tg.ones(1).cuda("auto")
    register_backend("cuda", refuse, absent="it sleeps")
    register_backend("third", refuse)
    monkeypatch.delitem(registry._devices, ("third", 0))
    assert tg.device("auto") is tg.device("cpu")
    assert registry.passed_over() == {"third": "it sleeps"}


class _Theirs:
    """An array of another library on a device of this type, by DLPack's number for devices that have none."""

    def __init__(self, host: np.ndarray[Any, Any], index: int) -> None:
        self.host, self.index = host, index

    def __dlpack_device__(self) -> tuple[int, int]:
        return 12, self.index


@pytest.mark.usefixtures("fresh")
def test_arrays_of_other_libraries_come_in_where_they_are() -> None:
    def take(name: str, data: Any) -> tuple[Any, tg.Device] | None:
        if not isinstance(data, _Theirs):
            return None
        place = tg.device(f"third:{data.index}")
        return place.backend.from_dlpack(data.host), place

    register_backend("third", make, foreign=take)
    theirs = _Theirs(np.arange(3.0), 1)
    for make_tensor in (tg.from_dlpack, tg.as_tensor):
        x = make_tensor(theirs)
        assert (str(x.device), x.tolist()) == ("third:1", [0, 1, 2])
    theirs.host[0] = 7
    assert x.tolist() == [7, 1, 2]
    copied = tg.tensor(theirs, device="cpu")
    theirs.host[0] = 8
    assert (copied.device, copied.tolist()) == (tg.device("cpu"), [7, 1, 2])


# ---------------------------------------------------------------------- the table of ops
@pytest.mark.parametrize("family", families().cases)
def test_the_table_of_cases_runs_there(family: str, by_default: tg.Device) -> None:
    for case in families().cases[family]:
        for dtype, check in checks_of(case):
            CHECKS[check](case, dtype, "third")
