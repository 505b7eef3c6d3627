"""What is refused before a launch, and where each kernel is found."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from tensorgrad.backends.cuda.activation import ActivationKernels, SoftmaxKernels
from tensorgrad.backends.cuda.check import CheckKernels
from tensorgrad.backends.cuda.launch import Launcher, suits
from tensorgrad.backends.cuda.loss import LossKernels
from tensorgrad.backends.cuda.optimizer import ClipKernels, OptimizerKernels, Tables
from tensorgrad.backends.cuda.random import RandomKernels
from tensorgrad.backends.cuda.reduce import ReduceKernels
from tensorgrad.backends.kernel_files import kernel_folder, source_of
from tensorgrad.errors import ArgumentError, DTypeError, ShapeError, TensorgradError
from tests.emulator import build
from tests.kernels.device import DeviceArray, EmulatedDevice

Array = Any


def array(shape: Any, dtype: Any = np.float32) -> DeviceArray:
    return DeviceArray(np.zeros(shape, dtype))


def strided(shape: tuple[int, ...]) -> DeviceArray:
    return DeviceArray(np.zeros(shape[::-1], np.float32).T)


def launcher() -> Launcher:
    def refuse(name: str) -> Any:
        raise AssertionError(f"{name} was launched")

    return Launcher(refuse, lambda shape, dtype: array(shape, dtype), DeviceArray, 1)


def adam(params: list[DeviceArray], grads: list[DeviceArray], lr: DeviceArray) -> None:
    options = {"beta1": 0.9, "beta2": 0.99, "eps": 1e-8, "weight_decay": 0.0, "decoupled": False, "maximize": False}
    state = [array(p.shape) for p in params]
    kernels = OptimizerKernels(Tables(launcher()))
    kernels.adam_step(params, grads, state, state, None, lr, array((), np.float64), **options)  # type: ignore[arg-type]


x, key, labels = array((3, 4)), array(2, np.uint64), array(3, np.int64)
REFUSED: list[tuple[str, type[TensorgradError], str, Callable[[Launcher], None]]] = [
    ("activation", ArgumentError, "expected one of relu", lambda d: ActivationKernels(d).forward("sine", x, None, x)),
    (
        "dtype",
        DTypeError,
        "x must be one of float32",
        lambda d: ActivationKernels(d).forward("relu", labels, None, labels),
    ),
    (
        "other dtype",
        DTypeError,
        "out must be float32, got float64",
        lambda d: ActivationKernels(d).forward("relu", x, None, array((3, 4), np.float64)),
    ),
    (
        "shape",
        ShapeError,
        r"out must have shape \(3, 4\), got \(4, 3\)",
        lambda d: ActivationKernels(d).forward("relu", x, None, array((4, 3))),
    ),
    (
        "strides",
        ArgumentError,
        "x of shape .* must be C-contiguous",
        lambda d: ActivationKernels(d).forward("relu", strided((3, 4)), None, x),
    ),
    (
        "bias",
        ShapeError,
        r"bias must have shape \(4,\)",
        lambda d: ActivationKernels(d).forward("relu", x, array(3), x),
    ),
    ("sums", ShapeError, r"expected \(rows, columns\)", lambda d: ReduceKernels(d).column_sums(array(3), array(3))),
    ("rows", ShapeError, "at least one dimension", lambda d: SoftmaxKernels(d).softmax(array(()), array(()))),
    (
        "labels",
        DTypeError,
        "labels must be int64",
        lambda d: LossKernels(d).cross_entropy(x, array(3, np.int32), array(3), x),
    ),
    (
        "scale",
        ShapeError,
        "scale must have one element or 3",
        lambda d: LossKernels(d).cross_entropy_backward(array(2), x, labels, x),
    ),
    ("key", DTypeError, "key must be uint64", lambda d: RandomKernels(d).uniform(labels, x)),
    ("bits", DTypeError, "out must be uint32", lambda d: RandomKernels(d).bits(key, x)),
    ("range", ArgumentError, "low must be below high", lambda d: RandomKernels(d).integers(key, labels, 3, 3)),
    ("p", ArgumentError, "p must be in", lambda d: RandomKernels(d).dropout(x, key, 1.0, x, None)),
    (
        "indices",
        DTypeError,
        "indices must be one of int64",
        lambda d: CheckKernels(d).check_bounds(x, 0, 1, 1, 1, array(8, np.int64)),
    ),
    (
        "code",
        ArgumentError,
        "code must not be 0",
        lambda d: CheckKernels(d).check_bounds(labels, 0, 1, 0, 1, array(8, np.int64)),
    ),
    (
        "numbers",
        DTypeError,
        "x must be one of float32",
        lambda d: CheckKernels(d).check_range(labels, 0.0, 1.0, 1, 1, array(8, np.int64)),
    ),
    (
        "word",
        ShapeError,
        r"error must have shape \(8,\)",
        lambda d: CheckKernels(d).check_finite(x, 1, 1, array(6, np.int64)),
    ),
    (
        "in place",
        ArgumentError,
        "another array",
        lambda d: CheckKernels(d).wrap_indices(labels, labels, 1, 1, 1, array(8, np.int64)),
    ),
    ("lists", ShapeError, "equal length, got 1, 0", lambda d: adam([x], [], array((), np.float64))),
    (
        "gradient",
        ShapeError,
        "column 1, array 1 must have shape",
        lambda d: adam([x, x], [x, array(3)], array((), np.float64)),
    ),
    (
        "mixed dtypes",
        DTypeError,
        "column 0, array 1 must be float32",
        lambda d: adam([x, array(2, np.float64)], [x, array(2)], array((), np.float64)),
    ),
    ("lr", DTypeError, "lr must be float64", lambda d: adam([x], [x], array(()))),
]


@pytest.mark.parametrize(("error", "message", "call"), [c[1:] for c in REFUSED], ids=[c[0] for c in REFUSED])
def test_refused(error: type[TensorgradError], message: str, call: Callable[[Launcher], None]) -> None:
    with pytest.raises(error, match=message):
        call(launcher())


def test_nothing_is_launched_for_empty_arrays() -> None:
    nothing, device = array((0, 4)), launcher()
    ActivationKernels(device).forward("relu", nothing, None, nothing)
    SoftmaxKernels(device).softmax(nothing, nothing)
    RandomKernels(device).normal(key, nothing)
    ClipKernels(Tables(device)).clip_grads_by_value([nothing], 1.0)


@pytest.mark.parametrize("threads", [0, 33, 512])
def test_threads_of_a_launcher(threads: int) -> None:
    with pytest.raises(ArgumentError, match="multiple of 32 up to 256"):
        EmulatedDevice().launcher(threads)


def test_suits() -> None:
    assert suits(x, None, x)
    assert not suits(x, labels)
    assert not suits(labels)
    assert not suits(strided((3, 4)))


def test_every_kernel_is_found_in_its_file() -> None:
    folder = kernel_folder()
    for file in sorted(folder.rglob("*.cu")):
        kernels = build(file, [folder]).kernels
        assert kernels
        assert {source_of(name) for name in kernels} == {file.relative_to(folder).as_posix()}
