"""What is particular to a CUDA device: errors that come late, waiting, memory, and the CPU's numbers."""

from __future__ import annotations

import gc
from typing import Any

import numpy as np
import pytest

import tensorgrad as tg
from tensorgrad import nn
from tensorgrad.nn import functional as F
from tensorgrad.random import default_generator

# Losses of a small net may differ by what float32 rounds, amplified by forty steps: errors in the last bit of every
# product, sum and exponential make 4e-7 of it.
RELATIVE_DIFFERENCE = 1e-4


def losses_on(device: tg.Device | str, optimizer: str) -> list[float]:
    tg.manual_seed(0)
    data = np.random.default_rng(0)
    x = tg.tensor(data.standard_normal((64, 16)), dtype=tg.float32, device=device)
    labels = tg.tensor(data.integers(0, 4, 64), device=device)
    model = nn.MLP([16, 32, 24, 4], activation="relu", dropout=0.2, device="cpu").to(device)
    # RMSprop's first steps are ten rates long, whatever the gradient: at 0.01 a change of the last bit grows to 0.15.
    stepper = getattr(tg.optim, optimizer)(model.parameters(), lr=1e-3 if optimizer == "RMSprop" else 1e-2)
    tg.manual_seed(1)  # the same masks on either device
    found = []
    for _ in range(40):
        loss = F.cross_entropy(model(x), labels)
        stepper.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        stepper.step()
        found.append(loss.item())
    return found


@pytest.mark.parametrize("optimizer", ["SGD", "Adam", "AdamW", "RMSprop", "Adagrad"])
def test_a_small_net_trains_with_the_cpus_losses(optimizer: str, cuda_device: tg.Device) -> None:
    there, here = losses_on(cuda_device, optimizer), losses_on("cpu", optimizer)
    np.testing.assert_allclose(there, here, rtol=RELATIVE_DIFFERENCE)
    assert here[-1] < here[0]


@pytest.mark.parametrize("draw", [tg.rand, tg.randn])
def test_the_same_seed_gives_the_same_numbers(draw: Any, cuda_device: tg.Device) -> None:
    tg.manual_seed(7)
    here = draw(1001)
    tg.manual_seed(7)
    there = draw(1001, device=cuda_device).cpu()
    if draw is tg.rand:
        assert tg.equal(here, there)
    else:
        np.testing.assert_allclose(here.numpy(), there.numpy(), rtol=1e-5, atol=1e-6)


def test_all_devices_draw_from_one_stream(cuda_device: tg.Device) -> None:
    """So that a program draws the same numbers wherever its parts run, and none twice."""
    tg.manual_seed(3)
    expected = [tg.rand(5).tolist() for _ in range(5)]
    tg.manual_seed(3)
    places: list[Any] = ["cpu", cuda_device, cuda_device, "cpu", cuda_device]
    assert [tg.rand(5, device=place).tolist() for place in places] == expected
    state = tg.get_rng_state(cuda_device)
    assert state.tolist() == tg.get_rng_state("cpu").tolist()
    later = tg.rand(3).tolist()
    tg.set_rng_state(state, "cpu")
    assert tg.rand(3, device=cuda_device).tolist() == later
    assert default_generator(cuda_device).initial_seed() == default_generator("cpu").initial_seed() == 3


def test_a_state_is_set_although_an_error_is_pending(cuda: tg.Device) -> None:
    tg.manual_seed(3)
    drawn = tg.rand(3, device="cpu").tolist()
    _ = tg.zeros(2)[tg.tensor([9])]
    tg.set_rng_state(tg.tensor([3, 0], device="cpu"), "cuda")
    with pytest.raises(tg.BoundsError):
        tg.cuda.synchronize()
    assert tg.get_rng_state("cpu").tolist() == tg.get_rng_state("cuda").tolist() == [3, 0]
    assert tg.rand(3).tolist() == drawn


def test_a_draw_that_fails_takes_nothing(cuda: tg.Device, monkeypatch: pytest.MonkeyPatch) -> None:
    tg.manual_seed(3)
    expected = [tg.rand(3, device="cpu").tolist() for _ in range(3)]
    tg.manual_seed(3)
    assert tg.rand(3).tolist() == expected[0]
    with monkeypatch.context() as patch:
        patch.setattr(cuda.backend, "add", None)
        with pytest.raises(TypeError):
            tg.rand(3)
    assert tg.rand(3).tolist() == expected[1]
    assert tg.rand(3, device="cpu").tolist() == expected[2]


def test_layers_of_one_seed_differ_wherever_they_are_made(cuda_device: tg.Device) -> None:
    tg.manual_seed(0)
    moved, made = nn.Linear(4, 2, device="cpu").to(cuda_device), nn.Linear(4, 2, device=cuda_device)
    assert not tg.equal(moved.weight, made.weight)


def test_an_index_out_of_range_is_raised_at_the_next_wait(cuda: tg.Device) -> None:
    x = tg.tensor([1.0, 2.0, 3.0])
    picked = x[tg.tensor([0, 5])]  # CuPy alone would wrap it round
    with pytest.raises(tg.BoundsError, match=r"must be in \[-3, 3\), got 5 at position 1"):
        picked.cpu()
    assert x[tg.tensor([0, 2])].tolist() == [1.0, 3.0]


def test_a_label_out_of_range_names_the_loss(cuda: tg.Device) -> None:
    loss = F.cross_entropy(tg.randn(4, 3), tg.tensor([0, 1, 7, 2]))
    with pytest.raises(tg.BoundsError, match=r"cross_entropy: labels must be in \[0, 3\), got 7 at position 2"):
        loss.item()


def test_an_index_into_nothing_is_raised_at_once(cuda: tg.Device) -> None:
    with pytest.raises(tg.BoundsError, match="there can be none"):
        tg.zeros(0, 3)[tg.tensor([0])]


def test_remainders_of_floats_are_exact(cuda: tg.Device) -> None:
    x, y = np.array([1e8, 5 * 16777217, 5, -5, -7, 7, 1]), np.array([3, 7, np.inf, np.inf, 3, -3, 0.1])
    assert (tg.tensor(x) % tg.tensor(y)).tolist() == np.remainder(x, y).tolist()
    assert (tg.tensor(x) // tg.tensor(y)).tolist() == np.floor_divide(x, y).tolist()


def test_every_nan_sorts_last(cuda: tg.Device) -> None:
    negative = np.array([0xFFC00000], np.uint32).view(np.float32)  # a nan with its sign set, as x86 makes it
    x = tg.tensor(np.concatenate([[1.0], negative, [-1.0]]).astype(np.float32))
    assert x.argsort().tolist() == [2, 0, 1]
    assert x.argsort(descending=True).tolist() == [1, 0, 2]


@pytest.mark.parametrize("name", ["argmax", "argmin"])
@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
def test_the_first_of_several_nan_is_the_extreme(name: str, dtype: str, cuda_device: tg.Device) -> None:
    backend = cuda_device.backend
    x = np.array([[3, np.nan, 7, np.nan], [2, 5, 5, 1], [np.nan, np.nan, 0, 9]], dtype)
    for axis in (None, 0, 1):
        for keepdims in (False, True):
            found = getattr(backend, name)(backend.asarray(x), axis=axis, keepdims=keepdims)
            expected = np.asarray(getattr(np, name)(x, axis, keepdims=keepdims))
            assert (found.dtype, found.shape) == (expected.dtype, expected.shape)
            np.testing.assert_array_equal(backend.to_numpy(found), expected)


@pytest.mark.parametrize("name", ["sum", "cumsum"])
def test_float16_is_accumulated_in_float32(name: str, cuda_device: tg.Device) -> None:
    backend, x = cuda_device.backend, np.ones(4096, np.float16)
    x[0] = 2048  # to which float16 can add no 1
    found = backend.to_numpy(getattr(backend, name)(backend.asarray(x), axis=0))
    np.testing.assert_array_equal(found, getattr(np, name)(x.astype(float)).astype(np.float16))


@pytest.mark.parametrize(
    ("name", "dtype"),
    [(n, t) for n in "sum prod max min any all argmax argmin cumsum".split() for t in "float16 float32 int64".split()]
    + [(n, "bool") for n in "max min any all argmax argmin".split()],
)
def test_out_stays_where_it_is_whatever_the_order_of_the_input(name: str, dtype: str, cuda_device: tg.Device) -> None:
    backend, axis = cuda_device.backend, 1 if name == "cumsum" else 0
    values = np.random.default_rng(5).integers(0, 2, (4, 3, 200)).astype(dtype).T
    x = backend.transpose(backend.asarray(values.T))  # in Fortran's order, and long enough for CUB
    expected = np.cumsum(values, 1, values.dtype) if name == "cumsum" else getattr(np, name)(values, axis=0)
    for out in (
        backend.full(expected.shape, 1, expected.dtype),
        backend.transpose(backend.full(expected.shape[::-1], 1, expected.dtype)),
        backend.getitem(backend.full((*expected.shape, 2), 1, expected.dtype), (..., 0)),
    ):
        strides = out.strides
        assert getattr(backend, name)(x, axis=axis, out=out) is out
        assert out.strides == strides
        np.testing.assert_array_equal(backend.to_numpy(out), expected)


def test_gradients_are_laid_out_for_the_kernels(cuda: tg.Device) -> None:
    w = tg.ones(3, 4, requires_grad=True)
    v = tg.arange(60, dtype=tg.float32).reshape(4, 3, 5)
    ((w + tg.zeros(5, 3, 4)).permute(2, 1, 0) * v).sum().backward()  # the gradient of w + 0 is in Fortran's order
    assert w.grad is not None
    assert w.grad.is_contiguous()
    assert w.grad.tolist() == v.sum(2).T.tolist()


@pytest.mark.parametrize("dtype", [tg.float16, tg.float32, tg.float64])
def test_the_sign_of_zero_is_kept(dtype: tg.dtype, cuda_device: tg.Device) -> None:
    backend = cuda_device.backend
    made = [
        tg.tensor(-0.0, dtype=dtype, device=cuda_device).array,
        backend.asarray(-0.0, dtype=dtype),
        backend.full((2, 3), -0.0, dtype),
        backend.full((2, 3), -0.0, dtype, out=backend.empty((2, 3), dtype)),
        backend.full((2, 3), -0.0, dtype, out=backend.transpose(backend.empty((3, 2), dtype))),
    ]
    for x in made:
        assert np.signbit(backend.to_numpy(x)).all()
    for value in (0, 0.0, 2.5, -1):
        x = backend.full((2,), value, dtype, out=backend.empty((2,), dtype))
        assert backend.to_numpy(x).tolist() == [value] * 2
        assert not np.signbit(backend.to_numpy(x)).any() or value < 0


@pytest.mark.parametrize("flag", [1, True])
def test_flags_may_be_numbers(flag: Any, cuda: tg.Device) -> None:
    w = tg.ones(3, requires_grad=True)
    w.grad = tg.ones(3)
    tg.optim.SGD([w], lr=0.5, maximize=flag).step()
    assert w.tolist() == [1.5] * 3


def test_synchronize_raises_too(cuda: tg.Device) -> None:
    _ = tg.zeros(2)[tg.tensor([9])]
    with pytest.raises(tg.BoundsError, match="got 9"):
        tg.cuda.synchronize()
    tg.cuda.synchronize()


def test_the_backend_is_asked_for_what_is_pending(cuda: tg.Device) -> None:
    _ = tg.zeros(2)[tg.tensor([9])]
    with pytest.raises(tg.BoundsError, match="got 9"):
        cuda.backend.raise_pending()
    cuda.backend.raise_pending()
    cuda.backend.synchronize()


def test_host_arrays_do_not_mix_in(cuda: tg.Device) -> None:
    x = tg.ones(3)
    with pytest.raises(tg.DeviceError, match=r"as_tensor"):
        x + np.ones(3, np.float32)
    with pytest.raises(tg.DeviceError, match="on one device"):
        x + tg.ones(3, device="cpu")
    with pytest.raises(tg.TensorgradError, match=r"\.cpu\(\)\.numpy\(\)"):
        x.numpy()


def test_tensors_move_and_carry_gradients(cuda_device: tg.Device) -> None:
    x = tg.tensor([1.0, 2.0], requires_grad=True)
    (x.to(cuda_device) * 3).cpu().sum().backward()
    assert x.grad is not None
    assert x.grad.device.type == "cpu"
    assert x.grad.tolist() == [3.0, 3.0]


def test_memory_is_counted_and_given_back(cuda: tg.Device) -> None:
    gc.collect()
    before = tg.cuda.memory_allocated()
    x = tg.zeros(1 << 16)
    assert tg.cuda.memory_allocated() - before >= x.nbytes
    del x
    assert tg.cuda.memory_allocated() <= before
    tg.cuda.empty_cache()
    assert tg.cuda.memory_reserved() >= tg.cuda.memory_allocated()


def test_it_is_available_and_counted(cuda_device: tg.Device) -> None:
    assert tg.cuda.is_available()
    assert tg.cuda.device_count() >= 1
    assert tg.device("cuda") is cuda_device is tg.device("cuda:0")
    with pytest.raises(tg.DeviceError, match="expected a CUDA device, got cpu"):
        tg.cuda.memory_allocated("cpu")
