"""`backward` and `grad`: what users ask of the reverse sweep."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from math import prod
from typing import Any

from tensorgrad.autograd.op import OPS, Spec
from tensorgrad.autograd.sweep import Sweep, checked_gradient, key_of
from tensorgrad.autograd.tape import apply
from tensorgrad.autograd.variable import Tensor, Variable, accumulating, new_tensor, retains_grad
from tensorgrad.dtypes import type_name
from tensorgrad.errors import ArgumentError, DTypeError, GraphError

__all__ = ["backward", "grad"]


def backward(
    tensors: Tensor | Sequence[Tensor],
    grad_tensors: Tensor | Sequence[Tensor | None] | None = None,
    retain_graph: bool | None = None,
    create_graph: bool = False,
    inputs: Tensor | Sequence[Tensor] | None = None,
) -> None:
    """Add the gradient of the sum of `tensors` to `.grad` of every leaf it depends on, or of `inputs` only.

    `grad_tensors`: the gradient of each tensor, of its shape, converted to its dtype; may be left out for tensors of
    one element. The graph is freed unless `retain_graph`; `create_graph` makes the gradients differentiable and implies
    it. Nothing is accumulated where an error is raised. Several threads may add to the same leaf, each from a graph of
    its own.
    """
    name = "backward"
    roots = _listed(name, tensors)
    targets = None if inputs is None else _listed(name, inputs)
    sweep = _sweep(name, roots, targets, retain_graph, create_graph)
    sweep.run(_seeds(name, roots, grad_tensors))
    receivers: Iterable[Any] = [k for k in sweep.results if isinstance(k, Variable)] if targets is None else targets
    with accumulating:
        for tensor in dict.fromkeys(receivers):
            if tensor.node is None or not retains_grad(tensor):  # else its hook has kept it
                _accumulate(tensor, sweep.take_gradient(tensor), create_graph)


def grad(
    outputs: Tensor | Sequence[Tensor],
    inputs: Tensor | Sequence[Tensor],
    grad_outputs: Tensor | Sequence[Tensor | None] | None = None,
    retain_graph: bool | None = None,
    create_graph: bool = False,
    allow_unused: bool = False,
) -> tuple[Tensor, ...]:
    """The gradients of the sum of `outputs` with respect to `inputs`; `.grad` of no tensor changes.

    Arguments as for `backward`. An input the outputs do not depend on is a GraphError; with `allow_unused` its gradient
    is None.
    """
    name = "grad"
    roots, wanted = _listed(name, outputs), _listed(name, inputs)
    sweep = _sweep(name, roots, wanted, retain_graph, create_graph)
    sweep.run(_seeds(name, roots, grad_outputs))
    found = tuple([sweep.take_gradient(t) for t in wanted])
    for i, gradient in enumerate(found):
        if gradient is None and not allow_unused:
            raise GraphError(
                f"grad: the outputs do not depend on input {i} (shape {wanted[i].shape}); "
                "pass allow_unused=True to get None for it"
            )
    return found


def _sweep(
    name: str, roots: list[Any], targets: list[Any] | None, retain_graph: bool | None, create_graph: bool
) -> Sweep:
    for i, t in enumerate((*roots, *(targets or ()))):
        if not t.requires_grad:  # this also brings the history of a view up to date
            what = f"tensor {i}" if i < len(roots) else f"input {i - len(roots)}"
            raise GraphError(
                f"{name}: {what} (shape {t.shape}) does not require grad and has no graph; "
                "was it made under no_grad, or does none of its inputs require grad?"
            )
    keys = None if targets is None else {key_of(t) for t in targets}
    retain = create_graph if retain_graph is None else retain_graph
    return Sweep(name, [key_of(t) for t in roots], keys, retain, create_graph)


def _listed(name: str, tensors: Any) -> list[Any]:
    found = [tensors] if isinstance(tensors, Variable) else list(tensors)
    for t in found:
        if not isinstance(t, Variable):
            raise DTypeError(f"{name}: expected Tensors, got {type_name(t)}")
    if not found:
        raise ArgumentError(f"{name}: expected at least one Tensor, got an empty list")
    return found


def _seeds(name: str, roots: list[Any], given: Any) -> list[Tensor]:
    gradients = [None] * len(roots) if given is None else list(given) if isinstance(given, (list, tuple)) else [given]
    if len(gradients) != len(roots):
        raise ArgumentError(f"{name}: expected {len(roots)} output gradients, got {len(gradients)}")
    return [_seed(name, t, g) for t, g in zip(roots, gradients, strict=True)]


def _seed(name: str, root: Variable, given: Any) -> Tensor:
    if given is not None:
        if isinstance(given, Variable) and given.array.dtype is not root.array.dtype:
            given = apply(OPS["astype"], given, dtype=root.dtype)
        return checked_gradient(name, "the gradient", Spec(root.shape, root.dtype), root.device, given)
    if prod(root.shape) != 1:
        raise GraphError(
            f"{name}: a gradient can be left out for one element only, got a tensor of shape {root.shape}; "
            "reduce it (.sum(), .mean()) or pass gradient="
        )
    return new_tensor(root.device.backend.full(root.shape, 1, root.dtype), root.device)


def _accumulate(tensor: Any, gradient: Tensor | None, create_graph: bool) -> None:
    if gradient is None:
        return
    have = tensor.grad
    if have is None:
        tensor.grad = gradient
    elif create_graph:
        tensor.grad = have + gradient
    elif have.node is not None:
        tensor.grad = have.detach() + gradient
    else:
        tensor.device.backend.add(have.array, gradient.array, out=have.array)
        have.version[0] += 1
        have.version[1] = "backward"
