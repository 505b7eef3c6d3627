"""Random programs of operations, views and in-place writes: values and gradients are PyTorch's.

Left out is what PyTorch refuses or leaves open: writes through overlapping memory, and reshapes that may or may not
copy.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import tensorgrad as tg

torch = pytest.importorskip("torch")

Step = Callable[[Any, Any], Any]  # takes two tensors of one library; returns a new one, or has written into the first


def _alike(x: Any, y: Any) -> bool:
    return tuple(x.shape) == tuple(y.shape)


def _matrix(x: Any) -> bool:
    return len(x.shape) == 2


def _write_row(x: Any, y: Any) -> None:
    if _matrix(x) and len(y.shape) >= 1 and y.shape[-1] == x.shape[1]:
        x[0] = y[0].clone() if _matrix(y) else y.clone()


def _write_last(x: Any, y: Any) -> None:
    if len(x.shape) >= 1:
        x[-1] = y.sum() * 0.1


def _product(x: Any, y: Any) -> Any:
    fits = _matrix(x) and _matrix(y) and x.shape[1] == y.shape[0]
    return (x @ y) * 0.3 if fits else x * 0.5


READS: dict[str, Step] = {
    "add": lambda x, y: x + y if _alike(x, y) else x + y.sum(),
    "mul": lambda x, y: x * y if _alike(x, y) else x * y.mean(),
    "matmul": _product,
    "tanh": lambda x, y: x.tanh(),
    "exp": lambda x, y: (x * 0.1).exp(),
    "square": lambda x, y: x**2 * 0.1,
    "sum": lambda x, y: x.sum(0) if _matrix(x) else x * 2,
    "clone": lambda x, y: x.clone(),
    "detach": lambda x, y: x.detach(),
    "row": lambda x, y: x[0] if _matrix(x) else x[:2],
    "rest": lambda x, y: x[x.shape[0] // 2 :],
    "transposed": lambda x, y: x.T if _matrix(x) else x,
    "strided": lambda x, y: x[::2],
}
# Operands that may share memory with what is written are copied first.
WRITES: dict[str, Step] = {
    "mul_": lambda x, y: x.mul_(y.clone() if _alike(x, y) else 0.9),
    "add_": lambda x, y: x.add_(y.clone() if _alike(x, y) else y.sum()),
    "mul_number_": lambda x, y: x.mul_(0.7),
    "tanh_": lambda x, y: x.tanh_(),
    "exp_": lambda x, y: x.mul_(0.1).exp_(),
    "write_row": _write_row,
    "write_last": _write_last,
}
Program = list[tuple[str, int, int]]


def _program(seed: int) -> Program:
    rng = random.Random(seed)
    names = [*READS, *WRITES]
    return [(rng.choice(names), rng.randrange(100), rng.randrange(100)) for _ in range(rng.randint(3, 14))]


def _run(program: Program, leaves: list[Any]) -> tuple[list[Any], str]:
    """All tensors of the program, and what ended it before its end: a refused write or a stale value."""
    tensors = [leaves[0] * 1.5, leaves[1] * 0.5, leaves[0] + leaves[1]]
    for name, i, j in program:
        x, y = tensors[i % len(tensors)], tensors[j % len(tensors)]
        if name in READS:
            tensors.append(READS[name](x, y))
            continue
        try:
            WRITES[name](x, y)
        except RuntimeError:
            return tensors, f"{name} refused"
    total: Any = 0
    for k, t in enumerate(tensors):
        total = total + (t * (0.1 * (k + 1))).sum()
    try:
        total.backward()
    except RuntimeError:
        return tensors, "stale"
    return tensors, ""


@pytest.mark.parametrize("block", range(8))
def test_values_and_gradients(block: int) -> None:
    compared = 0
    for seed in range(100 * block, 100 * (block + 1)):
        program = _program(seed)
        values = [np.random.default_rng(seed + k).standard_normal((4, 4)) for k in range(2)]
        theirs = [torch.tensor(v, requires_grad=True) for v in values]
        ours = [tg.tensor(v, requires_grad=True) for v in values]
        (tensors, ended), (expected, expected_end) = _run(program, ours), _run(program, theirs)
        if expected_end and not ended:
            continue  # PyTorch is the stricter one: it has no copy of what a write needs of the old values
        assert ended == expected_end, f"{seed}: {program}"
        for k, (mine, other) in enumerate(zip(tensors, expected, strict=True)):
            context = f"seed {seed}, tensor {k} of {program}"
            np.testing.assert_allclose(
                mine.detach().numpy(), other.detach().numpy(), rtol=1e-9, atol=1e-9, err_msg=context
            )
            assert mine.requires_grad == other.requires_grad, context
        if not ended:
            compared += 1
            for mine, other in zip(ours, theirs, strict=True):
                assert mine.grad is not None
                np.testing.assert_allclose(
                    mine.grad.numpy(), other.grad.numpy(), rtol=1e-7, atol=1e-8, err_msg=f"{seed}: {program}"
                )
    assert compared > 40, "too few programs came to their end"
