"""The tape: `apply` runs an op's forward and notes it where a gradient will be asked for."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from tensorgrad.autograd.modes import enable_grad, mode
from tensorgrad.autograd.op import Keeping, Op, Spec
from tensorgrad.autograd.variable import Node, Variable, clock, new_tensor, register_refresh
from tensorgrad.backends import Device
from tensorgrad.dtypes import how_to_make_one, type_name
from tensorgrad.errors import ArgumentError, DeviceError, DTypeError, ShapeError, TensorgradError

if TYPE_CHECKING:
    from tensorgrad.tensor import Tensor

__all__ = ["apply", "refresh"]

_ABOUT_SHAPES = re.compile("shape|broadcast|dimension|axis|mismatch|reshape|size", re.IGNORECASE)
_new = object.__new__
_tuple = tuple.__new__  # makes a NamedTuple without the price of its constructor


def apply(op: Op, *inputs: Any, **static: Any) -> Tensor:
    """Run `op` on Tensors and constants of one device. Every operation on Tensors goes through here.

    Raises DeviceError for tensors on different devices and ShapeError where the shapes do not fit; both name the op.
    """
    # The budget is two microseconds: hence one loop, sets as bits of an integer, and objects filled in place.
    device: Device | None = None
    needs = tensors = 0
    bit = 1
    arrays: list[Any] = []
    parents: list[Any] = []
    for x in inputs:
        if isinstance(x, Variable):
            if x.base is not None and x.base[2] is not x.base[0].node:
                refresh(x)
            if x.device is not device:
                if device is not None:
                    raise _mixed_devices(op, inputs)
                device = x.device
            tensors |= bit
            if x.needs_grad:
                needs |= bit
                parents.append(x.node or x)
            else:
                parents.append(None)
            arrays.append(x.array)
        else:
            arrays.append(x)
            parents.append(None)
        bit += bit
    if device is None:
        raise DTypeError(f"{op.name}: expected a Tensor, got {_types(inputs)}; {how_to_make_one(inputs[0])}")
    backend = device.backend
    try:
        out = op.forward(backend, *arrays, **static) if static else op.forward(backend, *arrays)
    except ValueError as error:
        raise _explained(op, arrays, error) from error
    residuals = None
    if op.residuals is not None:
        out, *residuals = out
    result = new_tensor(out, device)
    if needs and op.differentiable and mode.grad:
        node: Node = _new(Node)
        node.op = op
        node.static = static
        node.parents = parents
        node.spec = _tuple(Spec, (out.shape, out.dtype))
        node.out = out if residuals is None else residuals
        node.saved = arrays
        node.device = device
        node.hooks = node.replay = None
        node.seq = clock()
        result.node = node
        result.needs_grad = True
        keeping = op.plans.get((needs, tensors)) or op.keeping(needs, tensors)
        if keeping[4] and len(inputs) == tensors.bit_length():
            node.saved, node.out, node.checks = [None] * len(inputs), None, ()
        else:
            _keep(node, keeping, inputs, result)
    if op.view is not None and (op.view == "always" or backend.is_view(out, inputs[0].array)):
        of = inputs[0]
        if of.base is None and (result.node is None or result.node.out is None):
            result.version, result.base = of.version, (of, ((op, static),), of.node)
        else:
            _note_view(result, of, op, static)
    return result


def _keep(node: Node, keeping: Keeping, inputs: tuple[Any, ...], result: Tensor) -> None:
    """Drop from `node` what its vjps will not read, and note the versions of what they will."""
    keep_out, kept, known, unknown, _ = keeping
    saved: list[Any] = node.saved  # type: ignore[assignment]
    checks: list[Any] = []
    for i in kept:
        version = inputs[i].version
        checks.append((version, version[0]))
    if node.op.residuals == "differentiable":
        node.replay = [(inputs[i].version, inputs[i].version[0]) for i in (*kept, *known, *unknown)]
    else:
        for i in known:
            saved[i] = None  # its parent tells
        for i in unknown:
            saved[i] = Spec(saved[i].shape, saved[i].dtype)
    if not keep_out:
        node.out = None
    elif node.op.residuals is None:
        checks.append((result.version, 0))
    node.checks = checks


def _note_view(view: Variable, of: Variable, op: Op, static: dict[str, Any]) -> None:
    """Let `view` share the version of `of`, and remember how it is made from the root of that memory."""
    node, version = view.node, of.version
    if node is not None and node.out is not None:  # no view op reads its output today
        node.checks = [*node.checks[:-1], (version, version[0])]  # the last check was of the view itself
    view.version = version
    if of.base is None:
        view.base = (of, ((op, static),), of.node)
    else:
        root, chain, _ = of.base
        view.base = (root, (*chain, (op, static)), root.node)


def refresh(view: Variable) -> None:
    """Give a view the history of its root again, after an in-place write gave the root a new one."""
    root, chain, _ = view.base  # type: ignore[misc]
    fresh = root
    with enable_grad():  # the history is wanted later, even where nothing is recorded now
        for op, static in chain:
            fresh = apply(op, fresh, **static)
    view.node = fresh.node
    view.needs_grad = fresh.needs_grad
    view.base = (root, chain, root.node)


register_refresh(refresh)


def _mixed_devices(op: Op, inputs: tuple[Any, ...]) -> DeviceError:
    where = ", ".join(f"operand {i} on {x.device}" for i, x in enumerate(inputs) if isinstance(x, Variable))
    return DeviceError(f"{op.name}: all tensors must be on one device, got {where}; move them with .to(device)")


def _types(inputs: tuple[Any, ...]) -> str:
    return ", ".join(type_name(x) for x in inputs)


def _explained(op: Op, arrays: list[Any], error: ValueError) -> Exception:
    """What the array library says about shapes, with the op's name and what it was given; anything else as it is."""
    if isinstance(error, TensorgradError):
        return error
    given = [tuple(a.shape) for a in arrays if hasattr(a, "shape")]
    shapes = ", ".join(map(str, given))
    clash = _clash(given) if op.elementwise else None
    if clash is not None:
        return ShapeError(
            f"{op.name}: shapes {shapes} do not broadcast: counted from the end, sizes {clash[1]} and {clash[2]} in "
            f"dimension {clash[0]} differ, and neither is 1; reshape or transpose one of them"
        )
    kind = ShapeError if _ABOUT_SHAPES.search(str(error)) else ArgumentError
    return kind(f"{op.name}: got shapes {shapes}: {error}")


def _clash(shapes: list[tuple[int, ...]]) -> tuple[int, int, int] | None:
    """The first dimension, counted from -1 on, in which shapes do not broadcast, and the two sizes; None if they do."""
    for i in range(1, max(map(len, shapes), default=0) + 1):
        sizes = {shape[-i] for shape in shapes if len(shape) >= i} - {1}
        if len(sizes) > 1:
            low, high, *_ = sorted(sizes)
            return -i, low, high
    return None
