"""From a .cu file to C++: what macros cannot express is rewritten after the preprocessor, line for line.

`__shared__` becomes a place in the emulator's shared memory, `__global__` an ordinary function, and every kernel gets
a trampoline that unpacks its arguments, eight bytes each, from one block of memory.
"""

from __future__ import annotations

import re

from .errors import BuildError
from .signature import Kernel

__all__ = ["rewrite", "trampolines"]

_ALIGNED = r"__attribute__\s*\(\(\s*aligned\s*\(\s*(\w+)\s*\)\s*\)\)|\balignas\s*\(\s*(\w+)\s*\)"
_DYNAMIC = re.compile(r"\b(?:extern\s+(?P<head>[^;(){}]*?(?:\(\([^;]*?\)\))?\s*)__shared__)\b(?P<rest>[^;]*);")
_STATIC = re.compile(r"\b(?:static\s+)?__shared__\b(?P<rest>[^;]*);")
_DECLARATION = re.compile(r"^(?P<type>.*?)\b(?P<name>\w+)\s*(?P<dimensions>(?:\[[^\]]*\]\s*)*)$", re.DOTALL)
_QUALIFIERS = re.compile(r"__global__|__launch_bounds__\s*\((?:[^()]|\([^()]*\))*\)")


def rewrite(text: str) -> str:
    """C++ for a preprocessed source; keeps every line in its place."""
    text = _DYNAMIC.sub(lambda match: _keep_lines(match, _dynamic(match)), text)
    numbers = iter(range(len(text)))
    text = _STATIC.sub(lambda match: _keep_lines(match, _static(match, next(numbers))), text)
    return _QUALIFIERS.sub(lambda match: _keep_lines(match, ""), text)


def trampolines(kernels: dict[str, Kernel]) -> str:
    return "\n".join(_trampoline(kernel) for kernel in kernels.values())


def _keep_lines(match: re.Match[str], replacement: str) -> str:
    return replacement + "\n" * match[0].count("\n")


def _declaration(text: str) -> tuple[str, str, str, str]:
    """(type, name, dimensions, alignment) of a shared variable's declaration."""
    aligned = re.search(_ALIGNED, text)
    plain = " ".join(re.sub(_ALIGNED, " ", text).split())
    match = _DECLARATION.match(plain)
    if not match or not match["type"].strip() or "=" in plain or re.search(r",(?![^<(]*[>)])", plain):
        raise BuildError(f"__shared__ {plain}: write one variable in a declaration, without initialiser")
    alignment = aligned[1] or aligned[2] if aligned else ""
    return match["type"].strip(), match["name"], match["dimensions"].strip(), alignment


def _dynamic(match: re.Match[str]) -> str:
    kind, name, dimensions, _ = _declaration(match["head"] + match["rest"])
    if dimensions.replace(" ", "") != "[]":
        raise BuildError(f"extern __shared__ {kind} {name}{dimensions}: dynamic shared memory is declared with []")
    return f"{kind}* const {name} = emu::dynamic_shared<{kind}>();"


def _static(match: re.Match[str], number: int) -> str:
    kind, name, dimensions, alignment = _declaration(match["rest"])
    whole = kind + dimensions
    return f"auto& {name} = emu::shared_variable<{whole}, {number}>({alignment or f'alignof({whole})'});"


def _trampoline(kernel: Kernel) -> str:
    """The function that every thread runs, and the descriptor that a launch is given."""
    values = ", ".join(f"emu::Argument{{slots + {8 * i}}}" for i in range(len(kernel.parameters)))
    body = f"[]([[maybe_unused]] const unsigned char* slots) {{ {kernel.name}({values}); }}"
    head = f'extern "C" __attribute__((visibility("default"))) const emu::Kernel emu_kernel_{kernel.name};'
    return (
        f"{head} const emu::Kernel emu_kernel_{kernel.name} = {{{body}, emu::first({kernel.launch_bounds or 1024})}};"
    )
