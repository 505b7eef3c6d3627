"""Several GPUs: CuPy works on the current one, so a primitive of another makes its own the current one for the call."""

from __future__ import annotations

import functools
from typing import Any

from tensorgrad.backends.primitives import TABLE, names

__all__ = ["ANYWHERE", "bind_to_device"]

# What looks at an array or the host alone, and so works whichever device is the current one.
ANYWHERE = {*names(kind="query", basic=True), "is_writable", "strides", "can_reshape", "device_count", "settle"}


def bind_to_device(backend: Any, runtime: Any) -> None:
    """Let every primitive of `backend` make its device the current one."""
    for name in TABLE.keys() - ANYWHERE:
        if hasattr(backend, name):
            setattr(backend, name, _on_device(getattr(backend, name), backend.index, runtime))


def _on_device(function: Any, index: int, runtime: Any) -> Any:
    current, make_current = runtime.getDevice, runtime.setDevice

    @functools.wraps(function, updated=())
    def run(*args: Any, **kwargs: Any) -> Any:
        before = current()
        if before == index:
            return function(*args, **kwargs)
        make_current(index)
        try:
            return function(*args, **kwargs)
        finally:
            make_current(before)

    return run
