"""The kernels of a preprocessed source: names, parameters, launch bounds."""

from __future__ import annotations

import re
from dataclasses import dataclass

from .errors import BuildError

__all__ = ["SCALARS", "Kernel", "Parameter", "find_kernels"]

# Scalar parameter -> (struct format padded to a slot of eight bytes). The contract of kernels/ allows no others.
SCALARS = {
    "int": "i4x",
    "unsigned int": "I4x",
    "long long": "q",
    "unsigned long long": "Q",
    "float": "f4x",
    "double": "d",
}

_SPELLINGS = {
    "unsigned": "unsigned int",
    "long long int": "long long",
    "unsigned long long int": "unsigned long long",
    "long": "long long",
    "unsigned long": "unsigned long long",
}

# One pair nested in another, as in __launch_bounds__(threads(4)).
_PARENTHESES = r"\((?:[^()]|\([^()]*\))*\)"
_BOUNDS = rf"__launch_bounds__\s*(?P<bounds>{_PARENTHESES})"
_KERNEL = re.compile(
    rf"__global__\s+(?P<before>(?:\w+\s*(?:{_PARENTHESES})?\s*)*?)\bvoid\s+(?P<after>__launch_bounds__\s*{_PARENTHESES}\s*)?"
    r"(?P<name>\w+)\s*\((?P<parameters>[^()]*)\)\s*(?P<end>[{;])"
)


@dataclass(frozen=True)
class Parameter:
    """`type` as written, without const, __restrict__ and the name: `float*`, `float**`, `long long`."""

    name: str
    type: str
    pointee_is_const: bool

    @property
    def pointers(self) -> int:
        return self.type.count("*")

    @property
    def base(self) -> str:
        return self.type.rstrip("*")

    @property
    def format(self) -> str:
        return "Q" if self.pointers else SCALARS[self.type]


@dataclass(frozen=True)
class Kernel:
    """A function that can be launched."""

    name: str
    parameters: tuple[Parameter, ...]
    launch_bounds: str  # as written, without the parentheses; empty when there are none


def find_kernels(text: str) -> dict[str, Kernel]:
    """The `__global__` functions that have a body and are no templates."""
    found = (m for m in _KERNEL.finditer(text) if m["end"] == "{" and not _is_template(text, m.start()))
    return {m["name"]: _kernel(m) for m in found}


def _is_template(text: str, start: int) -> bool:
    return re.search(r">\s*(?:(?:static|inline)\s+)*$", text[max(0, start - 200) : start]) is not None


def _kernel(match: re.Match[str]) -> Kernel:
    bounds = re.search(_BOUNDS, match["before"] + (match["after"] or ""))
    texts = _without_line_markers(match["parameters"])
    parameters = () if texts in ("", "void") else tuple(_parameter(match["name"], one) for one in texts.split(","))
    return Kernel(match["name"], parameters, bounds["bounds"][1:-1].strip() if bounds else "")


def _without_line_markers(text: str) -> str:
    return re.sub(r"(?m)^#.*$", "", text).strip()


def _parameter(kernel: str, text: str) -> Parameter:
    words = re.findall(r"\w+|\*+|[^\w\s]", re.sub(r"__restrict__|__restrict|\brestrict\b", " ", text))
    name = words.pop() if words and re.match(r"\w", words[-1]) else ""
    kept = [word for word in words if word not in ("const", "volatile")]
    base = " ".join(word for word in kept if not word.startswith("*"))
    stars = "".join(word for word in kept if word.startswith("*"))
    parameter = Parameter(name, _SPELLINGS.get(base, base) + stars, "const" in words[: _last_star(words)])
    if not stars and parameter.type not in SCALARS:
        allowed = ", ".join(SCALARS)
        raise BuildError(f"{kernel}: a parameter is a pointer or one of {allowed}; got `{text.strip()}`")
    return parameter


def _last_star(words: list[str]) -> int:
    stars = [i for i, word in enumerate(words) if word.startswith("*")]
    return stars[-1] if stars else 0
