"""Function: an operation whose gradient the user writes, on Tensors.

    class Cube(tg.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            ctx.save_for_backward(x)
            return x * x * x

        @staticmethod
        def backward(ctx, g):
            (x,) = ctx.saved_tensors
            return 3 * x * x * g

    y = Cube.apply(x)

One call is one node of the tape, whose kept `out` is the call's Context: it is freed with the graph.
"""

from __future__ import annotations

import weakref
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from typing import Any, ClassVar, TypeVar

from tensorgrad.autograd.modes import mode, no_grad
from tensorgrad.autograd.op import Op, Spec
from tensorgrad.autograd.tape import new_node, refresh, selected
from tensorgrad.autograd.variable import Node, Tensor, Variable, new_tensor
from tensorgrad.backends import Backend, Device
from tensorgrad.dtypes import is_floating, type_name
from tensorgrad.errors import ArgumentError, DTypeError, GraphError, ShapeError

__all__ = ["Context", "Function", "once_differentiable"]

F = TypeVar("F", bound=Callable[..., Any])


class Context:
    """What `forward` leaves for `backward`: saved tensors, and any attribute set on it.

    `needs_input_grad`: for each argument of `apply`, whether a gradient is wanted for it.
    """

    needs_input_grad: tuple[bool, ...]

    def __init__(self, function: type[Function], arguments: Sequence[Any]) -> None:
        self.needs_input_grad = tuple(isinstance(a, Variable) and a.needs_grad for a in arguments)
        self._function = function
        self._arguments = tuple(Spec(a.shape, a.dtype) if isinstance(a, Variable) else None for a in arguments)
        self._saved: tuple[Variable | None, ...] = ()
        self._saved_outputs: dict[int, int] = {}  # which of the saved tensors is which output
        self._outputs: tuple[Any, ...] = ()  # without history, hence no cycle through the node
        self._node: Callable[[], Node | None] = lambda: None
        self._without_gradient: tuple[Variable, ...] = ()
        self._materialize = True

    def save_for_backward(self, *tensors: Tensor | None) -> None:
        """Keep tensors (inputs, outputs, or neither) for `backward`, which finds them in `saved_tensors`.

        Writing into one of them afterwards makes the backward pass a GraphError.
        """
        for i, t in enumerate(tensors):
            if t is not None and not isinstance(t, Variable):
                raise DTypeError(
                    f"{self._function.__name__}: save_for_backward takes Tensors and None, got "
                    f"{type_name(t)} at position {i}; keep other things as attributes of ctx"
                )
        self._saved = tensors

    @property
    def saved_tensors(self) -> tuple[Any, ...]:
        """The tensors given to `save_for_backward`."""
        return tuple(self._unpack(i, t) for i, t in enumerate(self._saved))

    def mark_non_differentiable(self, *tensors: Tensor) -> None:
        """Declare outputs through which no gradient goes. Integer and bool outputs are so anyway."""
        self._without_gradient = tensors

    def set_materialize_grads(self, value: bool) -> None:
        """Whether `backward` gets zeros (True, the default) or None for an output that got no gradient."""
        self._materialize = value

    def _finish(self, arguments: tuple[Any, ...], returned: tuple[Any, ...]) -> None:
        """Note what forward returned, and which of it was saved."""
        self._outputs = tuple(_own_memory(o, arguments) for o in returned)
        for i, t in enumerate(self._saved):
            if t is not None and not any(t is a for a in arguments):
                self._saved_outputs.update((i, k) for k, output in enumerate(returned) if t is output)
        kept = self._without_gradient
        self._without_gradient = tuple(
            own for own, output in zip(self._outputs, returned, strict=True) if any(output is t for t in kept)
        )

    def _unpack(self, i: int, saved: Variable | None) -> Any:
        """A saved output is given its history, which it did not have yet when it was saved."""
        node, k = self._node(), self._saved_outputs.get(i)
        if k is None or node is None or not self._differentiable(self._outputs[k]):
            return saved
        return _result(self._outputs[k], node, k)

    def _differentiable(self, output: Any) -> bool:
        return (
            isinstance(output, Variable)
            and is_floating(output.dtype)
            and not any(output is t for t in self._without_gradient)
        )


class Function:
    """Base of users' operations: define the static methods `forward` and `backward`; call `apply`.

    Tensors that `forward` returns are results of their own: one that shares memory with an argument is
    copied. `backward` gets one gradient for each output, and must not write into them; under `create_graph`
    it runs on Tensors with a history, so that what it computes can be differentiated again.
    """

    _ops: ClassVar[dict[int, Op]]

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        cls._ops = {}

    @staticmethod
    def forward(*args: Any, **kwargs: Any) -> Any:
        """forward(ctx, *args, **kwargs) -> a Tensor, or a tuple of Tensors and other things. Runs unrecorded.

        Where `setup_context` is defined, forward takes no ctx.
        """
        raise NotImplementedError("Function: forward(ctx, *args) must be defined by the subclass")

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Any, ...], output: Any) -> None:
        """Optional: fills ctx after a forward that takes none."""
        raise NotImplementedError

    @staticmethod
    def backward(ctx: Any, *grad_outputs: Any) -> Any:
        """One gradient for each positional argument of `apply`, in its shape; None where there is none."""
        raise NotImplementedError("Function: backward(ctx, *grad_outputs) must be defined by the subclass")

    @classmethod
    def apply(cls, *args: Any, **kwargs: Any) -> Any:
        """Run `forward` and note it on the tape where a Tensor among `args` requires grad.

        Gradients flow to positional arguments only: a keyword argument that requires grad is an
        ArgumentError.
        """
        _check_keywords(cls, kwargs)
        for a in args:
            if isinstance(a, Variable) and a.base is not None and a.base[2] is not a.base[0].node:
                refresh(a)
        ctx = Context(cls, args)
        returned = _run_forward(cls, ctx, args, kwargs)
        several = isinstance(returned, (tuple, list))
        outputs = tuple(returned) if several else (returned,)
        ctx._finish(args, outputs)
        results = _recorded(ctx, args) if mode.grad and any(ctx.needs_input_grad) else ctx._outputs
        return results if several else results[0]


def once_differentiable(backward: F) -> F:
    """Decorator, below @staticmethod, for a `backward` whose own gradient would be wrong.

    It always runs unrecorded; differentiating what it returned is a GraphError.
    """
    backward._once_differentiable = True  # type: ignore[attr-defined]
    return backward


# ---------------------------------------------------------------------- forward
def _check_keywords(function: type[Function], kwargs: dict[str, Any]) -> None:
    for name, value in kwargs.items():
        if isinstance(value, Variable) and value.needs_grad:
            raise ArgumentError(
                f"{function.__name__}: the keyword argument {name} requires grad, but gradients flow to "
                "positional arguments only; pass it by position"
            )


def _run_forward(cls: type[Function], ctx: Context, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    with no_grad():
        if cls.setup_context is Function.setup_context:
            return cls.forward(ctx, *args, **kwargs)
        output = cls.forward(*args, **kwargs)
        cls.setup_context(ctx, args, output)
        return output


def _own_memory(output: Any, args: tuple[Any, ...]) -> Any:
    """A later write into an output that is a view of an argument would bypass the argument's history."""
    if not isinstance(output, Variable) or not any(
        isinstance(a, Variable) and a.version is output.version for a in args
    ):
        return output
    return new_tensor(output.device.backend.copy(output.array), output.device)


# ---------------------------------------------------------------------- the tape
def _recorded(ctx: Context, args: tuple[Any, ...]) -> tuple[Any, ...]:
    """The outputs as results of one new node."""
    tracked = [k for k, o in enumerate(ctx._outputs) if ctx._differentiable(o)]
    if not tracked:
        return ctx._outputs
    op = _op_of(ctx._function, len(ctx._outputs))
    node = _node_of(op, [_parent(a) for a in args], ctx, ctx._outputs[tracked[0]])
    node.checks = [(t.version, t.version[0]) for t in ctx._saved if t is not None]
    ctx._node = weakref.ref(node)
    return tuple(_result(o, node, k) if k in tracked else o for k, o in enumerate(ctx._outputs))


def _node_of(op: Op, parents: list[Any], kept: Any, output: Variable) -> Node:
    node = new_node(op, parents, output.device)
    node.out = kept
    node.shape, node.dtype = output.shape, output.dtype
    return node


def _parent(argument: Any) -> Any:
    if not isinstance(argument, Variable) or not argument.needs_grad:
        return None
    return argument if argument.node is None else argument.node


def _result(output: Variable, node: Node, k: int) -> Tensor:
    """Output `k` of `node`: the same memory and version, and a place on the tape."""
    own = selected(node, k, output, output.device) if node.op.outputs > 1 else node
    result = new_tensor(output.array, output.device, True, own)
    result.version = output.version
    return result


def _op_of(function: type[Function], outputs: int) -> Op:
    found = function._ops.get(outputs)
    if found is None:
        made = Op(function.forward, (), _run_backward, name=function.__name__, outputs=outputs)
        found = function._ops[outputs] = made
    return found


# ---------------------------------------------------------------------- backward
def _run_backward(B: Backend, needs: tuple[bool, ...], g: Any, ctx: Context, *_arguments: Any) -> list[Any]:
    """The vjp of every Function: its `backward`, on Tensors. `B` is the device's backend, or the tape."""
    node = ctx._node()
    assert node is not None
    lifted = B.array_type is Variable
    gradients = _gradients_of_outputs(B, ctx, [g] if node.op.outputs == 1 else g, node.device)
    once = getattr(ctx._function.backward, "_once_differentiable", False)
    with no_grad() if once else nullcontext():
        returned = ctx._function.backward(ctx, *gradients)
    checked = _checked(ctx, tuple(returned) if isinstance(returned, (tuple, list)) else (returned,))
    found = [_converted(B, ctx, i, checked[i], lifted) if need else None for i, need in enumerate(needs)]
    return [_refusing(d, node) for d in found] if once and lifted else found


def _gradients_of_outputs(B: Backend, ctx: Context, slots: list[Any], device: Device) -> list[Any]:
    """What `backward` is called with: a Tensor for each output; zeros or None where no gradient came."""
    gradients: list[Any] = []
    for g, output in zip(slots, ctx._outputs, strict=True):
        if g is None and ctx._materialize and isinstance(output, Variable):
            g = B.full(output.shape, 0, output.dtype)
        gradients.append(g if g is None or isinstance(g, Variable) else new_tensor(B.asarray(g), device))
    return gradients


def _checked(ctx: Context, gradients: tuple[Any, ...]) -> tuple[Any, ...]:
    """The gradients, one for each argument and each fit for it; Nones too many at the end are let pass."""
    name, arguments = ctx._function.__name__, ctx._arguments
    surplus = gradients[len(arguments) :]
    if len(gradients) < len(arguments) or any(d is not None for d in surplus):
        raise GraphError(
            f"{name}: backward must return one gradient for each of the {len(arguments)} arguments of apply "
            f"(None where there is none), got {len(gradients)}"
        )
    for i, (d, argument) in enumerate(zip(gradients, arguments, strict=False)):
        if d is not None and not isinstance(d, Variable):
            raise DTypeError(f"{name}: backward must return Tensors or None, got {type_name(d)} for argument {i}")
        if d is not None and argument is None:
            raise GraphError(f"{name}: backward must return None for argument {i}, which is not a Tensor")
        if d is not None and argument is not None and d.shape != argument.shape:
            raise ShapeError(
                f"{name}: backward must return a gradient of shape {argument.shape} for argument {i}, got {d.shape}"
            )
    return gradients[: len(arguments)]


def _converted(B: Backend, ctx: Context, i: int, d: Any, lifted: bool) -> Any:
    """A gradient in its argument's dtype; as a view, lest the tape write into memory that is the user's."""
    if d is None:
        return None
    dtype = ctx._arguments[i].dtype  # type: ignore[union-attr]
    if lifted:
        return d if d.dtype == dtype else B.astype(d, dtype)
    backend = d.device.backend  # that of the argument, which need not be where the outputs are
    array = d.array if d.dtype == dtype else backend.astype(d.array, dtype)
    return backend.reshape(array, array.shape)


def _refusing(d: Any, node: Node) -> Any:
    """`d` with a history that cannot be differentiated: its parents are those of the Function's node."""
    if d is None:
        return None
    op = Op(Function.forward, (), _refuse, name=node.op.name)
    refusal = _node_of(op, node.parents, node.op.name, d)
    return new_tensor(d.array, d.device, True, refusal)


def _refuse(_B: Backend, _needs: tuple[bool, ...], _g: Any, name: str, *_arguments: Any) -> Any:
    raise GraphError(f"{name}: its backward is marked once_differentiable and cannot be differentiated again")
