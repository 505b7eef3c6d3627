"""Commands are ended with all that they have started, however deep."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

import pytest

from bench.processes import Process, begin, end_all, result

pytestmark = pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="processes are told apart by /proc")

# Starts a process that sleeps, in a group of its own if it is told so, and notes its number.
PARENT = """
import subprocess, sys, time
file, group, seconds = sys.argv[1:]
child = subprocess.Popen(["sleep", "60"], process_group=0 if group == "own" else None)
open(file, "w").write(f"{child.pid}\\n")
print("started", flush=True)
time.sleep(float(seconds))
sys.exit(3)
"""


def is_running(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def parent(folder: Path, group: str, seconds: float, session: bool) -> tuple[Process, int]:
    """A process, and the number of its child."""
    command = [sys.executable, "-c", PARENT, str(folder / "child"), group, str(seconds)]
    process = begin(command, folder / "log", os.environ, session)
    while not ((folder / "child").exists() and (folder / "child").read_text().endswith("\n")):
        time.sleep(0.01)
    return process, int((folder / "child").read_text())


def test_a_grandchild_outlives_its_parent_but_not_the_group(tmp_path: Path) -> None:
    process, grandchild = parent(tmp_path, "same", 60, session=False)
    process.kill()
    process.wait()
    assert is_running(grandchild)
    end_all(process)
    assert not is_running(grandchild)


@pytest.mark.parametrize(("group", "session"), [("same", False), ("same", True), ("own", True)])
def test_whoever_runs_too_long_is_stopped_with_its_children(tmp_path: Path, group: str, session: bool) -> None:
    process, grandchild = parent(tmp_path, group, 60, session)
    start = time.monotonic()
    assert result(process, 0.05) is None
    assert time.monotonic() - start < 10
    assert not is_running(process.pid)
    assert not is_running(grandchild)


def test_whoever_ends_leaves_nobody_behind(tmp_path: Path) -> None:
    process, grandchild = parent(tmp_path, "same", 0.0, session=False)
    assert result(process, 30) == 3
    assert not is_running(grandchild)
    assert (tmp_path / "log").read_text() == "started\n"
