"""Variable: the part of a Tensor that the tape knows. `tensor.Tensor` adds the methods.

The tape makes Tensors without importing them, which would turn the layers upside down: `tensor.py` registers its class.
"""

from __future__ import annotations

import os
import threading
import weakref
from collections.abc import Callable, Sequence
from itertools import count
from typing import TYPE_CHECKING, Any

from tensorgrad.autograd.op import Op, Spec
from tensorgrad.backends import Device
from tensorgrad.dtypes import DType, is_floating, type_name
from tensorgrad.errors import DeviceError, DTypeError, GraphError, ShapeError

__all__ = [
    "Node",
    "Tensor",
    "Variable",
    "accumulating",
    "clock",
    "follow_retained",
    "new_tensor",
    "register_refresh",
    "register_tensor_class",
    "retains_grad",
]

clock = count(1).__next__

# Held by whoever reads a `.grad` to write it again: leaves are shared between threads, as in data-parallel training.
# Reentrant, because what the garbage collector runs inside may go backward too.
accumulating = threading.RLock()
if hasattr(os, "register_at_fork"):  # or a child that was forked while another thread held it would wait for ever
    os.register_at_fork(
        before=accumulating.acquire, after_in_parent=accumulating.release, after_in_child=accumulating.release
    )


class Node:
    """One operation on the tape.

    `parents`: for each input the Node that made it, the leaf Variable itself, or None where no gradient goes.
    `saved`: for each input its array, its Spec where it was not kept, or its parent, which tells the same.
    `shape`, `dtype`: of the output, for which the node may thus stand as its Spec; `out`: the output itself, or None
    where it was not kept. A node with several outputs has `specs` instead, one for each, and `out` is their tuple; each
    is the output of another node, whose op is the `selector` of this one's.
    `checks`: pairs of a version counter and the version it had, for every array the vjps read, inputs first; the empty
    tuple where they read nothing, not even a number, so that nothing is freed. `replay`: the same for what the forward
    reads, where a higher-order gradient runs it again, otherwise None.
    """

    __slots__ = (
        "__weakref__",
        "checks",
        "device",
        "dtype",
        "hooks",
        "op",
        "out",
        "parents",
        "replay",
        "saved",
        "seq",
        "shape",
        "specs",
        "static",
    )

    op: Op
    parents: list[Any]
    saved: list[Any] | None
    out: Any
    shape: tuple[int, ...]
    dtype: DType
    specs: tuple[Spec, ...]
    static: dict[str, Any]
    seq: int
    checks: Sequence[tuple[list[Any], int]]
    replay: Sequence[tuple[list[Any], int]] | None
    device: Device
    hooks: list[Callable[[Any], Any]] | None

    @property
    def ndim(self) -> int:
        return len(self.shape)


class Variable:
    """An array of a backend, and its place on the tape.

    `array`: the backend's array. `device`: where it is. `grad`: the accumulated gradient, a Tensor or None.
    `node`: the Node that made it; None for a leaf. `version`: [count of in-place writes, who wrote last], shared by
    all views of one memory; a third entry is the time at which a leaf was last given data of another shape.
    `base`: for a view (its root, the view ops from there, the root's node when it was made).
    """

    __slots__ = ("__weakref__", "_grad", "array", "base", "device", "hooks", "needs_grad", "node", "version")

    array: Any
    device: Device
    _grad: Tensor | None
    needs_grad: bool
    node: Node | None
    version: list[Any]
    base: tuple[Any, tuple[Any, ...], Node | None] | None
    hooks: list[Callable[[Any], Any]] | None

    @property
    def shape(self) -> tuple[int, ...]:
        """The sizes of the dimensions."""
        shape: tuple[int, ...] = self.array.shape
        return shape

    @property
    def dtype(self) -> DType:
        """The dtype of the elements."""
        dtype: DType = self.array.dtype
        return dtype

    @property
    def ndim(self) -> int:
        """The number of dimensions."""
        return len(self.array.shape)

    @property
    def grad(self) -> Tensor | None:
        """The accumulated gradient. Settable: to None, or to a Tensor of this shape, dtype and device."""
        return self._grad

    @grad.setter
    def grad(self, value: Tensor | None) -> None:
        if value is not None:
            _check_gradient(self, value)
        self._grad = value

    @property
    def requires_grad(self) -> bool:
        """Whether gradients flow to this tensor. Settable on leaves; only floating tensors can require grad.

        A view that is made to require grad is a leaf of its own from then on: it shares memory and the count of writes
        with its root, but no history.
        """
        self._refreshed()
        return self.needs_grad

    @requires_grad.setter
    def requires_grad(self, value: bool) -> None:
        if value and not is_floating(self.array.dtype):
            raise DTypeError(
                f"requires_grad: only floating tensors have gradients, got {self.array.dtype}; convert it with .float()"
            )
        self._refreshed()
        if self.node is not None:
            if not value:
                raise GraphError("requires_grad: only a leaf can stop requiring grad; use .detach()")
            return
        self.needs_grad = bool(value)
        if value:
            self.base = None

    @property
    def is_leaf(self) -> bool:
        """Whether this tensor was made by the user, not by an operation on tensors that require grad."""
        self._refreshed()
        return self.node is None

    def _refreshed(self) -> None:
        """Bring the history of a view up to date, where a write gave its root a new one."""
        if self.base is not None and self.base[2] is not self.base[0].node:
            _refresh(self)

    def register_hook(self, hook: Callable[[Tensor], Tensor | None]) -> RemovableHandle:
        """Call `hook(grad)` when this tensor's gradient is known; what it returns, unless None, takes its place.

        Hooks run in the order in which they were registered, each on the result of the last. What is asked for as an
        input of `grad` or `backward`, and what `retain_grad` keeps, is the result of them all.

        Returns a handle whose `remove()` takes the hook away. Raises GraphError where no gradient will come.
        """
        if not self.requires_grad:
            raise GraphError("register_hook: this tensor does not require grad, so no gradient will come")
        owner: Node | Variable = self if self.node is None else self.node
        if owner.hooks is None:
            owner.hooks = []
        _insert_hook(owner.hooks, hook)
        return RemovableHandle(owner.hooks, hook)

    def retain_grad(self) -> None:
        """Keep `.grad` also on this tensor, which is not a leaf, as all hooks leave it. On a leaf this changes nothing.

        Raises GraphError where no gradient will come.
        """
        if not self.requires_grad:
            raise GraphError("retain_grad: this tensor does not require grad, so no gradient will come")
        if self.node is not None and _retainer_of(self, self.node) is None:
            self.register_hook(_Retainer(self))

    # ------------------------------------------------------------------ Python's copies
    def __copy__(self) -> Any:
        """Another object for the same memory and history."""
        made = object.__new__(type(self))
        for name in _SLOTS:
            setattr(made, name, getattr(self, name))
        vars_of = getattr(self, "__dict__", None)
        if vars_of:
            made.__dict__.update(vars_of)
        return made

    def __reduce__(self) -> tuple[Any, ...]:
        """How a leaf goes to another process: class, values, device and `requires_grad`, without `grad` and hooks."""
        if not self.is_leaf:
            raise GraphError("reduce: only a leaf can go to another process, not a graph; use .detach()")
        host = self.device.backend.to_numpy(self.array)
        return _rebuilt, (type(self), host, self.device, self.needs_grad), getattr(self, "__dict__", None)


_SLOTS = tuple(name for name in Variable.__slots__ if name != "__weakref__")


def _rebuilt(cls: type[Variable], host: Any, device: Device, needs_grad: bool) -> Variable:
    """The leaf that `Variable.__reduce__` described. The class is not called: it may ask for other arguments."""
    plain = new_tensor(device.backend.asarray(host), device, needs_grad)
    made = object.__new__(cls)
    for name in _SLOTS:
        setattr(made, name, getattr(plain, name))
    return made


class _Retainer:
    """The hook behind `retain_grad`, which sees what all other hooks have made of the gradient, also those to come.

    It belongs to the tensor: `follow_retained` takes it to the tensor's next node.
    """

    __slots__ = ("tensor",)

    def __init__(self, tensor: Variable) -> None:
        self.tensor = weakref.ref(tensor)

    def __call__(self, grad: Tensor) -> None:
        tensor = self.tensor()
        if tensor is not None:
            with accumulating:
                tensor.grad = grad.clone() if tensor.grad is None else tensor.grad + grad


def _insert_hook(hooks: list[Callable[[Any], Any]], hook: Callable[[Any], Any]) -> None:
    """Put `hook` behind all others, but in front of what retains gradients."""
    place = len(hooks)
    if not isinstance(hook, _Retainer):
        while place and isinstance(hooks[place - 1], _Retainer):
            place -= 1
    hooks.insert(place, hook)


def _retainer_of(tensor: Variable, node: Node) -> _Retainer | None:
    for hook in node.hooks or ():
        if isinstance(hook, _Retainer) and hook.tensor() is tensor:
            return hook
    return None


def retains_grad(tensor: Variable) -> bool:
    """Whether `retain_grad` was called on `tensor`, which is no leaf."""
    return tensor.node is not None and _retainer_of(tensor, tensor.node) is not None


def follow_retained(tensor: Variable, before: Node | None) -> None:
    """Where `tensor` retains its grad, let it be that of its node now, no longer that of the node `before`."""
    if before is None or before is tensor.node or tensor.node is None:
        return
    hook = _retainer_of(tensor, before)
    if hook is not None:
        before.hooks.remove(hook)  # type: ignore[union-attr]
        tensor.register_hook(hook)


def _check_gradient(tensor: Variable, value: Any) -> None:
    if not isinstance(value, Variable):
        raise DTypeError(f"grad: expected a Tensor or None, got {type_name(value)}")
    if value.shape != tensor.shape:
        raise ShapeError(f"grad: the gradient must have the tensor's shape {tensor.shape}, got {value.shape}")
    if value.dtype != tensor.dtype:
        raise DTypeError(f"grad: the gradient must have the tensor's dtype {tensor.dtype}, got {value.dtype}")
    if value.device is not tensor.device:
        raise DeviceError(f"grad: the gradient must be on {tensor.device}, as the tensor is, got {value.device}")


class RemovableHandle:
    """Takes a hook away again, at most once; also as a context manager."""

    __slots__ = ("_hook", "_hooks")

    def __init__(self, hooks: list[Callable[..., Any]], hook: Callable[..., Any]) -> None:
        self._hooks: list[Callable[..., Any]] | None = hooks
        self._hook = hook

    def remove(self) -> None:
        """Take the hook away. A second call changes nothing."""
        if self._hooks is not None and self._hook in self._hooks:
            self._hooks.remove(self._hook)
        self._hooks = None

    def __enter__(self) -> RemovableHandle:
        return self

    def __exit__(self, *exception: object) -> None:
        self.remove()


if TYPE_CHECKING:
    from tensorgrad.tensor import Tensor
else:
    Tensor = Variable  # the name that annotations need below the class itself; nothing else may use it

_tensor_class: type[Any] = Variable
_refresh: Callable[[Variable], None]
_new = object.__new__


def register_refresh(function: Callable[[Variable], None]) -> None:
    """Make `function` what brings the history of a view up to date: the tape, which runs the view again."""
    global _refresh
    _refresh = function


def register_tensor_class(cls: type[Any]) -> None:
    """Make `cls`, a subclass of Variable, the class of everything the tape returns."""
    global _tensor_class
    _tensor_class = cls


def new_tensor(array: Any, device: Device, needs_grad: bool = False, node: Node | None = None) -> Tensor:
    """A Tensor around a backend's array, without a copy."""
    t: Tensor = _new(_tensor_class)
    t.array = array
    t.device = device
    t._grad = None
    t.needs_grad = needs_grad
    t.node = node
    t.version = [0, ""]
    t.base = None
    t.hooks = None
    return t
