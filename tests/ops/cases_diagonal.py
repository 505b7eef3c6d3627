"""Diagonals, and what is joined or cut along one dimension: see `table.py`."""

from __future__ import annotations

import numpy as np

import tensorgrad as tg
from tests.ops.table import Case

DIAGONALS = [
    Case(
        f"diagonal-{k}-{'x'.join(map(str, shape))}",
        lambda x, k=k: tg.diagonal(x, k),
        lambda x, k=k: np.diagonal(x, k),
        [shape],
    )
    for shape in [(3, 3), (2, 5), (5, 2), (3, 0)]
    for k in (0, 1, -1, 4, -9)
]
OTHERS = [
    Case("diagonal-dims", lambda x: x.diagonal(1, -1, 0), lambda x: np.diagonal(x, 1, -1, 0), [(4, 2, 3)]),
    Case("diagonal-transposed", lambda x: x.t().diagonal(1), lambda x: np.diagonal(x.T, 1), [(3, 4)]),
    Case(
        "diagonal-permuted",
        lambda x: x.permute(2, 0, 1).diagonal(),
        lambda x: x.transpose(2, 0, 1).diagonal(),
        [(2, 3, 4)],
    ),
    Case("diagonal-gaps", lambda x: x[:, 1::2].diagonal(-1), lambda x: x[:, 1::2].diagonal(-1), [(4, 7)]),
    Case(
        "diagonal-stretched",
        lambda x: x.expand(3, 3).diagonal(1),
        lambda x: np.broadcast_to(x, (3, 3)).diagonal(1),
        [(1, 3)],
    ),
    Case(
        "diagonal-of-diagonals",
        lambda x: x.diagonal(0, 1, 3).diagonal(1),
        lambda x: x.diagonal(0, 1, 3).diagonal(1),
        [(2, 3, 4, 2)],
    ),
    Case("select", lambda x: x.select(-1, -2), lambda x: x[:, -2], [(2, 4)]),
    Case("tensor_split", lambda x: x.tensor_split(3, 1), lambda x: tuple(np.array_split(x, 3, 1)), [(2, 5)]),
    Case(
        "tensor_split-places",
        lambda x: tg.tensor_split(x, [1, -1]),
        lambda x: tuple(np.array_split(x, [1, 4])),
        [(5, 2)],
    ),
    Case("cat-leaves-out", lambda x, y: tg.cat((y, x, y), 1), lambda x, y: x, [(2, 3), (0,)]),
    Case("hstack-leaves-out", lambda x, y: tg.hstack((x, y)), lambda x, y: x, [(2, 3), (0,)]),
    Case("cat-empty-vectors", lambda x, y: tg.cat((y, x, y)), lambda x, y: x, [(3,), (0,)]),
    Case("diag-matrix", lambda x: x.diag(-1), lambda x: np.diag(x, -1), [(3, 4)]),
    Case("diag-vector", tg.diag, np.diag, [(3,)]),
    Case("diag-vector-above", lambda x: tg.diag(x, 2), lambda x: np.diag(x, 2), [(3,)]),
    Case("diag-vector-below", lambda x: tg.diag(x, -1), lambda x: np.diag(x, -1), [(3,)]),
    Case("diag-empty", tg.diag, np.diag, [(0,)]),
    Case("trace", tg.trace, np.trace, [(3, 4)]),
    Case("narrow", lambda x: x.narrow(1, -3, 2), lambda x: x[:, -3:-1], [(2, 4)]),
    Case("narrow-empty", lambda x: tg.narrow(x, 0, 2, 0), lambda x: x[2:2], [(2, 4)]),
    Case("vstack", lambda x, y: tg.vstack((x, y)), lambda x, y: np.vstack((x, y)), [(3,), (2, 3)]),
    Case("hstack", lambda x, y: tg.hstack((x, y)), lambda x, y: np.hstack((x, y)), [(2, 3), (2, 1)]),
    Case("hstack-vectors", lambda x, y: tg.hstack((x, y)), lambda x, y: np.hstack((x, y)), [(2,), ()]),
    Case("concat", lambda x, y: tg.concat((x, y), 1), lambda x, y: np.concatenate((x, y), 1), [(2, 3), (2, 1)]),
]

CASES: list[Case] = [*DIAGONALS, *OTHERS]
