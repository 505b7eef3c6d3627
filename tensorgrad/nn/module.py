"""Module: the base of everything that has parameters."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Literal, Self, TypeAlias, overload

from tensorgrad.arguments import hint_making, hinted
from tensorgrad.autograd.variable import RemovableHandle
from tensorgrad.backends import DeviceLike
from tensorgrad.backends.device import device_of_type
from tensorgrad.calls import here
from tensorgrad.dtypes import float16, float32, float64, is_floating, type_name
from tensorgrad.errors import ArgumentError, DTypeError, TensorgradError
from tensorgrad.functional.conversion import destination
from tensorgrad.nn.hooks import ForwardHooks, Hook, register
from tensorgrad.nn.parameter import Parameter, zero_gradient
from tensorgrad.nn.state import IncompatibleKeys, load_state, named_state
from tensorgrad.tensor import Tensor

__all__ = ["Module"]

Kind: TypeAlias = Literal["parameter", "buffer", "temporary buffer", "module"]
_OWN = frozenset({"_registry", "_hooks", "training"})


class Module:
    """Base class of layers and models, with PyTorch's interface.

    A Parameter or Module that is assigned to an attribute is registered: `parameters()`, `state_dict()`,
    `to()` and the optimizers then see it. Buffers, tensors that belong to the state but are not trained, are
    registered with `register_buffer`. A subclass calls `super().__init__()` first and defines `forward`.

    Errors raised inside a call carry the path of the module, `model.2 (Linear): expected in_features=256, got 128`:
    those too that a CUDA device finds in it and that the host raises later.
    """

    training: bool
    # Values live in the instance's __dict__, where Python finds them fastest; the registry says which names
    # are what.
    _registry: dict[str, Kind]
    _hooks: ForwardHooks

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        hint_making(cls)

    @hinted
    def __init__(self) -> None:
        self.__dict__.update(training=True, _registry={}, _hooks=ForwardHooks())

    # ------------------------------------------------------------------ calling
    def forward(self, *args: Any, **kwargs: Any) -> Any:
        """The computation. A subclass defines it, with arguments of its own."""
        raise NotImplementedError(f"{type(self).__name__}: define forward(self, ...)")

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        modules = here.modules
        depth = len(modules)
        try:
            modules.append(self)
            hooks = self._hooks
            if hooks.before or hooks.after:
                return hooks.call(self, args, kwargs)
            return self.forward(*args, **kwargs)
        except TensorgradError as error:
            error.enter(self)
            raise
        finally:
            del modules[depth:]  # right even where an interrupt came before the append, or left others on it

    def register_forward_pre_hook(
        self, hook: Callable[..., Any], *, prepend: bool = False, with_kwargs: bool = False
    ) -> RemovableHandle:
        """Call `hook(module, args)` before each forward; what it returns, unless None, replaces the
        arguments.

        With `with_kwargs` it is `hook(module, args, kwargs)`, returning None or (args, kwargs). `prepend`
        puts it before the hooks already there. Returns a handle whose `remove()` takes the hook away.
        """
        return register(self._hooks.before, Hook(hook, with_kwargs), prepend)

    def register_forward_hook(
        self, hook: Callable[..., Any], *, prepend: bool = False, with_kwargs: bool = False
    ) -> RemovableHandle:
        """Call `hook(module, args, output)` after each forward; what it returns, unless None, replaces the
        output.

        With `with_kwargs` it is `hook(module, args, kwargs, output)`.
        """
        return register(self._hooks.after, Hook(hook, with_kwargs), prepend)

    # ------------------------------------------------------------------ registration
    def __setattr__(self, name: str, value: Any) -> None:
        kind = self._kind_of_assignment(name, value)
        if kind is not None:
            self._registry[name] = kind
        elif name in self.__dict__.get("_registry", ()):
            del self._registry[name]
        object.__setattr__(self, name, value)

    def __delattr__(self, name: str) -> None:
        object.__delattr__(self, name)
        self.__dict__.get("_registry", {}).pop(name, None)

    def __getattr__(self, name: str) -> Any:
        if name in _OWN:
            raise ArgumentError(
                f"{type(self).__name__}: call super().__init__() first in __init__, before modules or "
                "parameters are assigned, and before the module is called"
            )
        raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")

    def _kind_of_assignment(self, name: str, value: Any) -> Kind | None:
        """What `name` is registered as once it holds `value`; None for a plain attribute."""
        if isinstance(value, Parameter):
            return "parameter"
        if isinstance(value, Module):
            return "module"
        registered: Kind | None = self.__dict__.get("_registry", {}).get(name)
        if registered is None or value is None:
            return registered
        if registered in ("parameter", "module"):
            expected = "a Parameter" if registered == "parameter" else "a Module"
            raise DTypeError(
                f"{type(self).__name__}: {name!r} is a registered {registered}; expected {expected} or None, "
                f"got {type(value).__name__}; delete the attribute first to use the name otherwise"
            )
        return registered if isinstance(value, Tensor) else None

    def register_parameter(self, name: str, param: Parameter | None) -> None:
        """Register `param` under `name`; None keeps the name for one that may come later."""
        self._register(name, param, "parameter", Parameter)

    def register_buffer(self, name: str, tensor: Tensor | None, persistent: bool = True) -> None:
        """Register a tensor that moves with the module, untrained; in `state_dict` only if `persistent`."""
        self._register(name, tensor, "buffer" if persistent else "temporary buffer", Tensor)

    def register_module(self, name: str, module: Module | None) -> None:
        """Register `module` under `name`."""
        self._register(name, module, "module", Module)

    add_module = register_module

    def _register(self, name: str, value: Any, kind: Kind, cls: type) -> None:
        owner = type(self).__name__
        if not isinstance(name, str) or not name or "." in name:
            raise ArgumentError(f"{owner}: the name of a {kind} must not be empty and has no dots, got {name!r}")
        if hasattr(self, name) and self._registry.get(name) != kind:
            there = f"a {self._registry[name]}" if name in self._registry else "an attribute"
            raise ArgumentError(f"{owner}: cannot register {kind} {name!r}: there is {there} of that name")
        if value is not None and not isinstance(value, cls):
            raise DTypeError(f"{owner}: {kind} {name!r} must be a {cls.__name__}, got {type_name(value)}")
        self._registry[name] = kind
        object.__setattr__(self, name, value)

    # ------------------------------------------------------------------ looking inside
    @overload
    def registered(self, kind: Literal["module"]) -> Iterator[tuple[str, Module | None]]: ...
    @overload
    def registered(self, kind: str) -> Iterator[tuple[str, Any]]: ...
    def registered(self, kind: str) -> Iterator[tuple[str, Any]]:
        """(name, value) of what is registered as `kind`: parameter, buffer, temporary buffer or module."""
        values = self.__dict__
        return ((name, values[name]) for name, k in tuple(self._registry.items()) if k == kind)

    def named_children(self) -> Iterator[tuple[str, Module]]:
        """(name, module) of the direct children, each once."""
        seen: set[int] = set()
        for name, child in self.registered("module"):
            if child is not None and id(child) not in seen:
                seen.add(id(child))
                yield name, child

    def children(self) -> Iterator[Module]:
        """The direct children, each once."""
        return (child for _, child in self.named_children())

    def named_modules(self, prefix: str = "", remove_duplicate: bool = True) -> Iterator[tuple[str, Module]]:
        """(dotted path, module) of this module and all below, parents first; a shared one once."""
        return _walk(self, prefix, set() if remove_duplicate else None)

    def modules(self) -> Iterator[Module]:
        """This module and all below, each once."""
        return (module for _, module in self.named_modules())

    def named_parameters(
        self, prefix: str = "", recurse: bool = True, remove_duplicate: bool = True
    ) -> Iterator[tuple[str, Parameter]]:
        """(dotted path, parameter) of all parameters; a shared one once, under its first name."""
        return self._named_members(("parameter",), prefix, recurse, remove_duplicate)

    def parameters(self, recurse: bool = True) -> Iterator[Parameter]:
        """All parameters, each once."""
        return (p for _, p in self.named_parameters(recurse=recurse))

    def named_buffers(
        self, prefix: str = "", recurse: bool = True, remove_duplicate: bool = True
    ) -> Iterator[tuple[str, Tensor]]:
        """(dotted path, tensor) of all buffers, persistent or not; a shared one once."""
        return self._named_members(("buffer", "temporary buffer"), prefix, recurse, remove_duplicate)

    def buffers(self, recurse: bool = True) -> Iterator[Tensor]:
        """All buffers, each once."""
        return (b for _, b in self.named_buffers(recurse=recurse))

    def _named_members(
        self, kinds: tuple[Kind, ...], prefix: str, recurse: bool, remove_duplicate: bool
    ) -> Iterator[tuple[str, Any]]:
        seen: set[int] = set()
        modules = self.named_modules(prefix, remove_duplicate) if recurse else iter([(prefix, self)])
        for path, module in modules:
            for name, kind in tuple(module._registry.items()):
                value = module.__dict__[name]
                if kind in kinds and value is not None and id(value) not in seen:
                    if remove_duplicate:
                        seen.add(id(value))
                    yield _join(path, name), value

    def get_submodule(self, target: str) -> Module:
        """The module at a dotted path ("" is this one). Raises ArgumentError where there is none."""
        module = self
        for name in target.split(".") if target else ():
            found = module.__dict__.get(name)
            if not isinstance(found, Module):
                raise ArgumentError(f"{type(self).__name__}: no module at {target!r}: {name!r} was not found")
            module = found
        return module

    # ------------------------------------------------------------------ changing everything
    def apply(self, fn: Callable[[Module], object]) -> Self:
        """Call `fn` on every module below and then on this one."""
        for child in self.children():
            child.apply(fn)
        fn(self)
        return self

    def train(self, mode: bool = True) -> Self:
        """Switch this module and all below to training behaviour (Dropout drops), or from it."""
        if not isinstance(mode, bool):
            raise ArgumentError(f"{type(self).__name__}.train: mode must be True or False, got {mode!r}")
        for module in self.modules():
            module.training = mode
        return self

    def eval(self) -> Self:
        """Switch this module and all below to evaluation behaviour."""
        return self.train(False)

    def requires_grad_(self, requires_grad: bool = True) -> Self:
        """Let gradients flow to the parameters, or freeze them."""
        for p in self.parameters():
            p.requires_grad_(requires_grad)
        return self

    def zero_grad(self, set_to_none: bool = True) -> None:
        """Forget the gradients of the parameters, or fill them with zeros in place: they stay the same tensors."""
        for p in self.parameters():
            if set_to_none:
                p.grad = None
            else:
                zero_gradient(p)

    def to(self, *args: Any, device: DeviceLike = None, dtype: object = None, non_blocking: bool = False) -> Self:
        """Move parameters, buffers and gradients to a device, or to a floating dtype, or to those of a
        tensor.

        `to(device)`, `to(dtype)`, `to(device, dtype)`, `to(tensor)`, as for Tensor.to. In place: the parameters stay
        the same objects, and integer buffers keep their dtype. Make the optimizer afterwards: one that has made steps
        may hold state of the old device and dtype, and then refuses. `non_blocking` is accepted for PyTorch programs
        and changes nothing.
        """
        place, kind = destination("Module.to", args, device, dtype)
        if kind is not None and not is_floating(kind):
            raise DTypeError(f"Module.to: expected a floating dtype, got {kind}; parameters need gradients")
        return self._convert(lambda t: t.to(device=place, dtype=kind if is_floating(t.dtype) else None))

    def cpu(self) -> Self:
        """Move to the CPU."""
        return self.to("cpu")

    def cuda(self, device: DeviceLike = None) -> Self:
        """Move to a CUDA device; devices as for Tensor.cuda."""
        return self.to(device_of_type("cuda", "Module.cuda", device))

    def float(self) -> Self:
        """Make all floating parameters and buffers float32."""
        return self.to(float32)

    def double(self) -> Self:
        """Make all floating parameters and buffers float64."""
        return self.to(float64)

    def half(self) -> Self:
        """Make all floating parameters and buffers float16."""
        return self.to(float16)

    def _convert(self, change: Callable[[Tensor], Tensor]) -> Self:
        for t in (*self.parameters(), *self.buffers()):
            changed = change(t.data)
            if changed.array is not t.array:
                t.data = changed
            if t.grad is not None:
                t.grad = change(t.grad.detach())
        return self

    # ------------------------------------------------------------------ state
    def state_dict(self, *, prefix: str = "") -> dict[str, Tensor]:
        """Parameters and persistent buffers under PyTorch's keys, sharing memory with the module's."""
        return {name: value.detach() for name, value in named_state(self, prefix)}

    def load_state_dict(self, state_dict: Mapping[str, Any], strict: bool = True) -> IncompatibleKeys:
        """Copy values (tensors or arrays) into the parameters and buffers of the same names, converting
        dtypes.

        Raises ArgumentError that lists missing and unexpected keys (unless `strict` is False) and every shape
        that does not fit, or says under which key of `state_dict` the weights are; then nothing was changed. Returns
        the missing and the unexpected keys.
        """
        self._refuse_wrapped(state_dict)
        return load_state(self, state_dict, strict)

    def _refuse_wrapped(self, state: Any) -> None:
        names = {name for name, _ in named_state(self)}
        if not isinstance(state, Mapping) or not names or names & state.keys():
            return
        for key, value in state.items():
            if isinstance(value, Mapping) and names & value.keys():
                raise ArgumentError(
                    f"load_state_dict: the weights are under [{key!r}]; pass load_state_dict(loaded[{key!r}])"
                )

    # ------------------------------------------------------------------ text
    def extra_repr(self) -> str:
        """What stands between the parentheses of the repr."""
        return ""

    def __repr__(self) -> str:
        return _nested(type(self).__name__, self.extra_repr(), self._child_lines())

    def _child_lines(self) -> list[str]:
        return [f"({name}): {child!r}" for name, child in self.registered("module")]


def _join(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name


def _walk(module: Module, path: str, seen: set[int] | None) -> Iterator[tuple[str, Module]]:
    if seen is not None:
        if id(module) in seen:
            return
        seen.add(id(module))
    yield path, module
    for name, child in module.registered("module"):
        if child is not None:
            yield from _walk(child, _join(path, name), seen)


def _nested(name: str, extra: str, children: list[str]) -> str:
    if not children:
        return f"{name}({extra})"
    lines = ([extra] if extra else []) + [child.replace("\n", "\n  ") for child in children]
    return f"{name}(\n  " + "\n  ".join(lines) + "\n)"
