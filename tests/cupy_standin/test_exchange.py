"""DLPack and `__cuda_array_interface__`: what shares memory, and what is refused."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from tests.cupy_standin import install


class Producer:
    """Hands on the capsules of an array, and remembers what it was asked."""

    def __init__(self, array: Any, old: bool = False) -> None:
        self.array, self.old, self.asked = array, old, []  # type: ignore[var-annotated]

    def __dlpack_device__(self) -> Any:
        return self.array.__dlpack_device__()

    def __dlpack__(self, **options: Any) -> Any:
        self.asked.append(options)
        if self.old and set(options) - {"stream"}:
            raise TypeError("unexpected keyword argument")
        return self.array.__dlpack__(**options)


@pytest.mark.parametrize("key", [..., slice(1, None), (slice(None), slice(None, None, -2)), (0, 0)])
def test_dlpack_shares_memory(cupy: Any, key: Any) -> None:
    x = cupy.arange(12.0).reshape(3, 4)
    view = x[key]
    y = cupy.from_dlpack(view)
    assert (y.shape, y.strides, y.dtype, y.data.ptr, y.base) == (
        view.shape,
        view.strides,
        view.dtype,
        view.data.ptr,
        None,
    )
    y[...] = -1
    assert (view.get() == -1).all()
    del x, view
    assert (y.get() == -1).all()


def test_memory_that_came_in_twice_is_not_known_to_overlap(cupy: Any) -> None:
    x = cupy.arange(6.0)
    y, z = cupy.from_dlpack(x[1:]), cupy.from_dlpack(x)
    assert not cupy.may_share_memory(x, y)
    assert not cupy.may_share_memory(y, z)
    assert cupy.may_share_memory(z, z[2:])
    assert cupy.may_share_memory(x, x[2:])
    assert not cupy.may_share_memory(x[:2], x[2:])


def test_what_a_producer_is_asked(cupy: Any) -> None:
    x = cupy.ones(2)
    new, old = Producer(x), Producer(x, old=True)
    assert cupy.from_dlpack(new).data.ptr == cupy.from_dlpack(old).data.ptr == x.data.ptr
    assert new.asked == [{"stream": 1, "max_version": (1, 0), "copy": None}]
    assert old.asked == [*new.asked, {"stream": 1}]
    with pytest.raises(TypeError):
        cupy.from_dlpack(old, copy=False)


def test_the_producer_is_asked_on_its_device(cupy: Any) -> None:
    install(device_count=2)
    try:
        with cupy.cuda.Device(1):
            x = cupy.ones(2)
        y = cupy.from_dlpack(x)
        assert (y.device, cupy.cuda.runtime.getDevice()) == (x.device, 0)
        assert x.__dlpack_device__() == y.__dlpack_device__() == (2, 1)
        assert cupy.asarray(SimpleNamespace(__cuda_array_interface__=x.__cuda_array_interface__)).device.id == 0
    finally:
        install(device_count=1)


def test_capsules(cupy: Any) -> None:
    x = cupy.ones(2)
    assert x.__dlpack__().name == "dltensor"
    assert x.__dlpack__(stream=-1, max_version=(1, 1), dl_device=(2, 0)).name == "dltensor_versioned"
    capsule = x.__dlpack__()
    assert cupy.from_dlpack(capsule).data.ptr == x.data.ptr
    with pytest.raises(ValueError, match="multiple times"):
        cupy.from_dlpack(capsule)
    assert np.from_dlpack(
        SimpleNamespace(__dlpack__=lambda **_: x.__dlpack__(dl_device=(1, 0)), __dlpack_device__=lambda: (1, 0))
    ).tolist() == [1, 1]


@pytest.mark.parametrize(
    ("options", "error"),
    [
        ({"stream": -3}, ValueError),
        ({"stream": "default"}, ValueError),
        ({"copy": True}, BufferError),
        ({"dl_device": (2, 5)}, BufferError),
        ({"dl_device": (1, 0), "copy": False}, ValueError),
        ({"max_version": 1}, TypeError),
    ],
)
def test_exports_that_are_refused(cupy: Any, options: Any, error: type[Exception]) -> None:
    with pytest.raises(error):
        cupy.ones(2).__dlpack__(**options)


def test_stream_0_is_warned_of(cupy: Any) -> None:
    with pytest.warns(UserWarning, match="Stream 0"):
        cupy.ones(2).__dlpack__(stream=0)


def test_imports_that_are_refused(cupy: Any) -> None:
    with pytest.raises(TypeError, match="CPU arrays"):
        cupy.from_dlpack(np.ones(2))
    with pytest.raises(TypeError, match="Unsupported array type: 8"):
        cupy.from_dlpack(SimpleNamespace(__dlpack_device__=lambda: (8, 0)))
    with pytest.raises(RuntimeError, match="different from the backend"):
        cupy.from_dlpack(np.ones(2).__dlpack__())
    with pytest.raises(NotImplementedError):
        cupy.from_dlpack(cupy.ones(2), device=(2, 0))


@pytest.mark.parametrize("key", [..., (slice(1, None), slice(1, None)), slice(None, None, -1), slice(3, None)])
def test_the_cuda_array_interface_shares_memory(cupy: Any, key: Any) -> None:
    x = cupy.arange(12.0).reshape(3, 4)
    view = x[key]
    y = cupy.asarray(SimpleNamespace(__cuda_array_interface__=view.__cuda_array_interface__))
    assert (y.shape, y.base) == (view.shape, None)
    assert y.strides == view.strides or not y.size
    y[...] = -1
    assert (x.get() == -1).sum() == view.size
    copied = cupy.array(SimpleNamespace(__cuda_array_interface__=view.__cuda_array_interface__))
    copied[...] = 5
    assert not (x.get() == 5).sum() > 1


def test_a_foreign_address_is_refused(cupy: Any) -> None:
    host = np.ones(2)
    interface = {"shape": (2,), "typestr": "<f8", "data": (host.ctypes.data, False), "version": 3}
    with pytest.raises(RuntimeError, match="no device memory"):
        cupy.asarray(SimpleNamespace(__cuda_array_interface__=interface))
