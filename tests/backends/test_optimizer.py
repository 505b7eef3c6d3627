"""The optimizer primitives on raw arrays: default compositions and the launcher of the CPU."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

import tensorgrad as tg
from tensorgrad import optim
from tensorgrad.backends import device
from tensorgrad.backends.cpu.optimizer import _PIECE_BYTES
from tensorgrad.optim import Optimizer
from tests.composition import COMPOSITION
from tests.optim.reference import CASES, REFERENCE, case_id

Array = np.ndarray[Any, Any]


BACKENDS = {"composed": COMPOSITION, "chunked": device("cpu").backend}
PIECE = _PIECE_BYTES // 4
# Below a piece, one more than a piece, several with a rest; without elements, 0-d, three-dimensional.
SHAPES = [(), (0,), (3, 0), (7,), (PIECE,), (PIECE + 1,), (3, PIECE - 5), (40, 30, 40)]


class Run:
    """One optimizer's raw state over many steps of a backend; its class says what is kept, and the options."""

    def __init__(self, backend: Any, name: str, options: dict[str, Any], params: list[Array]) -> None:
        parameter = tg.zeros(1, dtype=params[0].dtype, requires_grad=True)
        optimizer: Optimizer = getattr(optim, name)([parameter], **options)
        (group,) = optimizer.param_groups
        self.params, self.step_count = params, np.zeros(())
        self.state: dict[str, list[Array]] = {
            kept: [np.full_like(p, optimizer._start(parameter, group, kept)) for p in params]
            for kept in optimizer._wanted(group)
        }
        self._names, self._options = optimizer.state_names, optimizer._options(group)
        self._primitive = getattr(backend, optimizer.rule.primitive)

    def step(self, grads: list[Array], lr: float) -> None:
        state = [self.state.get(name) for name in self._names]
        self._primitive(self.params, grads, *state, np.asarray(lr), self.step_count, **self._options)


def _strided(shape: tuple[int, ...], rng: np.random.Generator, layout: str) -> Array:
    """Random float32 numbers of `shape`, in an array that is not contiguous in C order."""
    if layout == "transposed":
        return rng.standard_normal(shape[::-1]).astype(np.float32).T
    wide = (*shape[:-1], 2 * shape[-1])
    return rng.standard_normal(wide).astype(np.float32)[..., ::2]


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize(("name", "options"), CASES, ids=case_id)
def test_formula(name: str, options: dict[str, Any], backend: str, dtype: str) -> None:
    """Sixty steps against the published formula; the error of float32 is judged by its own precision."""
    rng = np.random.default_rng(7)
    start = [rng.standard_normal((4, 3)), rng.standard_normal(5)]
    run = Run(BACKENDS[backend], name, options, [p.astype(dtype) for p in start])
    want = [p.astype(dtype).astype(np.float64) for p in start]
    states: list[dict[str, Any]] = [{}, {}]
    for i in range(60):
        lr = 0.02 if i < 30 else 0.01
        grads = [(p + rng.standard_normal(p.shape)).astype(dtype) for p in start]
        kept = [g.copy() for g in grads]
        run.step(grads, lr)
        for g, k in zip(grads, kept, strict=True):
            np.testing.assert_array_equal(g, k)
        reference = REFERENCE[name]
        want = [
            reference(p, g.astype(np.float64), s, lr, **options) for p, g, s in zip(want, grads, states, strict=True)
        ]
    assert run.step_count == 60
    for p, w in zip(run.params, want, strict=True):
        assert p.dtype == dtype
        np.testing.assert_allclose(
            p, w, rtol=1e-11 if dtype == "float64" else 2e-4, atol=1e-12 if dtype == "float64" else 2e-5
        )


@pytest.mark.parametrize(("name", "options"), CASES, ids=case_id)
def test_pieces_give_the_same_bits(name: str, options: dict[str, Any]) -> None:
    rng = np.random.default_rng(1)
    params = [rng.standard_normal(s).astype(np.float32) for s in SHAPES]
    runs = [Run(b, name, options, [p.copy() for p in params]) for b in BACKENDS.values()]
    for _ in range(3):
        grads = [rng.standard_normal(s).astype(np.float32) for s in SHAPES]
        for run in runs:
            run.step(grads, 0.05)
    for composed, chunked, before in zip(runs[0].params, runs[1].params, params, strict=True):
        np.testing.assert_array_equal(composed, chunked)
        assert before.size == 0 or not np.array_equal(before, chunked)
    for key, column in runs[0].state.items():
        for a, b in zip(column, runs[1].state[key], strict=True):
            np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize("layout", ["transposed", "sliced"])
@pytest.mark.parametrize("which", ["params", "grads"])
@pytest.mark.parametrize("name", REFERENCE)
def test_arrays_that_are_not_contiguous(name: str, which: str, layout: str) -> None:
    """Written through the view that was given, whatever its strides, below and above one piece."""
    rng = np.random.default_rng(2)
    for shape in [(6, 5), (300, 200), (2, 3 * PIECE)]:
        views = [_strided(shape, rng, layout)]
        plain = [np.ascontiguousarray(v) for v in views]
        options = {"weight_decay": 0.1, "maximize": True}
        strided = Run(BACKENDS["chunked"], name, options, views if which == "params" else [plain[0].copy()])
        contiguous = Run(BACKENDS["composed"], name, options, [plain[0].copy()])
        for _ in range(2):
            g = _strided(shape, rng, layout)
            strided.step([g if which == "grads" else np.ascontiguousarray(g)], 0.05)
            contiguous.step([np.ascontiguousarray(g)], 0.05)
        np.testing.assert_array_equal(strided.params[0], contiguous.params[0])
        if which == "params":
            assert strided.params[0] is views[0]
            assert not np.array_equal(views[0], plain[0])


@pytest.mark.parametrize("backend", BACKENDS)
def test_half_precision_stays_half(backend: str) -> None:
    run = Run(BACKENDS[backend], "Adam", {"eps": 1e-3}, [np.ones(4, np.float16)])
    for _ in range(5):
        run.step([np.full(4, 0.5, np.float16)], 0.01)
    # A constant gradient moves each parameter by lr a step, whatever its size.
    np.testing.assert_allclose(run.params[0], np.full(4, 0.95), atol=4e-3)
    assert all(a.dtype == np.float16 for column in run.state.values() for a in column)


@pytest.mark.parametrize("backend", BACKENDS)
def test_centered_variance_below_zero_is_cut_off(backend: str) -> None:
    """A constant gradient has no variance; rounding makes it slightly negative, and must not make nan."""
    run = Run(BACKENDS[backend], "RMSprop", {"centered": True, "eps": 1e-3}, [np.ones(100, np.float32)])
    g = np.linspace(0.1, 3.0, 100, dtype=np.float32)
    for _ in range(2000):
        run.step([g], 1e-6)
    assert np.isfinite(run.params[0]).all()


NORMS = [1.0, 1.5, 2.0, 3.0, math.inf]


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("norm_type", NORMS)
@pytest.mark.parametrize("max_norm", [0.5, 1e6, 0.0])
def test_clip_by_norm(backend: str, norm_type: float, max_norm: float) -> None:
    rng = np.random.default_rng(3)
    shapes = [(), (0, 2), (5, 4), (30_000,)]
    grads = [np.asarray(rng.standard_normal(s), np.float32) for s in shapes]
    grads.append(rng.standard_normal((8, 6)).astype(np.float32).T)
    flat = np.concatenate([g.astype(np.float64).ravel() for g in grads])
    norm = float(np.linalg.norm(flat, norm_type))
    want = [g * min(1.0, max_norm / (norm + 1e-6)) for g in grads]
    total = BACKENDS[backend].clip_grads_by_norm(grads, max_norm, norm_type)
    assert total.shape == ()
    assert total.dtype == np.float64
    np.testing.assert_allclose(total, norm, rtol=1e-6)
    for g, w in zip(grads, want, strict=True):
        assert g.dtype == np.float32
        np.testing.assert_allclose(g, w, rtol=1e-5)


@pytest.mark.parametrize("layout", ["transposed", "sliced"])
@pytest.mark.parametrize("norm_type", NORMS)
def test_norm_of_arrays_that_are_not_contiguous(norm_type: float, layout: str) -> None:
    """Below a piece, above one, and with rows that are."""
    rng = np.random.default_rng(4)
    for shape in [(6, 5), (300, 200), (2, 3 * PIECE), (40, 30, 40)]:
        for dtype in (np.float64, np.float32, np.float16):
            g = _strided(shape, rng, layout).astype(dtype, order="K")
            wanted = np.linalg.norm(g.astype(np.float64).ravel(), norm_type)
            np.testing.assert_allclose(BACKENDS["chunked"].total_norm([g], norm_type), wanted, rtol=1e-6)


@pytest.mark.parametrize("backend", BACKENDS)
def test_norm_of_half_precision_does_not_overflow(backend: str) -> None:
    grads = [np.full(4, 300, np.float16), np.full((2, 2), 400, np.float16)]
    total = BACKENDS[backend].total_norm(grads, 2.0)
    assert float(total) == pytest.approx(math.sqrt(4 * 300**2 + 4 * 400**2))


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("norm_type", [2.0, 1.0, math.inf])
def test_norm_that_is_not_finite(backend: str, norm_type: float) -> None:
    bad = [np.asarray([1.0, math.nan], np.float32)]
    with np.errstate(all="ignore"):
        assert math.isnan(BACKENDS[backend].clip_grads_by_norm(bad, 1.0, norm_type))
        assert np.isnan(bad[0]).all()
        assert math.isinf(BACKENDS[backend].total_norm([np.asarray([math.inf, 1.0])], norm_type))


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("norm_type", [2.0, 1.0, math.inf])
@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_gradients_are_left_alone_unless_their_norm_is_finite(backend: str, norm_type: float, value: float) -> None:
    bad: list[Any] = [np.asarray([1.0, -0.0, value], np.float32), np.asarray([2.0], np.float16)]
    with np.errstate(all="ignore"):
        total = BACKENDS[backend].clip_grads_by_norm(bad, 1.0, norm_type, if_finite=True)
    np.testing.assert_array_equal(total, value)
    np.testing.assert_array_equal(bad[0], [1.0, -0.0, value])
    assert bad[1].tolist() == [2.0]
    good = [np.asarray([3.0, 4.0])]
    BACKENDS[backend].clip_grads_by_norm(good, 2.5, 2.0, if_finite=True)
    np.testing.assert_allclose(good[0], [1.5, 2.0], rtol=1e-6)


@pytest.mark.parametrize("backend", BACKENDS)
def test_no_gradients_have_norm_zero(backend: str) -> None:
    assert BACKENDS[backend].total_norm([], 2.0) == 0.0


@pytest.mark.parametrize("backend", BACKENDS)
def test_clip_by_value(backend: str) -> None:
    g = np.asarray([-3.0, -0.5, 0.0, 0.7, 9.0, math.nan], np.float32)
    strided = np.asarray([[5.0, 0.0], [-5.0, 0.0]], np.float32)[:, 0]
    BACKENDS[backend].clip_grads_by_value([g, strided], 1.0)
    np.testing.assert_array_equal(g, np.asarray([-1.0, -0.5, 0.0, 0.7, 1.0, math.nan], np.float32))
    np.testing.assert_array_equal(strided, [1.0, -1.0])
