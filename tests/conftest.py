"""What the whole suite says about the devices it ran on."""

from __future__ import annotations

from collections import Counter
from typing import Any

from tests.cupy_standin.plugin import cuda_kind, pytest_report_header

__all__ = ["pytest_report_header", "pytest_terminal_summary"]


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """How many tests ran on each device: those of tests/cuda on CUDA, all others on the CPU."""
    counts: Counter[tuple[str, str]] = Counter()
    for outcome in ("passed", "failed"):
        for report in terminalreporter.stats.get(outcome, []):
            on_cuda = report.nodeid.startswith("tests/cuda/")
            counts[f"cuda ({cuda_kind()})" if on_cuda else "cpu", outcome] += 1
    for (device, outcome), count in sorted(counts.items()):
        terminalreporter.write_line(f"{device}: {count} {outcome}")
