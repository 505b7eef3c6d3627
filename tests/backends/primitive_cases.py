"""How to draw valid arguments for each primitive of the table that computes, views, checks or asks about arrays."""

from __future__ import annotations

from tests.backends import array_cases, index_cases
from tests.backends.case_values import Cases

__all__ = ["CASES"]

CASES = Cases()
for _part in (array_cases.CASES, index_cases.CASES):
    for _name, _case in _part.items():
        CASES.add(_name, _case)
