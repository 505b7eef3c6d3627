"""What the emulator raises."""

from __future__ import annotations

__all__ = ["ArgumentError", "BuildError", "EmulationError", "SanitizerError"]


class BuildError(RuntimeError):
    """The source does not compile, or uses what the emulator does not know; the text is the compiler's."""


class ArgumentError(TypeError):
    """A launch does not fit the kernel's signature or the device's limits."""


class EmulationError(RuntimeError):
    """A kernel did what CUDA forbids. `file` and `line` say where."""

    def __init__(self, kernel: str, kind: str, file: str, line: int, message: str) -> None:
        super().__init__(f"{kernel}: {kind} at {file or '?'}:{line}: {message}")
        self.kernel = kernel
        self.kind = kind
        self.file = file
        self.line = line


class SanitizerError(EmulationError):
    """A sanitizer's finding. `lines` are the source lines it names, the first access first; `report` is its text."""

    def __init__(self, kernel: str, kind: str, places: list[tuple[str, int]], message: str, report: str) -> None:
        file, line = places[0] if places else ("", 0)
        super().__init__(kernel, kind, file, line, message)
        self.lines = [line for _, line in places]
        self.report = report
