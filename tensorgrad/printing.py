"""How a Tensor reads at the prompt."""

from __future__ import annotations

import numpy as np

from tensorgrad.autograd.variable import Tensor
from tensorgrad.dtypes import bool_, get_default_dtype, int64

__all__ = ["tensor_repr"]


def tensor_repr(t: Tensor) -> str:
    """`tensor([1., 2.], requires_grad=True)`: the values, and of the rest only what is not the default."""
    values = t.device.backend.to_numpy(t.array)
    body = np.array2string(
        values, prefix="tensor(", separator=", ", precision=4, suppress_small=False, threshold=1000, edgeitems=3
    )
    return f"tensor({', '.join([body, *_notes(t)])})"


def _notes(t: Tensor) -> list[str]:
    notes = []
    if 0 in t.shape and t.shape != (0,):
        notes.append(f"size={t.shape}")
    if t.dtype not in (get_default_dtype(), int64, bool_):
        notes.append(f"dtype={t.dtype}")
    if t.device.type != "cpu":
        notes.append(f"device={str(t.device)!r}")
    if t.grad_fn is not None:
        notes.append(f"grad_fn=<{t.grad_fn.op.name}>")
    elif t.requires_grad:
        notes.append("requires_grad=True")
    return notes
