"""A finding as a program that anybody can run."""

from __future__ import annotations

from collections.abc import Sequence

from tests.against_torch.fuzz.lines import Finding, Line
from tests.against_torch.fuzz.worlds import HELPERS

__all__ = ["described"]


def described(lines: Sequence[Line], finding: Finding) -> str:
    """What differs, and the lines that show it in either library."""
    text = "\n".join(line.text for line in lines)
    helpers = HELPERS if "weighted(" in text or "ramp(" in text else ""
    return f"# {finding.mismatch.kind}: {finding.mismatch.detail}\n{helpers}{text}"
