"""A shorter program that shows the same: lines are left out, leaves made smaller and plainer, as long as it does."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np

from tests.against_torch.fuzz.drawing import Leaf
from tests.against_torch.fuzz.lines import Finding, Line
from tests.against_torch.fuzz.running import replayed

__all__ = ["shrunk"]


def shrunk(lines: Sequence[Line], finding: Finding, tries: int = 300) -> tuple[list[Line], Finding]:
    """The lines that are left and what they find."""
    best, found = list(lines)[: lines.index(finding.line) + 1], finding
    progress = True
    while progress and tries > 0:
        progress = False
        for candidate in _simpler(best):
            tries -= 1
            again = next((f for f in replayed(candidate).findings if f.key == finding.key), None)
            if again is not None:
                best, found, progress = candidate, again, True
                break
            if tries <= 0:
                break
    return best, found


def _simpler(lines: list[Line]) -> Iterator[list[Line]]:
    for k in reversed(range(len(lines) - 1)):
        yield lines[:k] + lines[k + 1 :]
    for k, line in enumerate(lines):
        if line.leaf is not None:
            for leaf in _plainer(line.leaf):
                yield [*lines[:k], replace(line, text=leaf.line, leaf=leaf), *lines[k + 1 :]]


def _plainer(leaf: Leaf) -> Iterator[Leaf]:
    if leaf.recipe:
        return
    if leaf.grad:
        yield replace(leaf, grad=False)
    if leaf.layout:
        yield replace(leaf, layout="", values=np.array(leaf.values))
    for axis, n in enumerate(leaf.values.shape):
        for position in range(n if n > 1 else 0):
            yield leaf.with_values(np.take(leaf.values, [position], axis))
    if leaf.values.ndim and leaf.layout == "":
        yield (
            leaf.with_values(leaf.values[0]) if len(leaf.values) else leaf.with_values(np.zeros((), leaf.values.dtype))
        )
    flat = leaf.values.ravel()
    for k, value in enumerate(flat if flat.size <= 12 else ()):
        if value not in (0, 1):
            for simple in (0, 1):
                changed = flat.copy()
                changed[k] = simple
                yield leaf.with_values(changed.reshape(leaf.values.shape))
