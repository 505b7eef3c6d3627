"""Functions of Tensors under PyTorch's names: argument checks and promotion around the ops, one family a file."""

from __future__ import annotations

from tensorgrad.functional import (
    activation,
    arithmetic,
    comparison,
    conversion,
    diagonals,
    dims,
    einsum,
    gathering,
    index_key,
    indexing,
    inplace,
    joining,
    linalg,
    loss,
    operators,
    padding,
    promotion,
    reduction,
    shape,
    sorting,
)

__all__ = [
    "activation",
    "arithmetic",
    "comparison",
    "conversion",
    "diagonals",
    "dims",
    "einsum",
    "gathering",
    "index_key",
    "indexing",
    "inplace",
    "joining",
    "linalg",
    "loss",
    "operators",
    "padding",
    "promotion",
    "reduction",
    "shape",
    "sorting",
]
