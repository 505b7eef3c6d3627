"""The names of a public module: which there are, and which was meant by one that is not."""

from __future__ import annotations

import sys
from collections.abc import Callable, Collection, Mapping

__all__ = ["listing", "nearest"]


def nearest(name: str, known: Collection[str], alike: float = 0.7) -> str | None:
    """The one of `known` that `name` is most like, whatever letters are capitals; None where none is like it.

    `alike`: twice the letters in common over all letters of both, at least.
    """
    from difflib import get_close_matches  # here, because only mistakes need it

    by_small = {k.lower(): k for k in known}
    found = get_close_matches(name.lower(), by_small, 1, alike)
    return by_small[found[0]] if found else None


def listing(
    module: str,
    public: Collection[str],
    late: Callable[[str], object] | None = None,
    absent: Mapping[str, str] | None = None,
) -> tuple[Callable[[str], object], Callable[[], list[str]]]:
    """`__getattr__` and `__dir__` of a module: an unknown name is an AttributeError that says which one is near, and
    what is listed, and so completed, is what is `public`.

    `late(name)`: what is found under that name once it is asked for, or None. `absent`: what to say of names that other
    libraries have and this one has not, instead of guessing another.
    """

    def getattribute(name: str) -> object:
        found = None if late is None else late(name)
        if found is not None:
            return found
        why = None if absent is None else absent.get(name)
        meant = None if name.startswith("_") or why is not None else nearest(name, public)
        remedy = f"; did you mean {meant}?" if meant is not None else "" if why is None else f": {why}"
        # With its name, but not the module: else the interpreter would print a second suggestion.
        raise AttributeError(f"module {module!r} has no attribute {name!r}{remedy}", name=name)

    def names() -> list[str]:
        own = vars(sys.modules[module])
        return sorted({*public, *(name for name in own if name.startswith("__"))})

    return getattribute, names
