"""From arguments to an exit code: 0, 2 with one line on standard error where the user can do something, 130
on Ctrl-C.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import os
import sys
import warnings
from collections.abc import Iterator, Sequence

from tensorgrad.cli.parser import make_parser
from tensorgrad.errors import TensorgradError

__all__ = ["main"]

_USER_ERROR = 2
_INTERRUPTED = 130


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line `argv` (that of the process if None) and return its exit code."""
    with warnings.catch_warnings(), _any_text():
        warnings.showwarning = _show_warning
        arguments = argparse.Namespace()
        try:
            arguments = make_parser().parse_args(argv)
            code: int = arguments.run(arguments)
            sys.stdout.flush()
            return code
        except TensorgradError as error:
            return _complain(str(error))
        except BrokenPipeError:
            # The reader (`| head`) has seen enough. Without this Python would complain again while it shuts
            # down.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            return 0 if getattr(arguments, "written", True) else _USER_ERROR
        except OSError as error:
            return _complain(f"{error.strerror or error}: {error.filename}" if error.filename else str(error))
        except KeyboardInterrupt:
            print("tensorgrad: interrupted", file=sys.stderr)
            return _INTERRUPTED


@contextlib.contextmanager
def _any_text() -> Iterator[None]:
    """Inside, a character that the console's encoding does not have is written as its number, such as \\u82b1: two
    names stay two, and nobody loses a result to an exception.
    """
    streams = [s for s in (sys.stdout, sys.stderr) if isinstance(s, io.TextIOWrapper)]
    before = [stream.errors for stream in streams]
    try:
        for stream in streams:
            stream.reconfigure(errors="backslashreplace")
        yield
    finally:
        for stream, errors in zip(streams, before, strict=True):
            with contextlib.suppress(OSError, ValueError):  # it may be closed
                stream.reconfigure(errors=errors)


def _complain(message: str) -> int:
    print(f"tensorgrad: error: {' '.join(message.split())}", file=sys.stderr)
    return _USER_ERROR


def _show_warning(message: Warning | str, *_: object, **__: object) -> None:
    print(f"tensorgrad: warning: {message}", file=sys.stderr)
