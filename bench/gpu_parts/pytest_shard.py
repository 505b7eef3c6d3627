"""A plugin for pytest (`-p bench.gpu_parts.pytest_shard`): keeps the tests of the CUDA device, of those a share, and
writes every outcome at once, so that a run that is stopped has still been of use. Environment: BENCH_GPU_TESTS =
"FILE SHARD SHARDS LIMIT".
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

from bench.gpu_parts.setting import EMULATE, open_cupy

__all__ = ["VARIABLE", "pytest_collection_modifyitems", "pytest_configure", "pytest_runtest_logreport"]

VARIABLE = "BENCH_GPU_TESTS"


def settings() -> tuple[Path, int, int, int]:
    file, *numbers = os.environ[VARIABLE].rsplit(" ", 3)
    shard, shards, limit = map(int, numbers)
    return Path(file), shard, shards, limit


def pytest_configure(config: Any) -> None:
    if os.environ.get(EMULATE):
        open_cupy(dry_run=True)  # before any test module imports cupy
    settings()[0].write_text("")


def pytest_collection_modifyitems(config: Any, items: list[Any]) -> None:
    _, shard, shards, limit = settings()
    ours = [item for item in items if runs_on_cuda(item)]
    items[:] = ours[:: max(1, len(ours) // limit)][shard::shards]


def runs_on_cuda(item: Any) -> bool:
    """Whether a test is one of the folder tests/cuda."""
    return bool(item.path.parent.name == "cuda")


def pytest_runtest_logreport(report: Any) -> None:
    """The call's outcome; of setting up and tearing down only failures, and skipping."""
    if report.when != "call" and report.outcome == "passed":
        return
    crash = getattr(report.longrepr, "reprcrash", None)
    error = "" if report.outcome != "failed" else str(crash.message if crash else report.longreprtext).split("\n")[0]
    with settings()[0].open("a") as notes:
        print(json.dumps({"test": report.nodeid, "outcome": report.outcome, "error": error}), file=notes)
