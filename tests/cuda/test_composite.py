"""Every composite primitive of the CUDA backend against the composition on NumPy, and which kernels it launches."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

import tensorgrad as tg
from tensorgrad import nn
from tensorgrad.backends import Backend, device
from tensorgrad.backends.cuda.launch import Launcher
from tests.backends.test_composite import CALLS
from tests.cuda.test_basic import there

CPU = device("cpu").backend


@pytest.mark.parametrize("name", CALLS)
def test_it_equals_the_composition_and_writes_into_out(name: str, cuda_device: tg.Device) -> None:
    backend = cuda_device.backend
    given = [there(backend, a) for a in CALLS[name]]
    defined = getattr(Backend, name)(CPU, *CALLS[name])
    found = getattr(backend, name)(*given)
    several = isinstance(found, tuple)
    wanted, results = (defined, found) if several else ((defined,), (found,))
    for mine, its in zip(results, wanted, strict=True):
        assert mine.dtype == its.dtype
        np.testing.assert_allclose(backend.to_numpy(mine), its, rtol=3e-6, atol=1e-6)
    targets = tuple(backend.full(r.shape, 1, r.dtype) for r in results)
    returned = getattr(backend, name)(*given, out=targets if several else targets[0])
    assert all(r is t for r, t in zip(returned if several else (returned,), targets, strict=True))
    for mine, its in zip(targets, results, strict=True):
        np.testing.assert_array_equal(backend.to_numpy(mine), backend.to_numpy(its))


@pytest.fixture
def launched(cuda: tg.Device, monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """The names of the kernels that were asked for, in order."""
    backend: Any = cuda.backend
    names: list[str] = []
    launcher: Launcher = backend._activation._launcher
    get_function = launcher.get_function

    def noted(name: str) -> Any:
        names.append(name)
        return get_function(name)

    object.__setattr__(launcher, "get_function", noted)  # it is frozen, and shared by all kernels of the device
    yield names
    object.__setattr__(launcher, "get_function", get_function)


def test_a_layer_is_one_kernel_forward_and_one_backward(launched: list[str]) -> None:
    model = nn.Sequential(nn.Linear(5, 4), nn.ReLU(), nn.Linear(4, 3), nn.Sigmoid())
    out = model(tg.randn(6, 5))
    assert [n for n in launched if not n.startswith("random")] == ["relu_f32", "sigmoid_f32"]
    launched.clear()
    out.backward(tg.ones(6, 3))
    assert launched == [
        "sigmoid_backward_bias_f32", "column_finish_f32", "relu_backward_bias_f32", "column_finish_f32",
    ]  # fmt: skip


@pytest.mark.parametrize("dtype", [tg.float16, tg.float32, tg.float64])
@pytest.mark.parametrize(
    ("shape", "dim", "keepdim"), [((7, 5), 0, False), ((3, 4, 5), (0, 1), True), ((3, 4, 5), 0, False)]
)
def test_sums_over_leading_dimensions_take_the_kernel(
    launched: list[str], dtype: Any, shape: tuple[int, ...], dim: Any, keepdim: bool
) -> None:
    x = np.random.default_rng(0).standard_normal(shape).astype(dtype)
    found = tg.tensor(x).sum(dim=dim, keepdim=keepdim)
    assert [n.rpartition("_")[0] for n in launched] == ["column_sums", "column_finish"]
    wanted = x.astype(np.float64).sum(axis=dim, keepdims=keepdim)
    np.testing.assert_allclose(found.cpu().numpy(), wanted, rtol=4 * float(np.finfo(dtype).eps), atol=1e-3)
    assert found.shape == wanted.shape


@pytest.mark.parametrize("dim", [1, None, (0, 2), (1, 2)])
def test_other_sums_do_not(launched: list[str], dim: Any) -> None:
    x = np.random.default_rng(0).standard_normal((3, 4, 5))
    np.testing.assert_allclose(tg.tensor(x).sum(dim=dim).cpu().numpy(), x.sum(axis=dim), rtol=1e-12)
    assert launched == []
