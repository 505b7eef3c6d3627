"""In-place writes: new values in the same memory, a new version for all its views, a new history for the tensor.

A write under grad is the out-of-place operation whose result is copied over the old values: so the tape holds what
it would have held, and an array that was kept before the write is caught by its version. A write through a view gives
the view's root a new history, of which this view and, when they are next used, all others take their part.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from tensorgrad.autograd.modes import mode
from tensorgrad.autograd.op import op
from tensorgrad.autograd.tape import apply, refresh
from tensorgrad.autograd.variable import Node, Tensor, Variable, follow_retained
from tensorgrad.backends import Backend
from tensorgrad.backends.primitives import TABLE, Array
from tensorgrad.backends.primitives.index import Views
from tensorgrad.dtypes import category
from tensorgrad.errors import DTypeError, GraphError, ShapeError

__all__ = ["assign", "check_writable", "is_stretched", "mark_written", "overwritten"]


def check_writable(target: Variable, writer: str) -> None:
    """GraphError where `target` cannot be written in place.

    It cannot where elements of it share memory, where its memory is read-only, and, unless nothing is recorded, where
    it shares memory with a leaf that requires grad or is a view made under no_grad of a tensor that has a history.
    """
    base = target.base
    if base is not None and is_stretched(target):
        _open(target, writer)
    root = target if base is None else base[0]
    if root.node is not None and root.node.op.lends_output:
        _give_back_output(root)
    if not target.device.backend.is_writable(target.array):
        raise GraphError(
            f"{writer}: the memory of this tensor is read-only, as that of the array it was made from (whose elements "
            "may share it), or as a gradient that was only broadcast; clone() it before writing"
        )
    if not mode.grad:
        return
    if not root.needs_grad:
        return
    if root.node is None:
        what = "a leaf that requires grad" if root is target else "a view of a leaf that requires grad"
        raise GraphError(f"{writer}: {what} cannot be written in place; do it under tg.no_grad(), or use the result")
    if not target.requires_grad:
        raise GraphError(
            f"{writer}: a view made under no_grad, of a tensor that has a history, cannot be written where operations "
            "are recorded; make the view where it is written, or write it under no_grad too"
        )


def is_stretched(target: Variable) -> bool:
    """Whether `target` is an expanded tensor or a view of one, so that elements of it may share memory."""
    return target.base is not None and any(TABLE[view.name].overlaps for view, _ in target.base[1])


def _open(target: Variable, writer: str) -> None:
    """Make the array of a stretched tensor one that can be written; GraphError where elements of it share memory."""
    backend = target.device.backend
    strides = backend.strides(target.array)
    if 0 not in target.shape and any(n > 1 and s == 0 for n, s in zip(target.shape, strides, strict=True)):
        raise GraphError(f"{writer}: several elements of an expanded tensor share memory; clone() it before writing")
    target.array = backend.writable(target.array)


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
    if mode.grad and value.needs_grad and target.base is not None:
        _check_differentiable(target, writer)
    if mode.grad and target.requires_grad and not value.needs_grad:
        value = overwritten(target, value)
    if value.node is not None:
        _keep_old_values(value.node, target)
        if value.dtype != target.dtype:
            value = apply(converted, value, dtype=target.dtype)
    target.device.backend.copyto(target.array, value.array)
    mark_written(target, writer)
    if mode.grad and value.needs_grad:
        _rewrite_history(target, value)


def _check_differentiable(target: Variable, writer: str) -> None:
    """GraphError where the memory is read in another dtype, through which no gradient finds its way."""
    assert target.base is not None
    for view, _ in target.base[1]:
        if not view.differentiable:
            raise GraphError(
                f"{writer}: a tensor whose bytes are read as {target.dtype} cannot take values that require grad; "
                "write them into the tensor it was made from, or detach() them"
            )


def overwritten(target: Variable, value: Variable) -> Tensor:
    """`value`, on the tape as what has taken the place of `target`: a gradient of zero flows to the old values."""
    return apply(overwrite, target, value)


def _give_back_output(root: Variable) -> None:
    """Let the node that made `root`, and keeps its array, keep a copy instead: `root` is about to be written."""
    node = root.node
    if node is not None and node.out is root.array:
        node.out = root.device.backend.copy(node.out)
        node.checks = _without(root.version, node.checks)


def _without(mine: list[Any], checks: Sequence[tuple[list[Any], int]]) -> list[tuple[list[Any], int]]:
    """`checks` of arrays of which those that counted their writes with `mine` have been copied."""
    own = ([0, ""], 0)  # nobody else writes into the copies
    return [own if check[0] is mine else check for check in checks]


def _keep_old_values(node: Node, target: Variable) -> None:
    """Where the vjp of `node`, which made the new values, needs the old ones, give it a copy of them."""
    mine = target.version
    if node.saved is None or not any(version is mine for version, _ in (*node.checks, *(node.replay or ()))):
        return
    backend = target.device.backend
    arrays = [i for i, a in enumerate(node.saved) if type(a) is backend.array_type]
    # The versions of what was kept stand in the order of the arrays; where there are more arrays, all are copied.
    matched = node.replay is None and len(arrays) == len(node.checks) - (node.out is not None)
    for place, i in enumerate(arrays):
        if not matched or node.checks[place][0] is mine:
            node.saved[i] = backend.copy(node.saved[i])
    node.checks = _without(mine, node.checks)
    if node.replay is not None:
        node.replay = _without(mine, node.replay)


def _rewrite_history(target: Variable, value: Variable) -> None:
    before = target.node
    if target.base is None:
        target.node, target.needs_grad = value.node, value.needs_grad
    else:
        root, chain, _ = target.base
        views = tuple([(view.name, next(iter(static.values()), None)) for view, static in chain])
        written = apply(write_through, root, value, views=views, order=_order_of(root))
        written.node.checks = []  # type: ignore[union-attr]  # gone through once, as in PyTorch
        whole, root.node, root.needs_grad = root.node, written.node, written.needs_grad
        follow_retained(root, whole)
        refresh(target)
    follow_retained(target, before)


def _order_of(x: Variable) -> tuple[int, ...]:
    """The axes of `x` from the greatest stride to the least."""
    strides = x.device.backend.strides(x.array)
    return tuple(sorted(range(x.ndim), key=lambda axis: -abs(strides[axis])))


def _region(B: Backend, x: Any, views: Views) -> Any:
    """What the views see of `x`, which need not be laid out as what they were made from."""
    for view, argument in views:
        x = (B.reshaped if view == "reshape" else getattr(B, view))(x, argument)
    return x


@op(lambda B, g, _out, _x, views, order: B.clear_region(g, views, order))
def clear_region(B: Backend, x: Array, views: Views, order: tuple[int, ...]) -> Array:
    """`x` with zeros where `views` look; `order` as for the primitive."""
    return B.clear_region(x, views, order)


@op(
    lambda B, g, _out, _x, _v, views, order: B.clear_region(g, views, order),
    lambda B, g, _out, _x, _v, views, order: B.copy(_region(B, g, views)),
)
def write_through(B: Backend, x: Array, v: Array, views: Views, order: tuple[int, ...]) -> Array:
    """`x`, in whose memory `v` stands where `views` look; `order` as for `clear_region`."""
    return x


@op(lambda B, g, _out, _x, dtype: B.astype(g, _x.dtype))
def converted(B: Backend, x: Array, dtype: Any) -> Array:
    """`x` in `dtype`, so that its gradient has its own."""
    return B.astype(x, dtype)


@op(lambda B, g, _out, _x, _v: B.full(g.shape, 0, g.dtype), lambda B, g, _out, _x, _v: g)
def overwrite(B: Backend, x: Array, v: Array) -> Array:
    """`v`, which is written over `x`."""
    return v
