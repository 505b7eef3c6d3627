"""What is meant to differ from PyTorch, each with its reason. docs/differences.md tells it to readers, under the same names."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from tests.against_torch.fuzz.lines import Finding

__all__ = ["DIFFERENCES", "Difference", "known"]

Judge = Callable[[Finding, Any], bool]


@dataclass(frozen=True)
class Difference:
    """`covers(finding, run)`: whether the finding is of this kind."""

    name: str
    reason: str
    covers: Judge


def _answers(*messages: str) -> Judge:
    """We answer where PyTorch raises an error with one of these messages (regular expressions)."""
    pattern = re.compile("|".join(messages), re.DOTALL)

    def covers(finding: Finding, run: Any) -> bool:
        return finding.mismatch.kind == "answered" and pattern.search(str(finding.error)) is not None

    return covers


DIFFERENCES: tuple[Difference, ...] = (
    Difference(
        "every op takes every dtype for which it means something",
        "PyTorch has no kernel for some dtypes (half precision, integers, bools) on the CPU; one implementation serves all here.",
        _answers("not implemented for", "does not support bool input"),
    ),
    Difference(
        "writes into one of several views",
        "A view is derived again after a write, so those of chunk, split and unbind may be written as any other.",
        _answers("is a view and is being modified inplace. This view is the output of a function that returns multiple"),
    ),
)


def known(finding: Finding, run: Any) -> Difference | None:
    return next((d for d in DIFFERENCES if d.covers(finding, run)), None)
