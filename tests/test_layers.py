"""The layers of docs/design.md, proved on the imports: a file imports from its own layer and those below only."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

import tensorgrad

ROOT = Path(tensorgrad.__file__).parent

# The layer of a module is that of the longest name here that it is, or lies in.
LAYERS: dict[str, float] = {
    "tensorgrad.version": 0,
    "tensorgrad.arguments": 0,
    "tensorgrad.names": 0,
    "tensorgrad.calls": 0,
    "tensorgrad.errors": 0,
    "tensorgrad.config": 0,
    "tensorgrad.dtypes": 0,
    "tensorgrad.regular_file": 0,
    "tensorgrad.memory_formats": 0,
    "tensorgrad.backends.primitives": 1.0,
    "tensorgrad.backends.kernel_files": 1.0,
    "tensorgrad.backends.outside": 1.0,
    "tensorgrad.backends.base": 1.1,
    "tensorgrad.backends.device": 1.2,
    "tensorgrad.backends.replay": 1.2,
    "tensorgrad.backends.cpu": 1.3,
    "tensorgrad.backends.cuda": 1.3,
    "tensorgrad.backends": 1.4,
    "tensorgrad.autograd": 2,
    "tensorgrad.ops": 3,
    "tensorgrad.functional": 4,
    "tensorgrad.cuda": 4,
    "tensorgrad.creation": 4,
    "tensorgrad.ranges": 4,
    "tensorgrad.host_data": 4,
    "tensorgrad.random": 4,
    "tensorgrad.printing": 4,
    "tensorgrad.tensor": 4,
    "tensorgrad.nn": 5,
    "tensorgrad.optim": 5,
    "tensorgrad.data": 5,
    "tensorgrad.checkpoint": 5,
    "tensorgrad.train": 6,
    "tensorgrad.cli": 7,
    "tensorgrad.__main__": 7,
    "tensorgrad": 7,
}
# Modules that may import within a function: devices, commands and names that are loaded when first asked for.
LAZY = (
    "tensorgrad.backends",
    "tensorgrad.backends.device",
    "tensorgrad.backends.cuda.available",
    "tensorgrad.cli",
    "tensorgrad",
)
DEVICES = ("cpu", "cuda")
# The one place where an annotation names what lies above: the others take the name from there.
TENSOR = ("tensorgrad.tensor", "Tensor")
NAMES_TENSOR = "tensorgrad.autograd.variable"


@dataclass(frozen=True)
class Import:
    """One imported name: `module` is the module of the package that it comes from."""

    module: str
    name: str
    line: int
    for_annotations: bool
    in_function: bool


def _module_of(path: Path) -> str:
    parts = ("tensorgrad", *path.relative_to(ROOT).with_suffix("").parts)
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


FILES = {_module_of(path): path for path in sorted(ROOT.rglob("*.py"))}
TREES = {module: ast.parse(path.read_text()) for module, path in FILES.items()}


def _is_type_checking(node: ast.AST) -> bool:
    return isinstance(node, ast.If) and ast.unparse(node.test) in ("TYPE_CHECKING", "typing.TYPE_CHECKING")


def _import_statements(node: ast.AST, for_annotations: bool, inside: bool) -> Iterator[tuple[ast.stmt, bool, bool]]:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, (ast.Import, ast.ImportFrom)):
            yield child, for_annotations, inside
        elif isinstance(child, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)):
            yield from _import_statements(child, for_annotations, True)
        else:
            yield from _import_statements(child, for_annotations or _is_type_checking(child), inside)


def imports_of(module: str) -> list[Import]:
    """All imports of `module` from within the package, those in functions included."""
    found = []
    for statement, for_annotations, inside in _import_statements(TREES[module], False, False):
        if isinstance(statement, ast.Import):
            pairs = [(alias.name, "") for alias in statement.names]
        else:
            assert isinstance(statement, ast.ImportFrom)
            assert statement.level == 0, f"{module}:{statement.lineno}: imports are absolute"
            source = statement.module or ""
            pairs = [
                (f"{source}.{a.name}", "") if f"{source}.{a.name}" in FILES else (source, a.name)
                for a in statement.names
            ]
        found += [
            Import(name, what, statement.lineno, for_annotations, inside)
            for name, what in pairs
            if name.split(".")[0] == "tensorgrad"
        ]
    return found


def layer_of(module: str) -> float:
    while module not in LAYERS:
        module = module.rpartition(".")[0]
    return LAYERS[module]


def counted(module: str) -> list[Import]:
    """The imports of `module`, those for annotations too: but for the one that gives annotations the name Tensor."""
    found = imports_of(module)
    if module != NAMES_TENSOR:
        return found
    return [i for i in found if not (i.for_annotations and (i.module, i.name) == TENSOR)]


def test_every_module_has_a_layer_of_its_own() -> None:
    """Only the package itself falls back on the last entry: a new file says where it stands."""
    unplaced = [
        m
        for m in FILES
        if m != "tensorgrad"
        and not any(m == known or m.startswith(known + ".") for known in LAYERS if known != "tensorgrad")
    ]
    assert unplaced == []


def test_the_walk_sees_the_imports() -> None:
    assert {i.module for i in imports_of("tensorgrad.autograd.tape")} >= {
        "tensorgrad.autograd.op",
        "tensorgrad.backends",
    }
    lazy = [i for i in imports_of("tensorgrad.backends") if i.in_function]
    assert "tensorgrad.backends.cpu.backend" in {i.module for i in lazy}
    annotated = [i for i in imports_of(NAMES_TENSOR) if i.for_annotations]
    assert [(i.module, i.name) for i in annotated] == [TENSOR]


@pytest.mark.parametrize("module", FILES)
def test_the_name_for_annotations_is_used_for_nothing_else(module: str) -> None:
    """At run time it is not the class: a call that is given it, or makes one, would ask about another."""
    if (NAMES_TENSOR, "Tensor") not in {(i.module, i.name) for i in imports_of(module)}:
        return
    calls = [node for node in ast.walk(TREES[module]) if isinstance(node, ast.Call)]
    used = [c.lineno for c in calls if "Tensor" in {ast.unparse(part) for part in (c.func, *c.args)}]
    assert used == []


@pytest.mark.parametrize("module", FILES)
def test_imports_go_downwards(module: str) -> None:
    upwards = [f"line {i.line}: {i.module} {i.name}" for i in counted(module) if layer_of(i.module) > layer_of(module)]
    assert upwards == []


@pytest.mark.parametrize("module", FILES)
def test_imports_within_functions_are_the_exception(module: str) -> None:
    if module in LAZY or module.startswith("tensorgrad.cli."):
        return
    assert [f"line {i.line}: {i.module}" for i in imports_of(module) if i.in_function] == []


@pytest.mark.parametrize("device", DEVICES)
def test_devices_do_not_know_each_other(device: str) -> None:
    others = tuple(f"tensorgrad.backends.{other}" for other in DEVICES if other != device)
    rooms = [m for m in FILES if m.startswith(f"tensorgrad.backends.{device}.")]
    assert rooms
    assert [f"{m}: {i.module}" for m in rooms for i in imports_of(m) if i.module.startswith(others)] == []


def test_there_are_no_import_cycles() -> None:
    graph = {m: {i.module for i in counted(m)} - {m} for m in FILES}
    # What is loaded when first asked for is no cycle at import time, but it must not come back either.
    placed: set[str] = set()
    while ready := [m for m in graph if m not in placed and graph[m] & set(graph) <= placed]:
        placed.update(ready)
    assert sorted(set(graph) - placed) == [], "these modules import each other"


def _names(tree: ast.AST) -> Iterator[tuple[str, int]]:
    """Every identifier, keyword, imported module and string of one word in the code."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Name):
            yield node.id, node.lineno
        elif isinstance(node, (ast.FunctionDef, ast.ClassDef)):
            yield node.name, node.lineno
        elif isinstance(node, (ast.arg, ast.keyword)):
            yield node.arg or "", node.lineno
        elif isinstance(node, ast.Attribute):
            yield node.attr, node.lineno
        elif isinstance(node, ast.Import):
            yield from ((alias.name, node.lineno) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node.module or "", node.lineno
            yield from ((alias.name, node.lineno) for alias in node.names)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and " " not in node.value:
            yield node.value, node.lineno


def _uses(module: str, *roots: str) -> list[str]:
    return [f"line {line}: {name}" for name, line in _names(TREES[module]) if name.split(".")[0] in roots]


@pytest.mark.parametrize("module", FILES)
def test_only_the_cuda_backend_names_cupy(module: str) -> None:
    if not module.startswith("tensorgrad.backends.cuda"):
        assert _uses(module, "cupy", "cupyx", "cupy_backends") == []


# Where PyTorch's names for what is CUDA's are defined. What such a function says besides is its own affair.
PYTORCHS_NAMES = {
    "tensorgrad": {"cuda"},  # tg.cuda
    "tensorgrad.tensor": {"is_cuda"},
    "tensorgrad.functional.conversion": {"cuda", "cuda_array_interface", "__cuda_array_interface__"},
    "tensorgrad.nn.module": {"cuda"},
}
# Where CUDA is implemented, and registered.
CUDAS_OWN = ("tensorgrad.cuda", "tensorgrad.backends", "tensorgrad.backends.cuda")


class _WithoutBodies(ast.NodeTransformer):
    """Leaves of the functions of these names nothing but the names."""

    def __init__(self, functions: set[str]) -> None:
        self.functions = functions

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.AST:
        return ast.Name(node.name, lineno=node.lineno) if node.name in self.functions else self.generic_visit(node)


def _cuda_in(source: str, allowed: set[str]) -> list[str]:
    tree = _WithoutBodies(allowed).visit(ast.parse(source))
    return [f"line {line}: {name}" for name, line in _names(tree) if "cuda" in name.lower() and name not in allowed]


@pytest.mark.parametrize("module", FILES)
def test_only_the_cuda_backend_and_pytorchs_names_name_cuda(module: str) -> None:
    """All else asks the backend of a device, or the registry of device types. Messages may say what they like."""
    if module not in CUDAS_OWN and not module.startswith("tensorgrad.backends.cuda."):
        assert _cuda_in(FILES[module].read_text(), PYTORCHS_NAMES.get(module, set())) == []


def test_the_search_for_cuda_sees_every_kind_of_name() -> None:
    for source in (
        "from tensorgrad.cuda import synchronize",
        "import tensorgrad.backends.cuda.foreign",
        "def on_cuda(x): pass",
        "class CudaThing: pass",
        "def f(cuda): pass",
        "f(cuda=1)",
        "x.cuda()",
        "device.type == 'cuda'",
        "device = f'cuda:{i}'",
        "def to(x):\n    return x.is_cuda",
    ):
        assert len(_cuda_in(source, set())) == 1, source
    for source in ("def is_cuda(x): return x.type == 'cuda'", "'on CUDA at the next wait'", "# cuda"):
        assert _cuda_in(source, {"is_cuda"}) == [], source


@pytest.mark.parametrize("module", FILES)
def test_only_config_reads_the_environment(module: str) -> None:
    if module != "tensorgrad.config":
        assert _uses(module, "environ", "environb", "getenv", "putenv") == []


@pytest.mark.parametrize("module", FILES)
def test_nothing_unpickles(module: str) -> None:
    assert _uses(module, "pickle", "_pickle", "cPickle", "dill", "joblib", "marshal", "shelve", "cloudpickle") == []
    for node in ast.walk(TREES[module]):
        if isinstance(node, ast.Call) and ast.unparse(node.func) in ("np.load", "numpy.load"):
            allowed = [k.value for k in node.keywords if k.arg == "allow_pickle"]
            assert [ast.unparse(v) for v in allowed] == ["False"], f"line {node.lineno}: np.load may unpickle"


def exports_of(module: str) -> list[str]:
    """What `__all__` lists. `*family.__all__` in it stands for what is imported from that file with a star."""
    lists = [
        node.value
        for node in TREES[module].body
        if isinstance(node, ast.Assign) and any(ast.unparse(t) == "__all__" for t in node.targets)
    ]
    assert len(lists) == 1, f"{module} does not say what it exports, in __all__"
    assert isinstance(lists[0], ast.List)
    names, families = [], {i.module for i in imports_of(module) if i.name == "*"}
    for entry in lists[0].elts:
        if isinstance(entry, ast.Starred):
            (family,) = [m for m in families if f"{m}.__all__".endswith(f".{ast.unparse(entry.value)}")]
            families.remove(family)
            names += exports_of(family)
        else:
            names.append(ast.literal_eval(entry))
    assert not families, f"{module} imports with a star, and does not export, what is in {families}"
    return names


PACKAGES = [m for m, path in FILES.items() if path.name == "__init__.py"]
COLLECTIONS = [m for m in FILES if m not in PACKAGES and any(i.name == "*" for i in imports_of(m))]


@pytest.mark.parametrize("module", PACKAGES + COLLECTIONS)
def test_packages_list_their_exports(module: str) -> None:
    names = exports_of(module)
    assert len(set(names)) == len(names), "a name is listed twice"


def test_a_familys_file_decides_what_is_exported() -> None:
    exported = {m: set(exports_of(m)) for m in ("tensorgrad", "tensorgrad.nn", "tensorgrad.nn.functional")}
    assert exported["tensorgrad"] >= {"exp", "cat", "einsum", "ones", "Tensor"}
    assert exported["tensorgrad.nn"] >= {"ReLU", "Linear", "Module", "functional"}
    assert exported["tensorgrad.nn.functional"] >= {"relu", "mse_loss", "pad", "linear"}


def test_every_folder_is_a_package() -> None:
    assert [str(p.parent.relative_to(ROOT)) for p in FILES.values() if not (p.parent / "__init__.py").exists()] == []


def test_no_file_is_longer_than_400_lines() -> None:
    assert {m: n for m, path in FILES.items() if (n := len(path.read_text().splitlines())) > 400} == {}
