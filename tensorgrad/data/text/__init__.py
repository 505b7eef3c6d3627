"""Text files with one sample a line, from bytes to columns: one step a file."""

from __future__ import annotations

from tensorgrad.data.text.columns import Unknown, encode, find_levels, is_text, number_column, ordered, refuse_units
from tensorgrad.data.text.grid import FileFormat, Grid, read_grid
from tensorgrad.data.text.missing import Missing, check_missing, missing_fault

__all__ = [
    "FileFormat",
    "Grid",
    "Missing",
    "Unknown",
    "check_missing",
    "encode",
    "find_levels",
    "is_text",
    "missing_fault",
    "number_column",
    "ordered",
    "read_grid",
    "refuse_units",
]
