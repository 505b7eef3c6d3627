"""Numbers at the ends of the range, and numbers that a dtype does not hold, in calls of all kinds, against PyTorch."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import tensorgrad as tg

torch = pytest.importorskip("torch")

LIBRARIES = (tg, torch)
INTEGERS = ["uint8", "int8", "int16", "int32", "int64"]
NUMBERS = [-0.3, -1.5, -1.0, -0.0, 0.7, -1, -3, 0, 5, 127, 128, 127.5, 255, 255.5, 256, 300, -128, -129, -255, -256]


def _set(x: Any, key: Any, value: Any) -> Any:
    x[key] = value
    return x


def _zeros(L: Any, dtype: str) -> Any:
    return L.zeros(2, dtype=getattr(L, dtype))


CONSTANTS: dict[str, Callable[[Any, str, Any], Any]] = {
    "full": lambda L, d, n: L.full((2,), n, dtype=getattr(L, d)),
    "full_like": lambda L, d, n: L.full_like(_zeros(L, d), n),
    "new_full": lambda L, d, n: _zeros(L, d).new_full((2,), n),
    "fill_": lambda L, d, n: _zeros(L, d).fill_(n),
    "masked_fill": lambda L, d, n: _zeros(L, d).masked_fill(L.tensor([True, False]), n),
    "scatter": lambda L, d, n: _zeros(L, d).scatter(0, L.tensor([0]), n),
    "setitem": lambda L, d, n: _set(_zeros(L, d), ..., n),
    "setitem, mask": lambda L, d, n: _set(_zeros(L, d), L.tensor([True, False]), n),
    "setitem, index": lambda L, d, n: _set(_zeros(L, d), L.tensor([0]), n),
    "pad": lambda L, d, n: L.nn.functional.pad(_zeros(L, d), (1, 1), value=n),
    "index_add": lambda L, d, n: _zeros(L, d).index_add(0, L.tensor([1]), _zeros(L, d)[:1] + 1, alpha=n),
    "pow": lambda L, d, n: (_zeros(L, d) + 2) ** n,
}


@pytest.mark.parametrize("dtype", INTEGERS)
@pytest.mark.parametrize("name", CONSTANTS)
def test_numbers_in_integer_dtypes(name: str, dtype: str) -> None:
    for n in NUMBERS:
        ours, theirs = (_answer(CONSTANTS[name], L, dtype, n) for L in LIBRARIES)
        assert ours == theirs, n


def _answer(call: Callable[..., Any], *args: Any) -> Any:
    try:
        result = call(*args)
    except RuntimeError:
        return "error"
    return str(result.dtype).removeprefix("torch."), str(result.tolist())


@pytest.mark.parametrize("dtype", ["float16", "float32"])
@pytest.mark.parametrize("name", ["std", "std_mean", "var", "var_mean"])
def test_deviations_over_all_scales(name: str, dtype: str) -> None:
    rng = np.random.default_rng(5)
    greatest = 1e38 if name.startswith("std") else 1e35  # long sums of greater ones do not fit
    for scale in [6e4, 1e3, 1e-3] + [greatest, 1e25, 1e-19, 1e-30] * (dtype == "float32"):
        for shape in [(2,), (3, 5), (4, 200)]:
            x = (rng.uniform(-1, 1, shape) * scale).astype(dtype)
            ours, theirs = (getattr(L, name)(t, -1) for L, t in zip(LIBRARIES, _tensors(x), strict=True))
            pairs = list(zip(*(r if isinstance(r, tuple) else (r,) for r in (ours, theirs)), strict=True))
            eps, least = float(np.finfo(dtype).eps), 2 * float(np.finfo(dtype).smallest_subnormal)
            for (a, b), slack in zip(pairs, (least, 1e-6 * scale), strict=False):  # a spread, a mean
                np.testing.assert_allclose(a.numpy(), b.numpy(), rtol=4 * eps, atol=slack)


def _tensors(x: Any) -> tuple[Any, Any]:
    return tg.tensor(x), torch.from_numpy(x)


@pytest.mark.parametrize("p", [2, 3, 0.5, -1, 1])
def test_the_norm_of_one_number(p: float) -> None:
    for n in (1e200, -1e-200, 3.0):
        x = np.array([[n]])
        ours, theirs = (t.norm(p, dim=1) for t in _tensors(x))
        np.testing.assert_allclose(ours.numpy(), theirs.numpy(), rtol=1e-15)


def test_float16_and_numbers_beyond_it() -> None:
    x = np.array([0.0, 0.001, 1.0, -3.0, 1000.0, 60000.0, np.inf, np.nan], np.float16)
    numbers = [70000, 1e30, 1e-6, 1e-30, -1e5, 65504, 2.0, 0, np.inf]
    calls: dict[str, Callable[[Any, Any], Any]] = {
        "x * n": lambda t, n: t * n,
        "n * x": lambda t, n: n * t,
        "x / n": lambda t, n: t / n,
        "mul_": lambda t, n: t.clone().mul_(n),
        "div_": lambda t, n: t.clone().div_(n),
    }
    for name, call in calls.items():
        for n in numbers:
            ours, theirs = (call(t, n).numpy() for t in _tensors(x))
            assert ours.dtype == theirs.dtype
            np.testing.assert_array_equal(ours, theirs, err_msg=f"{name}, n = {n}")
