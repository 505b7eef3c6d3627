"""The tape: `apply` runs an op's forward and notes it where a gradient will be asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tensorgrad.autograd.modes import mode
from tensorgrad.autograd.op import Op, Spec
from tensorgrad.autograd.variable import Node, Variable, clock, new_tensor
from tensorgrad.backends import Device
from tensorgrad.errors import DeviceError, ShapeError, TensorgradError

if TYPE_CHECKING:
    from tensorgrad.tensor import Tensor

__all__ = ["apply", "refresh"]

_new = object.__new__
_spec = tuple.__new__  # a NamedTuple without the price of its constructor


def apply(op: Op, *inputs: Any, **static: Any) -> Tensor:
    """Run `op` on Tensors and constants of one device. Every operation on Tensors goes through here.

    Raises DeviceError for tensors on different devices and ShapeError where the shapes do not fit; both name the op.
    """
    # The budget is two microseconds: hence one loop, local names, and a node that is filled in place.
    device: Device | None = None
    needs, bit = 0, 1
    arrays: list[Any] = []
    for x in inputs:
        if isinstance(x, Variable):
            if x.base is not None and x.base[2] is not x.base[0].node:
                refresh(x)
            if x.device is not device:
                if device is not None:
                    raise _mixed_devices(op, inputs)
                device = x.device
            if x.needs_grad:
                needs |= bit
            arrays.append(x.array)
        else:
            arrays.append(x)
        bit += bit
    backend = device.backend  # type: ignore[union-attr]
    try:
        out = op.forward(backend, *arrays, **static) if static else op.forward(backend, *arrays)
    except ValueError as error:
        raise _explained(op, arrays, error) from error
    kept = out
    if op.residuals:
        out = out[0]
    if type(out) is not backend.array_type:
        out = backend.asarray(out)
        kept = (out, *kept[1:]) if op.residuals else out
    result = new_tensor(out, device)  # type: ignore[arg-type]
    if needs and op.differentiable and mode.grad:
        _record(op, inputs, arrays, kept, static, result, needs)
    if op.view and isinstance(inputs[0], Variable) and backend.is_view(out, inputs[0].array):
        _note_view(result, inputs[0], op, static)
    return result


def _record(
    op: Op, inputs: tuple[Any, ...], saved: list[Any], out: Any, static: dict[str, Any], result: Tensor, needs: int
) -> None:
    """Make the node of `result`: who its parents are, and what its vjps will read."""
    keep_out, keeps = op.kept(needs, len(inputs))
    parents: list[Any] = []
    checks: list[Any] = []
    for x, keep in zip(inputs, keeps):  # noqa: B905 - as many by construction, and `strict` costs time here
        if isinstance(x, Variable):
            parents.append((x.node or x) if x.needs_grad else None)
            if keep:
                checks.append((x.version, x.version[0]))
            else:
                array = saved[len(parents) - 1]
                saved[len(parents) - 1] = _spec(Spec, (array.shape, array.dtype))
        else:
            parents.append(None)
    if keep_out:
        checks.append((result.version, 0))
    node: Node = _new(Node)
    node.op = op
    node.parents = parents
    node.saved = saved
    node.out = out if keep_out else _spec(Spec, (result.array.shape, result.array.dtype))
    node.static = static
    node.seq = clock()
    node.checks = checks
    node.device = result.device
    node.hooks = None
    result.node = node
    result.needs_grad = True


def _note_view(view: Variable, of: Variable, op: Op, static: dict[str, Any]) -> None:
    """Let `view` share the version of `of`, and remember how it is made from the root of that memory."""
    if view.node is not None and view.node.checks and view.node.checks[-1][0] is view.version:
        view.node.checks = [*view.node.checks[:-1], (of.version, of.version[0])]
    view.version = of.version
    root, chain = (of, ()) if of.base is None else of.base[:2]
    view.base = (root, (*chain, (op, static)), root.node)


def refresh(view: Variable) -> None:
    """Give a view the history of its root again, after an in-place write gave the root a new one."""
    root, chain, _ = view.base  # type: ignore[misc]
    fresh = root
    for op, static in chain:
        fresh = apply(op, fresh, **static)
    view.node = fresh.node
    view.needs_grad = fresh.needs_grad
    view.base = (root, chain, root.node)


def _mixed_devices(op: Op, inputs: tuple[Any, ...]) -> DeviceError:
    where = ", ".join(f"operand {i} on {x.device}" for i, x in enumerate(inputs) if isinstance(x, Variable))
    return DeviceError(f"{op.name}: all tensors must be on one device, got {where}; move them with .to(device)")


def _explained(op: Op, arrays: list[Any], error: ValueError) -> Exception:
    if isinstance(error, TensorgradError):
        return error
    shapes = ", ".join(str(tuple(a.shape)) for a in arrays if hasattr(a, "shape"))
    return ShapeError(f"{op.name}: got shapes {shapes}: {error}")
