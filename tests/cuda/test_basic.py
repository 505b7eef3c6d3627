"""Every basic primitive of the CUDA backend: NumPy's values, and the same into `out=`."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import tensorgrad as tg
from tests.backends.test_basic import CALLS


def there(backend: Any, value: Any) -> Any:
    """The NumPy arrays among the arguments as arrays of the device."""
    if isinstance(value, np.ndarray):
        return backend.asarray(value)
    if isinstance(value, list):
        return [there(backend, v) for v in value]
    return value


@pytest.mark.parametrize("name", CALLS)
def test_value_and_out(name: str, cuda_device: tg.Device) -> None:
    arguments, keywords, expected = CALLS[name]
    backend = cuda_device.backend
    primitive, given = getattr(backend, name), [there(backend, a) for a in arguments]
    result = primitive(*given, **keywords)
    assert isinstance(result, backend.array_type)
    assert result.dtype == expected.dtype
    np.testing.assert_allclose(backend.to_numpy(result), expected, rtol=2e-6)
    out = backend.full(result.shape, 1 if result.dtype.kind == "b" else 113, result.dtype)
    assert primitive(*given, **keywords, out=out) is out
    np.testing.assert_array_equal(backend.to_numpy(out), backend.to_numpy(result))
