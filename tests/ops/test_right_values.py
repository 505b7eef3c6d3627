"""The calls of `right_values` on the CPU."""

from __future__ import annotations

import pytest

import tensorgrad as tg
from tests.ops.right_values import ERRORS, VALUES


@pytest.mark.parametrize("name", VALUES)
def test_values(name: str) -> None:
    call, dtype, expected = VALUES[name]
    found = call()
    if isinstance(found, tg.Tensor):
        assert found.dtype == dtype
        found = found.tolist()
    assert str(found) == str(expected)


@pytest.mark.parametrize("name", ERRORS)
def test_errors(name: str) -> None:
    call, kind, message = ERRORS[name]
    with pytest.raises(kind, match=message):
        call()
