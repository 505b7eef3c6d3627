"""The names of the arguments of a call, checked: what is meant by one that does not exist is said."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import wraps
from typing import Any, ParamSpec, TypeVar

from tensorgrad.errors import DTypeError
from tensorgrad.names import nearest

__all__ = ["check_names", "check_options", "hint_making", "hinted"]

P = ParamSpec("P")
R = TypeVar("R")
_NONE: Mapping[str, str] = {}


def check_names(owner: str, known: Iterable[str], given: Iterable[str], synonyms: Mapping[str, str] = _NONE) -> None:
    """DTypeError, which is a TypeError as for any call, unless all names in `given` are in `known`.

    It begins with `owner` and suggests the nearest name that there is; `synonyms` are what other libraries call some
    of them, each with the name here.
    """
    names = [name for name in known if name != "self"]
    for name in given:
        if name not in names:
            likely = {n: n for n in names} | {n: own for n, own in synonyms.items() if own in names}
            meant = nearest(name, likely)
            what = f"there are {', '.join(names)}" if names else "it takes none"
            remedy = what if meant is None else f"did you mean {likely[meant]}?"
            raise DTypeError(f"{owner}: there is no argument {name!r}; {remedy}")


def check_options(
    owner: str, function: Callable[..., Any], given: Iterable[str], synonyms: Mapping[str, str] = _NONE
) -> None:
    """`check_names` for what `function` takes by name; it may take any."""
    from inspect import Parameter, signature  # here, because it takes long to import

    taken = signature(function).parameters.values()
    if all(p.kind is not Parameter.VAR_KEYWORD for p in taken):
        named = [p.name for p in taken if p.kind not in (Parameter.VAR_POSITIONAL, Parameter.POSITIONAL_ONLY)]
        check_names(owner, named, given, synonyms)


def hinted(function: Callable[P, R], synonyms: Mapping[str, str] = _NONE) -> Callable[P, R]:
    """`function`, called with an argument that it does not have: a DTypeError that says which one was meant.

    A call costs a tenth of a microsecond more: too much for the operations that a training step is made of. (From 3.13
    on Python itself says which one was meant.)
    """

    @wraps(function)
    def call(*args: P.args, **kwargs: P.kwargs) -> R:
        try:
            return function(*args, **kwargs)
        except TypeError as error:
            trace = error.__traceback__
            hint = None
            if kwargs and trace is not None and trace.tb_next is None:  # of the call, not raised within it
                name = function.__name__
                owner = type(args[0]).__name__ if name == "__init__" else name
                hint = _hint(owner, function, kwargs, synonyms)
            if hint is None:
                raise
            raise hint from None

    return call


def _hint(
    owner: str, function: Callable[..., Any], given: Iterable[str], synonyms: Mapping[str, str]
) -> DTypeError | None:
    try:
        check_options(owner, function, given, synonyms)
    except DTypeError as hint:
        return hint
    return None


def hint_making(cls: type, synonyms: Mapping[str, str] = _NONE) -> None:
    """Let the `__init__` that `cls` defines be `hinted`."""
    if "__init__" in vars(cls):
        cls.__init__ = hinted(cls.__init__, synonyms)  # type: ignore[misc]
