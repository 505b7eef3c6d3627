"""The reverse sweep: iterative, in reverse order of creation, freeing as it goes.

First-order gradients run the vjps on raw arrays. With `create_graph` the same vjps run on the TapeBackend, so that the
gradients have a history of their own.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from tensorgrad.autograd.modes import enable_grad, no_grad
from tensorgrad.autograd.op import Spec
from tensorgrad.autograd.tape import refresh
from tensorgrad.autograd.tape_backend import TapeBackend
from tensorgrad.autograd.variable import Node, Variable, new_tensor
from tensorgrad.backends import Device
from tensorgrad.errors import ArgumentError, GraphError, ShapeError

if TYPE_CHECKING:
    from tensorgrad.tensor import Tensor

__all__ = ["backward", "grad"]


def backward(
    tensors: Tensor | Sequence[Tensor],
    grad_tensors: Tensor | Sequence[Tensor | None] | None = None,
    retain_graph: bool | None = None,
    create_graph: bool = False,
    inputs: Sequence[Tensor] | None = None,
) -> None:
    """Add the gradient of the sum of `tensors` to `.grad` of every leaf it depends on (or of `inputs` only).

    `grad_tensors`: the gradient of each tensor, of its shape; may be left out for tensors of one element. The graph is
    freed unless `retain_graph`; `create_graph` makes the gradients differentiable and implies it. Nothing is
    accumulated where an error is raised.
    """
    roots = _listed(tensors)
    sweep = _Sweep(roots, inputs, retain_graph, create_graph, "backward")
    sweep.run(_seeds(roots, grad_tensors, "backward"))
    for target, gradient in sweep.leaf_gradients():
        _accumulate_into(target, gradient, sweep)


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
    roots, wanted = _listed(outputs), _listed(inputs)
    sweep = _Sweep(roots, wanted, retain_graph, create_graph, "grad")
    sweep.run(_seeds(roots, grad_outputs, "grad"))
    found = tuple([sweep.take_gradient(t) for t in wanted])
    for i, gradient in enumerate(found):
        if gradient is None and not allow_unused:
            raise GraphError(
                f"grad: the outputs do not depend on input {i} (shape {wanted[i].shape}); "
                "pass allow_unused=True to get None for it"
            )
    return found


class _Sweep:
    """One pass over the graph: what is reachable, what is still to be passed on, what was asked for."""

    def __init__(
        self,
        roots: Sequence[Variable],
        targets: Sequence[Variable] | None,
        retain_graph: bool | None,
        create_graph: bool,
        name: str,
    ) -> None:
        self.name = name
        self.create_graph = create_graph
        self.retain = create_graph if retain_graph is None else retain_graph
        for i, t in enumerate((*roots, *(targets or ()))):
            if t.base is not None and t.base[2] is not t.base[0].node:
                refresh(t)
            if not t.needs_grad:
                what = f"tensor {i}" if i < len(roots) else f"input {i - len(roots)}"
                raise GraphError(
                    f"{name}: {what} (shape {t.shape}) does not require grad and has no graph; "
                    "was it made under no_grad, or does none of its inputs require grad?"
                )
        self.roots = [_key(t) for t in roots]
        self.targets = None if targets is None else {_key(t) for t in targets}
        self.order = sorted(_reachable(self.roots), key=lambda n: n.seq, reverse=True)
        self.useful = None if self.targets is None else _leading_to(self.targets, self.order)
        self.pending: dict[Any, Any] = {}
        self.owned: set[Any] = set()
        self.results: dict[Any, Any] = {}
        self.tapes: dict[Device, TapeBackend] = {}

    def run(self, seeds: Sequence[Tensor]) -> None:
        for key, seed in zip(self.roots, seeds, strict=True):
            self._pass_on(key, seed if self.create_graph else seed.array, fresh=False)
        with enable_grad() if self.create_graph else no_grad():
            for node in self.order:
                gradient = self.pending.pop(node, None)
                if gradient is not None:
                    self._visit(node, gradient)
            for leaf in [k for k in self.pending if type(k) is not Node]:
                self.results[leaf] = self._hooked(leaf, self.pending.pop(leaf))

    def leaf_gradients(self) -> Iterable[tuple[Any, Any]]:
        if self.targets is None:
            return self.results.items()
        return [(k, g) for k, g in self.results.items() if k in self.targets and type(k) is not Node]

    def take_gradient(self, t: Variable) -> Any:
        """The gradient of `t` in memory of its own, or None."""
        key = _key(t)
        found = self.results.get(key)
        if found is None or self.create_graph:
            return found
        backend = t.device.backend
        mine = key in self.owned and backend.owns(found)
        self.owned.discard(key)  # a second one who asks gets a copy
        return new_tensor(found if mine else backend.copy(found), t.device)

    def _visit(self, node: Node, gradient: Any) -> None:
        if node.hooks:
            gradient = self._hooked(node, gradient)
        if self.targets is not None and node in self.targets:
            self.results[node] = gradient
        if self.useful is not None and node not in self.useful:
            return
        if node.saved is None:
            raise GraphError(
                f"{self.name}: the graph was freed by an earlier backward (at {node.op.name}); "
                "pass retain_graph=True to the first one to go through it twice"
            )
        for version, was in node.checks:
            if version[0] != was:
                raise _stale(node, version, was, self.name)
        self._propagate(node, gradient)
        if not self.retain:
            node.saved = node.out = None
            node.checks = ()

    def _propagate(self, node: Node, g: Any) -> None:
        """Run the vjps of `node` and hand each gradient to the parent it belongs to."""
        op, parents, last = node.op, node.parents, None
        backend: Any
        arguments: Any
        if self.create_graph:
            backend, out, arguments = self._on_tape(node)
        else:
            backend, out = node.device.backend, node.spec if node.out is None else node.out
            inputs = zip(node.saved or (), parents, strict=True)
            arguments = [_spec_of(p) if a is None and p is not None else a for a, p in inputs]
        if self.useful is not None:
            parents = [p if p is not None and self._wants(p) else None for p in parents]
        if op.joint is not None:
            needs = tuple([p is not None for p in parents])
            gradients = op.joint(backend, needs, g, out, *arguments, **node.static)
        else:
            gradients = op.vjps
        for parent, argument, d in zip(parents, arguments, gradients):  # noqa: B905 - vjps may leave out constants
            if parent is None:
                continue
            if op.joint is None:
                d = d(backend, g, out, *arguments, **node.static)
            if d is None:
                continue
            if op.elementwise and d.shape != argument.shape:
                d = backend.unbroadcast(d, argument.shape)
            self._pass_on(parent, d, d is not g and d is not last, node)
            last = d

    def _wants(self, parent: Any) -> bool:
        return parent in self.useful or parent in self.targets  # type: ignore[operator]

    def _pass_on(self, key: Any, d: Any, fresh: bool, node: Node | None = None) -> None:
        """Add `d` to what has come for `key`; in place only where the sum so far is ours alone."""
        if type(key) is Node and key.op.outputs > 1:
            self._pass_to_output(key, d, node)
            return
        have = self.pending.get(key)
        if have is None:
            self.pending[key] = d
            if fresh:
                self.owned.add(key)
        elif not self.create_graph and key in self.owned and key.device.backend.owns(have):
            key.device.backend.add(have, d, out=have)
        else:
            self.pending[key] = self._backend(key.device).add(have, d)
            self.owned.add(key)

    def _pass_to_output(self, key: Node, d: Any, node: Node | None) -> None:
        """A node with several outputs gathers one gradient for each: `node` is the selection of one of them."""
        slots = self.pending.setdefault(key, [None] * key.op.outputs)
        index = node.static["index"]  # type: ignore[union-attr]
        backend = self._backend(key.device)
        slots[index] = d if slots[index] is None else backend.add(slots[index], d)

    def _hooked(self, key: Any, gradient: Any) -> Any:
        if not key.hooks:
            return gradient
        tensor = gradient if self.create_graph else _wrapped(gradient, key.device)
        self.owned.discard(key)  # a hook may keep it, or return what is somebody's
        for hook in tuple(key.hooks):
            replaced = hook(tensor)
            if replaced is not None:
                tensor = replaced
        return tensor if self.create_graph else tensor.array

    def _backend(self, device: Device) -> Any:
        return self._tape(device) if self.create_graph else device.backend

    def _tape(self, device: Device) -> TapeBackend:
        if device not in self.tapes:
            self.tapes[device] = TapeBackend(device)
        return self.tapes[device]

    def _on_tape(self, node: Node) -> tuple[Any, Any, list[Any]]:
        """The TapeBackend, and the output and inputs of `node` as Tensors with their history."""
        tape = self._tape(node.device)
        arguments = [_on_tape(a, p, node.device) for a, p in zip(node.saved or (), node.parents, strict=True)]
        if node.op.residuals:
            return tape, node.op.forward(tape, *arguments, **node.static), arguments
        return tape, node.spec if node.out is None else _on_tape(node.out, node, node.device), arguments


def _spec_of(parent: Any) -> Spec:
    """Shape and dtype of what a node made, or of a leaf."""
    spec: Spec = parent.spec if type(parent) is Node else Spec(parent.array.shape, parent.array.dtype)
    return spec


def _on_tape(saved: Any, parent: Any, device: Device) -> Any:
    """A saved array as the Tensor it was: with the history of its parent."""
    if saved is None and parent is not None:
        return _spec_of(parent)
    if isinstance(parent, Variable):
        return parent
    if type(saved) is not device.backend.array_type:
        return saved
    return new_tensor(saved, device, parent is not None, parent)


def _key(t: Variable) -> Any:
    return t if t.node is None else t.node


def _reachable(roots: Iterable[Any]) -> set[Node]:
    seen: set[Node] = set()
    stack = [r for r in roots if type(r) is Node]
    while stack:
        node = stack.pop()
        if node not in seen:
            seen.add(node)
            stack.extend([p for p in node.parents if type(p) is Node and p not in seen])
    return seen


def _leading_to(targets: set[Any], order: list[Node]) -> set[Node]:
    """The nodes through which a gradient must go to reach `targets`."""
    useful: set[Node] = set()
    for node in reversed(order):
        if any(p is not None and (p in useful or p in targets) for p in node.parents):
            useful.add(node)
    return useful


def _stale(node: Node, version: list[Any], was: int, name: str) -> GraphError:
    return GraphError(
        f"{name}: {node.op.name} needs a value that was changed in place by {version[1]} after it was computed "
        f"(version {version[0]}, expected {was}); use the out-of-place operation, or clone() before writing"
    )


def _listed(tensors: Any) -> list[Any]:
    return [tensors] if isinstance(tensors, Variable) else list(tensors)


def _seeds(roots: list[Any], given: Any, name: str) -> list[Tensor]:
    gradients = [None] * len(roots) if given is None else _listed(given)
    if len(gradients) != len(roots):
        raise ArgumentError(f"{name}: expected {len(roots)} output gradients, got {len(gradients)}")
    return [_seed(t, g, name) for t, g in zip(roots, gradients, strict=True)]


def _seed(root: Variable, given: Any, name: str) -> Tensor:
    if given is None:
        if root.array.shape != () and _count(root.shape) != 1:
            raise GraphError(
                f"{name}: a gradient can be left out for one element only, got a tensor of shape {root.shape}; "
                "reduce it (.sum(), .mean()) or pass gradient="
            )
        return new_tensor(root.device.backend.full(root.shape, 1, root.dtype), root.device)
    if given.shape != root.shape or given.dtype != root.dtype:
        raise ShapeError(
            f"{name}: the gradient must be like the tensor, {root.shape} of {root.dtype}, "
            f"got {given.shape} of {given.dtype}"
        )
    return given  # type: ignore[no-any-return]


def _count(shape: tuple[int, ...]) -> int:
    total = 1
    for n in shape:
        total *= n
    return total


def _wrapped(gradient: Any, device: Device) -> Tensor:
    if type(gradient) is not device.backend.array_type:
        gradient = device.backend.asarray(gradient)
    return new_tensor(gradient, device)


def _accumulate_into(leaf: Any, gradient: Any, sweep: _Sweep) -> None:
    backend = leaf.device.backend
    if sweep.create_graph:
        leaf.grad = gradient if leaf.grad is None else leaf.grad + gradient
    elif leaf.grad is None:
        mine = leaf in sweep.owned and backend.owns(gradient)
        leaf.grad = new_tensor(gradient if mine else backend.copy(gradient), leaf.device)
    elif leaf.grad.node is not None:
        leaf.grad = leaf.grad.detach() + _wrapped(gradient, leaf.device)
    else:
        backend.add(leaf.grad.array, gradient, out=leaf.grad.array)
        leaf.grad.version[0] += 1
        leaf.grad.version[1] = "backward"
