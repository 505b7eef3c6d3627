"""What the tests of the tape share."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

import tensorgrad as tg

__all__ = ["assert_values", "counting", "leaf"]


def leaf(values: Any, dtype: Any = tg.float64) -> tg.Tensor:
    """A leaf that requires grad."""
    return tg.tensor(values, dtype=dtype, requires_grad=True)


def assert_values(tensor: Any, expected: Any, tolerance: float = 1e-12) -> None:
    """The tensor (not None) has these values, to `tolerance` relative to the greatest."""
    assert isinstance(tensor, tg.Tensor)
    wanted = np.asarray(expected, np.float64)
    slack = tolerance * max(1.0, float(np.max(np.abs(wanted), initial=0.0)))
    np.testing.assert_allclose(tensor.detach().numpy(), wanted, rtol=0, atol=slack)


def counting(monkeypatch: Any, primitive: str) -> list[tuple[Any, ...]]:
    """Every later call of `primitive` on the CPU is noted in the list returned: the arguments."""
    backend = tg.device("cpu").backend
    original: Callable[..., Any] = getattr(backend, primitive)
    calls: list[tuple[Any, ...]] = []

    def counted(*args: Any, **kwargs: Any) -> Any:
        calls.append(args)
        return original(*args, **kwargs)

    monkeypatch.setattr(backend, primitive, counted, raising=False)
    return calls
