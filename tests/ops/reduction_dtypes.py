"""The dtype of every reduction of every dtype, written out; and what comes out where `dtype=` asks for another."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import tensorgrad as tg

__all__ = ["ASKED", "DTYPES", "RULES", "check_asked", "check_rule"]

DTYPES = ("bool", "uint8", "int8", "int16", "int32", "int64", "float16", "float32", "float64")
INTEGERS = DTYPES[1:6]
FLOATS = DTYPES[6:]
# 200 + 100 wraps around in uint8 and int8, as 2.75 loses its fraction.
VALUES = [[0, 1, 200], [2, 100, 0]]
FRACTIONS = [[0.5, 1.5, 0.25], [2.75, 1.0, 0.0]]

_own = {name: name for name in DTYPES}
_counted = {**dict.fromkeys(DTYPES[:6], "int64"), **{n: n for n in FLOATS}}
_floating = {n: n for n in FLOATS}  # of others a DTypeError
_default = {**dict.fromkeys(DTYPES[:6], "float32"), **_floating}
_truth = {**dict.fromkeys(DTYPES, "bool"), "uint8": "uint8"}
_positions = dict.fromkeys(DTYPES, "int64")

# (function of a 2-d tensor, the dtype of its result by that of the tensor)
RULES: dict[str, tuple[Callable[[tg.Tensor], Any], dict[str, str]]] = {
    "sum": (lambda x: x.sum(), _counted),
    "sum of rows": (lambda x: x.sum(1, keepdim=True), _counted),
    "sum of columns": (lambda x: x.sum(0), _counted),
    "prod": (lambda x: x.prod(), _counted),
    "prod of rows": (lambda x: x.prod(1), _counted),
    "cumsum": (lambda x: x.cumsum(1), _counted),
    "trace": (lambda x: x.trace(), _counted),
    "einsum ij->": (lambda x: tg.einsum("ij->", x), _counted),
    "einsum ij->j": (lambda x: tg.einsum("ij->j", x), _counted),
    "einsum ij->ji": (lambda x: tg.einsum("ij->ji", x), _own),
    "einsum i,j->ij": (lambda x: tg.einsum("i,j->ij", x[0], x[1]), _own),
    "einsum ij,k->k": (lambda x: tg.einsum("ij,k->k", x, x[0]), _counted),
    "einsum ij,ij->": (lambda x: tg.einsum("ij,ij->", x, x), {n: n for n in DTYPES[1:]}),
    "mean": (lambda x: x.mean(), _floating),
    "var": (lambda x: x.var(1), _floating),
    "std": (lambda x: x.std(), _floating),
    "norm": (lambda x: x.norm(), _floating),
    "logsumexp": (lambda x: x.logsumexp(1), _default),
    "amax": (lambda x: x.amax(1), _own),
    "amin": (lambda x: x.amin(), _own),
    "max": (lambda x: x.max(1).values, _own),
    "argmin": (lambda x: x.argmin(1), _positions),
    "count_nonzero": (lambda x: x.count_nonzero(), _positions),
    "any": (lambda x: x.any(), _truth),
    "any of rows": (lambda x: x.any(1), _truth),
    "all": (lambda x: x.all(), _truth),
    "all of columns": (lambda x: x.all(0, keepdim=True), _truth),
}

# NumPy's function for what `dtype=` is asked of.
ASKED: dict[str, Callable[..., Any]] = {"sum": np.sum, "prod": np.prod, "cumsum": np.cumsum, "mean": np.mean}


def _host(name: str) -> Any:
    return np.array(FRACTIONS if name in FLOATS else VALUES).astype(name)


def check_rule(name: str, dtype: str, device: tg.Device) -> None:
    function, rule = RULES[name]
    x = tg.from_numpy(_host(dtype)).to(device)
    if dtype not in rule:
        with pytest.raises(tg.DTypeError):
            function(x)
        return
    assert str(function(x).dtype) == rule[dtype]


def check_asked(name: str, dtype: str, asked: str, device: tg.Device) -> None:
    """`dtype=` converts before anything is added: the values are NumPy's of the converted array, in that dtype."""
    host = _host(dtype)
    for axis in (0, 1) if name == "cumsum" else (None, 0, 1):
        x = tg.from_numpy(host).to(device)
        function = getattr(tg, name)
        if name == "mean" and asked not in FLOATS:
            with pytest.raises(tg.DTypeError):
                function(x, axis, dtype=asked)
            continue
        found = function(x, axis, dtype=asked)
        inside = "float32" if asked == "float16" else asked
        expected = np.asarray(ASKED[name](host.astype(asked), axis=axis, dtype=inside)).astype(asked)
        assert str(found.dtype) == asked
        np.testing.assert_allclose(found.numpy(force=True), expected, rtol=2e-3 if asked == "float16" else 1e-6)
        assert found.tolist() == getattr(x, name)(axis, dtype=getattr(tg, asked)).tolist()
