"""Products of vectors, matrices and batches: the family's cases."""

from __future__ import annotations

import itertools
from collections.abc import Callable

import numpy as np

import tensorgrad as tg
from tensorgrad.functional.linalg import addmm, linear, linear_act
from tests.ops.table import Array, Case

ALL = (tg.float16, tg.float32, tg.float64, tg.int64)

# Every combination of ranks, batches that broadcast either way, sizes of one and of none.
MATMUL: tuple[tuple[tuple[int, ...], tuple[int, ...]], ...] = (
    ((3,), (3,)),
    ((3,), (3, 2)),
    ((4, 3), (3,)),
    ((4, 3), (3, 2)),
    ((1, 3), (3, 1)),
    ((4, 1), (1, 2)),
    ((3,), (5, 3, 2)),
    ((5, 4, 3), (3,)),
    ((5, 4, 3), (3, 2)),
    ((4, 3), (5, 3, 2)),
    ((5, 4, 3), (5, 3, 2)),
    ((1, 4, 3), (5, 3, 2)),
    ((5, 4, 3), (1, 3, 2)),
    ((6, 1, 4, 3), (5, 3, 2)),
    ((5, 4, 3), (6, 1, 3, 2)),
    ((0, 3), (3, 2)),
    ((4, 0), (0, 2)),
    ((0,), (0,)),
    ((2, 0, 3), (3, 2)),
    ((5, 4, 3), (3, 0)),
)


def _matmul(x: Array, y: Array) -> Array:
    """NumPy's, with float16 accumulated in float32."""
    if x.dtype == np.float16:
        return np.asarray(np.matmul(x.astype(np.float32), y.astype(np.float32))).astype(np.float16)
    return np.asarray(np.matmul(x, y))


def _linear(x: Array, weight: Array, bias: Array | None = None) -> Array:
    product = _matmul(x, weight.T)
    return product if bias is None else product + bias


# Each activation, and a slope of leaky_relu at which nothing is left of what was negative.
ACTIVATIONS: dict[str, tuple[str, float, Callable[[Array], Array]]] = {
    "relu": ("relu", 0.01, lambda z: np.maximum(z, 0)),
    "leaky_relu": ("leaky_relu", 0.25, lambda z: np.where(z > 0, z, z / 4)),
    "leaky_relu-flat": ("leaky_relu", 0.0, lambda z: np.maximum(z, 0)),
    "sigmoid": ("sigmoid", 0.01, lambda z: 1 / (1 + np.exp(-z))),
    "tanh": ("tanh", 0.01, np.tanh),
}


def _linear_act_case(name: str, lead: tuple[int, ...], bias: bool) -> Case:
    activation, slope, act = ACTIVATIONS[name]
    return Case(
        f"linear_act-{name}-{_name(lead)}-{'bias' if bias else 'plain'}",
        lambda x, w, b=None: linear_act(x, w, b, activation, slope),
        lambda x, w, b=None: np.asarray(act(_linear(x, w, b))),
        shapes=[(*lead, 3), (2, 3), *([(2,)] if bias else [])],
        # Away from the kink at 0; where there is none, not into the flat ends either.
        sample=(_apart, "positive", "positive")[: 3 if bias else 2] if activation.endswith("relu") else "unit",
        dtypes=(tg.float16, tg.float32, tg.float64),
    )


def _apart(rng: np.random.Generator, shape: tuple[int, ...]) -> Array:
    """Rows all of one sign, far enough from 0 that no sum with positive weights and a bias of at most 2 comes near."""
    signs = rng.choice([-1.0, 1.0], (*shape[:-1], 1))
    return np.asarray(rng.uniform(1.6, 2.4, shape) * signs)


def _name(shape: tuple[int, ...]) -> str:
    return "x".join(map(str, shape)) or "0d"


EINSUM: tuple[tuple[str, tuple[tuple[int, ...], ...]], ...] = (
    ("i->", ((4,),)),
    ("->", ((),)),
    ("ij", ((3, 4),)),
    ("ba", ((3, 4),)),
    ("ij->ji", ((3, 4),)),
    ("ij->i", ((3, 4),)),
    ("ii", ((4, 4),)),
    ("ii->i", ((4, 4),)),
    ("iij->j", ((3, 3, 2),)),
    ("iii->i", ((3, 3, 3),)),
    ("iijj->ij", ((3, 3, 2, 2),)),
    ("...ii->...i", ((2, 3, 3),)),
    ("i,i->", ((4,), (4,))),
    ("i,i->i", ((4,), (4,))),
    ("i,j->ij", ((3,), (4,))),
    ("i,j", ((3,), (4,))),
    ("i,->i", ((3,), ())),
    ("ij,j", ((3, 4), (4,))),
    ("ik,kj->ij", ((3, 4), (4, 2))),
    ("ik,kj->ji", ((3, 4), (4, 2))),
    ("ij,ij->", ((3, 4), (3, 4))),
    ("ij,jk->k", ((3, 4), (4, 2))),
    ("ij,kl->", ((3, 4), (2, 5))),
    ("bij,bjk->bik", ((2, 3, 4), (2, 4, 5))),
    ("bhqd,bhkd->bhqk", ((2, 2, 3, 4), (2, 2, 5, 4))),
    ("bij,jk->bki", ((2, 3, 4), (4, 5))),
    ("abc,acd->dab", ((2, 3, 4), (2, 4, 5))),
    ("...ij,...jk->...ik", ((2, 1, 3, 4), (5, 4, 2))),
    ("...ij,jk", ((2, 3, 4), (4, 5))),
    ("i...,i...->...", ((3, 2), (3, 2))),
    ("ii,ij->j", ((3, 3), (3, 2))),
    ("aB,Bc->Bac", ((2, 3), (3, 4))),
    ("ij,jk,kl->il", ((3, 4), (4, 2), (2, 5))),
    ("i,j,k->ijk", ((2,), (3,), (4,))),
    ("bi,bj,ijk->bk", ((5, 2), (5, 3), (2, 3, 4))),
    ("ab,bc,cd,de->ea", ((2, 3), (3, 4), (4, 2), (2, 3))),
    ("i,i,i,i->", ((4,), (4,), (4,), (4,))),
    ("...i,...i,i->...", ((2, 3), (2, 3), (3,))),
    ("ij,jk->ik", ((0, 3), (3, 2))),
    ("ij,jk->ik", ((2, 0), (0, 3))),
)


def _einsum_case(index: int, equation: str, shapes: tuple[tuple[int, ...], ...]) -> Case:
    return Case(
        f"einsum-{equation.replace('...', '_')}-{index}",
        lambda *operands: tg.einsum(equation, *operands),
        lambda *operands: np.einsum(equation, *operands),
        shapes=shapes,
        dtypes=(tg.float32, tg.float64, tg.int64),
    )


CASES: list[Case] = [
    *[Case(f"matmul-{_name(x)}-{_name(y)}", tg.matmul, _matmul, shapes=[x, y], dtypes=ALL) for x, y in MATMUL],
    Case("matmul-operator", lambda x, y: x @ y, np.matmul, shapes=[(4, 3), (3, 2)]),
    Case("mm", tg.mm, np.matmul, shapes=[(4, 3), (3, 2)]),
    Case("bmm", tg.bmm, np.matmul, shapes=[(5, 4, 3), (5, 3, 2)]),
    Case("bmm-empty", tg.bmm, np.matmul, shapes=[(0, 4, 3), (0, 3, 2)]),
    Case("mv", tg.mv, np.matmul, shapes=[(4, 3), (3,)]),
    Case("dot", tg.dot, np.dot, shapes=[(3,), (3,)], dtypes=(tg.float32, tg.float64, tg.int64)),
    Case("outer", tg.outer, np.outer, shapes=[(3,), (4,)], dtypes=ALL),
    Case("outer-bool", tg.outer, np.outer, shapes=[(3,), (4,)], dtypes=[tg.bool]),
    Case(
        "outer-mixed",
        lambda x, y: tg.outer(x, (y > 0)),
        lambda x, y: np.outer(x, y > 0).astype(x.dtype),
        shapes=[(3,), (4,)],
        gradient=False,  # none goes to what is compared
        second=False,
    ),
    *[
        Case(
            f"norm-nuc-{_name(shape)}-{dim}",
            lambda x, dim=dim: x.norm("nuc", dim),
            lambda x, dim=dim: np.linalg.norm(x, "nuc", dim),
            shapes=[shape],
            second=False,  # the host computes it
        )
        for shape, dim in [((3, 3), None), ((2, 4), None), ((4, 2, 3), (0, 2)), ((4, 2, 3), (-1, 1))]
    ],
    Case(
        "norm-nuc-keepdim",
        lambda x: tg.norm(x, "nuc", (0, 2), keepdim=True),
        lambda x: np.linalg.norm(x, "nuc", (0, 2), keepdims=True),
        shapes=[(3, 2, 4)],
        second=False,
    ),
    Case("outer-empty", tg.outer, np.outer, shapes=[(3,), (0,)]),
    *[
        Case(
            f"addmm-{_name(shape)}",
            lambda c, x, y: addmm(c, x, y, beta=0.5, alpha=2),
            lambda c, x, y: c * np.asarray(0.5, c.dtype) + 2 * (x @ y),
            shapes=[shape, (4, 3), (3, 2)],
        )
        for shape in ((4, 2), (2,), (4, 1), ())
    ],
    Case("addmm-plain", addmm, lambda c, x, y: c + x @ y, shapes=[(4, 2), (4, 3), (3, 2)]),
    *[
        Case(
            f"linear-{_name(lead)}-{'bias' if bias else 'plain'}",
            linear,
            _linear,
            shapes=[(*lead, 3), (2, 3), *([(2,)] if bias else [])],
            dtypes=ALL,
        )
        for lead, bias in itertools.product(((), (4,), (5, 4), (2, 1, 3), (0,), (2, 0)), (True, False))
    ],
    *[
        _linear_act_case(name, lead, bias)
        for name, lead, bias in itertools.product(ACTIVATIONS, ((), (4,), (5, 4), (0,)), (True, False))
    ],
    Case("linear-no-inputs", linear, _linear, shapes=[(4, 0), (2, 0), (2,)]),
    *[_einsum_case(i, equation, shapes) for i, (equation, shapes) in enumerate(EINSUM)],
]
