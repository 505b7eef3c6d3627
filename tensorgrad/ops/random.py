"""Random ops that have a gradient. Their numbers come from a key, an input like any other."""

from __future__ import annotations

from tensorgrad.autograd.op import op
from tensorgrad.backends import Backend
from tensorgrad.backends.primitives import Array

__all__ = ["dropout"]


@op(
    lambda B, g, out, _x, key, p: B.dropout_backward(g, out[0], key, p),
    lambda B, g, _out, _x, _key, p: None,
    residuals="constant",
)
def dropout(B: Backend, x: Array, key: Array, p: float) -> tuple[Array, Array]:
    return B.dropout(x, key, p)
