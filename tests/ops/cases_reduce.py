"""Reductions: the family's cases. Oracles are NumPy and SciPy."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from scipy import special

import tensorgrad as tg
from tests.ops.table import Array, Case

COUNTED = (tg.float32, tg.float64, tg.int64)

# One dim, several, negative ones, all, kept or not: (id, shape, dim, keepdim).
WAYS: tuple[tuple[str, tuple[int, ...], Any, bool], ...] = (
    ("all", (3, 4), None, False),
    ("all-kept", (3, 4), None, True),
    ("first", (3, 4), 0, False),
    ("last", (3, 4), -1, False),
    ("middle-kept", (3, 4, 2), 1, True),
    ("several", (3, 4, 2), (0, 2), False),
    ("several-negative", (3, 4, 2), (-1, -3), True),
    ("vector", (7,), 0, False),
    ("scalar", (), None, False),
    ("scalar-dim", (), -1, False),
    ("one-element", (1, 1), (0, 1), False),
)
EMPTY: tuple[tuple[str, tuple[int, ...], Any, bool], ...] = (
    ("empty", (0,), None, False),
    ("empty-rows", (0, 3), 0, False),
    ("empty-columns", (3, 0), 1, True),
    ("no-rows-left", (0, 3), 1, False),
)
ALONG = tuple(w for w in WAYS if not isinstance(w[2], tuple))


def _axis(dim: Any, ndim: int) -> Any:
    return None if ndim == 0 else dim


def _family(
    name: str,
    function: Callable[..., Any],
    reference: Callable[..., Any],
    ways: tuple[tuple[str, tuple[int, ...], Any, bool], ...],
    **options: Any,
) -> list[Case]:
    """A case for each way; `reference` takes (x, axis=, keepdims=)."""

    def case(way: str, shape: tuple[int, ...], dim: Any, keep: bool) -> Case:
        return Case(
            f"{name}-{way}",
            lambda x: function(x, dim, keep),
            lambda x: reference(x, axis=_axis(dim, len(shape)), keepdims=keep),
            shapes=[shape],
            **options,
        )

    return [case(*way) for way in ways]


def _accumulated(f: Callable[..., Any]) -> Callable[..., Any]:
    """`f` with float16 computed in float32: NumPy rounds its partial results, a worse baseline than ours."""

    def reference(x: Array, **kwargs: Any) -> Array:
        if x.dtype == np.float16:
            return np.asarray(f(x.astype(np.float32), **kwargs)).astype(np.float16)
        return np.asarray(f(x, **kwargs))

    return reference


def _norm(p: float) -> Callable[..., Array]:
    def reference(x: Array, axis: Any = None, keepdims: bool = False) -> Array:
        how = {"axis": axis, "keepdims": keepdims}
        if p == 0:
            return np.asarray(np.sum(x != 0, **how)).astype(x.dtype)
        if np.isinf(p):
            return np.asarray((np.max if p > 0 else np.min)(np.abs(x), **how))
        return np.asarray(np.sum(np.abs(x) ** p, **how) ** x.dtype.type(1 / p))

    return reference


def _gathered(arg: Callable[..., Any]) -> Callable[..., Any]:
    """(values, indices) along one axis, by NumPy's argmax or argmin."""

    def reference(x: Array, axis: Any = None, keepdims: bool = False) -> tuple[Array, Array]:
        if x.ndim == 0:
            return x, np.asarray(0)
        indices = np.expand_dims(arg(x, axis=axis), axis)
        values = np.take_along_axis(x, indices, axis)
        return (values, indices) if keepdims else (values.squeeze(axis), indices.squeeze(axis))

    return reference


def _with_zeros(rng: np.random.Generator, shape: tuple[int, ...]) -> Array:
    """Rows with no, one, two and three zeros."""
    x = rng.uniform(0.5, 2.0, shape)
    for row in range(min(shape[0], 4)):
        x[row, :row] = 0
    return x


def _flags(rng: np.random.Generator, shape: tuple[int, ...]) -> Array:
    return np.asarray(rng.random(shape) < 0.3)


def _cumsum_cases() -> list[Case]:
    shapes = ((5,), 0), ((3, 4), 1), ((3, 4), -2), ((2, 3, 4), 1), ((0, 3), 0)
    return [
        Case(
            f"cumsum-{len(shape)}d-{dim}-{shape[0]}",
            lambda x, dim=dim: tg.cumsum(x, dim),
            lambda x, dim=dim: np.cumsum(x, dim),
            shapes=[shape],
            dtypes=COUNTED,
        )
        for shape, dim in shapes
    ] + [Case("cumsum-scalar", lambda x: tg.cumsum(x, -1), lambda x: x.copy(), shapes=[()])]


def _and_mean(spread: Callable[..., Any]) -> Callable[..., Any]:
    def reference(x: Array, ddof: int = 0, **kwargs: Any) -> tuple[Array, Array]:
        return spread(x, ddof=ddof, **kwargs), np.mean(x, **kwargs)

    return reference


def _argument_cases() -> list[Case]:
    exact: dict[str, Any] = {"gradient": False, "dtypes": COUNTED, "sample": "distinct"}
    along = tuple(w for w in ALONG if w[2] is not None and w[1])
    return [
        *_family("argmax", tg.argmax, np.argmax, along, **exact),
        *_family("argmin", tg.argmin, np.argmin, along, **exact),
        Case("argmax-all", tg.argmax, np.argmax, shapes=[(3, 4)], **exact),
        Case("argmax-scalar", lambda x: tg.argmax(x, dim=-1), np.argmax, shapes=[()], **exact),
        Case(
            "argmin-all-kept",
            lambda x: tg.argmin(x, keepdim=True),
            lambda x: np.argmin(x, keepdims=True),
            shapes=[(3, 4)],
            **exact,
        ),
    ]


def _spread_cases() -> list[Case]:
    ways = tuple(w for w in WAYS if w[0] not in ("scalar", "scalar-dim", "one-element"))
    functions: dict[str, tuple[Callable[..., Any], Callable[..., Any]]] = {
        "var": (tg.var, np.var),
        "std": (tg.std, np.std),
        "var_mean": (tg.var_mean, _and_mean(_accumulated(np.var))),
        "std_mean": (tg.std_mean, _and_mean(_accumulated(np.std))),
    }
    cases = []
    for name, (function, reference) in functions.items():
        cases += _family(
            name,
            lambda x, dim, keep, f=function: f(x, dim, keepdim=keep),
            lambda x, r=reference, **kw: r(x, ddof=1, **kw),
            ways,
        )
        cases += _family(
            f"{name}-population",
            lambda x, dim, keep, f=function: f(x, dim, correction=0, keepdim=keep),
            reference,
            ways[:4],
            dtypes=(tg.float16, tg.float32, tg.float64) if "mean" in name else (tg.float32, tg.float64),
        )
    return cases


CASES: list[Case] = [
    *_family("sum", tg.sum, np.sum, WAYS + EMPTY, dtypes=COUNTED),
    *_family("sum-half", tg.sum, _accumulated(np.sum), WAYS[:5], dtypes=(tg.float16,)),
    *_family("mean", tg.mean, np.mean, WAYS),
    *_family("mean-half", tg.mean, _accumulated(np.mean), WAYS[:5], dtypes=(tg.float16,)),
    *_family("prod", tg.prod, np.prod, WAYS + EMPTY, dtypes=COUNTED, sample="nonzero"),
    *_family(
        "prod-zeros",
        tg.prod,
        np.prod,
        (("rows", (4, 5), 1, False), ("all", (2, 3), None, True)),
        sample=_with_zeros,
    ),
    *_family("amax", tg.amax, np.max, WAYS, sample="distinct", dtypes=COUNTED),
    *_family("amin", tg.amin, np.min, WAYS, sample="distinct", dtypes=COUNTED),
    *_family("amax-half", tg.amax, np.max, WAYS[:5], sample="distinct", dtypes=(tg.float16,)),
    *_family("max", tg.max, _gathered(np.argmax), tuple(w for w in ALONG if w[2] is not None), sample="distinct"),
    *_family("min", tg.min, _gathered(np.argmin), tuple(w for w in ALONG if w[2] is not None), sample="distinct"),
    Case("max-whole", tg.max, np.max, shapes=[(3, 4)], sample="distinct"),
    Case("min-whole", tg.min, np.min, shapes=[(3, 4)], sample="distinct"),
    Case("max-other", tg.max, np.maximum, shapes=[(3, 4), (4,)]),
    Case("min-other", tg.min, np.minimum, shapes=[(3, 4), (4,)]),
    *_family("logsumexp", tg.logsumexp, special.logsumexp, WAYS),
    *_family(
        "logsumexp-large",
        lambda x, d, k: tg.logsumexp(x * 900, d, k),
        lambda x, **kw: special.logsumexp(x * 900, **kw),
        WAYS[:3],
    ),
    *[
        case
        for p in (2, 1, 3, 0.5, np.inf, -np.inf)
        for case in _family(f"norm-{p}", lambda x, d, k, p=p: tg.norm(x, p, d, k), _norm(p), WAYS[:9], sample="nonzero")
    ],
    *_family("norm-0", lambda x, d, k: tg.norm(x, 0, d, k), _norm(0), WAYS[:6], sample="nonzero"),
    *_family("norm-empty", lambda x, d, k: tg.norm(x, 2, d, k), _norm(2), EMPTY),
    *_cumsum_cases(),
    *_argument_cases(),
    *_spread_cases(),
    *_family("any", tg.any, np.any, WAYS + EMPTY, sample=_flags, gradient=False, dtypes=(tg.bool,)),
    *_family("all", tg.all, np.all, WAYS + EMPTY, sample=_flags, gradient=False, dtypes=(tg.bool,)),
    Case("any-float", tg.any, np.any, shapes=[(3, 4)], gradient=False),
    Case(
        "count_nonzero",
        lambda x: tg.count_nonzero(x, 1),
        lambda x: np.count_nonzero(x, 1),
        shapes=[(3, 4)],
        gradient=False,
        dtypes=COUNTED,
    ),
    Case("sum-bool", tg.sum, np.sum, shapes=[(3, 4)], sample=_flags, dtypes=(tg.bool,), gradient=False),
]
