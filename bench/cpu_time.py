"""Who used the processors: one process, and the machine as a whole. Linux only; elsewhere None."""

from __future__ import annotations

import os
from pathlib import Path
from time import perf_counter, sleep

__all__ = ["ForeignLoad", "wait_until_idle"]

IDLE_SAMPLE_SECONDS = 0.02
IDLE_SHARE = 0.03
BLIND_WAIT_SECONDS = 0.25


def process_seconds(pid: int) -> float | None:
    """CPU seconds used so far by a process, as exactly as the kernel tells."""
    exact = scheduled_seconds(pid)
    return ticked_seconds(pid) if exact is None else exact


def scheduled_seconds(pid: int) -> float | None:
    """Of the live threads, in nanoseconds."""
    try:
        tasks = list(Path(f"/proc/{pid}/task").iterdir())
        return sum(int((task / "schedstat").read_text().split()[0]) for task in tasks) / 1e9
    except (OSError, ValueError, IndexError):
        return None


def ticked_seconds(pid: int) -> float | None:
    """Of all threads, in clock ticks; for kernels that tell no better."""
    try:
        user, system = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[11:13]
        return (int(user) + int(system)) / os.sysconf("SC_CLK_TCK")
    except (OSError, ValueError):
        return None


def machine_seconds() -> float | None:
    """CPU seconds used so far by everything on this machine, stolen time included."""
    try:
        fields = Path("/proc/stat").read_text().split("\n", 1)[0].split()[1:9]
        user, nice, system, _idle, _wait, irq, softirq, steal = map(int, fields)
    except (OSError, ValueError):
        return None
    return (user + nice + system + irq + softirq + steal) / os.sysconf("SC_CLK_TCK")


def wait_until_idle(pid: int, limit: float = 2.0) -> bool:
    """Wait until a process stops using CPU: thread pools go on spinning after their work, and would slow
    whoever is timed next. Returns whether it came to rest within `limit` seconds."""
    deadline, before = perf_counter() + limit, process_seconds(pid)
    while perf_counter() < deadline:
        sleep(IDLE_SAMPLE_SECONDS)
        after = process_seconds(pid)
        if before is None or after is None:
            sleep(BLIND_WAIT_SECONDS)
            return True
        if after - before < IDLE_SHARE * IDLE_SAMPLE_SECONDS:
            return True
        before = after
    return False


class ForeignLoad:
    """The share of the machine used by anything but the process being timed, over all turns of a run."""

    def __init__(self) -> None:
        self._wall = self._foreign = 0.0
        self._known = True
        self._start = (0.0, machine_seconds())

    def start(self) -> None:
        self._start = (perf_counter(), machine_seconds())

    def stop(self, own_seconds: float) -> None:
        (wall, before), after = self._start, machine_seconds()
        if before is None or after is None:
            self._known = False
            return
        self._wall += perf_counter() - wall
        self._foreign += after - before - own_seconds

    @property
    def share(self) -> float | None:
        """Between 0 and 1, of all cores together; None where it cannot be read."""
        if not self._known or not self._wall:
            return None
        return max(0.0, self._foreign / (self._wall * (os.cpu_count() or 1)))
