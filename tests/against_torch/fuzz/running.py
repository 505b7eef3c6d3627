"""A program run in step in all worlds, each line compared before the next."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

import tensorgrad as tg
from tests.against_torch.fuzz.comparing import Doubt, Mismatch, compare_errors, compare_values, layout_differs
from tests.against_torch.fuzz.differences import Difference, known
from tests.against_torch.fuzz.lines import Finding, Line
from tests.against_torch.fuzz.noise import moved_by_arguments, moved_by_program
from tests.against_torch.fuzz.worlds import Float64, Outcome, World, held, numbers, ours, storage_of, tensors_of, theirs

__all__ = ["Run", "replayed"]


# Kinds after which the worlds can go on with the result, since they all take PyTorch's value.
LASTING = ("accuracy", "special", "value", "zero sign", "result", "requires_grad")


@dataclass
class Run:
    """A program on its way through the worlds."""

    mine: World = field(default_factory=ours)
    other: World = field(default_factory=theirs)
    true: Float64 = field(default_factory=Float64)
    lines: list[Line] = field(default_factory=list)  # all that were tried
    kept: list[Line] = field(default_factory=list)  # those that every world has run
    tensors: dict[str, Any] = field(default_factory=dict)  # PyTorch's, by the names the lines use
    findings: list[Finding] = field(default_factory=list)
    differences: list[Difference] = field(default_factory=list)

    def step(self, line: Line) -> bool:
        """Run a line and compare. False ends the program: the worlds have parted."""
        self.lines.append(line)
        mine, other, true = (w.run(line.text, line.name) for w in (self.mine, self.other, self.true))
        mismatch = self._compared(line, mine, other, true)
        if mismatch:
            finding = Finding(mismatch, line, self._dtypes(line), other.error)
            difference = known(finding, self)
            if difference is None:
                self.findings.append(finding)
            else:
                self.differences.append(difference)
            if not (mine.error and other.error) and (difference is None or line.name is None):
                return False
        if mine.error or other.error or (mismatch is not None and mismatch.kind not in LASTING):
            self._forget(line)
        else:
            self._bind(line, other.value)
            self.kept.append(line)
        self._follow()
        return True

    def _compared(self, line: Line, mine: Outcome, other: Outcome, true: Outcome) -> Mismatch | None:
        if mine.error or other.error:
            return compare_errors(mine, other)
        if line.name is None:
            return self._compare_effects(line)
        exact = None if true.error else true.value
        found = compare_values(
            mine.value, other.value, exact, Doubt(lambda: self._moved(line), self._terms(), self._steps(line))
        )
        return found or self._compare_memory(line, mine.value, other.value) or self._compare_effects(line)

    def _compare_effects(self, line: Line) -> Mismatch | None:
        """Whether all tensors there are have the values they should have after the line."""
        for name, value in self.tensors.items():
            doubt = Doubt(moved_by_program([*self.kept, line], name), self._terms())
            found = compare_values(held(self.mine, name), value, held(self.true, name), doubt)
            if found:
                return Mismatch(f"effect: {found.kind}", f"on {name}: {found.detail}")
        return None

    def _compare_memory(self, line: Line, mine: Any, other: Any) -> Mismatch | None:
        """Contiguous where PyTorch's is, and sharing memory with whom PyTorch's does."""
        for suffix, value in tensors_of(other):
            own = mine[int(suffix[1:-1])] if suffix else mine
            found = layout_differs(own, value)
            if found and "gradient" not in line.template:
                return found
            for name, older in self.tensors.items():
                shared = storage_of(value) == storage_of(older) != 0
                if value.numel() and older.numel() and shared != _shares(own, held(self.mine, name)):
                    return Mismatch("aliasing", f"{line.name}{suffix} and {name}: PyTorch's share memory: {shared}")
        return None

    def _moved(self, line: Line) -> Any:
        """How far rounding may move the result of a line."""
        if line.name is None or "gradient" in line.template:
            return moved_by_program([*self.kept, line], line.name)()
        return moved_by_arguments(line, self.tensors, self.true.names.get(line.name))

    def _steps(self, line: Line) -> int:
        """A gradient's formula rounds a dozen times for each operation."""
        return 12 * len(self.kept) if "gradient" in line.template else 0

    def _terms(self) -> int:
        return max((t.numel() for t in self.tensors.values()), default=1)

    # ------------------------------------------------------------------ bookkeeping
    def _bind(self, line: Line, value: Any) -> None:
        if line.name is None:
            return
        self.tensors = {n: t for n, t in self.tensors.items() if n.partition("[")[0] != line.name}
        for suffix, tensor in tensors_of(value):
            self.tensors[f"{line.name}{suffix}"] = tensor

    def _forget(self, line: Line) -> None:
        for world in (self.mine, self.other, self.true):
            world.names.pop(line.name or "", None)

    def _follow(self) -> None:
        """All worlds go on with PyTorch's values, so that what differs at a line is that line's."""
        for name, value in self.tensors.items():
            _copy_into(held(self.mine, name), value)
            self.true.follow(name, value)

    def _dtypes(self, line: Line) -> tuple[str, ...]:
        used = {n: t for n, t in self.tensors.items() if n.partition("[")[0] in line.text}
        return tuple(sorted({str(t.dtype).removeprefix("torch.") for t in used.values()}))


def replayed(lines: Sequence[Line]) -> Run:
    """Given lines, run and compared."""
    run = Run()
    for line in lines:
        if not run.step(line):
            break
    return run


def _root(array: Any) -> Any:
    while isinstance(array.base, np.ndarray):
        array = array.base
    return array


def _shares(a: Any, b: Any) -> bool:
    return isinstance(b, tg.Tensor) and np.may_share_memory(_root(a.array), _root(b.array))


def _copy_into(mine: Any, value: Any) -> None:
    """Below the tape's notice: neither a version nor a history changes."""
    if isinstance(mine, tg.Tensor) and mine.array.shape == tuple(value.shape) and mine.array.flags.writeable:
        new = numbers(value)
        if new.dtype == mine.array.dtype and mine.array.tobytes() != new.tobytes():
            np.copyto(mine.array, new)
