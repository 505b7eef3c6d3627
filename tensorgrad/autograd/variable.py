"""Variable: the part of a Tensor that the tape knows. `tensor.Tensor` adds the methods.

The tape makes Tensors without importing them, which would turn the layers upside down: `tensor.py` registers its class.
"""

from __future__ import annotations

import weakref
from collections.abc import Callable, Sequence
from itertools import count
from typing import TYPE_CHECKING, Any

from tensorgrad.backends import Device
from tensorgrad.dtypes import DType, is_floating
from tensorgrad.errors import DTypeError, GraphError

if TYPE_CHECKING:
    from tensorgrad.autograd.op import Op, Spec
    from tensorgrad.tensor import Tensor

__all__ = ["Node", "Variable", "clock", "new_tensor", "register_refresh", "register_tensor_class"]

clock = count(1).__next__


class Node:
    """One operation on the tape.

    `parents`: for each input the Node that made it, the leaf Variable itself, or None where no gradient goes.
    `saved`: for each input its array, its Spec where it was not kept, or None where the spec of its parent tells.
    `spec`: shape and dtype of the output; `out`: the output itself, or None where it was not kept.
    `checks`: pairs of a version counter and the version it had, for everything the vjps read; `replay`: the same for
    what the forward reads, where a higher-order gradient runs it again, otherwise None.
    """

    __slots__ = (
        "__weakref__",
        "checks",
        "device",
        "hooks",
        "op",
        "out",
        "parents",
        "replay",
        "saved",
        "seq",
        "spec",
        "static",
    )

    op: Op
    parents: Sequence[Any]
    saved: list[Any] | None
    out: Any
    spec: Spec
    static: dict[str, Any]
    seq: int
    checks: Sequence[tuple[list[Any], int]]
    replay: Sequence[tuple[list[Any], int]] | None
    device: Device
    hooks: list[Callable[[Any], Any]] | None


class Variable:
    """An array of a backend, and its place on the tape.

    `array`: the backend's array. `device`: where it is. `grad`: the accumulated gradient, a Tensor or None.
    `node`: the Node that made it; None for a leaf. `version`: [count of in-place writes, who wrote last], shared by
    all views of one memory. `base`: for a view (its root, the view ops from there, the root's node when it was made).
    """

    __slots__ = ("__weakref__", "array", "base", "device", "grad", "hooks", "needs_grad", "node", "version")

    array: Any
    device: Device
    grad: Tensor | None
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
    def requires_grad(self) -> bool:
        """Whether gradients flow to this tensor. Settable on leaves; only floating tensors can require grad."""
        self._refreshed()
        return self.needs_grad

    @requires_grad.setter
    def requires_grad(self, value: bool) -> None:
        if value and not is_floating(self.array.dtype):
            raise DTypeError(
                f"requires_grad: only floating tensors have gradients, got {self.array.dtype}; convert it with .float()"
            )
        if self.node is not None and not value:
            raise GraphError("requires_grad: only a leaf can stop requiring grad; use .detach()")
        self.needs_grad = bool(value)

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

        Returns a handle whose `remove()` takes the hook away. Raises GraphError where no gradient will come.
        """
        if not self.requires_grad:
            raise GraphError("register_hook: this tensor does not require grad, so no gradient will come")
        owner: Node | Variable = self if self.node is None else self.node
        if owner.hooks is None:
            owner.hooks = []
        owner.hooks.append(hook)
        return RemovableHandle(owner.hooks, hook)

    def retain_grad(self) -> None:
        """Keep `.grad` also on this tensor, which is not a leaf. On a leaf this changes nothing.

        Raises GraphError where no gradient will come.
        """
        if not self.requires_grad:
            raise GraphError("retain_grad: this tensor does not require grad, so no gradient will come")
        if self.node is None:
            return
        myself = weakref.ref(self)

        def keep(grad: Tensor) -> None:
            tensor = myself()
            if tensor is not None:
                tensor.grad = grad.clone() if tensor.grad is None else tensor.grad + grad

        self.register_hook(keep)


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
    t.grad = None
    t.needs_grad = needs_grad
    t.node = node
    t.version = [0, ""]
    t.base = None
    t.hooks = None
    return t
