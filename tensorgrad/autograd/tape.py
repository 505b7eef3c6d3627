"""The tape: `apply` runs an op's forward and notes it where a gradient will be asked for."""

from __future__ import annotations

import re
from typing import Any

from tensorgrad.autograd.modes import enable_grad, mode
from tensorgrad.autograd.op import Keeping, Op, Spec
from tensorgrad.autograd.variable import Node, Tensor, Variable, clock, follow_retained, new_tensor, register_refresh
from tensorgrad.autograd.wide import wide_forward
from tensorgrad.backends import Device
from tensorgrad.dtypes import HALF, how_to_make_one, is_floating, type_name
from tensorgrad.errors import ArgumentError, DeviceError, DTypeError, ShapeError, TensorgradError

__all__ = ["apply", "new_node", "refresh", "selected"]

_ABOUT_SHAPES = re.compile("shape|broadcast|dimension|axis|mismatch|reshape|size", re.IGNORECASE)
_new = object.__new__


def apply(op: Op, *inputs: Any, **static: Any) -> Tensor:
    """Run `op` on Tensors and constants of one device. Every operation on Tensors goes through here.

    Returns a Tensor, or a tuple of them where the op has several outputs.

    Raises DeviceError for tensors on different devices and ShapeError where the shapes do not fit; both name the op.
    """
    # The budget is two microseconds: hence one loop, sets as digits of an integer, and objects filled in place.
    device: Device | None = None
    needs = tensors = 0  # two parts of the signature that `Op.keeping` explains
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
            tensors += bit
            if x.needs_grad:
                needs += bit
                parents.append(x.node or x)
            else:
                parents.append(None)
            arrays.append(x.array)
        else:
            arrays.append(x)
            parents.append(None)
        bit *= 4
    if device is None:
        raise DTypeError(f"{op.name}: expected a Tensor, got {_types(inputs)}; {how_to_make_one(inputs[0])}")
    backend = device.backend
    try:
        if op.composed and arrays[0].dtype.char == HALF:
            out = wide_forward(op.forward, backend, arrays, static)
        else:
            out = op.forward(backend, *arrays, **static) if static else op.forward(backend, *arrays)
    except (ValueError, OverflowError) as error:  # the latter of Python's integers, made a float
        raise _explained(op, arrays, error) from error
    residuals = None
    if op.returns_tuple:
        if op.outputs > 1:
            results = tuple([new_tensor(o, device) for o in out[: op.outputs]])
            if needs and op.differentiable and mode.grad:
                whole = new_node(op, parents, device)
                whole.static, whole.saved, whole.out = static, arrays, out[op.outputs :]
                _record_several(whole, bit + tensors + needs + needs, inputs, results)
            return results  # type: ignore[return-value]
        out, *residuals = out
    result = new_tensor(out, device)
    if needs and op.differentiable and mode.grad:
        node: Node = _new(Node)
        node.op = op
        node.static = static
        node.parents = parents
        node.shape = out.shape
        node.dtype = out.dtype
        node.out = out if residuals is None else residuals
        node.saved = arrays
        node.device = device
        node.hooks = node.replay = None
        node.seq = clock()
        result.node = node
        result.needs_grad = True
        signature = bit + tensors + needs + needs
        keeping = op.keepings.get(signature) or op.keeping(signature)
        if keeping[4]:
            node.saved, node.out, node.checks = parents, None, ()
        else:
            _keep(node, keeping, inputs, (result,))
    if op.view is not None and (op.view == "always" or backend.is_view(out, inputs[0].array)):
        of = inputs[0]
        if of.base is None and (result.node is None or result.node.out is None):
            result.version, result.base = of.version, (of, ((op, static),), of.node)
        else:
            _note_view(result, of, op, static)
    return result


def _keep(node: Node, keeping: Keeping, inputs: tuple[Any, ...], results: tuple[Tensor, ...]) -> None:
    """Drop from `node` what its vjps will not read, and note the versions of what they will."""
    outs, kept, known, unknown, _, reads = keeping
    saved: list[Any] = node.saved  # type: ignore[assignment]
    checks: list[Any] = []
    for i in kept:
        version = inputs[i].version
        checks.append((version, version[0]))
    residuals = node.op.residuals
    if residuals is None:
        if not outs:
            node.out = None
        for k in outs:
            checks.append((results[k].version, 0))
    else:
        checks += [(t.version, 0) for t in results if any(t.array is r for r in node.out)]
    node.checks = checks if reads else ()
    if residuals == "differentiable":
        places = sorted((*kept, *known, *unknown))
        node.replay = [(inputs[i].version, inputs[i].version[0]) for i in places]
        return
    for i in known:
        saved[i] = node.parents[i]
    for i in unknown:
        saved[i] = Spec(saved[i].shape, saved[i].dtype)


def _record_several(node: Node, signature: int, inputs: tuple[Any, ...], results: tuple[Tensor, ...]) -> None:
    """Make `results` the outputs of `node`, each by a node of its own that selects it."""
    keeping = node.op.keepings.get(signature) or node.op.keeping(signature)
    _keep(node, keeping, inputs, results)
    node.specs = tuple([Spec(t.shape, t.dtype) for t in results])
    if node.op.residuals is None and keeping[0]:
        node.out = tuple([t.array if k in keeping[0] else node.specs[k] for k, t in enumerate(results)])
    for k, t in enumerate(results):
        if is_floating(t.dtype):
            t.node, t.needs_grad = selected(node, k, t, t.device), True


def new_node(op: Op, parents: list[Any], device: Device) -> Node:
    """A node that keeps nothing, the latest of all."""
    node = Node()
    node.op = op
    node.parents = parents
    node.saved = parents
    node.out = node.replay = node.hooks = None
    node.static = {}
    node.checks = ()
    node.device = device
    node.seq = clock()
    return node


def selected(node: Node, index: int, like: Spec | Variable, device: Device) -> Node:
    """The node of one of the several outputs of `node`, which has the shape and dtype of `like`."""
    assert node.op.selector is not None
    one = new_node(node.op.selector, [node], device)
    one.static = {"index": index}
    one.shape, one.dtype = like.shape, like.dtype
    return one


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
    fresh, before = root, view.node
    with enable_grad():  # the history is wanted later, even where nothing is recorded now
        for op, static in chain:
            fresh = apply(op, fresh, **static)
    view.node = fresh.node
    view.needs_grad = fresh.needs_grad
    view.base = (root, chain, root.node)
    follow_retained(view, before)


register_refresh(refresh)


def _mixed_devices(op: Op, inputs: tuple[Any, ...]) -> DeviceError:
    where = ", ".join(f"operand {i} on {x.device}" for i, x in enumerate(inputs) if isinstance(x, Variable))
    return DeviceError(f"{op.name}: all tensors must be on one device, got {where}; move them with .to(device)")


def _types(inputs: tuple[Any, ...]) -> str:
    return ", ".join(type_name(x) for x in inputs)


def _explained(op: Op, arrays: list[Any], error: ValueError | OverflowError) -> Exception:
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
