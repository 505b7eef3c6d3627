"""The modules that stand where CuPy's would: what is written here, held against what CuPy offers.

A name that CuPy has not is not offered, whatever is written here; one that CuPy has and the stand-in lacks is an
AttributeError that says so.
"""

from __future__ import annotations

import math
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any, NoReturn

import numpy as np

from tests.cupy_standin import device, memory
from tests.cupy_standin.array import Gap, ndarray
from tests.cupy_standin.casting import Host
from tests.cupy_standin.creation import CREATION
from tests.cupy_standin.indexing import scatter_function
from tests.cupy_standin.manipulation import MANIPULATION
from tests.cupy_standin.methods import FUNCTIONS, attach, clip_function
from tests.cupy_standin.raw import CUDADriverError, RawKernel, RawModule
from tests.cupy_standin.surface import Surface, signature_of
from tests.cupy_standin.ufunc import make_ufuncs, ufunc

__all__ = ["build", "offered"]

_DTYPES = (
    "bool_ int8 int16 int32 int64 uint8 uint16 uint32 uint64 float16 float32 float64 complex64 complex128 "
    "dtype finfo iinfo integer floating inexact number generic issubdtype newaxis"
).split()
# CuPy tells no signature of these, or spells one that these are called as.
_UNCHECKED = frozenset({"ndarray", "ufunc", "from_dlpack"})


class StandInModule(ModuleType):
    """A module that knows which names it should have."""

    def __init__(self, name: str, members: dict[str, Any], expected: dict[str, Any]) -> None:
        super().__init__(name, "The CuPy stand-in: NumPy behind CuPy's names and refusals.")
        self.__spec__ = ModuleSpec(name, None)
        self.__standin__ = True
        self._expected = expected
        self.__dict__.update(members)

    def __getattr__(self, name: str) -> NoReturn:
        if name in self._expected:
            raise Gap(self.__name__, name)
        raise AttributeError(f"module {self.__name__!r} has no attribute {name!r}")


class ForbiddenModule(ModuleType):
    """`cupy.random`: neither capturable nor ours."""

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        raise RuntimeError(f"{self.__name__}.{name}: random numbers come from the backend's Philox, never from CuPy")


def build(surface: Surface, version: str) -> dict[str, StandInModule | ForbiddenModule]:
    """All modules, by the name under which they are imported."""
    contents = offered(surface)
    made: dict[str, Any] = {
        name: StandInModule(name, _kept(name, members, surface), surface["modules"].get(name, {}))
        for name, members in contents.items()
    }
    made["cupy.random"] = ForbiddenModule("cupy.random")
    for name, module in made.items():
        owner, _, last = name.rpartition(".")
        if owner:
            setattr(made[owner], last, module)
    made["cupy"].__version__ = version
    return made


def _kept(module: str, members: dict[str, Any], surface: Surface) -> dict[str, Any]:
    """The members that CuPy has with these parameters."""
    expected = surface["modules"].get(module, {})
    return {n: m for n, m in members.items() if not expected or _agrees(n, m, expected)}


def _agrees(name: str, member: Any, expected: dict[str, str | None]) -> bool:
    if name not in expected:
        return False
    theirs = expected[name]
    plain = not isinstance(member, (type, ufunc)) and callable(member) and name not in _UNCHECKED
    return not plain or theirs is None or signature_of(member) == theirs


# ---------------------------------------------------------------------- the contents
def offered(surface: Surface) -> dict[str, dict[str, Any]]:
    """What the stand-in has, by module, before it is held against the surface."""
    ufuncs = make_ufuncs(surface, "cupy")
    hidden = make_ufuncs(surface, "")
    attach(ufuncs | hidden, surface)
    cuda = _cuda()
    return {
        "cupy": _main(ufuncs, hidden),
        "cupy.exceptions": {"AxisError": np.exceptions.AxisError, "ComplexWarning": np.exceptions.ComplexWarning},
        "cupy.cuda": cuda,
        "cupy.cuda.device": {name: cuda[name] for name in ("Device", "get_cublas_handle", "get_device_id")},
        "cupy.cuda.driver": {"CUDADriverError": CUDADriverError},
        "cupy.cuda.memory": {
            name: getattr(memory, name)
            for name in "Memory MemoryPointer MemoryPool OutOfMemoryError PooledMemory UnownedMemory alloc".split()
        }
        | {"get_allocator": memory.get_allocator, "set_allocator": memory.set_allocator},
        "cupy.cuda.runtime": vars(device.runtime),
        "cupy.cuda.stream": {
            name: getattr(device, name) for name in "Event Stream get_current_stream get_elapsed_time".split()
        },
        "cupyx": {f"scatter_{op}": scatter_function(op) for op in ("add", "max", "min")}
        | {"empty_pinned": empty_pinned, "zeros_pinned": zeros_pinned},
        "cupyx.scipy": {},
        "cupyx.scipy.special": dict(make_ufuncs(surface, "cupyx.scipy.special")),
    }


def _main(ufuncs: dict[str, ufunc], hidden: dict[str, ufunc]) -> dict[str, Any]:
    choose = hidden["where"]

    def where(condition: Any, x: Any = None, y: Any = None) -> Any:
        if (x is None) != (y is None):
            raise ValueError("Must provide both 'x' and 'y' or neither.")
        if x is None:
            return FUNCTIONS["nonzero"](condition)
        return choose(condition.astype("?", copy=False), x, y)

    return (
        {name: getattr(np, name) for name in _DTYPES}
        | {"inf": math.inf, "nan": math.nan, "pi": math.pi, "e": math.e}
        | ufuncs
        | CREATION
        | MANIPULATION
        | FUNCTIONS
        | {"where": where, "clip": clip_function(hidden["clip"]), "ndarray": ndarray, "ufunc": ufunc}
        | {"RawModule": RawModule, "RawKernel": RawKernel}
        | {
            "get_default_memory_pool": memory.get_default_memory_pool,
            "get_default_pinned_memory_pool": memory.get_default_pinned_memory_pool,
        }
    )


def _cuda() -> dict[str, Any]:
    from_device = {
        name: getattr(device, name)
        for name in "Device Event Stream get_cublas_handle get_current_stream get_device_id get_elapsed_time".split()
    }
    classes = "Memory MemoryPointer MemoryPool PinnedMemoryPool UnownedMemory".split()
    functions = "alloc get_allocator set_allocator using_allocator".split()
    from_memory = {name: getattr(memory, name) for name in classes + functions}
    return from_device | from_memory | {"is_available": is_available, "get_local_runtime_version": lambda: 13000}


def is_available() -> bool:
    return device.runtime.getDeviceCount() > 0  # type: ignore[no-any-return]


def empty_pinned(shape: Any, dtype: Any = float, order: Any = "C") -> Host:
    """Page-locked host memory; here any."""
    return np.empty(shape, dtype, order)


def zeros_pinned(shape: Any, dtype: Any = float, order: Any = "C") -> Host:
    return np.zeros(shape, dtype, order)
