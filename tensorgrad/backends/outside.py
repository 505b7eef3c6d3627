"""Device types that other installed packages bring, by entry points:

    [project.entry-points."tensorgrad.devices"]
    third = "third_package:register"

The name is the device type's; the function is called without arguments when a device of the type is first asked for,
and calls `register_backend("third", ...)`. This module is imported only for a name that nobody has registered, since
`importlib.metadata` is slow to load.
"""

from __future__ import annotations

from importlib import metadata

__all__ = ["bring"]

_GROUP = "tensorgrad.devices"


def bring(kind: str) -> str | None:
    """Have the device type `kind` registered by the package that brings it, if one does. Why that failed, or None."""
    for entry in metadata.entry_points(group=_GROUP, name=kind):
        try:
            entry.load()()
        except Exception as error:  # whatever it is, that is why the device cannot be used
            return f"{entry.value}, which brings it, has failed ({type(error).__name__}: {error})"
    return None
