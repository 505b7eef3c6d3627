"""Infinite and nan results come without a warning, whatever filters there are; what is the user's own is left alone."""

from __future__ import annotations

import subprocess
import sys
import warnings
from collections.abc import Callable

import numpy as np
import pytest

import tensorgrad as tg
import tensorgrad.nn.functional as F

BIG = 3e38


def _step(name: str) -> None:
    p = tg.nn.Parameter(tg.tensor([BIG]))
    optimizer = getattr(tg.optim, name)([p], lr=1e30)
    for gradient in (BIG, float("nan"), float("inf")):
        p.grad = tg.tensor([gradient])
        optimizer.step()


def _clip() -> None:
    p = tg.nn.Parameter(tg.tensor([BIG]))
    p.grad = tg.tensor([BIG])
    tg.nn.utils.clip_grad_norm_([p], 1.0)


def _backward(f: Callable[[tg.Tensor], tg.Tensor], *values: float) -> None:
    x = tg.tensor([*values], requires_grad=True)
    (g,) = tg.autograd.grad(f(x).sum(), x, create_graph=True)
    g.sum().backward()


def _fit() -> None:
    model = tg.nn.Linear(1, 1)
    data = (np.array([[BIG], [-BIG]], np.float32), np.array([[1.0], [2.0]], np.float32))
    tg.train.fit(
        model, data, loss=F.mse_loss, optimizer=tg.optim.SGD(model.parameters(), lr=1e10), epochs=2, progress=False
    )


CASES: dict[str, Callable[[], object]] = {
    "tensor of too great a number": lambda: tg.tensor([1e300]),
    "tensor in float16": lambda: tg.tensor([1e5], dtype=tg.float16),
    "tensor of an array": lambda: tg.tensor(np.array([1e300]), dtype=tg.float32),
    "full": lambda: tg.full((2,), 1e300),
    "fill_": lambda: tg.zeros(2).fill_(1e300),
    "setitem": lambda: tg.zeros(2).__setitem__(0, 1e300),
    "cast to float32": lambda: tg.tensor(np.array([1e300])).float(),
    "cast of nan to an integer": lambda: tg.tensor([float("nan"), float("inf")]).int(),
    "linspace": lambda: tg.linspace(0, 1e300, 3),
    "number beyond the dtype": lambda: tg.tensor([1.0]) * 1e300,
    "add": lambda: tg.tensor([BIG]) + tg.tensor([BIG]),
    "divide by zero": lambda: tg.tensor([1.0, 0.0]) / 0,
    "integers by zero": lambda: tg.tensor([1]) / tg.tensor([0]),
    "power": lambda: tg.tensor([1e30]) ** 2,
    "log": lambda: tg.tensor([0.0, -1.0]).log(),
    "exp": lambda: tg.tensor([1e3]).exp(),
    "sqrt": lambda: tg.tensor([-1.0]).sqrt(),
    "float16": lambda: tg.tensor([6e4], dtype=tg.float16) * 2,
    "sum": lambda: tg.tensor([float("inf"), -float("inf")]).sum(),
    "sum over rows": lambda: tg.full((300, 2), BIG).sum(0),
    "mean of nothing": lambda: tg.zeros(0).mean(),
    "variance of one": lambda: tg.tensor([1.0]).var(),
    "variance": lambda: tg.tensor([BIG, -BIG]).var(),
    "norm": lambda: tg.tensor([BIG, -BIG]).norm(),
    "cumsum": lambda: tg.tensor([BIG, BIG]).cumsum(0),
    "matmul": lambda: tg.full((2, 2), BIG) @ tg.full((2, 2), BIG),
    "einsum": lambda: tg.einsum("i,i->", tg.tensor([BIG]), tg.tensor([BIG])),
    "softmax of -inf": lambda: F.softmax(tg.tensor([-float("inf")] * 2), 0),
    "cross-entropy": lambda: F.cross_entropy(tg.tensor([[float("inf"), 0.0]]), tg.tensor([1])),
    "isclose": lambda: tg.isclose(tg.tensor([float("inf")]), tg.tensor([float("inf")])),
    "allclose": lambda: tg.allclose(tg.tensor([BIG]), tg.tensor([-BIG])),
    "print": lambda: repr(tg.tensor([float("inf"), float("nan"), BIG])),
    "backward of log": lambda: _backward(tg.log, 0.0, 1e-30),
    "backward of sqrt": lambda: _backward(tg.sqrt, 0.0, 1e-38),
    "backward of division": lambda: _backward(lambda x: 1 / x, 0.0, 1e-30),
    "backward of power": lambda: _backward(lambda x: x**0.5, 0.0, -1.0),
    "SGD": lambda: _step("SGD"),
    "Adam": lambda: _step("Adam"),
    "RMSprop": lambda: _step("RMSprop"),
    "Adagrad": lambda: _step("Adagrad"),
    "clip_grad_norm_": _clip,
    "fit": _fit,
    "Standardizer": lambda: tg.data.Standardizer.fit(tg.tensor([[1e38], [-BIG]])),
}


@pytest.mark.parametrize("action", ["error", "always"])
@pytest.mark.parametrize("case", CASES)
def test_no_filter_makes_a_result_speak(case: str, action: str) -> None:
    with warnings.catch_warnings(record=True) as heard:
        warnings.simplefilter(action)  # type: ignore[arg-type]
        CASES[case]()
    assert [str(w.message) for w in heard] == []


def test_numpy_warns_its_own_users_as_before() -> None:
    tg.tensor([1.0]) / 0
    assert set(np.geterr().values()) == {"warn", "ignore"}
    with pytest.warns(RuntimeWarning, match="divide by zero"):
        np.log(np.zeros(2))


def test_no_filter_is_added() -> None:
    script = """
import numpy, warnings
before = list(warnings.filters)
import tensorgrad as tg
assert warnings.filters == before
tg.zeros(2).log()
"""
    subprocess.run([sys.executable, "-W", "error", "-c", script], check=True)


def test_modules_that_have_no_name_still_import_and_document_themselves() -> None:
    from tensorgrad.backends.cpu import CpuBackend
    from tensorgrad.backends.cpu.results import into

    assert CpuBackend.__module__ == "tensorgrad.backends.cpu.backend"
    assert into.__module__ == "tensorgrad.backends.cpu.results"
