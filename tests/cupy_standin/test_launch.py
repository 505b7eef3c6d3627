"""RawModule and RawKernel: what a launch must be given, and that the emulator runs it."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from tests.cupy_standin import use_emulator

TYPES = ["const float* __restrict__", "float*", "half_t*", "float * const *", "long long", "int", "float", "double"]


class Recorded:
    """An emulator that only remembers what it is asked for."""

    kernels = {"f": TYPES, "none": []}  # noqa: RUF012

    def __init__(self, code: str, include_dirs: Any, sanitizer: str | None = None) -> None:
        self.code, self.include_dirs, self.sanitizer = code, include_dirs, sanitizer
        self.launches: list[Any] = []

    def launch(self, *args: Any, **options: Any) -> None:
        self.launches.append((args, options))


@pytest.fixture
def built() -> Iterator[list[Recorded]]:
    made: list[Recorded] = []

    def build(*args: Any, **options: Any) -> Recorded:
        made.append(Recorded(*args, **options))
        return made[-1]

    use_emulator(build)
    yield made
    use_emulator()


@pytest.fixture
def kernel(cupy: Any, built: Any) -> Any:
    return cupy.RawModule(code="source", options=("-std=c++17", "-I/a", "-I", "/b", "-DX=1")).get_function("f")


@pytest.fixture
def args(cupy: Any) -> list[Any]:
    x = cupy.ones(4, "float32")
    table = cupy.asarray([x.data.ptr], "uint64")
    return [x, x, cupy.ones(4, "float16"), table, 3, 4, np.float32(1), 2.5]


def test_a_launch_reaches_the_emulator(kernel: Any, args: list[Any], built: list[Recorded]) -> None:
    kernel((2,), (32, 2), tuple(args), shared_mem=64)
    assert built[0].code == "#define X 1\n#line 1\nsource"
    assert built[0].include_dirs == ("/a", "/b")
    (name, grid, block, values), options = built[0].launches[0]
    assert (name, grid, block) == ("f", (2, 1, 1), (32, 2, 1))
    assert isinstance(values[0], np.ndarray)
    assert values[0].ctypes.data == args[0].data.ptr
    assert values[4:] == [3, 4, np.float32(1), np.float64(2.5)]
    assert (options["shared_mem"], options["order"]) == (64, "random")


@pytest.mark.parametrize(
    ("place", "make", "message"),
    [
        (0, lambda cp: np.ones(4, np.float32), "NumPy array"),
        (0, lambda cp: np.ones(1, np.float32), "NumPy array"),
        (0, lambda cp: cp.ones(4), "expected an array of float32, got float64"),
        (0, lambda cp: cp.ones((4, 4), "float32")[:, 0], "not C-contiguous"),
        (0, lambda cp: cp.ones((4, 2), "float32").T, "not C-contiguous"),
        (0, lambda cp: 12345, "expected a cupy.ndarray"),
        (0, lambda cp: None, "expected a cupy.ndarray"),
        (2, lambda cp: cp.ones(4, "float32"), "expected an array of float16"),
        (3, lambda cp: cp.ones(4, "float32"), "expected an array of uint64"),
        (4, lambda cp: np.int32(3), "expected a scalar of int64"),
        (4, lambda cp: 3.0, "8-byte double"),
        (4, lambda cp: 2**63, "expected a scalar of int64"),
        (5, lambda cp: np.int64(3), "expected a scalar of int32"),
        (5, lambda cp: 2**31, "expected a scalar of int32"),
        (6, lambda cp: 1.0, "8-byte double, and the parameter is float32"),
        (6, lambda cp: 1, "expected a scalar of float32"),
        (6, lambda cp: np.float64(1), "expected a scalar of float32"),
        (7, lambda cp: np.float32(1), "expected a scalar of float64"),
        (7, lambda cp: 1, "expected a scalar of float64"),
        (7, lambda cp: cp.ones(()), "expected a scalar of float64"),
    ],
)
def test_arguments_that_cupy_would_misread(
    cupy: Any, kernel: Any, args: list[Any], place: int, make: Any, message: str
) -> None:
    args[place] = make(cupy)
    with pytest.raises(TypeError, match=message) as found:
        kernel((1,), (32,), tuple(args))
    assert f"argument {place}" in str(found.value)


def test_null_and_raw_pointers(kernel: Any, args: list[Any], cupy: Any, built: list[Recorded]) -> None:
    strided = cupy.ones((4, 4), "float32")[:, 1]
    args[0], args[1] = 0, strided.data
    kernel((1,), (32,), tuple(args))
    assert built[0].launches[0][0][3][:2] == [0, strided.data.ptr]


@pytest.mark.parametrize("count", [0, 7, 9])
def test_the_number_of_arguments(kernel: Any, args: list[Any], count: int) -> None:
    with pytest.raises(TypeError, match=f"expected 8 arguments .* got {count}"):
        kernel((1,), (32,), tuple((args + args)[:count]))


@pytest.mark.parametrize(
    ("grid", "block", "error"),
    [
        ((0,), (32,), ValueError),
        ((1, 0), (32,), ValueError),
        ((1,), (0,), ValueError),
        ((1,), (1025,), ValueError),
        ((1,), (32, 33), ValueError),
        ((1,), (1, 1, 65), ValueError),
        ((1, 65536), (32,), ValueError),
        ((2**31,), (32,), ValueError),
        (1, (32,), TypeError),
        ([1], (32,), TypeError),
        ((1.0,), (32,), TypeError),
        ((1, 1, 1, 1), (32,), TypeError),
    ],
)
def test_geometry(kernel: Any, args: list[Any], grid: Any, block: Any, error: type[Exception]) -> None:
    with pytest.raises(error):
        kernel(grid, block, tuple(args))


def test_shared_memory_beyond_48_kib_must_be_asked_for(kernel: Any, args: list[Any], cupy: Any) -> None:
    with pytest.raises(cupy.cuda.runtime.CUDARuntimeError, match="max_dynamic_shared_size_bytes"):
        kernel((1,), (32,), tuple(args), shared_mem=49153)
    kernel.max_dynamic_shared_size_bytes = 65536
    kernel((1,), (32,), tuple(args), shared_mem=65536)
    with pytest.raises(cupy.cuda.driver.CUDADriverError):
        kernel.max_dynamic_shared_size_bytes = 1 << 20


def test_modules(cupy: Any, built: Any) -> None:
    with pytest.raises(TypeError, match="Exactly one"):
        cupy.RawModule()
    with pytest.raises(TypeError, match="tuple"):
        cupy.RawModule(code="", options=["-DX"])
    with pytest.raises(cupy.cuda.driver.CUDADriverError, match="not found"):
        cupy.RawModule(code="").get_function("g")
    with pytest.raises(ValueError, match="--nonsense"):
        cupy.RawModule(code="", options=("--nonsense",)).compile()
    with pytest.raises(TypeError, match="stray"):
        cupy.RawKernel("", "none")((1,), (1,), (), stray=1)


SOURCE = """
extern "C" __global__ void axpy(const float* x, float* y, long long count, float a) {
    long long i = blockIdx.x * (long long)blockDim.x + threadIdx.x;
    if (i < count) y[i] += a * x[i] * SCALE;
}
"""


@pytest.mark.skipif(shutil.which("g++") is None, reason="the emulator needs g++")
def test_a_kernel_runs(cupy: Any) -> None:
    axpy = cupy.RawModule(code=SOURCE, options=("-std=c++17", "-DSCALE=2")).get_function("axpy")
    x, y = cupy.arange(100, dtype="float32"), cupy.ones(100, "float32")
    axpy((4,), (32,), (x, y, 99, np.float32(0.5)))
    expected = 1 + np.arange(100, dtype=np.float32)
    expected[99] = 1
    np.testing.assert_array_equal(y.get(), expected)
