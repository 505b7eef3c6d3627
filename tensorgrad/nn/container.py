"""Modules that hold modules: in a chain, in a list, under names."""

from __future__ import annotations

import operator
from collections.abc import ItemsView, Iterable, Iterator, KeysView, Mapping, ValuesView
from inspect import signature
from itertools import pairwise
from types import BuiltinFunctionType, FunctionType, MethodType
from typing import Any, Self, SupportsIndex, cast, overload

from tensorgrad.errors import ArgumentError, BoundsError, DTypeError
from tensorgrad.nn import activation
from tensorgrad.nn.fusion import fused
from tensorgrad.nn.module import Module
from tensorgrad.tensor import Tensor

__all__ = ["ModuleDict", "ModuleList", "Sequential"]

# The modules that do what a function does, by the function's name without underscores.
_MODULES = {name.lower(): name for name in (*activation.__all__, "Dropout", "Flatten", "Linear", "Unflatten")}


class _Ordered(Module):
    """Children in order, reached by position. Their names are their positions, unless given."""

    def __len__(self) -> int:
        return len(_module_names(self))

    def __iter__(self) -> Iterator[Module]:
        values = self.__dict__
        return iter([values[name] for name in _module_names(self)])

    def _name_at(self, index: SupportsIndex) -> str:
        position, length = operator.index(index), len(self)
        if not -length <= position < length:
            raise BoundsError(f"{type(self).__name__}: index must be in [{-length}, {length}), got {position}")
        return _module_names(self)[position]

    def __setitem__(self, index: SupportsIndex, module: Module) -> None:
        self.register_module(self._name_at(index), _checked(self, module))

    def __delitem__(self, index: SupportsIndex | slice) -> None:
        names = _module_names(self)
        doomed = set(names[index]) if isinstance(index, slice) else {self._name_at(index)}
        self._refill([self.__dict__[name] for name in names if name not in doomed])

    def append(self, module: Module) -> Self:
        """Add `module` at the end."""
        position = len(self)
        while str(position) in self._registry:  # a slice of a Sequential keeps the names it had
            position += 1
        self.register_module(str(position), _checked(self, module))
        return self

    def extend(self, modules: Iterable[Module]) -> Self:
        """Add `modules` at the end."""
        for module in modules:
            self.append(module)
        return self

    __iadd__ = extend

    def insert(self, index: SupportsIndex, module: Module) -> Self:
        """Put `module` before position `index`; names become positions."""
        modules = list(self)
        modules.insert(index, _checked(self, module))
        self._refill(modules)
        return self

    def pop(self, index: SupportsIndex = -1) -> Module:
        """Remove and return the module at `index`; names become positions."""
        module = cast(Module, self.__dict__[self._name_at(index)])
        del self[index]
        return module

    def _refill(self, modules: list[Module]) -> None:
        for name in _module_names(self):
            delattr(self, name)
        self.extend(modules)


def _module_names(owner: Module) -> list[str]:
    return [name for name, kind in owner._registry.items() if kind == "module"]


def _checked(owner: Module, module: Any) -> Module:
    if not isinstance(module, Module):
        raise DTypeError(f"{type(owner).__name__}: expected a Module, got {_described(type(owner).__name__, module)}")
    return module


def _described(owner: str, given: Any) -> str:
    """What was given for a module and, where that can be told, what to give."""
    if isinstance(given, type):
        needs = issubclass(given, Module) and any(p.default is p.empty for p in signature(given).parameters.values())
        remedy = f"; make an instance: {given.__name__}({'...' if needs else ''})"
        return f"the class {given.__name__}{remedy if issubclass(given, Module) else ''}"
    if isinstance(given, (list, tuple)):
        return f"a {type(given).__name__}; unpack with *: {owner}(*layers)" if owner == "Sequential" else "a list"
    if isinstance(given, (FunctionType, BuiltinFunctionType, MethodType)):
        name = _MODULES.get(given.__name__.replace("_", ""))
        remedy = f"use the module nn.{name}()" if name else "write a Module whose forward calls it"
        return f"the function {given.__name__}; {remedy}"
    return type(given).__name__


class Sequential(_Ordered):
    """Calls its modules one after another, each on the result of the one before.

    `Sequential(a, b)` names them "0", "1"; `Sequential({"first": a, "second": b})` as given. `seq[i]` is a
    module, `seq[i:j]` a Sequential of the same modules.
    """

    def __init__(self, *modules: Module | Mapping[str, Module]) -> None:
        super().__init__()
        if len(modules) == 1 and isinstance(modules[0], Mapping):
            for name, module in modules[0].items():
                self.register_module(name, _checked(self, module))
        else:
            self.extend(_checked(self, module) for module in modules)

    def forward(self, input: Any) -> Any:
        """The composition of all modules; the input itself where there are none.

        On CUDA a Linear and the ReLU, Sigmoid or Tanh after it run as one operation, with the same result.
        """
        if not (isinstance(input, Tensor) and input.device.backend.fuses_layers):
            for module in self:
                input = module(input)
            return input
        modules = iter(pairwise([*self, None]))
        for module, following in modules:
            both = fused(module, following)
            if both is None:
                input = module(input)
            else:
                input = both(input)
                next(modules)
        return input

    @overload
    def __getitem__(self, index: SupportsIndex) -> Module: ...
    @overload
    def __getitem__(self, index: slice) -> Sequential: ...
    def __getitem__(self, index: SupportsIndex | slice) -> Module:
        if isinstance(index, slice):
            return Sequential({name: self.__dict__[name] for name in _module_names(self)[index]})
        return cast(Module, self.__dict__[self._name_at(index)])


class ModuleList(_Ordered):
    """A list of modules that are registered. It has no forward: iterate over it, or index it."""

    def __init__(self, modules: Iterable[Module] = ()) -> None:
        super().__init__()
        self.extend(_checked(self, module) for module in modules)

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        """Raises ArgumentError: a list does not say what is to be done with its modules."""
        raise ArgumentError("ModuleList: cannot be called; iterate over it, or use Sequential for a chain")

    @overload
    def __getitem__(self, index: SupportsIndex) -> Module: ...
    @overload
    def __getitem__(self, index: slice) -> ModuleList: ...
    def __getitem__(self, index: SupportsIndex | slice) -> Module:
        if isinstance(index, slice):
            return ModuleList(list(self)[index])
        return cast(Module, self.__dict__[self._name_at(index)])

    def _child_lines(self) -> list[str]:
        """Runs of modules that read the same become one line, as in `(0-2): 3 x ReLU()`."""
        runs: list[tuple[int, int, str]] = []
        for position, module in enumerate(self):
            text = repr(module)
            if runs and runs[-1][2] == text:
                runs[-1] = (runs[-1][0], position, text)
            else:
                runs.append((position, position, text))
        return [
            f"({first}): {text}" if first == last else f"({first}-{last}): {last - first + 1} x {text}"
            for first, last, text in runs
        ]


class ModuleDict(Module):
    """Modules under names, registered. It has no forward: look them up."""

    def __init__(self, modules: Mapping[str, Module] | Iterable[tuple[str, Module]] = ()) -> None:
        super().__init__()
        self.update(modules)

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        """Raises ArgumentError: a dictionary does not say what is to be done with its modules."""
        raise ArgumentError("ModuleDict: cannot be called; call one of its modules")

    def __getitem__(self, key: str) -> Module:
        if key not in self:
            raise BoundsError(f"ModuleDict: no module named {key!r}; there are {', '.join(self) or 'none'}")
        return cast(Module, self.__dict__[key])

    def __setitem__(self, key: str, module: Module) -> None:
        self.register_module(key, _checked(self, module))

    def __delitem__(self, key: str) -> None:
        self[key]  # raises where there is none
        delattr(self, key)

    def __len__(self) -> int:
        return len(_module_names(self))

    def __iter__(self) -> Iterator[str]:
        return iter(_module_names(self))

    def __contains__(self, key: object) -> bool:
        return key in _module_names(self)

    def _view(self) -> dict[str, Module]:
        return {name: self.__dict__[name] for name in _module_names(self)}

    def keys(self) -> KeysView[str]:
        """The names."""
        return self._view().keys()

    def values(self) -> ValuesView[Module]:
        """The modules."""
        return self._view().values()

    def items(self) -> ItemsView[str, Module]:
        """(name, module) pairs."""
        return self._view().items()

    def update(self, modules: Mapping[str, Module] | Iterable[tuple[str, Module]]) -> None:
        """Add or replace modules."""
        for key, module in modules.items() if isinstance(modules, Mapping) else modules:
            self[key] = module

    def pop(self, key: str) -> Module:
        """Remove and return the module named `key`."""
        module = self[key]
        del self[key]
        return module

    def clear(self) -> None:
        """Remove all modules."""
        for key in self:
            del self[key]
