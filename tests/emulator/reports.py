"""Reads what a sanitizer says: what went wrong, and at which lines of the kernels."""

from __future__ import annotations

import re

from .errors import EmulationError, SanitizerError

__all__ = ["read_report"]

_EMULATOR = re.compile(r"^EMULATOR\t(.*)\t(.*)\t(\d+)\t(.*)$", re.MULTILINE)
_UNDEFINED = re.compile(r"^(?P<file>[^\n]*?):(?P<line>\d+):\d+: runtime error: (?P<message>.*)$", re.MULTILINE)
_SUMMARY = re.compile(r"(?:ERROR|WARNING): (?P<tool>\w+Sanitizer): (?P<message>.*)")
_FRAME = re.compile(r"^\s+#\d+ (?:0x[0-9a-f]+ in )?(?P<function>.*?) (?P<file>/?[^\s:]+):(?P<line>\d+)", re.MULTILINE)
_STACK = re.compile(r"(?:^\s+#\d+ .*\n?)+", re.MULTILINE)
# Frames of the emulator and the sanitizer, not of a kernel.
_OURS = ("/emulator/runtime/", "libsanitizer", "sysdeps/")

_KINDS = {
    "misaligned": "misaligned access",
    "null pointer": "null pointer",
    "out of bounds for type": "index out of bounds",
    "heap-buffer-overflow": "out of bounds in global memory",
    "use-after-poison": "out of bounds in shared memory",
    "SEGV": "invalid address",
    "data race": "data race",
    "stack-buffer-overflow": "out of bounds in local memory",
    "global-buffer-overflow": "out of bounds in a constant or global variable",
}


def read_report(kernel: str, text: str) -> EmulationError:
    """The exception for the standard error output of a run that did not succeed."""
    emulator = _EMULATOR.search(text)
    if emulator:
        kind, file, line, message = emulator.groups()
        return SanitizerError(kernel, kind, [(file, int(line))], message, text)
    undefined = _UNDEFINED.search(text)
    if undefined:
        message, place = undefined["message"], (undefined["file"], int(undefined["line"]))
        return SanitizerError(kernel, _kind(message, "undefined behaviour"), [place], message, text)
    summary = _SUMMARY.search(text)
    message = summary["message"].strip() if summary else text.strip()[-2000:] or "the run ended without a word"
    return SanitizerError(kernel, _kind(message, message.split(" on ")[0][:60]), _places(text), message, text)


def _kind(message: str, otherwise: str) -> str:
    return next((kind for sign, kind in _KINDS.items() if sign in message), otherwise)


def _places(text: str) -> list[tuple[str, int]]:
    """The innermost kernel line of every stack in the report; the first is where the fault happened."""
    return [place for stack in _STACK.findall(text) for place in _innermost(stack)]


def _innermost(stack: str) -> list[tuple[str, int]]:
    frames = [m for m in _FRAME.finditer(stack) if not any(sign in m[0] for sign in _OURS)]
    return [(frames[0]["file"], int(frames[0]["line"]))] if frames else []
