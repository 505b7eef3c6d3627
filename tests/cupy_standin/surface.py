"""What the real CuPy offers: names, parameters, and the loops of its ufuncs.

`surface.json` is a snapshot of CuPy, taken with `python -m tests.cupy_standin.surface` on a machine where it is
installed (no GPU is needed). The stand-in offers nothing that is not in it. Where a CuPy of another version is
installed, its own surface is taken in a subprocess, once, so that the stand-in never claims what that version lacks.

A signature is written as its parameters, `a, axis=, out=` with `=` for those with a default, or None where CuPy does
not tell it.
"""

from __future__ import annotations

import importlib
import importlib.metadata
import inspect
import json
import re
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any, TypedDict

__all__ = [
    "MODULES",
    "Surface",
    "current",
    "harvest",
    "harvest_elsewhere",
    "installed_version",
    "signature_of",
    "snapshot",
]

SNAPSHOT = Path(__file__).with_name("surface.json")
MODULES = (
    "cupy cupy.cuda cupy.cuda.device cupy.cuda.driver cupy.cuda.memory cupy.cuda.runtime cupy.cuda.stream "
    "cupy.exceptions cupyx cupyx.scipy.special"
).split()
CLASSES = (
    "cupy.ndarray cupy.RawModule cupy.RawKernel cupy.cuda.Device cupy.cuda.Event cupy.cuda.Memory "
    "cupy.cuda.MemoryPointer cupy.cuda.MemoryPool cupy.cuda.PinnedMemoryPool cupy.cuda.Stream"
).split()
DISTRIBUTIONS = ("cupy-cuda13x", "cupy-cuda12x", "cupy")


class Loops(TypedDict):
    types: list[str]
    scatter: str | None


class Surface(TypedDict):
    version: str
    modules: dict[str, dict[str, str | None]]
    classes: dict[str, dict[str, str | None]]
    ufuncs: dict[str, Loops]


def snapshot() -> Surface:
    """The surface that is kept in this repository."""
    return json.loads(SNAPSHOT.read_text())  # type: ignore[no-any-return]


def current() -> Surface:
    """The surface of the installed CuPy, or the snapshot where there is none."""
    kept, version = snapshot(), installed_version()
    return kept if version in (None, kept["version"]) else _other_version(str(version))


def installed_version() -> str | None:
    """The version of the installed CuPy; None where there is none."""
    for name in DISTRIBUTIONS:
        try:
            return importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            continue
    return None


def signature_of(function: Any) -> str | None:
    """The parameters of `function`, from its signature or, for compiled ones, the first line of its docstring."""
    try:
        return _spelled(inspect.signature(function))
    except (TypeError, ValueError):
        return _from_docstring(function)


def harvest_elsewhere() -> Surface:
    """The surface of the installed CuPy, from a process of its own, so that this one need not import it."""
    with tempfile.TemporaryDirectory() as folder:
        target = Path(folder) / "surface.json"
        command = [sys.executable, "-m", __name__, str(target)]
        subprocess.run(command, check=True, cwd=Path(__file__).parents[2], capture_output=True)
        return json.loads(target.read_text())  # type: ignore[no-any-return]


def _other_version(version: str) -> Surface:
    cache = Path(tempfile.gettempdir()) / f"tensorgrad-cupy-surface-{version}.json"
    if not cache.exists():
        cache.write_text(json.dumps(harvest_elsewhere()))
    return json.loads(cache.read_text())  # type: ignore[no-any-return]


def _spelled(signature: inspect.Signature) -> str:
    parts: list[str] = []
    kinds = [p.kind for p in signature.parameters.values()]
    for place, p in enumerate(signature.parameters.values()):
        if p.kind is p.KEYWORD_ONLY and not {p.KEYWORD_ONLY, p.VAR_POSITIONAL} & set(kinds[:place]):
            parts.append("*")
        star = "*" if p.kind is p.VAR_POSITIONAL else "**" if p.kind is p.VAR_KEYWORD else ""
        parts.append(star + p.name + ("=" if p.default is not p.empty else ""))
        if p.kind is p.POSITIONAL_ONLY and kinds[place + 1 : place + 2] != [p.POSITIONAL_ONLY]:
            parts.append("/")
    return _without_self(parts)


def _from_docstring(function: Any) -> str | None:
    first = (getattr(function, "__doc__", None) or "").strip().split("\n")[0]
    match = re.match(r"[\w.]+\((.*)\)(?: ->.*)?$", first.replace("\\*", "*"))
    if match is None:
        return None
    parts = []
    for text in filter(None, map(str.strip, match[1].split(","))):
        name, default, _ = text.partition("=")
        parts.append(name.split()[-1] + default)
    return _without_self(parts)


def _without_self(parts: list[str]) -> str:
    return ", ".join(parts[1:] if parts[:1] == ["self"] else parts)


# ---------------------------------------------------------------------- taking it from the real one
def harvest() -> Surface:
    """The surface of the CuPy that can be imported here."""
    cupy: Any = importlib.import_module("cupy")
    modules = {name: _members(_find(name)) for name in MODULES}
    classes = {name: _members(_find(name), "__array__ __dlpack__ __call__".split()) for name in CLASSES}
    ufuncs = {}
    for module in ("cupy", "cupyx.scipy.special"):
        for name, member in vars(importlib.import_module(module)).items():
            if isinstance(member, cupy.ufunc):
                ufuncs[f"{module}.{name}"] = _loops(member)
    # Two that CuPy calls through functions of other signatures.
    ufuncs["where"] = _loops(importlib.import_module("cupy._sorting.search")._where_ufunc)
    ufuncs["clip"] = _loops(importlib.import_module("cupy._core._routines_math").clip)
    return {"version": cupy.__version__, "modules": modules, "classes": classes, "ufuncs": dict(sorted(ufuncs.items()))}


def _find(path: str) -> Any:
    """What `path` names; some of CuPy's modules are attributes and cannot be imported by their path."""
    try:
        return importlib.import_module(path)
    except ModuleNotFoundError:
        owner, name = path.rsplit(".", 1)
        return getattr(_find(owner), name)


def _members(owner: Any, special: list[str] | None = None) -> dict[str, str | None]:
    names = [n for n in dir(owner) if not n.startswith("_") or n in (special or ())]
    members = {n: getattr(owner, n, None) for n in names}
    return {n: signature_of(m) if callable(m) and not isinstance(m, type) else None for n, m in members.items()}


def _loops(ufunc: Any) -> Loops:
    # bfloat16, which has no letter of its own, shows where ml_dtypes is installed.
    known = set("?bBhHiIlLqQefdFD->")
    return {"types": [t for t in ufunc.types if set(t) <= known], "scatter": ufunc._scatter_op}


if __name__ == "__main__":
    target = Path(sys.argv[1]) if len(sys.argv) > 1 else SNAPSHOT
    target.write_text(json.dumps(harvest(), indent=0, sort_keys=True) + "\n")
