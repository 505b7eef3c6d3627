"""Forward hooks: functions called around a module's forward."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple, Protocol

from tensorgrad.autograd.variable import RemovableHandle

__all__ = ["ForwardHooks", "Hook", "register"]


class Forwarding(Protocol):
    """What is called here of a Module."""

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        """The computation."""


class Hook(NamedTuple):
    """A function, and whether it also takes the keyword arguments of the call."""

    function: Callable[..., Any]
    with_kwargs: bool


class ForwardHooks:
    """The hooks of one module: `before` and `after` its forward, in the order in which they run."""

    __slots__ = ("after", "before")

    def __init__(self) -> None:
        self.before: list[Hook] = []
        self.after: list[Hook] = []

    def __bool__(self) -> bool:
        return bool(self.before or self.after)

    def call(self, module: Forwarding, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """`module.forward(*args, **kwargs)` with the hooks around it."""
        for hook in tuple(self.before):
            args, kwargs = _run_before(hook, module, args, kwargs)
        output = module.forward(*args, **kwargs)
        for hook in tuple(self.after):
            extra = (kwargs,) if hook.with_kwargs else ()
            changed = hook.function(module, args, *extra, output)
            output = output if changed is None else changed
        return output


def register(hooks: list[Any], hook: Any, prepend: bool) -> RemovableHandle:
    """Add `hook` at the end of `hooks`, or at its beginning; the handle takes it away."""
    hooks.insert(0 if prepend else len(hooks), hook)
    return RemovableHandle(hooks, hook)


def _run_before(
    hook: Hook, module: Forwarding, args: tuple[Any, ...], kwargs: dict[str, Any]
) -> tuple[tuple[Any, ...], dict[str, Any]]:
    if hook.with_kwargs:
        changed = hook.function(module, args, kwargs)
        return (args, kwargs) if changed is None else changed
    changed = hook.function(module, args)
    if changed is None:
        return args, kwargs
    return (changed if isinstance(changed, tuple) else (changed,)), kwargs
