"""The names of the arguments of a call, checked: what is meant by one that does not exist is said."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from difflib import get_close_matches

from tensorgrad.errors import DTypeError

__all__ = ["check_names"]


def check_names(owner: str, known: Iterable[str], given: Iterable[str], synonyms: Mapping[str, str]) -> None:
    """DTypeError, which is a TypeError as for any call, unless all names in `given` are in `known`.

    It begins with `owner` and suggests the nearest name that there is; `synonyms` are what other libraries call some
    of them, each with the name here.
    """
    names = [name for name in known if name != "self"]
    for name in given:
        if name not in names:
            likely = {n: n for n in names} | {n: own for n, own in synonyms.items() if own in names}
            meant = get_close_matches(name, likely, 1)
            remedy = f"did you mean {likely[meant[0]]}?" if meant else f"there are {', '.join(names)}"
            raise DTypeError(f"{owner}: there is no argument {name!r}; {remedy}")
