"""A line of a program, and what may be wrong with one."""

from __future__ import annotations

import re
from dataclasses import dataclass

from tests.against_torch.fuzz.comparing import Mismatch
from tests.against_torch.fuzz.drawing import Leaf
from tests.against_torch.fuzz.vocabulary import names_in

__all__ = ["Finding", "Line"]


@dataclass(frozen=True)
class Line:
    """One line of a program. `name`: what it binds; `template`: what it was drawn from."""

    text: str
    name: str | None = None
    template: str = ""
    leaf: Leaf | None = None


@dataclass(frozen=True)
class Finding:
    """A line that does not do what PyTorch does. `error`: what PyTorch has raised, if it has."""

    mismatch: Mismatch
    line: Line
    dtypes: tuple[str, ...]
    error: Exception | None = None

    @property
    def key(self) -> tuple[str, str]:
        """Findings with one key are one kind: of errors the classes count, of layouts the function, else the line."""
        kind = self.mismatch.kind
        if kind in ("layout", "zero sign"):
            return kind, (names_in(self.line.template) or [self.line.template])[-1]
        if kind in ("error class", "foreign error"):
            return kind, re.sub(r"(\w+): .*?; (PyTorch \w+): .*", r"\1; \2", self.mismatch.detail, flags=re.DOTALL)
        return kind, self.line.template or self.line.text
