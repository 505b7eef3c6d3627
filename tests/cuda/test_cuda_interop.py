"""CUDA arrays of other libraries in and out: DLPack and `__cuda_array_interface__` without copies, `as_tensor`."""

from __future__ import annotations

import gc
import importlib
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

import tensorgrad as tg
from tensorgrad.backends.cuda.overlap import overlap

DTYPES = [tg.float16, tg.float32, tg.float64, tg.uint8, tg.int8, tg.int16, tg.int32, tg.int64, tg.bool]
DTYPES += [tg.uint16, tg.uint32, tg.uint64]
registry: Any = importlib.import_module("tensorgrad.backends.device")


@pytest.fixture
def cupy(cuda_device: tg.Device) -> Any:
    return importlib.import_module("cupy")


class Elsewhere:
    """An array of which all that is known is where it lies."""

    def __init__(self, kind: int, index: int = 0) -> None:
        self.place = kind, index

    def __dlpack_device__(self) -> tuple[int, int]:
        return self.place


# ---------------------------------------------------------------------- in
@pytest.mark.parametrize("dtype", DTYPES)
def test_from_dlpack_shares_the_memory(dtype: Any, cupy: Any, cuda_device: tg.Device) -> None:
    a = cupy.ones((2, 3), dtype)
    x = tg.from_dlpack(a)
    assert (x.device, x.dtype, x.shape) == (cuda_device, dtype, (2, 3))
    x[0, 1] = 0
    assert not bool(a[0, 1])
    a[1, 2] = 0
    assert x.tolist() == [[1, 0, 1], [1, 1, 0]]
    assert tg.from_dlpack(a.T).tolist() == [[1, 1], [0, 1], [1, 0]]


def test_the_memory_lives_as_long_as_the_tensor(cupy: Any) -> None:
    gc.collect()
    before = tg.cuda.memory_allocated()
    x = tg.from_dlpack(cupy.arange(1000.0))
    assert tg.cuda.memory_allocated() > before
    assert (x * 2).sum().item() == 999_000
    del x
    assert tg.cuda.memory_allocated() == before


def test_gradients_flow_from_shared_memory(cupy: Any) -> None:
    a = cupy.arange(3.0)
    x = tg.from_dlpack(a).requires_grad_()
    (x * x).sum().backward()
    assert x.grad is not None
    assert x.grad.tolist() == [0, 2, 4]
    assert a.get().tolist() == [0, 1, 2]


def test_what_others_see_is_not_accumulated_into(cupy: Any, cuda_device: tg.Device) -> None:
    theirs = cupy.ones(2, "float32")

    class Foreign(tg.autograd.Function):
        @staticmethod
        def forward(ctx: Any, x: tg.Tensor) -> tg.Tensor:
            return x * 1

        @staticmethod
        def backward(ctx: Any, g: tg.Tensor) -> tg.Tensor:
            return tg.from_dlpack(theirs)

    x = tg.zeros(2, device=cuda_device, requires_grad=True)
    (x * 3 + Foreign.apply(x)).sum().backward()
    assert x.grad is not None
    assert x.grad.tolist() == [4, 4]
    x.grad += 1
    assert theirs.get().tolist() == [1, 1]
    backend = cuda_device.backend
    assert not backend.owns(backend.from_dlpack(theirs))
    assert backend.owns(backend.copy(backend.from_dlpack(theirs)))


def some_region(a: Any, numbers: list[int]) -> Any:
    """A part of a matrix, transposed, perhaps backwards or with gaps."""
    top, left, rows, columns, down, across = numbers
    return a[top : top + rows, left : left + columns][::down, ::across].T


def test_memory_that_came_in_twice_overlaps_where_numpys_does(cupy: Any) -> None:
    draws = np.random.default_rng(0)
    device, host = cupy.zeros((12, 9)), np.zeros((12, 9))
    found = []
    for _ in range(400):
        first, second = (
            [*draws.integers([0, 0, 1, 1], [11, 8, 5, 9]).tolist(), *draws.choice([-3, -1, 1, 2], 2).tolist()]
            for _ in "xy"
        )
        x, y = (cupy.from_dlpack(some_region(device, numbers)) for numbers in (first, second))
        found.append(overlap(x, y))
        assert found[-1] == np.may_share_memory(some_region(host, first), some_region(host, second))
    assert 50 < sum(found) < 350


@pytest.mark.parametrize(
    ("target", "source"),
    [
        (slice(1, None), slice(None, -1)),
        (slice(None, None, -1), slice(None)),
        (slice(4999, 0, -1), slice(4999)),
        (slice(None, None, 2), slice(2500, None)),
    ],
)
def test_copies_within_memory_that_came_in_twice(target: slice, source: slice, cupy: Any) -> None:
    a, expected = cupy.arange(5000.0), np.arange(5000.0)
    tg.from_dlpack(a[target])[...] = tg.from_dlpack(a[source])
    expected[target] = expected[source].copy()
    assert a.get().tolist() == expected.tolist()


def test_as_tensor_shares_where_the_device_and_dtype_allow(cupy: Any, cuda_device: tg.Device) -> None:
    a = cupy.zeros(3, "float32")
    shared = [tg.as_tensor(a), tg.as_tensor(a, device="cuda"), tg.as_tensor(a, dtype=tg.float32)]
    copies = [tg.as_tensor(a, dtype=tg.float64), tg.as_tensor(a, device="cpu")]
    a[...] = 1
    assert [x.tolist() for x in shared] == [[1] * 3] * 3
    assert {x.device for x in shared} == {cuda_device}
    assert [x.tolist() for x in copies] == [[0] * 3] * 2
    assert [str(x.device) for x in copies] == ["cuda:0", "cpu"]


def test_tensor_copies(cupy: Any, cuda_device: tg.Device) -> None:
    a = cupy.arange(6.0).reshape(2, 3).T
    x = tg.tensor(a, requires_grad=True)
    y = tg.tensor(a, dtype=tg.int32, device="cpu")
    a[...] = -1
    assert x.tolist() == y.tolist() == [[0, 3], [1, 4], [2, 5]]
    assert (x.device, x.dtype, x.requires_grad, x.is_leaf, x.is_contiguous()) == (
        cuda_device,
        tg.float64,
        True,
        True,
        True,
    )
    assert (y.device.type, y.dtype) == ("cpu", tg.int32)


def test_dtypes_that_tensors_lack(cupy: Any) -> None:
    for make in (tg.from_dlpack, tg.as_tensor, tg.tensor):
        with pytest.raises(tg.DTypeError, match=rf"{make.__name__}: expected numbers of dtype .*, got complex64"):
            make(cupy.zeros(2, "complex64"))


@pytest.mark.parametrize(
    "fault",
    [
        NotImplementedError("CuPy does not support bfloat16. Please install ml_dtypes to use bfloat16."),
        TypeError("Unsupported dtype. dtype code: 10"),
    ],
    ids=["bfloat16", "float8"],
)
def test_dtypes_that_cupy_lacks(fault: Exception, cuda_device: tg.Device) -> None:
    class Producer(Elsewhere):
        def __dlpack__(self, **options: Any) -> Any:
            raise fault  # where CuPy, had it been given a capsule, would raise it

    for make in (tg.from_dlpack, tg.as_tensor, tg.tensor):
        with pytest.raises(tg.DTypeError, match=rf"{make.__name__}: expected numbers of dtype .*{fault}"):
            make(Producer(2))


@pytest.fixture
def _no_cuda(cuda_device: tg.Device, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(index: int | None) -> Any:
        raise tg.DeviceError("no such card in this machine")

    monkeypatch.setattr(registry, "_factories", {**registry._factories, "cuda": refuse})
    monkeypatch.setattr(registry, "_devices", {k: d for k, d in registry._devices.items() if k[0] != "cuda"})
    monkeypatch.setattr(registry, "_failures", {})


@pytest.mark.usefixtures("_no_cuda")
def test_a_cuda_device_that_cannot_be_used() -> None:
    for make in (tg.from_dlpack, tg.as_tensor, tg.tensor):
        with pytest.raises(tg.DeviceError, match=rf"{make.__name__}: the array is on CUDA device 1, which cannot be"):
            make(Elsewhere(2, 1))


# ---------------------------------------------------------------------- out
@pytest.mark.parametrize("dtype", DTYPES)
def test_dlpack_to_another_library_without_a_copy(dtype: Any, cupy: Any) -> None:
    x = tg.ones(2, 3, dtype=dtype, device="cuda")
    a = cupy.from_dlpack(x)
    assert (type(a), a.dtype, a.shape) == (cupy.ndarray, dtype, (2, 3))
    a[0, 1] = 0
    assert x.tolist() == [[1, 0, 1], [1, 1, 1]]
    assert cupy.from_dlpack(x.T).get().tolist() == x.T.tolist()
    assert x.__dlpack_device__() == (2, 0)


def test_the_consumers_stream_is_passed_on(cupy: Any) -> None:
    x, stream = tg.ones(2, device="cuda"), cupy.cuda.Stream(non_blocking=True)
    for number in (None, -1, 1, 2, stream.ptr):
        assert cupy.from_dlpack(x.__dlpack__(stream=number, max_version=(1, 0))).data.ptr == x.array.data.ptr
    with pytest.raises(ValueError, match="valid stream"):
        x.__dlpack__(stream=-7)


def test_dlpack_between_tensors(cuda_device: tg.Device) -> None:
    x = tg.arange(6, device="cuda").reshape(2, 3)
    y = tg.from_dlpack(x.T)
    y[0, 1] = -1
    assert y.device is cuda_device
    assert x.tolist() == [[0, 1, 2], [-1, 4, 5]]


def test_functions_of_numpy_refuse_cuda_tensors(cuda_device: tg.Device) -> None:
    x: Any = tg.ones(2, device=cuda_device)
    calls: list[Any] = [np.exp, lambda t: np.add(np.ones(2), t), lambda t: np.add(tg.ones(2), t), np.add.reduce]
    for call in calls:
        with pytest.raises(tg.DTypeError, match=r"this tensor is on cuda:0; use \.cpu\(\)\.numpy\(\)"):
            call(x)


def test_dlpack_to_the_host_is_a_copy(cuda_device: tg.Device) -> None:
    x = tg.arange(3, device=cuda_device)
    capsule = x.__dlpack__(dl_device=(1, 0), copy=True)
    host = np.from_dlpack(SimpleNamespace(__dlpack__=lambda **_: capsule, __dlpack_device__=lambda: (1, 0)))
    x[...] = 0
    assert host.tolist() == [0, 1, 2]


def test_a_tensor_that_requires_grad_is_refused(cupy: Any) -> None:
    x = tg.ones(2, device="cuda", requires_grad=True)
    for take in (cupy.from_dlpack, tg.from_dlpack):
        with pytest.raises(tg.GraphError, match=r"__dlpack__: .*detach\(\)"):
            take(x)
    assert tg.from_dlpack(x.detach()).tolist() == [1, 1]


def test_the_cuda_array_interface_shares_the_memory(cupy: Any) -> None:
    x = tg.arange(12, dtype=tg.float32, device="cuda").reshape(3, 4)
    for view in (x, x.T, x[1:, 2], x[:, ::3]):
        a = cupy.asarray(view)
        assert a.data.ptr == view.array.data.ptr
        assert (a.dtype, a.get().tolist()) == (np.float32, view.tolist())
    cupy.asarray(x)[0, 0] = -1
    assert x[0, 0].item() == -1


def test_negative_strides_are_handed_over_by_a_copy_or_not_at_all(cupy: Any) -> None:
    """A capsule of such memory ends a process of PyTorch's; `__cuda_array_interface__` cannot hand over a copy."""
    a = cupy.arange(12.0).reshape(3, 4)
    for view in (a[::-1], a[:, ::-2], a[::-1].T, a[:, 1][::-1]):
        x = tg.as_tensor(view)
        assert x.array.data.ptr == view.data.ptr
        found = cupy.from_dlpack(x)
        assert min(found.strides) >= 0
        assert found.get().tolist() == view.get().tolist() == x.tolist()
        with pytest.raises(BufferError, match=r"__dlpack__: memory with negative strides .* copy=False was asked for"):
            x.__dlpack__(copy=False)
        with pytest.raises(
            BufferError, match=r"__cuda_array_interface__: strides must not be negative, got .*clone\(\)"
        ):
            _ = x.__cuda_array_interface__
        assert cupy.asarray(x.clone()).get().tolist() == x.tolist()


def test_what_has_no_cuda_array_interface(cupy: Any) -> None:
    assert not hasattr(tg.ones(2), "__cuda_array_interface__")
    with pytest.raises(AttributeError, match="this tensor is on cpu"):
        _ = tg.ones(2).__cuda_array_interface__
    x = tg.ones(2, device="cuda", requires_grad=True)
    with pytest.raises(tg.GraphError, match=r"__cuda_array_interface__: .*detach\(\)"):
        cupy.asarray(x)
    assert cupy.asarray(x.detach()).get().tolist() == [1, 1]


def test_dlpack_with_torch(cuda_device: tg.Device) -> None:
    torch = pytest.importorskip("torch")
    if not torch.cuda.is_available():
        pytest.skip("PyTorch has no GPU here")
    x = tg.arange(6, dtype=tg.float32, device="cuda").reshape(2, 3)
    t = torch.from_dlpack(x)
    t[0, 0] = 50
    assert x[0, 0].item() == 50
    back = tg.from_dlpack(t.T)
    assert back.device is cuda_device
    back[2, 1] = -1
    assert x[1, 2].item() == -1
