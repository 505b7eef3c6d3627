"""More elements than 32 bits count, on a real GPU with the memory for them (tests/kernels/test_large.py needs none)."""

from __future__ import annotations

import numpy as np
import pytest

import tensorgrad as tg
from tensorgrad.nn import functional as F
from tests.cupy_standin.plugin import EMULATED, cuda_kind

COUNT = 2**31 + 1003
NEEDED = 40 << 30


@pytest.fixture
def large(cuda: tg.Device) -> tg.Tensor:
    if cuda_kind() == EMULATED:
        pytest.skip("the emulated device has too little memory")
    import cupy

    if cupy.cuda.Device(cuda.index).mem_info[0] < NEEDED:
        pytest.skip(f"needs {NEEDED >> 30} GiB of free GPU memory")
    x = tg.full((COUNT,), -1.0, dtype=tg.float16)
    x[-3:] = tg.tensor([2.0, -3.0, 4.0], dtype=tg.float16)
    return x


def test_elementwise_and_reductions(large: tg.Tensor) -> None:
    assert F.relu(large)[-3:].tolist() == [2.0, 0.0, 4.0]
    assert F.relu(large).double().sum().item() == 6.0
    assert large.argmin().item() == COUNT - 2


def test_rows(large: tg.Tensor) -> None:
    rows = large[-(2**31) :].reshape(2**21, 1024)
    last = F.softmax(rows, dim=1)[-1].float()
    wanted = F.softmax(rows[-1].float().cpu(), dim=0)
    assert tg.allclose(last.cpu(), wanted, rtol=1e-3, atol=1e-6)


def test_random(large: tg.Tensor) -> None:
    del large
    tg.manual_seed(5)
    drawn = tg.rand(COUNT, dtype=tg.float16)
    key = np.array([5, 2**31 // 4], np.uint64)  # the offset counts blocks of four words
    expected = tg.device("cpu").backend.random_uniform(key, (1000,), tg.float16)
    np.testing.assert_array_equal(drawn[2**31 : 2**31 + 1000].cpu().numpy(), expected)
