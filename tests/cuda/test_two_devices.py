"""Two CUDA devices: each tensor stays on its own, whichever is the current one of CuPy."""

from __future__ import annotations

import gc
import importlib
import sys
from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

import tensorgrad as tg
from tensorgrad.backends.cuda.current import ANYWHERE
from tensorgrad.backends.primitives import TABLE
from tests.backends.test_basic import CALLS
from tests.cuda.test_basic import there as on
from tests.cuda.test_cuda_device import losses_on
from tests.cuda.test_memory import counted, more_than_reserved
from tests.cupy_standin import install, installed

registry: Any = sys.modules["tensorgrad.backends.device"]
generators: Any = sys.modules["tensorgrad.random.generator"]


@pytest.fixture(scope="module")
def _two(cuda_device: tg.Device) -> Iterator[None]:
    """Devices made on a machine that has two of them, and forgotten afterwards."""
    if not installed():
        if tg.cuda.device_count() < 2:
            pytest.skip("there is one GPU")
        yield
        return
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(registry, "_devices", {k: d for k, d in registry._devices.items() if k[0] != "cuda"})
        patch.setattr(generators._stream, "generators", {})
        patch.setattr(importlib.import_module("tensorgrad.backends.cuda.backend").memory, "_peaks", {})
        install(device_count=2)
        yield
        install(device_count=1)


def use(name: str) -> Iterator[tg.Device]:
    """The device; afterwards the first is still the current one, and nothing was found wrong."""
    found = tg.device(name)
    yield found
    assert importlib.import_module("cupy").cuda.runtime.getDevice() == 0
    found.backend.synchronize()


@pytest.fixture
def first(_two: None) -> Iterator[tg.Device]:
    yield from use("cuda:0")


@pytest.fixture
def second(first: tg.Device) -> Iterator[tg.Device]:
    yield from use("cuda:1")


def place_of(x: tg.Tensor) -> int:
    """The number of the device on which the memory of a CUDA tensor is."""
    assert x.device.index == x.array.device.id
    return int(x.array.device.id)


def test_devices_are_counted_and_told_apart(first: tg.Device, second: tg.Device) -> None:
    assert tg.cuda.device_count() >= 2
    assert (str(first), str(second)) == ("cuda:0", "cuda:1")
    assert tg.device("cuda") is first is not second
    for name in (1, "cuda:1", second, SimpleNamespace(type="cuda", index=1)):
        assert tg.ones(2).cuda(name).device is tg.nn.Linear(1, 1).cuda(name).weight.device is second
        assert tg.ones(2, device=name).device is second
        assert place_of(tg.ones(2).to(name)) == 1
        tg.cuda.synchronize(name)


def test_without_a_name_the_default_device_is_meant(first: tg.Device, second: tg.Device) -> None:
    x = tg.ones(2)
    assert (tg.cuda.current_device(), x.cuda().device) == (0, first)
    before = tg.get_default_device()
    tg.set_default_device(second)
    try:
        assert (tg.cuda.current_device(), x.cuda().device, x.to("cuda").device) == (1, second, first)
        assert tg.nn.Linear(1, 1).to(first).cuda().weight.device is second
    finally:
        tg.set_default_device(before)


def test_each_has_a_name(first: tg.Device, second: tg.Device) -> None:
    properties = importlib.import_module("cupy").cuda.runtime.getDeviceProperties
    for name in (1, "cuda:1", second):
        assert tg.cuda.get_device_name(name) == properties(1)["name"].decode()


@pytest.mark.usefixtures("first")
def test_one_that_is_not_there_is_an_error() -> None:
    count = tg.cuda.device_count()
    wanted = rf"^device 'cuda:{count}' cannot be used: .* does not exist: this process sees {count}, cuda:0 to cuda:"
    for ask in (tg.device, tg.ones(2).cuda, tg.nn.Linear(1, 1).to, tg.cuda.synchronize, tg.cuda.get_device_name):
        for name in (count, f"cuda:{count}"):
            with pytest.raises(tg.DeviceError, match=wanted):
                ask(name)


def test_every_primitive_is_bound(second: tg.Device) -> None:
    for name in TABLE.keys() - ANYWHERE:
        assert name in vars(second.backend) or not hasattr(second.backend, name), name


@pytest.mark.parametrize("name", CALLS)
def test_primitives_work_beside_the_current_device(name: str, second: tg.Device) -> None:
    arguments, keywords, expected = CALLS[name]
    backend = second.backend
    result = getattr(backend, name)(*[on(backend, a) for a in arguments], **keywords)
    assert result.device.id == 1
    np.testing.assert_allclose(backend.to_numpy(result), expected, rtol=2e-6)


def test_results_stay_on_their_device(second: tg.Device) -> None:
    x = tg.tensor([[1.0, 2.0], [3.0, 4.0]], device=second, requires_grad=True)
    y = (x @ x.T).exp()[0, tg.tensor([1, 0], device=second)].sum()
    y.backward()
    assert x.grad is not None
    assert {place_of(t) for t in (x, x.T, x[0], x + 1, x.clone(), tg.zeros_like(x), y, x.grad)} == {1}
    host = tg.tensor([[1.0, 2.0], [3.0, 4.0]], requires_grad=True)
    (host @ host.T).exp()[0, tg.tensor([1, 0])].sum().backward()
    assert host.grad is not None
    np.testing.assert_allclose(x.grad.cpu().numpy(), host.grad.numpy(), rtol=1e-6)


def test_devices_do_not_mix(first: tg.Device, second: tg.Device) -> None:
    x, y = tg.ones(2, device=first), tg.ones(2, device=second)
    index = tg.tensor([0], device=first)
    mixes: list[Callable[[], object]] = [
        lambda: x + y,
        lambda: tg.where(x > 0, x, y),
        lambda: tg.cat([x, y]),
        lambda: x @ y,
        lambda: y[index],
    ]
    for mix in mixes:
        with pytest.raises(tg.DeviceError, match="device"):
            mix()


def test_gradients_come_back_from_another_device(first: tg.Device, second: tg.Device) -> None:
    x = tg.tensor([1.0, 2.0], device=first, requires_grad=True)
    moved = (x * 3).to(second)
    assert place_of(moved) == 1
    (moved * moved).sum().backward()
    assert x.grad is not None
    assert place_of(x.grad) == 0
    assert x.grad.tolist() == [18.0, 36.0]
    assert place_of(tg.arange(12, device=first).reshape(3, 4)[:, ::2].to(second)) == 1


def test_each_device_has_its_own_errors(first: tg.Device, second: tg.Device) -> None:
    picked = tg.ones(3, device=second)[tg.tensor([7], device=second)]
    tg.cuda.synchronize(first)
    assert tg.ones(2, device=first)[tg.tensor([1], device=first)].tolist() == [1.0]
    with pytest.raises(tg.BoundsError, match="got 7"):
        tg.cuda.synchronize(second)
    assert place_of(picked) == 1


@pytest.mark.parametrize("optimizer", ["SGD", "Adam", "AdamW", "RMSprop", "Adagrad"])
def test_a_net_trains_with_the_same_losses(optimizer: str, first: tg.Device, second: tg.Device) -> None:
    assert losses_on(second, optimizer) == losses_on(first, optimizer)


def test_random_numbers_are_the_same(first: tg.Device, second: tg.Device) -> None:
    drawn = []
    for place in (second, first):
        tg.manual_seed(3)
        drawn.append(tg.randn(1001, device=place))
    there, here = drawn
    assert (place_of(there), place_of(here)) == (1, 0)
    assert there.tolist() == here.tolist()
    own = tg.Generator(second).manual_seed(5)
    assert place_of(tg.rand(3, generator=own, device=second)) == 1


def test_the_memory_is_that_of_the_device_asked_for(first: tg.Device, second: tg.Device) -> None:
    gc.collect()
    for place in (first, second):
        tg.cuda.reset_peak_memory_stats(place)
    here, there = tg.cuda.memory_allocated(first), tg.cuda.memory_allocated("cuda:1")
    x = tg.zeros(100_000, device=second)
    more = counted(x.nbytes)
    assert (tg.cuda.memory_allocated(), tg.cuda.memory_allocated(second)) == (here, there + more)
    assert tg.cuda.memory_reserved(second) >= there + more
    del x
    assert (tg.cuda.max_memory_allocated("cuda:0"), tg.cuda.max_memory_allocated(second)) == (here, there + more)
    tg.cuda.reset_peak_memory_stats(second)
    assert tg.cuda.max_memory_allocated(second) == there


def test_the_caches_of_all_devices_are_given_back(first: tg.Device, second: tg.Device) -> None:
    places = (first, second)
    sizes = [more_than_reserved(place) for place in places]
    for nbytes, place in zip(sizes, places, strict=True):
        x = tg.zeros(nbytes, dtype=tg.uint8, device=place)
        del x
    before = [tg.cuda.memory_reserved(place) for place in places]
    tg.cuda.empty_cache()
    after = [tg.cuda.memory_reserved(place) for place in places]
    assert all(b - a >= n for a, b, n in zip(after, before, sizes, strict=True))


def test_arrays_of_other_libraries_keep_their_device(first: tg.Device, second: tg.Device) -> None:
    cupy = importlib.import_module("cupy")
    with cupy.cuda.Device(1):
        a = cupy.arange(4.0)
    x, copied = tg.from_dlpack(a), tg.as_tensor(a, device=first)
    assert (place_of(x), place_of(tg.as_tensor(a)), place_of(tg.tensor(a)), place_of(copied)) == (1, 1, 1, 0)
    x += 1
    assert (a.get().tolist(), copied.tolist()) == ([1, 2, 3, 4], [0, 1, 2, 3])
    back = cupy.from_dlpack(x)
    assert (back.device.id, back.data.ptr, x.__dlpack_device__()) == (1, a.data.ptr, (2, 1))


def test_the_current_device_comes_back_after_an_error(second: tg.Device) -> None:
    with pytest.raises(Exception, match="reshape"):
        second.backend.reshape(second.backend.empty((3,), tg.float32), (2, 2))
    assert importlib.import_module("cupy").cuda.runtime.getDevice() == 0


def test_devices_are_the_current_one_in_other_programs_too(second: tg.Device) -> None:
    cupy = importlib.import_module("cupy")
    with cupy.cuda.Device(1):
        x = tg.ones(2, device="cuda:0") + 1
        assert (place_of(x), x.tolist()) == (0, [2.0, 2.0])
        assert cupy.cuda.runtime.getDevice() == 1
