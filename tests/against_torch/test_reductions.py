"""Every reduction of every dtype, and with every `dtype=`, against PyTorch: values and dtypes."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import tensorgrad as tg

torch = pytest.importorskip("torch")

DTYPES = ("bool", "uint8", "int8", "int16", "int32", "int64", "float16", "float32", "float64")
NAMES = (
    "sum prod mean var std var_mean std_mean norm logsumexp cumsum amax amin max min argmax argmin all any "
    "count_nonzero"
).split()
# Answered here and refused there; see the docstrings. `prod` takes several dims and `logsumexp` none.
WIDER = {("argmax", "bool"), ("argmin", "bool"), ("trace", "bool")}
EQUATIONS = ("ij->", "ij->i", "ij->j", "ij->ji", "ij,kl->", "ij,kl->il", "ij,ij->ij", "ij,ij->", "ij,kj->ik")


def pair(dtype: str) -> tuple[Any, tg.Tensor]:
    values: Any = [[0.5, 1.5, 0.25], [2.75, -1.5, 0]] if dtype.startswith("float") else [[0, 1, 3], [2, 100, 0]]
    x = torch.tensor(values).to(getattr(torch, dtype))
    return x, tg.tensor(x)


def outcome(function: Any) -> list[tuple[str, Any]] | None:
    """(dtype, values) of each result; None where it is refused."""
    try:
        found = function()
    except (TypeError, ValueError, RuntimeError):  # NotImplementedError is one, IndexError never comes here
        return None
    results = found if isinstance(found, tuple) else (found,)
    return [(str(t.dtype).removeprefix("torch."), np.asarray(t.tolist(), np.float64)) for t in results]


def compare(theirs: list[tuple[str, Any]] | None, ours: list[tuple[str, Any]] | None) -> None:
    if theirs is None:
        assert ours is None
        return
    assert ours is not None
    assert [dtype for dtype, _ in ours] == [dtype for dtype, _ in theirs]
    for (dtype, mine), (_, its) in zip(ours, theirs, strict=True):
        np.testing.assert_allclose(mine, its, rtol=2e-3 if dtype == "float16" else 1e-6)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", NAMES)
@pytest.mark.filterwarnings("ignore:.*degrees of freedom:UserWarning")
def test_reductions(name: str, dtype: str) -> None:
    x, y = pair(dtype)
    for dims in ((), (0,), (1,), (-1,), ((0, 1),)):
        theirs = outcome(lambda d=dims: getattr(torch, name)(x, *d))
        ours = outcome(lambda d=dims: getattr(tg, name)(y, *d))
        if theirs is None and ((name, dtype) in WIDER or (name, dims) in (("prod", ((0, 1),)), ("logsumexp", ()))):
            continue
        compare(theirs, ours)


@pytest.mark.parametrize("asked", DTYPES)
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", ["sum", "prod", "mean", "cumsum"])
def test_reductions_in_another_dtype(name: str, dtype: str, asked: str) -> None:
    x, y = pair(dtype)
    for dims in ((), (0,), (1,)):
        theirs = outcome(lambda d=dims: getattr(x, name)(*d, dtype=getattr(torch, asked)))
        ours = outcome(lambda d=dims: getattr(y, name)(*d, dtype=getattr(tg, asked)))
        if name == "cumsum" and asked == "bool":
            continue  # not implemented there; here as `sum` of bools
        compare(theirs, ours)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("equation", EQUATIONS)
def test_sums_by_einsum(equation: str, dtype: str) -> None:
    x, y = pair(dtype)
    operands = equation.partition("->")[0].count(",") + 1
    compare(
        outcome(lambda: torch.einsum(equation, *[x] * operands)), outcome(lambda: tg.einsum(equation, *[y] * operands))
    )


@pytest.mark.parametrize(
    ("shape", "dim"), [((300_000, 2), 0), ((2, 300_000), 1), ((20_000, 3, 5), 0), ((3, 20_000, 5), 1)], ids=str
)
def test_long_sums_are_as_good_as_pytorchs(shape: tuple[int, ...], dim: int) -> None:
    values = np.random.default_rng(0).normal(1000, 1, shape).astype(np.float32)
    x, y, wide = torch.from_numpy(values), tg.from_numpy(values), values.astype(np.float64)
    for name, exact in (("sum", wide.sum(dim)), ("mean", wide.mean(dim)), ("var", wide.var(dim, ddof=1))):
        mine, its = (np.abs(np.asarray(getattr(t, name)(dim).tolist()) / exact - 1).max() for t in (y, x))
        assert mine <= 2 * its + 2 * np.finfo(np.float32).eps, name
