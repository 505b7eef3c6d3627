"""Whether a result can be written without losing what is there, asked before the work that leads to it."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from tensorgrad.errors import ArgumentError

__all__ = ["Result", "check_results"]


@dataclass(frozen=True)
class Result:
    """A file to write: at `path`, as `option` says; `is_own(path)` tells whether a file that is there is one like it,
    which `kind` names, so that the new one may take its place.
    """

    path: str
    option: str
    kind: str
    is_own: Callable[[str], bool]


def check_results(results: Sequence[Result], inputs: Sequence[str], overwrite: bool) -> None:
    """Raise ArgumentError unless every result can be written and nothing is lost by it: its place is none of the
    inputs, by whatever path or link, nor that of another result, nor, without `overwrite`, a file of another kind.
    """
    for i, result in enumerate(results):
        _check_writable(result.path)
        for path in inputs:
            if _same(path, result.path):
                raise ArgumentError(
                    f"{result.option} {result.path} would overwrite the input {path}; give another file name"
                )
        for other in results[:i]:
            if _same(other.path, result.path):
                raise ArgumentError(f"{other.option} and {result.option} name the same file, {result.path}")
        if not overwrite and _holds_something(result.path) and not result.is_own(result.path):
            raise ArgumentError(
                f"{result.option} {result.path} would overwrite a file that is not {result.kind}; give another file "
                "name, or say --overwrite"
            )


def _check_writable(path: str) -> None:
    folder = os.path.dirname(os.path.abspath(path))
    if os.path.isdir(path):
        raise ArgumentError(f"cannot write {path}: it is a folder; give a file name")
    if not os.path.isdir(folder):
        raise ArgumentError(f"cannot write {path}: there is no folder {folder}; make it first")
    there = os.path.exists(path)
    made_beside = not there or os.path.isfile(path)  # and then moved to its place
    if (there and not os.access(path, os.W_OK)) or (made_beside and not os.access(folder, os.W_OK)):
        raise ArgumentError(f"cannot write {path}: permission denied")


def _same(one: str, other: str) -> bool:
    """Whether two paths lead to one file, there or not."""
    if os.path.exists(one) and os.path.exists(other):
        return os.path.samefile(one, other)
    return os.path.normcase(os.path.realpath(one)) == os.path.normcase(os.path.realpath(other))


def _holds_something(path: str) -> bool:
    """Whether there is a file that can lose something; a device or a pipe cannot."""
    return os.path.isfile(path) and os.path.getsize(path) > 0
