"""Whether a path names a file that can be read from its beginning to its end, asked before it is opened."""

from __future__ import annotations

import os
import stat

from tensorgrad.errors import FormatError

__all__ = ["check_regular"]


def check_regular(name: str, path: str) -> os.stat_result:
    """The state of the file at `path`, which is one.

    Raises, in the name of `name`, FileNotFoundError where there is nothing at `path`, and FormatError for a folder, a
    pipe or a device: to open a pipe may wait for ever, and a device may have no end.
    """
    try:
        state = os.stat(path)
    except (FileNotFoundError, NotADirectoryError):
        raise FileNotFoundError(f"{name}: there is no file {path}") from None
    except ValueError as error:  # a path with a null character
        raise FormatError(f"{name}: {path!r} cannot be the name of a file ({error})") from None
    if not stat.S_ISREG(state.st_mode):
        kind = "a folder" if stat.S_ISDIR(state.st_mode) else "a pipe, a socket or a device"
        raise FormatError(f"{name}: {path} is {kind}; give the name of a file")
    return state
