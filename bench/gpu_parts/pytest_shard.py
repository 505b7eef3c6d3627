"""A plugin for pytest (`-p bench.gpu_parts.pytest_shard`): keeps the tests of the CUDA device, of those a share, and
writes every outcome at once, so that a run that is stopped has still been of use. Environment: BENCH_GPU_TESTS =
"FILE SHARD SHARDS LIMIT".
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

from bench.gpu_parts.setting import EMULATE, open_cupy
from tests.ops.table import families

__all__ = [
    "FAMILY",
    "VARIABLE",
    "note_broken_families",
    "pytest_collection_modifyitems",
    "pytest_collectreport",
    "pytest_configure",
    "pytest_runtest_logreport",
    "pytest_warning_recorded",
    "share",
]

VARIABLE = "BENCH_GPU_TESTS"
FAMILY = "tests.ops.cases_"  # with the family's name, its module
# Tests that stand together use the same kernels, which CuPy compiles in each process that meets them first.
TOGETHER = 60

_Item = TypeVar("_Item")


def share(items: Sequence[_Item], shard: int, shards: int, limit: int) -> list[_Item]:
    """Of about `limit` of the items, those of one shard: stretches of neighbours, dealt out in turn."""
    sample = items[:: max(1, len(items) // limit)]
    return [item for i, item in enumerate(sample) if i // TOGETHER % shards == shard]


def settings() -> tuple[Path, int, int, int]:
    file, *numbers = os.environ[VARIABLE].rsplit(" ", 3)
    shard, shards, limit = map(int, numbers)
    return Path(file), shard, shards, limit


def note(**line: Any) -> None:
    with settings()[0].open("a") as notes:
        print(json.dumps(line), file=notes)


def pytest_configure(config: Any) -> None:
    if os.environ.get(EMULATE):
        open_cupy(dry_run=True)  # before any test module imports cupy
    settings()[0].write_text("")


def pytest_collectreport(report: Any) -> None:
    """A file that cannot be imported, perhaps because SciPy is missing. The first shard speaks for all."""
    if not report.failed or settings()[1] != 0:
        return
    text = str(report.longreprtext).strip().splitlines()
    note(test=report.nodeid, outcome="broken", error=f"cannot be collected: {text[-1] if text else ''}")


def pytest_collection_modifyitems(config: Any, items: list[Any]) -> None:
    items[:] = share([item for item in items if runs_on_cuda(item)], *settings()[1:])
    note(planned=len(items))
    if settings()[1] == 0:
        note_broken_families(families().broken)


def note_broken_families(broken: Mapping[str, Exception]) -> None:
    """The op table goes on without a family that cannot be imported, perhaps because SciPy is missing."""
    for family, error in broken.items():
        note(test=f"{FAMILY}{family}", outcome="broken", error=f"{type(error).__name__}: {error}")


def runs_on_cuda(item: Any) -> bool:
    """Whether a test is one of the folder tests/cuda."""
    return bool(item.path.parent.name == "cuda")


def pytest_runtest_logreport(report: Any) -> None:
    """The call's outcome; of setting up and tearing down only failures, and skipping."""
    if report.when != "call" and report.outcome == "passed":
        return
    note(test=report.nodeid, outcome=report.outcome, error=reason(report).split("\n")[0])


def reason(report: Any) -> str:
    """Why a test failed or was skipped."""
    if report.outcome == "skipped" and isinstance(report.longrepr, tuple):
        return str(report.longrepr[2])
    crash = getattr(report.longrepr, "reprcrash", None)
    return str(crash.message) if crash else str(report.longreprtext if report.outcome == "failed" else "")


def pytest_warning_recorded(warning_message: Any, nodeid: str) -> None:
    note(test=nodeid, outcome="warning", error=f"{warning_message.category.__name__}: {warning_message.message}")
