"""In-place writes: new values in the same memory, a new version for all its views, a new history for the tensor.

A write under grad is the out-of-place operation whose result is copied over the old values: so the tape holds what
it would have held, and an array that was kept before the write is caught by its version. A write through a view gives
the view's root a new history, of which this view and, when they are next used, all others take their part.
"""

from __future__ import annotations

from typing import Any

from tensorgrad.autograd.modes import mode
from tensorgrad.autograd.op import op
from tensorgrad.autograd.tape import apply, refresh
from tensorgrad.autograd.variable import Node, Variable
from tensorgrad.backends import Backend
from tensorgrad.backends.primitives import Array
from tensorgrad.dtypes import category
from tensorgrad.errors import DTypeError, GraphError, ShapeError

__all__ = ["assign", "check_writable", "mark_written"]


def check_writable(target: Variable, writer: str) -> None:
    """GraphError where `target` cannot be written: it is expanded, or shares memory with a leaf that requires grad.

    The latter is allowed where nothing is recorded.
    """
    if target.base is not None and any(view.name == "broadcast_to" for view, _ in target.base[1]):
        raise GraphError(f"{writer}: several elements of an expanded tensor share memory; clone() it before writing")
    if not mode.grad:
        return
    root = target if target.base is None else target.base[0]
    if root.needs_grad and root.node is None:
        what = "a leaf that requires grad" if root is target else "a view of a leaf that requires grad"
        raise GraphError(f"{writer}: {what} cannot be written in place; do it under tg.no_grad(), or use the result")


def mark_written(target: Variable, writer: str) -> None:
    """Count a write to the memory of `target` and its views."""
    target.version[0] += 1
    target.version[1] = writer


def assign(target: Variable, value: Variable, writer: str) -> None:
    """Give `target` the values of `value`, in its own memory and dtype, and the history of `value`.

    Raises ShapeError where the shapes differ, DTypeError where the values belong to a higher category of dtype.
    """
    check_writable(target, writer)
    if value.shape != target.shape:
        raise ShapeError(f"{writer}: the result has shape {value.shape} but is written to shape {target.shape}")
    if category(value.dtype) > category(target.dtype):
        raise DTypeError(
            f"{writer}: the result is {value.dtype} but is written to {target.dtype}; convert the target first"
        )
    if target.base is not None:
        refresh(target)
    if value.node is not None:
        _keep_old_values(value.node, target)
    target.device.backend.copyto(target.array, value.array)
    mark_written(target, writer)
    if mode.grad and (value.needs_grad or target.needs_grad):
        _rewrite_history(target, value)


def _keep_old_values(node: Node, target: Variable) -> None:
    """Where the vjp of `node`, which made the new values, needs the old ones, give it a copy of them."""
    others = [check for check in node.checks if check[0] is not target.version]
    if node.saved is None or len(others) == len(node.checks):
        return
    backend = target.device.backend
    node.saved = [backend.copy(a) if type(a) is backend.array_type else a for a in node.saved]
    node.checks = others


def _rewrite_history(target: Variable, value: Variable) -> None:
    if target.base is None:
        target.node, target.needs_grad = value.node, value.needs_grad
        return
    root, chain, _ = target.base
    written = apply(write_through, root, value, chain=chain)
    root.node, root.needs_grad = written.node, written.needs_grad
    refresh(target)


def _follow(B: Backend, x: Any, chain: tuple[Any, ...]) -> Any:
    for view_op, static in chain:
        x = view_op.forward(B, x, **static)
    return x


@op(
    lambda B, g, _out, _x, _v, chain: B.multiply(g, B.region_mask(g.shape, g.dtype, chain)),
    lambda B, g, _out, _x, _v, chain: B.copy(_follow(B, g, chain)),
)
def write_through(B: Backend, x: Array, v: Array, chain: tuple[Any, ...]) -> Array:
    """`x` with the region that the views of `chain` see replaced by `v`."""
    out = B.copy(x)
    B.copyto(_follow(B, out, chain), v)
    return out
