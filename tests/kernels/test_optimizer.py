"""The kernels that take many arrays at once: optimizer steps, norms, clipping."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from tensorgrad.backends.cuda.optimizer import ClipKernels, OptimizerKernels, Tables
from tensorgrad.backends.kernel_files import FLOATS
from tensorgrad.errors import DTypeError, ShapeError
from tests.composition import COMPOSITION as B
from tests.kernels.comparing import check_error, sample
from tests.kernels.device import DeviceArray, EmulatedDevice

Array = Any
SIZES = (1, 0, 3, 31, 33, 255, 1000)
FEW = (3, 0, 130)

# name: state columns (None where the primitive is given none), options.
STEPS: dict[str, tuple[str, list[bool], dict[str, Any]]] = {
    "sgd": ("sgd_step", [False], {"momentum": 0.0, "dampening": 0.0, "weight_decay": 0.0, "nesterov": False}),
    "sgd momentum": ("sgd_step", [True], {"momentum": 0.9, "dampening": 0.5, "weight_decay": 0.1, "nesterov": False}),
    "sgd nesterov": ("sgd_step", [True], {"momentum": 0.9, "dampening": 0.0, "weight_decay": 0.1, "nesterov": True}),
    "adam": (
        "adam_step",
        [True, True, False],
        {"beta1": 0.9, "beta2": 0.999, "eps": 1e-4, "weight_decay": 0.1, "decoupled": False},
    ),
    "adamw": (
        "adam_step",
        [True, True, False],
        {"beta1": 0.8, "beta2": 0.99, "eps": 1e-4, "weight_decay": 0.1, "decoupled": True},
    ),
    "amsgrad": (
        "adam_step",
        [True, True, True],
        {"beta1": 0.9, "beta2": 0.9, "eps": 1e-4, "weight_decay": 0.0, "decoupled": False},
    ),
    "rmsprop": (
        "rmsprop_step",
        [True, False, False],
        {"alpha": 0.9, "eps": 1e-4, "weight_decay": 0.1, "momentum": 0.0},
    ),
    "rmsprop momentum": (
        "rmsprop_step",
        [True, False, True],
        {"alpha": 0.9, "eps": 1e-4, "weight_decay": 0.0, "momentum": 0.9},
    ),
    "rmsprop centered": (
        "rmsprop_step",
        [True, True, False],
        {"alpha": 0.9, "eps": 1e-2, "weight_decay": 0.1, "momentum": 0.0},
    ),
    "rmsprop both": (
        "rmsprop_step",
        [True, True, True],
        {"alpha": 0.9, "eps": 1e-2, "weight_decay": 0.1, "momentum": 0.9},
    ),
    "adagrad": ("adagrad_step", [True], {"lr_decay": 0.1, "eps": 1e-4, "weight_decay": 0.1}),
}
TOTAL_STEPS = 3


def columns_of(start: list[Array], state: list[bool]) -> list[Any]:
    """Parameters, and fresh state of the same shapes and dtype."""
    return [[p.copy() for p in start], *[[np.zeros_like(p) for p in start] if s else None for s in state]]


def run_composition(name: str, start: list[Array], grads: list[list[Array]], maximize: bool, dtype: str) -> list[Array]:
    method, state, options = STEPS[name]
    cast = [p.astype(dtype) for p in start]
    params: list[Array]
    params, *states = columns_of(cast, state)
    lr, step = np.array(0.05), np.array(0.0)
    for grad in grads:
        getattr(B, method)(params, [g.astype(dtype) for g in grad], *states, lr, step, **options, maximize=maximize)
    assert step == TOTAL_STEPS
    return params


def run_kernels(
    device: EmulatedDevice, name: str, start: list[Array], grads: list[list[Array]], maximize: bool, dtype: str
) -> list[Array]:
    method, state, options = STEPS[name]

    def column(values: list[Array], c: int) -> list[DeviceArray]:
        """Every third tensor has its arrays out of step with each other."""
        return [device.array(v, dtype, c % 4 if t % 3 == 2 else t % 3) for t, v in enumerate(values)]

    zeros = [np.zeros_like(p) for p in start]
    params, states = column(start, 0), [column(zeros, c + 2) if s else None for c, s in enumerate(state)]
    lr, step = device.array(np.array(0.05)), device.array(np.array(0.0))
    optimizer = OptimizerKernels(Tables(device.launcher(64, 1), piece=200))
    for i, grad in enumerate(grads):
        given = column(grad, 1)
        before = [g.array.copy() for g in given]
        getattr(optimizer, method)(params, given, *states, lr, step, **options, maximize=maximize)
        assert all(np.array_equal(g.array, b) for g, b in zip(given, before, strict=True))
        assert step.array == i + 1
    return [device.values(p) for p in params]


@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize("maximize", [False, True], ids=["minimize", "maximize"])
@pytest.mark.parametrize("name", sorted(STEPS))
def test_optimizer(device: EmulatedDevice, name: str, dtype: str, maximize: bool) -> None:
    rng = np.random.default_rng(1)
    sizes = FEW if device.sanitizer else SIZES
    start = [sample(rng, n, dtype) for n in sizes]
    grads = [[sample(rng, n, dtype) for n in sizes] for _ in range(TOTAL_STEPS)]
    got = run_kernels(device, name, start, grads, maximize, dtype)
    exact = np.concatenate(run_composition(name, start, grads, maximize, "float64"))
    plain = np.concatenate(run_composition(name, start, grads, maximize, dtype)).astype(np.float64)
    error = np.abs(np.concatenate(got).astype(np.float64) - exact).max()
    unit = float(np.finfo(dtype).eps) * np.abs(exact).max()
    theirs = np.abs(plain - exact).max()
    assert error <= 2 * theirs + (32 if dtype == "float64" else 1) * unit, (error, theirs, unit)


# ---------------------------------------------------------------------- steps after a check has failed
def bytes_after(device: EmulatedDevice, name: str, dtype: str, codes: Sequence[int]) -> list[bytes]:
    """Parameters, state and step count after a step for each code in the error word; gradients are nan where it is
    not 0."""
    method, state, options = STEPS[name]
    rng = np.random.default_rng(5)
    start = [sample(rng, n, dtype) for n in FEW]
    params, *states = [
        None if column is None else [device.array(x, dtype) for x in column] for column in columns_of(start, state)
    ]
    lr, step, word = (device.array(x) for x in (np.array(0.05), np.array(0.0), np.full(8, 7)))
    optimizer = OptimizerKernels(Tables(device.launcher(64, 2), piece=100), word)
    for code in codes:
        word.array[0] = code
        grads = [sample(rng, n, dtype) if code == 0 else np.full(n, np.nan) for n in FEW]
        given = [device.array(g, dtype) for g in grads]
        getattr(optimizer, method)(params, given, *states, lr, step, **options, maximize=False)
    columns = [params, *states, [step]]
    return [x.array.tobytes() for column in columns if column is not None for x in column]


@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize("name", sorted(STEPS))
def test_a_step_after_a_failed_check_changes_nothing(device: EmulatedDevice, name: str, dtype: str) -> None:
    untouched = bytes_after(device, name, dtype, [])
    good = bytes_after(device, name, dtype, [0, 0])
    assert good != untouched
    assert bytes_after(device, name, dtype, [1]) == untouched
    assert bytes_after(device, name, dtype, [0, 3, 2, 0]) == good


def test_a_check_that_fails_during_a_step_does_not_stop_a_part_of_it(device: EmulatedDevice) -> None:
    """As it may on another stream."""
    word, plain = device.array(np.zeros(8, np.int64)), device.launcher(64, 2)

    def interrupted(name: str) -> Callable[..., object]:
        def launch(*where: Any) -> None:
            plain.get_function(name)(*where)
            word.array[0] = 1

        return launch

    p, g = (device.array(np.ones(500, np.float32)) for _ in range(2))
    lr, step = device.array(np.array(0.5)), device.array(np.array(0.0))
    options: dict[str, Any] = {"momentum": 0.0, "dampening": 0.0, "weight_decay": 0.0, "nesterov": False}
    optimizer = OptimizerKernels(Tables(replace(plain, get_function=interrupted), piece=100), word)
    for _ in range(2):
        optimizer.sgd_step([p], [g], None, lr, step, **options, maximize=False)
        np.testing.assert_array_equal(device.values(p), np.full(500, 0.5, np.float32))
        assert step.array == 1


def test_an_error_word_has_eight_integers(device: EmulatedDevice) -> None:
    tables = Tables(device.launcher())
    with pytest.raises(ShapeError, match=r"optimizer kernels: error must have shape \(8,\), got \(7,\)"):
        OptimizerKernels(tables, device.array(np.zeros(7, np.int64)))
    with pytest.raises(DTypeError, match="error must be int64, got int32"):
        OptimizerKernels(tables, device.array(np.zeros(8, np.int32)))


# ---------------------------------------------------------------------- the launches
def test_a_step_has_one_launch_and_one_of_a_single_thread(device: EmulatedDevice) -> None:
    arrays = [[device.array(np.ones(n), "float32") for n in (5, 300, 7)] for _ in range(4)]
    lr, step = device.array(np.array(0.1)), device.array(np.array(0.0))
    options: dict[str, Any] = {
        "beta1": 0.9,
        "beta2": 0.99,
        "eps": 1e-8,
        "weight_decay": 0.0,
        "decoupled": False,
        "maximize": False,
    }
    params, grads, m, v = arrays
    OptimizerKernels(Tables(device.launcher())).adam_step(params, grads, m, v, None, lr, step, **options)
    assert device.launches == ["adam_prepare", "adam_f32"]


def test_a_variance_that_rounding_takes_below_zero(device: EmulatedDevice) -> None:
    params, grads, squares = ([device.array(np.ones(5, np.float32))] for _ in range(3))
    means = [device.array(np.full(5, 1.000001, np.float32))]
    lr, step = device.array(np.array(0.1)), device.array(np.array(0.0))
    options: dict[str, Any] = {"alpha": 0.9, "eps": 1.0, "weight_decay": 0.0, "momentum": 0.0, "maximize": False}
    OptimizerKernels(Tables(device.launcher())).rmsprop_step(params, grads, squares, means, None, lr, step, **options)
    np.testing.assert_allclose(device.values(params[0]), 0.9, rtol=1e-6)


def test_tables_are_uploaded_once(device: EmulatedDevice) -> None:
    launcher = device.launcher()
    tables = Tables(launcher)
    arrays = [device.array(np.ones(n), "float32") for n in (5, 300)]
    first, _ = tables.arguments([arrays])
    again, _ = tables.arguments([arrays])
    moved, _ = tables.arguments([[device.array(x.array) for x in arrays]])
    assert again[0] is first[0]
    assert again[3] is first[3]
    assert moved[0] is not first[0]
    assert moved[3] is first[3]


# ---------------------------------------------------------------------- norms, clipping
@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize("norm_type", [1.0, 2.0, 3.0, math.inf])
def test_total_norm_and_clipping(device: EmulatedDevice, dtype: str, norm_type: float) -> None:
    rng = np.random.default_rng(2)
    for sizes in (FEW,) if device.sanitizer else (FEW, SIZES, (), (0,)):
        values = [sample(rng, n, dtype) for n in sizes]
        arrays = [device.array(v, dtype, i % 5) for i, v in enumerate(values)]
        norms = ClipKernels(Tables(device.launcher(64, 1), piece=200))
        norm = norms.clip_grads_by_norm(arrays, 1.5, norm_type)
        copies = [v.copy() for v in values]
        expected = B.clip_grads_by_norm(copies, 1.5, norm_type)
        limit = 1e-12 if dtype == "float64" else 2e-6
        np.testing.assert_allclose(norm.array, expected, rtol=limit)
        for x, clipped in zip(arrays, copies, strict=True):
            unit = {"float64": 1e-13, "float32": 4e-7, "float16": 1e-3}[dtype]
            np.testing.assert_allclose(device.values(x), clipped, rtol=unit, atol=1e-7)
        assert norm.array.dtype == np.float64
        np.testing.assert_allclose(
            norms.total_norm(arrays, norm_type).array, B.total_norm(copies, norm_type), rtol=4e-3
        )


def test_norm_of_several_dtypes(device: EmulatedDevice) -> None:
    rng = np.random.default_rng(3)
    values = {dtype: sample(rng, 50, dtype) for dtype in FLOATS}
    arrays = [device.array(v, dtype) for dtype, v in values.items()]
    norm = ClipKernels(Tables(device.launcher())).total_norm(arrays, 2.0)
    np.testing.assert_allclose(norm.array, np.linalg.norm(np.concatenate(list(values.values()))), rtol=1e-6)


@pytest.mark.parametrize("bad", [np.nan, np.inf])
@pytest.mark.parametrize("norm_type", [2.0, math.inf])
@pytest.mark.parametrize("if_finite", [False, True])
def test_a_norm_that_is_not_finite_spoils_the_gradients_or_leaves_them(
    device: EmulatedDevice, bad: float, norm_type: float, if_finite: bool
) -> None:
    x = np.ones(300, np.float32)
    x[299] = bad
    arrays = [device.array(x), device.array(np.ones(3, np.float32))]
    norms = ClipKernels(Tables(device.launcher()))
    norm = norms.clip_grads_by_norm(arrays, 1.0, norm_type, if_finite=if_finite)
    copies = [x.copy(), np.ones(3, np.float32)]
    with np.errstate(all="ignore"):
        expected = B.clip_grads_by_norm(copies, 1.0, norm_type, if_finite=if_finite)
    np.testing.assert_array_equal(norm.array, expected)
    assert (device.values(arrays[1]) == 1).all() == if_finite
    for got, wanted in zip(arrays, copies, strict=True):
        np.testing.assert_array_equal(device.values(got), wanted)


@pytest.mark.parametrize("if_finite", [False, True])
def test_a_finite_norm_is_clipped_by_either_rule(device: EmulatedDevice, if_finite: bool) -> None:
    x = device.array(np.array([3.0, 4.0]))
    norms = ClipKernels(Tables(device.launcher()))
    assert norms.clip_grads_by_norm([x], 2.5, 2.0, if_finite=if_finite).array == 5
    np.testing.assert_allclose(x.array, [1.5, 2.0], rtol=1e-6)
    assert norms.clip_grads_by_norm([x], 100.0, 2.0, if_finite=if_finite).array == pytest.approx(2.5)
    np.testing.assert_allclose(x.array, [1.5, 2.0], rtol=1e-6)


@pytest.mark.parametrize("dtype", FLOATS)
def test_clipping_by_value(device: EmulatedDevice, dtype: str) -> None:
    rng = np.random.default_rng(4)
    values = [sample(rng, n, dtype, 2.0) for n in SIZES]
    arrays = [device.array(v, dtype, i) for i, v in enumerate(values)]
    values[-1][999] = np.nan
    arrays[-1] = device.array(values[-1], dtype)
    ClipKernels(Tables(device.launcher(32), piece=100)).clip_grads_by_value(arrays, 1.5)
    for x, v in zip(arrays, values, strict=True):
        check_error(device.values(x), dtype, lambda v: np.minimum(np.maximum(v, -1.5), 1.5), v)
