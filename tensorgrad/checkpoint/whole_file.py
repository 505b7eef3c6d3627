"""A file that appears whole or not at all, whoever else writes it at the same time."""

from __future__ import annotations

import contextlib
import errno
import os
import platform
import re
import stat
import time
import zlib
from collections.abc import Iterator
from functools import partial
from typing import BinaryIO

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None  # type: ignore[assignment]

__all__ = ["write_whole"]

_NEW_FILE = 0o666  # what the umask leaves of it
_ABANDONED = 3600  # seconds without a write, after which a partial file is nobody's where there are no locks
_STEM = 50  # so many characters of a file's name begin its partial one: file systems allow 255 bytes


def write_whole(path: str, content: bytes) -> None:
    """Make `content` the file at `path`, or leave what is there.

    It is written beside its place, as `NAME.PID-HOST-RANDOM.partial`, brought to the disk, and only then given its
    name: of several that write one path at a time, in threads or processes, the last wins, and a reader sees the whole
    of one. A file that is there keeps its permissions and, where the system allows it, its owner and group; a new one
    gets the umask's. A symbolic link stays, and what it points to is written. Into a pipe or a device the content goes
    straight.

    Partial files that killed processes left of this name are removed first. A writer keeps its own locked (flock) as
    long as it lives, so a process number that was given anew, or one of another container, misleads nobody; those of
    another host are left alone, since a lock need not reach it. Windows has no such locks: there those are removed that
    were not written to for an hour.

    Raises: PermissionError for a file that may not be written; OSError where writing fails.
    """
    if _is_no_file(path):
        with open(path, "wb") as stream:
            stream.write(content)
        return
    target = os.path.realpath(path)
    if os.path.exists(target) and not os.access(target, os.W_OK):
        raise PermissionError(errno.EACCES, "the file is read-only", path)
    _clear(target)
    with _partial(target) as file:
        _keep_access(file.fileno(), target)
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
        if fcntl is None:
            file.close()
        os.replace(file.name, target)


def _is_no_file(path: str) -> bool:
    try:
        return not stat.S_ISREG(os.stat(path).st_mode)
    except FileNotFoundError:
        return False


@contextlib.contextmanager
def _partial(target: str) -> Iterator[BinaryIO]:
    """A new file beside `target`, open and locked; whatever goes wrong, it does not stay."""
    file = _locked(target)
    try:
        with file:
            yield file
    except BaseException:
        with contextlib.suppress(FileNotFoundError):
            os.remove(file.name)
        raise


def _locked(target: str) -> BinaryIO:
    """A new partial file that this process holds. One that another cleared away before it was locked is none."""
    while True:
        name = f"{_beginning(target)}{os.getpid()}-{_host()}-{os.urandom(4).hex()}.partial"
        file: BinaryIO = open(name, "xb", opener=partial(os.open, mode=_mode(target)))  # noqa: SIM115
        if fcntl is None:
            return file
        with contextlib.suppress(OSError):  # a file system without locks: then nobody can take this one for unheld
            fcntl.flock(file, fcntl.LOCK_EX)
        if os.fstat(file.fileno()).st_nlink:
            return file
        file.close()


def _clear(target: str) -> None:
    """Remove the partial files of this name that nobody holds."""
    folder, beginning = os.path.split(_beginning(target))
    left = re.compile(rf"{re.escape(beginning)}\d+-{_host()}-[0-9a-f]{{8}}\.partial")
    names: list[str] = []
    with contextlib.suppress(OSError):  # a folder that may be written to and not be listed
        names = os.listdir(folder)
    for name in filter(left.fullmatch, names):
        with contextlib.suppress(OSError):
            _remove_unheld(os.path.join(folder, name))


def _remove_unheld(path: str) -> None:
    """Remove a partial file, or raise OSError where a living process holds it."""
    if fcntl is None:
        if time.time() - os.stat(path).st_mtime > _ABANDONED:
            os.remove(path)
        return
    with open(path, "rb+") as file:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        os.remove(path)


def _keep_access(descriptor: int, target: str) -> None:
    """Give a new file the permissions of the one it replaces, and its owner and group as far as may be."""
    try:
        old = os.stat(target)
    except FileNotFoundError:
        return
    if not hasattr(os, "fchown"):
        return
    mode = stat.S_IMODE(old.st_mode)
    made = os.fstat(descriptor)
    if (made.st_uid, made.st_gid) != (old.st_uid, old.st_gid):
        try:
            os.fchown(descriptor, old.st_uid if os.geteuid() == 0 else -1, old.st_gid)
        except OSError:
            mode &= ~stat.S_IRWXG  # what was one group's is not given to another
    os.fchmod(descriptor, mode)


def _mode(target: str) -> int:
    """With what a partial file is made: never with more than the file that it replaces has."""
    try:
        return stat.S_IMODE(os.stat(target).st_mode) & _NEW_FILE | stat.S_IWUSR
    except FileNotFoundError:
        return _NEW_FILE


def _beginning(target: str) -> str:
    folder, name = os.path.split(target)
    return os.path.join(folder, f"{name[:_STEM]}.")


def _host() -> str:
    return f"{zlib.crc32(platform.node().encode()):08x}"
