"""The table of cases that drives every op: what a `Case` says, and the checks each one goes through.

A family writes `cases_<family>.py` with a list `CASES`; `families()` finds it. The oracle is the case's
own `reference`, a plain NumPy/SciPy formula: it gives the values (in float64), the honest baseline of each
lower precision (run in that precision) and, by finite differences, the gradients.
"""

from __future__ import annotations

import importlib
import math
import warnings
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple, TypeAlias

import numpy as np

import tensorgrad as tg

__all__ = ["CHECKS", "Case", "Families", "all_checks", "checks_of", "families", "inputs_of"]

Array: TypeAlias = "np.ndarray[Any, Any]"
Sample: TypeAlias = "str | Callable[[np.random.Generator, tuple[int, ...]], Array]"
DType: TypeAlias = "np.dtype[Any]"

FLOAT32_AND_64 = (tg.float32, tg.float64)


@dataclass(frozen=True)
class Case:
    """One way to call one op.

    name: "op" or "op-variant", unique; the test ids begin with it.
    function: takes one Tensor for each shape; returns a Tensor, or a tuple or list of them. Other arguments
        are closed over: `lambda x: tg.sum(x, dim=1, keepdim=True)`.
    reference: the same in NumPy. It is given float64 arrays (for the values and gradients) and arrays of each
        dtype (for the baseline), so it must not convert by itself. What it returns also says the dtype of the
        result: bool for bool, integers for integers, floats for the dtype of the case (float32 where that is
        an integer one).
    shapes: of the inputs.
    sample: how inputs are drawn, one for all or a tuple with one for each: a name of `SAMPLES`, or a function
        (rng, shape) -> array. An array of integers or bools that such a function returns keeps its dtype
        (indices, labels, masks); floats are converted to the dtype of the case.
    dtypes: the dtypes it is run in.
    result_dtype: where the rule above is wrong: the dtype, or a mapping from the dtype of the case.
    gradient, second: whether first- and second-order gradients are checked, with respect to every floating
        input. Inputs must be drawn away from kinks.
    tolerance: a factor on the tolerance of values and gradients, for ops that are ill-conditioned; say why
        beside it.
    """

    name: str
    function: Callable[..., Any]
    reference: Callable[..., Any]
    shapes: Sequence[tuple[int, ...]]
    sample: Sample | tuple[Sample, ...] = "normal"
    dtypes: Sequence[DType] = FLOAT32_AND_64
    result_dtype: DType | Mapping[DType, DType] | None = None
    gradient: bool = True
    second: bool = True
    tolerance: float = 1.0

    def expected_dtype(self, dtype: DType, reference: Array) -> DType:
        """The dtype the result must have in the case's `dtype`, given what the reference returned."""
        if isinstance(self.result_dtype, Mapping):
            if dtype in self.result_dtype:
                return self.result_dtype[dtype]
        elif self.result_dtype is not None:
            return self.result_dtype
        if reference.dtype.kind == "b":
            return tg.bool
        if reference.dtype.kind in "iu":
            return dtype if dtype.kind in "iu" else tg.int64
        return dtype if dtype.kind == "f" else tg.float32


# ---------------------------------------------------------------------- inputs
SAMPLES: dict[str, Callable[[np.random.Generator, tuple[int, ...]], Array]] = {
    "normal": lambda rng, shape: rng.standard_normal(shape),
    "positive": lambda rng, shape: rng.uniform(0.5, 2.0, shape),
    "unit": lambda rng, shape: rng.uniform(-0.9, 0.9, shape),
    "probability": lambda rng, shape: rng.uniform(0.05, 0.95, shape),
    "nonzero": lambda rng, shape: rng.uniform(0.3, 2.0, shape) * rng.choice([-1.0, 1.0], shape),
    "distinct": lambda rng, shape: rng.permutation(np.linspace(-2.03, 2.05, math.prod(shape))).reshape(shape),
}
_INTEGERS: dict[str, Callable[[np.random.Generator, tuple[int, ...]], Array]] = {
    "positive": lambda rng, shape: rng.integers(1, 6, shape),
    "nonzero": lambda rng, shape: rng.integers(1, 6, shape) * rng.choice([-1, 1], shape),
    "distinct": lambda rng, shape: rng.permutation(math.prod(shape)).reshape(shape),
}


def inputs_of(case: Case, dtype: DType) -> list[Array]:
    """The inputs of `case` in `dtype`, the same in every run."""
    rng = np.random.default_rng(zlib.crc32(case.name.encode()))
    samples = case.sample if isinstance(case.sample, tuple) else (case.sample,) * len(case.shapes)
    drawn = [_draw(rng, sample, shape, dtype) for sample, shape in zip(samples, case.shapes, strict=True)]
    # Inputs that are distinct each must be so from each other too.
    apart = [0.017 * i if s == "distinct" and dtype.kind == "f" else 0.0 for i, s in enumerate(samples)]
    return [np.asarray(a + by, a.dtype) if by else a for a, by in zip(drawn, apart, strict=True)]


def _draw(rng: np.random.Generator, sample: Sample, shape: tuple[int, ...], dtype: DType) -> Array:
    if callable(sample):
        drawn = np.asarray(sample(rng, shape))
        return drawn.astype(dtype) if drawn.dtype.kind == "f" else drawn
    if dtype.kind == "b":
        return np.asarray(rng.random(shape) < 0.5)
    if dtype.kind == "f":
        return np.asarray(SAMPLES[sample](rng, shape), dtype)
    low = 0 if dtype.kind == "u" else -5
    drawn = _INTEGERS[sample](rng, shape) if sample in _INTEGERS else rng.integers(low, 6, shape)
    return np.asarray(drawn, dtype)


# ---------------------------------------------------------------------- checks
def check_value(case: Case, dtype: DType, device: str = "cpu") -> None:
    """Values, shapes and dtypes against the reference; the inputs stay as they were."""
    arrays = inputs_of(case, dtype)
    results = _run(case, arrays, device)
    exact = _reference(case, [_wide(a) for a in arrays])
    baseline = _reference(case, arrays)
    assert len(results) == len(exact), f"{len(results)} results, {len(exact)} expected"
    for result, right, plain in zip(results, exact, baseline, strict=True):
        assert result.shape == right.shape, f"shape {result.shape}, expected {right.shape}"
        wanted = case.expected_dtype(dtype, plain)
        assert result.dtype == wanted, f"dtype {result.dtype}, expected {wanted}"
        if wanted.kind == "f":
            _assert_as_good_as(result.numpy(force=True), right, plain, case.tolerance)
        else:
            np.testing.assert_array_equal(result.numpy(force=True), right.astype(wanted))


def check_layout(case: Case, dtype: DType, device: str = "cpu") -> None:
    """Transposed, strided (with an offset), reversed and expanded inputs give what contiguous ones do."""
    for layout in LAYOUTS:
        strange = [layout(a) for a in inputs_of(case, dtype)]
        usual = [np.array(a, order="C") for a in strange]
        for compute in (_run, _gradients) if case.gradient and dtype.kind == "f" else (_run,):
            got, wanted = compute(case, strange, device), compute(case, usual, device)
            for a, b in zip(got, wanted, strict=True):
                _assert_close(a.numpy(force=True), b.numpy(force=True), case.tolerance)


def check_gradient(case: Case, dtype: DType, device: str = "cpu") -> None:
    """Gradients have the inputs' dtype and shape. In float64 they agree with finite differences of the
    reference in random directions; in lower precision, with the float64 gradients."""
    arrays = inputs_of(case, dtype)
    gradients = _gradients(case, arrays, device)
    for gradient, array in zip(gradients, _floating(arrays), strict=True):
        assert gradient.dtype == array.dtype, f"gradient is {gradient.dtype}, the input {array.dtype}"
        assert gradient.shape == array.shape, f"gradient has shape {gradient.shape}, the input {array.shape}"
    if dtype == tg.float64:
        _assert_matches_differences(case, arrays, [g.numpy(force=True) for g in gradients])
        return
    for gradient, exact in zip(gradients, _gradients(case, [_wide(a) for a in arrays], device), strict=True):
        scale = float(np.max(np.abs(exact.numpy(force=True)), initial=0.0))
        slack = 64 * case.tolerance * float(np.finfo(dtype).eps) * (scale + 1e-3)
        np.testing.assert_allclose(
            gradient.numpy(force=True).astype(np.float64), exact.numpy(force=True), rtol=0, atol=slack
        )


def check_second(case: Case, dtype: DType, device: str = "cpu") -> None:
    """Gradients of gradients against finite differences of the gradients."""
    arrays = inputs_of(case, dtype)
    inputs = [_tensor(a, device, grad=True) for a in arrays]

    def function(*tensors: tg.Tensor) -> tuple[tg.Tensor, ...]:
        return tuple(t for t in _listed(case.function(*tensors)) if t.dtype.kind == "f")

    slack = 1e-5 * case.tolerance
    assert tg.autograd.gradgradcheck(function, inputs, fast_mode=True, atol=slack, rtol=1e-3)


CHECKS: dict[str, Callable[..., None]] = {
    "value": check_value,
    "layout": check_layout,
    "gradient": check_gradient,
    "second": check_second,
}


def checks_of(case: Case) -> Iterator[tuple[DType, str]]:
    """The (dtype, name of the check) that `case` goes through."""
    for dtype in case.dtypes:
        yield dtype, "value"
        if case.gradient and dtype.kind == "f":
            yield dtype, "gradient"
    widest = max(case.dtypes, key=lambda d: (d.kind == "f", d.itemsize))
    if any(case.shapes):
        yield widest, "layout"
    if case.gradient and case.second and tg.float64 in case.dtypes:
        yield tg.float64, "second"


class Families(NamedTuple):
    """The cases of each family, and why another one cannot be imported."""

    cases: dict[str, list[Case]]
    broken: dict[str, Exception]


@cache
def families() -> Families:
    """All there are. One that cannot be imported, perhaps because SciPy is missing, fails alone."""
    found = Families({}, {})
    for path in sorted(Path(__file__).parent.glob("cases_*.py")):
        family = path.stem.removeprefix("cases_")
        try:
            found.cases[family] = importlib.import_module(f".{path.stem}", __package__).CASES
        except Exception as error:
            found.broken[family] = error
    return found


def all_checks() -> Iterator[tuple[str, Case, DType, str]]:
    """(name, case, dtype, name of the check) of every case of every family."""
    for cases in families().cases.values():
        for case in cases:
            for dtype, check in checks_of(case):
                yield f"{case.name}-{dtype}-{check}", case, dtype, check


# ---------------------------------------------------------------------- layouts
def _strided(a: Array) -> Array:
    """Every second element of a larger array, from the second on."""
    larger = np.zeros(tuple(2 * n + 1 for n in a.shape), a.dtype)
    odd: tuple[Any, ...] = (slice(1, None, 2),) * a.ndim
    view = larger[(*odd, ...)]
    view[...] = a
    return view


def _reversed(a: Array) -> Array:
    return np.flip(np.array(np.flip(a), order="C")) if a.ndim else a


def _expanded(a: Array) -> Array:
    """The first row everywhere, by a stride of zero. Index arrays stay: duplicates may not be allowed."""
    return a if a.dtype.kind != "f" or a.size == 0 or a.ndim == 0 else np.broadcast_to(a[:1], a.shape)


def _transposed(a: Array) -> Array:
    return np.array(a, order="F")


LAYOUTS: tuple[Callable[[Array], Array], ...] = (_transposed, _strided, _reversed, _expanded)


# ---------------------------------------------------------------------- tools
def _tensor(array: Array, device: str, grad: bool = False) -> tg.Tensor:
    if not array.flags.writeable:  # an expanded array: expand it anew, on writable memory
        tensor = tg.from_numpy(np.array(array[:1])).to(device).expand(array.shape)
        return tensor.requires_grad_(grad and array.dtype.kind == "f")
    return tg.from_numpy(array).to(device).requires_grad_(grad and array.dtype.kind == "f")


def _listed(results: Any) -> list[tg.Tensor]:
    return [results] if isinstance(results, tg.Tensor) else list(results)


def _run(case: Case, arrays: list[Array], device: str, grad: bool = False) -> list[tg.Tensor]:
    """The results on `arrays`, which must not change."""
    before = [a.copy() for a in arrays]
    results = _listed(case.function(*(_tensor(a, device, grad) for a in arrays)))
    _assert_unchanged(arrays, before)
    return results


def _assert_unchanged(arrays: list[Array], before: list[Array]) -> None:
    for i, (now, then) in enumerate(zip(arrays, before, strict=True)):
        assert np.array_equal(now, then, equal_nan=now.dtype.kind == "f"), f"input {i} was written to"


def _gradients(case: Case, arrays: list[Array], device: str) -> list[tg.Tensor]:
    """The gradients of the results, weighted by `_weights`, for every floating input."""
    before = [a.copy() for a in arrays]
    inputs = [_tensor(a, device, grad=True) for a in arrays]
    outputs = [t for t in _listed(case.function(*inputs)) if t.dtype.kind == "f"]
    weights = [tg.from_numpy(w).to(device) for w in _weights(case, [o.detach().numpy(force=True) for o in outputs])]
    wanted = [t for t in inputs if t.requires_grad]
    gradients = tg.autograd.grad(outputs, wanted, weights, allow_unused=True)
    _assert_unchanged(arrays, before)
    assert all(g is not None for g in gradients), "an input got no gradient"
    return list(gradients)


def _weights(case: Case, outputs: list[Array]) -> list[Array]:
    rng = np.random.default_rng(zlib.crc32(case.name.encode()) + 1)
    return [np.asarray(rng.standard_normal(o.shape), o.dtype) for o in outputs]


def _assert_matches_differences(case: Case, arrays: list[Array], gradients: list[Array]) -> None:
    """Along random directions, the difference of the reference and the gradient's dot product agree."""
    rng = np.random.default_rng(zlib.crc32(case.name.encode()) + 2)
    step = 1e-6
    floating = [i for i, a in enumerate(arrays) if a.dtype.kind == "f"]
    for which, gradient in zip(floating, gradients, strict=True):
        for _ in range(2):
            direction = np.asarray(rng.standard_normal(arrays[which].shape))
            ahead, behind = (_weighted_reference(case, arrays, which, s * direction) for s in (step, -step))
            numeric = (ahead - behind) / (2 * step)
            analytic = float(np.sum(gradient * direction))
            scale = 1 + abs(numeric) + float(np.sqrt(np.sum(gradient**2)))
            assert abs(numeric - analytic) <= 1e-6 * case.tolerance * scale, (
                f"input {which}: the gradient gives {analytic!r}, finite differences {numeric!r}"
            )


def _weighted_reference(case: Case, arrays: list[Array], which: int, change: Array) -> float:
    moved = [np.asarray(a + change) if i == which else a for i, a in enumerate(arrays)]
    outputs = [o for o in _reference(case, moved) if o.dtype.kind == "f"]
    return float(sum(np.sum(o * w) for o, w in zip(outputs, _weights(case, outputs), strict=True)))


def _reference(case: Case, arrays: list[Array]) -> list[Array]:
    with _silence():
        results = case.reference(*(a.copy() for a in arrays))
    return [np.asarray(r) for r in (results if isinstance(results, (tuple, list)) else (results,))]


@contextmanager
def _silence() -> Iterator[None]:
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        yield


def _wide(a: Array) -> Array:
    return a.astype(np.float64) if a.dtype.kind == "f" else a


def _floating(arrays: list[Array]) -> list[Array]:
    return [a for a in arrays if a.dtype.kind == "f"]


def _assert_as_good_as(got: Array, exact: Array, baseline: Array, factor: float) -> None:
    """At most twice the error of the plain formula in the same precision, and a few roundings."""
    eps = float(np.finfo(got.dtype).eps)
    finite = np.isfinite(exact)
    with _silence():
        plain_error = np.abs(baseline.astype(np.float64) - exact)[finite]
    scale = float(np.max(np.abs(exact[finite]), initial=0.0))
    slack = factor * (2 * float(np.max(plain_error[np.isfinite(plain_error)], initial=0.0)) + 8 * eps * scale)
    np.testing.assert_allclose(got.astype(np.float64), exact, rtol=0, atol=slack)


def _assert_close(got: Array, wanted: Array, factor: float) -> None:
    if got.dtype.kind != "f":
        np.testing.assert_array_equal(got, wanted)
        return
    scale = float(np.max(np.abs(wanted[np.isfinite(wanted)]), initial=0.0))
    slack = 32 * factor * float(np.finfo(got.dtype).eps) * scale
    np.testing.assert_allclose(got.astype(np.float64), wanted.astype(np.float64), rtol=0, atol=slack)
