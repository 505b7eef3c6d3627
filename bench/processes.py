"""Commands that are ended with everything they have started: a group or a session of processes for each."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from time import sleep
from typing import TypeAlias

from bench.machine import ROOT

__all__ = ["Process", "begin", "end_all", "result"]

ROUNDS, PAUSE = 50, 0.01
PROC = Path("/proc")
Process: TypeAlias = subprocess.Popen[bytes]


def begin(command: Sequence[str], log: Path, environment: Mapping[str, str], session: bool = False) -> Process:
    """Start a command at the root of the checkout, printing into `log`: in a process group of its own, or even in a
    session, which holds the groups that it starts in this way."""
    with log.open("w") as output:
        return subprocess.Popen(
            command,
            cwd=ROOT,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=session,
            process_group=None if session else 0,
        )


def result(process: Process, seconds: float) -> int | None:
    """The exit code of a command, or None where it had to be stopped; what it has left running is stopped as well."""
    try:
        return process.wait(max(0.0, seconds))
    except subprocess.TimeoutExpired:
        return None
    finally:
        end_all(process)


def end_all(process: Process) -> None:
    """End a process with its group and its session, whichever of them are its own."""
    for _ in range(ROUNDS):  # while they are being killed they may start others
        running = members(process.pid)
        for pid in running:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        if not running:
            break
        sleep(PAUSE)
    if not PROC.exists():
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def members(leader: int) -> list[int]:
    """The processes, not yet dead, of the group or session that a process leads. Linux only; elsewhere none."""
    found = []
    for entry in PROC.glob("[0-9]*/stat"):
        with suppress(OSError):
            state, _parent, group, session = entry.read_text().rpartition(")")[2].split()[:4]
            if leader in (int(group), int(session)) and state != "Z":
                found.append(int(entry.parent.name))
    return found
