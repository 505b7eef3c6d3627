"""What the card can do. Copies from device memory to device memory, and matrix products, on random data."""

from __future__ import annotations

import math
from collections.abc import Callable
from statistics import median
from typing import Any

import numpy as np

from bench.gpu_parts.clock import Clock
from bench.gpu_parts.setting import Finding, Setting
from bench.report import table

__all__ = ["MIB", "copy_bandwidth", "run"]

Array = Any

MIB = 1 << 20
SIZES = (256 * MIB, 512 * MIB, 1024 * MIB, 2048 * MIB)
SMALL_SIZES = (MIB, 2 * MIB)
SHARE_OF_MEMORY = 0.4
ORDERS = {"fp64": 4096, "fp32": 8192, "tf32": 8192, "fp16": 8192}
SMALL_ORDER = 32
BLOCK = 2048
DTYPES = {"fp64": "float64", "fp32": "float32", "tf32": "float32", "fp16": "float16"}
ERRORS = {"fp64": 1e-12, "fp32": 1e-5, "tf32": 2e-3, "fp16": 2e-3}
# cudaDataType of the elements and cublasComputeType_t, for the product that cupy.matmul has no name for.
THROUGH_GEMM = {"tf32": (0, 77)}
DEFAULT_ALGORITHM = -1
CHECKED = 16


def run(setting: Setting, finding: Finding) -> None:
    cupy = setting.cupy()
    clock = Clock(cupy, budget=0.02, least=3) if setting.dry_run else Clock(cupy, budget=0.4)
    rates = copy_bandwidth(cupy, clock, SMALL_SIZES if setting.dry_run else SIZES)
    finding.raw["copy"] = [{"bytes": size, "bytes_per_second": rate} for size, rate in rates.items()]
    finding.raw["best copy"] = max(rates.values())
    rows = [[f"{size // MIB} MiB", f"{rate / 1e9:.0f}"] for size, rate in rates.items()]
    if setting.dry_run:
        finding.say(f"Copies of {len(rows)} sizes, compared with their sources: all right.")
    else:
        finding.say("Copies within device memory, bytes read and written, median.")
        finding.say(table(["array", "GB/s"], rows))
    products(cupy, clock, setting, finding)


def copy_bandwidth(cupy: Any, clock: Clock, sizes: tuple[int, ...]) -> dict[int, float]:
    """Bytes a second, read and written, by the bytes copied; sizes for which the memory is too small are left out."""
    rates: dict[int, float] = {}
    for size in sizes:
        if 2 * size > SHARE_OF_MEMORY * cupy.cuda.runtime.memGetInfo()[0] and rates:
            continue
        source = random_bytes(cupy, size)
        target = cupy.empty_like(source)
        seconds = median(clock.each(lambda: cupy.copyto(target, source)))  # noqa: B023
        if not bool((source == target).all().get()):
            raise RuntimeError(f"a copy of {size} bytes differs from its source")
        rates[size] = 2 * size / seconds
    return rates


def random_bytes(cupy: Any, size: int) -> Array:
    """Words of random bits; more than 8 MiB of them are repeated."""
    block = np.random.default_rng(0).integers(0, 1 << 62, min(size // 8, MIB))
    words = cupy.empty(size // 8, "int64")
    for start in range(0, words.size, block.size):
        part = words[start : start + block.size]
        part[...] = cupy.asarray(block[: part.size]) if start == 0 else words[: part.size]
    return words


# ---------------------------------------------------------------------- matrix products
def products(cupy: Any, clock: Clock, setting: Setting, finding: Finding) -> None:
    rows = []
    for name in ORDERS:
        order = SMALL_ORDER if setting.dry_run else ORDERS[name]
        try:
            rate = product_rate(cupy, clock, name, order)
        except Exception as error:
            finding.raw[f"product {name}"] = f"{type(error).__name__}: {error}"
            if name not in THROUGH_GEMM or not setting.dry_run:
                finding.fail(f"matrix product in {name}: {type(error).__name__}: {error}")
            continue
        finding.raw[f"product {name}"] = {"order": order, "flops_per_second": rate}
        rows.append([name, str(order), f"{rate / 1e12:.1f}"])
    if setting.dry_run:
        finding.say(f"Matrix products, a sample of each checked: {', '.join(row[0] for row in rows)} are right.")
        finding.say("The emulated device has no cuBLAS: tf32 is left out.")
        return
    finding.say("Products of two square matrices of normal random numbers, median; a sample of each is checked.")
    finding.say(table(["product", "order", "TFLOP/s"], rows))


def product_rate(cupy: Any, clock: Clock, name: str, order: int) -> float:
    """Operations a second. RuntimeError where elements of the product are wrong."""
    x, y = (cupy.asarray(m) for m in factors(order, name))
    out = cupy.empty((order, order), DTYPES[name])
    multiply = gemm(cupy, name, x, y, out) if name in THROUGH_GEMM else lambda: cupy.matmul(x, y, out=out)
    seconds = median(clock.each(multiply))
    check_product(name, *(m.get() for m in (x[:CHECKED], y[:, :CHECKED], out[:CHECKED])))
    return 2 * float(order) ** 3 / seconds


def factors(order: int, name: str) -> list[Array]:
    """Two matrices of normal numbers; a large one repeats a block of them."""
    block = min(order, BLOCK)
    drawn = np.random.default_rng(1).standard_normal((2, block, block), np.float32)
    return [np.tile(m.astype(DTYPES[name]), (order // block, order // block)) for m in drawn]


def check_product(name: str, rows: Array, y: Array, got: Array) -> None:
    columns = slice(0, CHECKED)
    exact = rows.astype(np.float64) @ y[:, columns].astype(np.float64)
    error = float(np.linalg.norm(got[:, columns] - exact) / np.linalg.norm(exact))
    if not error <= ERRORS[name] or not math.isfinite(error):
        raise RuntimeError(f"relative error {error:.1e}, allowed {ERRORS[name]:.0e}")


def gemm(cupy: Any, name: str, x: Array, y: Array, out: Array) -> Callable[[], object]:
    """The product by cublasGemmEx. It works by columns, where row-major arrays are their own transposes."""
    from cupy.cuda import cublas, device

    element, compute = THROUGH_GEMM[name]
    factors = np.array([1, 0], np.float32)
    one, zero = (factors[i:].ctypes.data for i in (0, 1))
    handle, n = device.get_cublas_handle(), x.shape[0]
    left, right, target = y.data.ptr, x.data.ptr, out.data.ptr

    def multiply(kept: Any = factors) -> object:
        return cublas.gemmEx(
            handle, 0, 0, n, n, n, one, left, element, n, right, element, n, zero, target, element, n, compute,
            DEFAULT_ALGORITHM,
        )  # fmt: skip

    return multiply
