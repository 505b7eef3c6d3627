"""The cases of what was not chosen on the CUDA device."""

from __future__ import annotations

import math

import pytest

import tensorgrad as tg
from tensorgrad.nn import functional as F
from tests.autograd.unchosen import CASES, Case, check


@pytest.mark.parametrize("case", [pytest.param(c, id=name) for name, c in CASES.items()])
def test_it_has_no_gradient(case: Case, cuda: tg.Device) -> None:
    check(case)


def test_dropped_elements(cuda: tg.Device) -> None:
    x = tg.full((1000,), 4.0, requires_grad=True)
    y = F.dropout(x, 0.5)
    y.sqrt().sum().backward()
    assert x.grad is not None
    kept = y.detach().numpy(force=True) != 0
    assert 0 < kept.sum() < 1000
    assert (x.grad.numpy(force=True)[~kept] == 0).all()
    assert set(F.dropout(tg.full((1000,), math.inf), 0.5).tolist()) == {0.0, math.inf}


def test_relu_of_nan_passes_the_gradient(cuda: tg.Device) -> None:
    x = tg.tensor([math.nan, -1.0, 0.0, 2.0], requires_grad=True)
    x.relu().sum().backward()
    assert x.grad is not None
    assert x.grad.tolist() == [1, 0, 0, 1]
