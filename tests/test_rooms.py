"""Who imports whom in the checkout: tensorgrad neither tests nor bench, bench of the tests nothing but their kits, and
nobody bench but tests/bench. Proved on the imports; a module that is loaded by its name is an optional package, or a
neighbour of who loads it."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
ROOMS = ("tensorgrad", "bench", "tests", "examples")
# What the tests and bench.gpu both stand on. Of their folders, what pytest collects is no part of them.
KITS = (
    "tests.composition",
    "tests.cupy_standin",
    "tests.emulator",
    "tests.kernels.comparing",
    "tests.kernels.oracles",
    "tests.ops.cases_",
    "tests.ops.table",
)
LOADERS = ("import_module", "find_spec", "importorskip", "__import__")
# Modules that load what they are told: a contender's "module:function", tensorgrad or torch, all that CuPy has.
TOLD = ("bench.worker", "bench.overhead_taped", "tests.cupy_standin.surface")


def _module_of(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


FILES = {_module_of(path): path for room in ROOMS for path in sorted((ROOT / room).rglob("*.py"))}
TREES = {module: ast.parse(path.read_text()) for module, path in FILES.items()}


def imports_of(module: str) -> Iterator[str]:
    """The modules of ROOMS that `module` names in import statements, wherever they stand."""
    for node in ast.walk(TREES[module]):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            source = _absolute(module, node)
            names = [f"{source}.{a.name}" if f"{source}.{a.name}" in FILES else source for a in node.names]
        else:
            continue
        yield from (name for name in names if name.split(".")[0] in ROOMS)


def _absolute(module: str, node: ast.ImportFrom) -> str:
    if not node.level:
        return node.module or ""
    package = module.split(".") if FILES[module].name == "__init__.py" else module.split(".")[:-1]
    parts = package[: len(package) - node.level + 1]
    return ".".join([*parts, node.module] if node.module else parts)


def loaded_by_name(tree: ast.AST) -> Iterator[tuple[int, str | None]]:
    """(line, how the name begins that a loader is given), None where it is computed."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and ast.unparse(node.func).rpartition(".")[2] in LOADERS and node.args:
            name = node.args[0]
            head = name.values[0] if isinstance(name, ast.JoinedStr) else name
            yield node.lineno, str(head.value) if isinstance(head, ast.Constant) else None


def is_collected(module: str) -> bool:
    return module.rpartition(".")[2].startswith(("test_", "conftest"))


def is_kit(module: str) -> bool:
    inside = any(module == kit or module.startswith(kit if kit.endswith("_") else f"{kit}.") for kit in KITS)
    return inside and not is_collected(module)


def room_of(module: str) -> str:
    return "tests.bench" if f"{module}.".startswith("tests.bench.") else module.split(".")[0]


def may_import(module: str, other: str) -> bool:
    room, theirs = room_of(module), room_of(other)
    if is_kit(module):
        return theirs == "tensorgrad" or is_kit(other)
    return {
        "tensorgrad": theirs == "tensorgrad",
        "examples": theirs == "tensorgrad",
        "bench": theirs in ("tensorgrad", "bench") or is_kit(other),
        "tests": theirs in ("tensorgrad", "tests"),
        "tests.bench": theirs != "examples",
    }[room]


def test_the_walk_sees_the_imports() -> None:
    assert {"tests.emulator", "tests.cupy_standin.memory"} <= set(imports_of("tests.cupy_standin.raw"))
    assert "tests.emulator.errors" in set(imports_of("tests.emulator"))
    assert "tests.cupy_standin" in set(imports_of("bench.gpu_parts.setting"))
    tree = ast.parse('importlib.import_module(f"tests.{x}"); find_spec("bench"); import_module(name); load("tests")')
    assert list(loaded_by_name(tree)) == [(1, "tests."), (1, "bench"), (1, None)]


def test_the_kits_are_there() -> None:
    assert [kit for kit in KITS if not any(m == kit or m.startswith(kit) for m in FILES)] == []
    assert all(map(is_kit, ("tests.emulator.source", "tests.ops.cases_loss", "tests.cupy_standin.plugin")))
    assert not any(map(is_kit, ("tests.emulator.test_faults", "tests.ops.test_table", "tests.opaque")))


@pytest.mark.parametrize(
    ("module", "other"),
    [
        ("tensorgrad.cuda", "tests.emulator"),
        ("tensorgrad.cuda", "bench.report"),
        ("bench.gpu_parts.case", "tests.kernels.device"),
        ("bench.gpu_parts.case", "tests.ops.test_table"),
        ("tests.kernels.test_launch", "bench.kernel_table"),
        ("tests.kernels.oracles", "bench.gpu_parts.case"),
        ("tests.emulator.module", "tests.kernels.device"),
        ("tests.ops.cases_loss", "tests.ops.test_table"),
        ("tests.ops.test_table", "tests.bench.test_gpu"),
        ("examples.digits", "bench.report"),
    ],
)
def test_what_is_refused(module: str, other: str) -> None:
    assert {module, other} <= FILES.keys()
    assert not may_import(module, other)


@pytest.mark.parametrize("module", FILES)
def test_imports_stay_in_their_rooms(module: str) -> None:
    assert [other for other in imports_of(module) if not may_import(module, other)] == []


@pytest.mark.parametrize("module", FILES)
def test_no_room_is_entered_by_its_name(module: str) -> None:
    """A neighbour, in the same package, may be loaded by a name that begins with one dot."""
    for line, name in loaded_by_name(TREES[module]):
        if name is None:
            assert module in TOLD, f"line {line}: a name that is computed"
        elif name.startswith("."):
            assert not name.startswith(".."), f"line {line}: {name}"
        else:
            assert name.split(".")[0] not in ("tests", "bench"), f"line {line}: {name}"
