"""Nested Python objects taken apart into named tensors and a JSON description, and put together again.

In the description a list is a list, a JSON scalar is itself, and everything else is an object with one key
that says what it is: `{"dict": [[key, value], ...]}`, `{"tuple": [...]}`, `{"tensor": name}`. Keys stay what
they were (the integers of an optimizer's state do not become strings), and order is kept.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from tensorgrad.dtypes import type_name
from tensorgrad.errors import DTypeError, FormatError
from tensorgrad.tensor import Tensor

__all__ = ["pack", "unpack"]

_RESERVED = "__metadata__"  # the name safetensors keeps for its text header

_SCALARS = (str, int, float, bool, type(None))


def pack(obj: object) -> tuple[Any, dict[str, Tensor]]:
    """`(description, tensors)` of nested dicts, lists and tuples of tensors, str, int, float, bool and None.

    A tensor is named by its path, joined with dots: a flat state_dict keeps its own names. NumPy's scalars become
    Python's.

    Raises: DTypeError, with the path, for anything else.
    """
    tensors: dict[str, Tensor] = {}
    return _pack(obj, (), tensors), tensors


def unpack(description: Any, fetch: Callable[[str], Tensor]) -> Any:
    """The object that `pack` described; `fetch(name)` gives its tensors. Raises FormatError if it makes no
    sense.
    """
    if isinstance(description, list):
        return [unpack(item, fetch) for item in description]
    if not isinstance(description, dict):
        return description
    match description:
        case {"dict": [*items]} if all(isinstance(item, list) and len(item) == 2 for item in items):
            return _unpack_dict(items, fetch)
        case {"tuple": [*items]}:
            return tuple(unpack(item, fetch) for item in items)
        case {"tensor": str(name)}:
            return fetch(name)
    raise FormatError(f"load: the file describes a kind of object this version does not know: {sorted(description)}")


def _unpack_dict(items: list[Any], fetch: Callable[[str], Tensor]) -> dict[Any, Any]:
    for key, _ in items:
        if type(key) not in _SCALARS:
            raise FormatError(f"load: the file describes a dict with a key of {type_name(key)}")
    found = {key: unpack(value, fetch) for key, value in items}
    if len(found) < len(items):
        raise FormatError("load: the file describes a dict that has one of its keys twice")
    return found


def _pack(obj: object, path: tuple[str, ...], tensors: dict[str, Tensor]) -> Any:
    if isinstance(obj, Tensor):
        name = _unused(".".join(path) or "tensor", tensors)
        tensors[name] = obj
        return {"tensor": name}
    if isinstance(obj, Mapping):
        return {"dict": [[_key(key, path), _pack(value, (*path, str(key)), tensors)] for key, value in obj.items()]}
    if isinstance(obj, list | tuple):
        items = [_pack(item, (*path, str(i)), tensors) for i, item in enumerate(obj)]
        return {"tuple": items} if isinstance(obj, tuple) else items
    if isinstance(obj, np.generic):
        obj = obj.item()
    if type(obj) in _SCALARS:
        return obj
    raise DTypeError(
        f"save: {'.'.join(path) or 'the object'} must be a Tensor, str, int, float, bool, None, or a dict, "
        f"list or tuple of these, got {type_name(obj)}; save a module or an optimizer by its state_dict()"
    )


def _key(key: object, path: tuple[str, ...]) -> Any:
    if isinstance(key, np.generic):
        key = key.item()
    if type(key) not in _SCALARS:
        raise DTypeError(
            f"save: keys must be str, int, float, bool or None, got {type(key).__name__} "
            f"in {'.'.join(path) or 'the object'}"
        )
    return key


def _unused(name: str, taken: dict[str, Tensor]) -> str:
    candidate, count = name, 1
    while candidate in taken or candidate == _RESERVED:
        count += 1
        candidate = f"{name}#{count}"
    return candidate
