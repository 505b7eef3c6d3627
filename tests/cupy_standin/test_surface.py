"""The stand-in against what CuPy offers: no name, parameter or loop of its own."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

import pytest

from tests.cupy_standin import device, memory, raw, surface
from tests.cupy_standin.array import ndarray
from tests.cupy_standin.modules import offered
from tests.cupy_standin.ufunc import ufunc

KEPT = surface.snapshot()
OFFERED = [
    (module, name, member)
    for module, members in offered(KEPT).items()
    if module in KEPT["modules"]
    for name, member in members.items()
]
CLASSES = {
    "cupy.ndarray": ndarray,
    "cupy.RawKernel": raw.RawKernel,
    "cupy.RawModule": raw.RawModule,
    "cupy.cuda.Device": device.Device,
    "cupy.cuda.Event": device.Event,
    "cupy.cuda.Memory": memory.Memory,
    "cupy.cuda.MemoryPointer": memory.MemoryPointer,
    "cupy.cuda.MemoryPool": memory.MemoryPool,
    "cupy.cuda.PinnedMemoryPool": memory.PinnedMemoryPool,
    "cupy.cuda.Stream": device.Stream,
}
MEMBERS = [
    (path, name, member)
    for path, owner in CLASSES.items()
    for name, member in inspect.getmembers(owner)
    if not name.startswith("_")
]
# Instance attributes in CuPy, which a class does not show; and the stand-in's own.
OF_INSTANCES = {"cupy.cuda.Stream": {"later"}}


@pytest.mark.parametrize(("module", "name", "member"), OFFERED, ids=[f"{m}.{n}" for m, n, _ in OFFERED])
def test_every_function_exists_in_cupy_with_the_same_parameters(module: str, name: str, member: Any) -> None:
    names = KEPT["modules"][module]
    assert name in names
    if inspect.isfunction(member) and names[name] is not None and name != "from_dlpack":
        assert surface.signature_of(member) == names[name]


@pytest.mark.parametrize(("path", "name", "member"), MEMBERS, ids=[f"{p}.{n}" for p, n, _ in MEMBERS])
def test_every_method_exists_in_cupy_with_the_same_parameters(path: str, name: str, member: Any) -> None:
    names = KEPT["classes"][path]
    assert name in names or name in OF_INSTANCES.get(path, ())
    if inspect.isfunction(member) and names.get(name) is not None:
        assert _without_self(member) == names[name]


def _without_self(method: Callable[..., Any]) -> str:
    """Methods that are functions too call their first parameter otherwise than self."""
    spelled = surface.signature_of(method) or ""
    first = next(iter(inspect.signature(method).parameters))
    return spelled if first == "self" else spelled.removeprefix(first).removeprefix(", ")


def test_the_ufuncs_have_cupys_loops_and_no_others() -> None:
    mine = {name: u for module, name, u in OFFERED if isinstance(u, ufunc) and module == "cupy"}
    assert len(mine) > 60
    assert all(KEPT["ufuncs"][f"cupy.{name}"]["types"] == u.types for name, u in mine.items())


@pytest.mark.skipif(surface.installed_version() is None, reason="CuPy is not installed")
def test_the_snapshot_is_the_installed_cupys() -> None:
    if surface.installed_version() != KEPT["version"]:
        pytest.skip(f"the snapshot is of CuPy {KEPT['version']}")
    assert surface.harvest_elsewhere() == KEPT


@pytest.mark.parametrize(
    ("function", "expected"),
    [(lambda a, axis=None, *, out=0: 0, "a, axis=, *, out="), (lambda *args, **more: 0, "*args, **more")],
)
def test_signatures_are_spelled_as_in_the_snapshot(function: Any, expected: str) -> None:
    assert surface.signature_of(function) == expected


def test_compiled_signatures_come_from_docstrings() -> None:
    class Compiled:
        __doc__ = "_ndarray_base.swapaxes(self, Py_ssize_t axis1, Py_ssize_t axis2=1) -> _ndarray_base\n\nmore"
        __signature__ = "none that inspect can read"

    assert surface.signature_of(Compiled()) == "axis1, axis2="
