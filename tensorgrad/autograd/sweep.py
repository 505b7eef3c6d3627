"""Sweep: one pass over the graph, iterative, in reverse order of creation, freeing as it goes.

First-order gradients run the vjps on raw arrays. With `create_graph` the same vjps run on the TapeBackend, so that the
gradients have a history of their own.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from operator import attrgetter
from typing import Any

from tensorgrad.autograd.modes import enable_grad, no_grad
from tensorgrad.autograd.op import Spec, select
from tensorgrad.autograd.tape import selected
from tensorgrad.autograd.tape_backend import TapeBackend
from tensorgrad.autograd.variable import Node, Tensor, Variable, new_tensor
from tensorgrad.autograd.wide import is_half, wide_arguments
from tensorgrad.backends import Device
from tensorgrad.backends.primitives.half import narrowed
from tensorgrad.dtypes import HALF, how_to_make_one, is_floating, type_name
from tensorgrad.errors import DeviceError, DTypeError, GraphError, ShapeError

__all__ = ["Sweep", "checked_gradient", "key_of"]

_in_order = attrgetter("seq")


class Sweep:
    """What is reachable, what is still to be passed on, what was asked for.

    Gradients are kept by key: the node that made a tensor, or the leaf itself. `owned` holds the keys whose sum so far
    is in memory that nobody else can see, if the backend owns it at all: only there are sums made in place.
    """

    def __init__(
        self, name: str, roots: Sequence[Any], targets: set[Any] | None, retain: bool, create_graph: bool
    ) -> None:
        self.name = name
        self.retain = retain
        self.create_graph = create_graph
        self.roots = roots
        self.targets = targets
        nodes, self.reshaped = _reachable(roots)
        self.order = sorted(nodes, key=_in_order, reverse=True)
        self.useful = None if targets is None else _leading_to(targets, self.order)
        self.pending: dict[Any, Any] = {}
        self.owned: set[Any] = set()
        self.results: dict[Any, Any] = {}
        self.tapes: dict[Device, TapeBackend] = {}

    def run(self, seeds: Sequence[Tensor]) -> None:
        """Carry the seeds, one for each root, to all leaves, or to the targets."""
        for key, seed in zip(self.roots, seeds, strict=True):
            self._pass_on(key, seed if self.create_graph else seed.array)
        pending = self.pending
        with enable_grad() if self.create_graph else no_grad():
            for node in self.order:
                gradient = pending.pop(node, None)
                if gradient is None:
                    continue
                if node.hooks:
                    gradient = self._hooked(node, gradient)
                if self.useful is not None and not self._is_on_the_way(node, gradient):
                    continue
                if node.saved is None:
                    raise _freed(node, self.name)
                for version, was in node.checks:
                    if version[0] != was:
                        raise _stale(node, version, was, self.name)
                if self.reshaped:
                    self._check_shapes(node)
                self._propagate(node, gradient)
                if not self.retain and (node.checks != () or node.out is not None):
                    # A node that read nothing stays whole: as in PyTorch, it can be gone through again.
                    node.saved = node.out = node.replay = None
                    node.checks = ()
            for leaf in [k for k in pending if type(k) is not Node]:
                gradient = pending.pop(leaf)
                if gradient.shape != leaf.array.shape:
                    raise _reshaped(leaf, self.name)
                self.results[leaf] = self._hooked(leaf, gradient)

    def take_gradient(self, t: Variable) -> Any:
        """The gradient of `t` in memory of its own, or None."""
        key = key_of(t)
        found = self.results.get(key)
        if found is None:
            return None
        mine = key in self.owned
        self.owned.discard(key)  # a second one who asks gets a copy
        if self.create_graph:
            return found if mine else found.clone()
        backend = t.device.backend
        return new_tensor(found if mine and backend.owns(found) else backend.copy(found), t.device)

    # ------------------------------------------------------------------ one node
    def _is_on_the_way(self, node: Node, gradient: Any) -> bool:
        """Whether the gradient must be passed on to reach the targets; kept here where the node is one of them."""
        if node in self.targets:  # type: ignore[operator]
            self.results[node] = gradient
        return node in self.useful  # type: ignore[operator]

    def _check_shapes(self, node: Node) -> None:
        """A leaf that was not kept stands for the shape it had: GraphError where it has another since."""
        for saved, parent in zip(node.saved or (), node.parents, strict=True):
            if saved is parent and isinstance(parent, Variable) and parent.version[2:] > [node.seq]:
                raise _reshaped(parent, self.name)

    def _propagate(self, node: Node, g: Any) -> None:
        """Run the vjps of `node` and hand each gradient to the parent it belongs to."""
        op, parents, static, last, pending = node.op, node.parents, node.static, None, self.pending
        backend: Any = node.device.backend
        arguments: Any = node.saved
        if self.create_graph:
            backend, out, arguments = self._on_tape(node)
        else:
            out = node if node.out is None else node.out
        if self.useful is not None:
            parents = [p if p in self.useful or p in self.targets else None for p in parents]  # type: ignore[operator]
        if op.joint is not None:
            if op.joint is select:
                self._gather(node, g)
            else:
                self._propagate_jointly(node, parents, g, backend, out, arguments)
            return
        elementwise = op.elementwise
        half = op.wide and g.dtype.char == HALF
        if half:
            g, out, arguments = wide_arguments(backend, g, out, arguments)
        for parent, vjp, argument in zip(parents, op.vjps, arguments):  # noqa: B905 - vjps may leave out constants
            if parent is None:
                continue
            d = vjp(backend, g, out, *arguments, **static) if static else vjp(backend, g, out, *arguments)
            if d is None:
                continue
            if elementwise and d.shape != argument.shape:
                d = backend.unbroadcast(d, argument.shape)
            if half:
                d = narrowed(backend, d)
            if parent in pending:
                self._pass_on(parent, d)
            else:
                pending[parent] = d
                if d is not g and d is not last:
                    self.owned.add(parent)
            last = d

    def _propagate_jointly(
        self, node: Node, parents: Sequence[Any], g: Any, backend: Any, out: Any, arguments: Any
    ) -> None:
        """As `_propagate`, where one vjp gives the gradients of all inputs."""
        op = node.op
        assert op.joint is not None
        if op.outputs == 1:
            given = {id(g)}
        else:
            g, given = tuple(g), {*map(id, g)}
            out = node.specs if out is node else out
        needs = tuple([p is not None for p in parents])
        if op.wide and is_half(g):
            g, out, arguments = wide_arguments(backend, g, out, arguments)
            wide = op.joint(backend, needs, g, out, *arguments, **node.static)
            gradients = [narrowed(backend, d) for d in wide]
        else:
            gradients = op.joint(backend, needs, g, out, *arguments, **node.static)
        pending = self.pending
        for parent, d in zip(parents, gradients):  # noqa: B905 - a vjp may leave out constants at the end
            if parent is None or d is None:
                continue
            fresh = id(d) not in given
            given.add(id(d))
            if parent in pending:
                self._pass_on(parent, d)
            else:
                pending[parent] = d
                if fresh:
                    self.owned.add(parent)

    def _gather(self, node: Node, d: Any) -> None:
        """Put the gradient of one of several outputs among those of the others."""
        whole, index = node.parents[0], node.static["index"]
        gradients = self.pending.get(whole)
        if gradients is None:
            gradients = self.pending[whole] = [None] * whole.op.outputs
        have = gradients[index]
        gradients[index] = d if have is None else self._backend(node.device).add(have, d)

    def _pass_on(self, key: Any, d: Any) -> None:
        """Add `d` to what has come for `key`; in place only where the sum so far is ours alone."""
        have = self.pending.get(key)
        if have is None:
            self.pending[key] = d
        elif not self.create_graph and key in self.owned and key.device.backend.owns(have):
            key.device.backend.add(have, d, out=have)
        else:
            self.pending[key] = self._backend(key.device).add(have, d)
            self.owned.add(key)

    def _hooked(self, key: Any, gradient: Any) -> Any:
        if not key.hooks:
            return gradient
        tensor = gradient if self.create_graph else _as_tensor(gradient, key.device)
        self.owned.discard(key)  # a hook may keep it, or return what is somebody's
        for hook in tuple(key.hooks):
            replaced = hook(tensor)
            if replaced is not None:
                tensor = checked_gradient("hook", "what a hook returns", _spec_of(key), key.device, replaced)
        return tensor if self.create_graph else tensor.array

    # ------------------------------------------------------------------ gradients of gradients
    def _backend(self, device: Device) -> Any:
        return self._tape(device) if self.create_graph else device.backend

    def _tape(self, device: Device) -> TapeBackend:
        if device not in self.tapes:
            self.tapes[device] = TapeBackend(device)
        return self.tapes[device]

    def _on_tape(self, node: Node) -> tuple[Any, Any, list[Any]]:
        """The TapeBackend, and what the vjps of `node` read, as Tensors with their history."""
        tape = self._tape(node.device)
        versions = _versions_of(node)
        arguments = [_on_tape(a, p, node.device, versions) for a, p in zip(node.saved or (), node.parents, strict=True)]
        if node.op.residuals == "constant":
            return tape, [_as_tensor(r, node.device) for r in node.out], arguments
        if node.op.residuals == "differentiable":
            for version, was in node.replay or ():
                if version[0] != was:
                    raise _stale(node, version, was, self.name)
            return tape, node.op.forward(tape, *arguments, **node.static)[node.op.outputs :], arguments
        if type(node.out) is tuple:
            return tape, tuple([_selected_on_tape(node, k, versions) for k in range(node.op.outputs)]), arguments
        return tape, node if node.out is None else _on_tape(node.out, node, node.device, versions), arguments


def _spec_of(key: Any) -> Any:
    """Something with the shape and dtype of what a node made, or of a leaf."""
    return key if type(key) is Node else Spec(key.array.shape, key.array.dtype)


def _versions_of(node: Node) -> Iterator[list[Any]]:
    """The version counter of each array that `node` keeps, in order: the inputs, then the outputs."""
    checks = node.checks if node.replay is None else node.replay
    return iter([version for version, _ in checks])


def _on_tape(saved: Any, parent: Any, device: Device, versions: Iterator[list[Any]]) -> Any:
    """A saved array as the Tensor it was: with the history of its parent, and the memory's own count of writes.

    So a write between two differentiations is noticed by the second one, too.
    """
    if type(saved) is not device.backend.array_type:
        return parent if saved is parent else saved
    version = next(versions, None)
    if isinstance(parent, Variable):
        return parent
    tensor = new_tensor(saved, device, parent is not None, parent)
    if version is not None:
        tensor.version = version
    return tensor


def _selected_on_tape(node: Node, k: int, versions: Iterator[list[Any]]) -> Any:
    """Of the several outputs of `node` the one at `k`, if it was kept, as the Tensor it was."""
    spec = node.specs[k]
    own = selected(node, k, spec, node.device) if is_floating(spec.dtype) else None
    return _on_tape(node.out[k], own, node.device, versions)


def _as_tensor(gradient: Any, device: Device) -> Tensor:
    return new_tensor(gradient, device)


def key_of(t: Variable) -> Any:
    """Under what a tensor's gradient is kept: the node that made it, or itself."""
    return t if t.node is None else t.node


def checked_gradient(name: str, what: str, like: Spec, device: Device, given: Any) -> Tensor:
    """`given`, if it can be the gradient of something like `like` on `device`; otherwise an error that names `name`."""
    if not isinstance(given, Variable):
        raise DTypeError(f"{name}: {what} must be a Tensor, got {type_name(given)}; {how_to_make_one(given)}")
    if given.device is not device:
        raise DeviceError(f"{name}: {what} must be on {device}, got one on {given.device}; move it with .to(device)")
    if given.shape != like.shape:
        raise ShapeError(f"{name}: {what} must have shape {like.shape}, got {given.shape}")
    if given.dtype != like.dtype:
        raise DTypeError(f"{name}: {what} must be {like.dtype}, got {given.dtype}; convert it with .to(dtype)")
    return given  # type: ignore[return-value]


def _reachable(roots: Iterable[Any]) -> tuple[set[Node], bool]:
    """The nodes that `roots` depend on, and whether any leaf they depend on was ever given another shape."""
    seen = {r for r in roots if type(r) is Node}
    stack = list(seen)
    reshaped = False
    while stack:
        for parent in stack.pop().parents:
            if type(parent) is Node:
                if parent not in seen:
                    seen.add(parent)
                    stack.append(parent)
            elif parent is not None and len(parent.version) > 2:
                reshaped = True
    return seen, reshaped


def _leading_to(targets: set[Any], order: list[Node]) -> set[Node]:
    """The nodes through which a gradient must go to reach `targets`."""
    useful: set[Node] = set()
    for node in reversed(order):
        if any(p is not None and (p in useful or p in targets) for p in node.parents):
            useful.add(node)
    return useful


def _freed(node: Node, name: str) -> GraphError:
    return GraphError(
        f"{name}: the graph was freed by an earlier backward (at {node.op.name}); "
        "pass retain_graph=True to the first one to go through it twice"
    )


def _reshaped(leaf: Variable, name: str) -> GraphError:
    return GraphError(
        f"{name}: a leaf was given data of another shape, {leaf.shape}, after it was used; run the forward again"
    )


def _stale(node: Node, version: list[Any], was: int, name: str) -> GraphError:
    return GraphError(
        f"{name}: {node.op.name} needs a value that was changed in place by {version[1]} after it was computed "
        f"(version {version[0]}, expected {was}); use the out-of-place operation, or clone() before writing"
    )
