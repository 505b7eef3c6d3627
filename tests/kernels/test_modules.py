"""Kernels are compiled a dtype at a time: nothing is lost, nothing is compiled twice, and what is missing is named."""

from __future__ import annotations

import re
import shutil
from pathlib import Path
from typing import Any

import pytest

from tensorgrad.backends import primitives
from tensorgrad.backends.cuda.modules import KernelModules
from tensorgrad.backends.kernel_files import (
    SUFFIXES,
    all_sources,
    compile_options,
    dtype_suffix_of,
    kernel_folder,
    kernel_source,
    source_of,
)
from tensorgrad.errors import ArgumentError, DeviceError
from tests.emulator.signature import find_kernels
from tests.emulator.toolchain import preprocess

PARTS = ("", *SUFFIXES.values())
KERNEL_FILES = [file for file in all_sources() if file.endswith(".cu")]


def kernels_in(file: str, suffix: str | None) -> set[str]:
    """The kernels that are left when the preprocessor has seen the options."""
    options = [option for option in compile_options(suffix) if option.startswith("-D")]
    return set(find_kernels(preprocess(kernel_folder() / file, file, [kernel_folder()], options)))


@pytest.mark.parametrize("file", KERNEL_FILES)
def test_each_kernel_is_in_the_part_of_its_dtype(file: str) -> None:
    if shutil.which("g++") is None:
        pytest.skip("the preprocessor is g++'s")
    whole, parts = kernels_in(file, None), {suffix: kernels_in(file, suffix) for suffix in PARTS}
    assert whole
    assert set().union(*parts.values()) == whole
    for name in whole:
        assert source_of(name) == file
        assert name in parts[dtype_suffix_of(name)]
    for suffix, held in parts.items():
        assert {name for name in held if not name.endswith(f"_{suffix}")} <= parts[""]
    assert not any(name.endswith(tuple(f"_{suffix}" for suffix in SUFFIXES.values())) for name in parts[""])


# ---------------------------------------------------------------------- the modules
class Compiled:
    """In the place of cupy.RawModule: notes what is compiled, and holds every kernel but those in `missing`."""

    made: list[tuple[str, str]]
    missing: tuple[str, ...] = ()

    def __init__(self, *, code: str, options: tuple[str, ...]) -> None:
        (file,) = [f for f in KERNEL_FILES if kernel_source(f) == code]
        self.made.append((file, options[-1].removeprefix("-DTENSORGRAD_DTYPE=")))

    def get_function(self, name: str) -> Any:
        if name in self.missing:
            raise RuntimeError("CUDA_ERROR_NOT_FOUND: named symbol not found\nand more")
        return name


@pytest.fixture
def modules() -> KernelModules:
    Compiled.made, Compiled.missing = [], ()
    return KernelModules(Compiled)


def test_only_what_is_asked_for_is_compiled_and_only_once(modules: KernelModules) -> None:
    for name in ("adam_prepare", "adam_f32", "relu_backward_f32", "leaky_relu_f32", "adam_f32", "adam_f64"):
        assert modules.get_function(name) == name
    assert Compiled.made == [
        ("optimizer/adam.cu", "none"),
        ("optimizer/adam.cu", "f32"),
        ("activation/relu.cu", "f32"),
        ("optimizer/adam.cu", "f64"),
    ]


def test_a_kernel_that_its_part_does_not_hold_is_named(modules: KernelModules) -> None:
    Compiled.missing = ("norm_parts_f16", "norm_finish")
    with pytest.raises(DeviceError, match=r"norm_parts_f16: optimizer/norm\.cu compiled for f16 does not .*FOUND"):
        modules.get_function("norm_parts_f16")
    with pytest.raises(
        DeviceError, match=r"norm_finish: the part of optimizer/norm\.cu without a dtype .* symbol not found\)$"
    ):
        modules.get_function("norm_finish")


def test_a_kernel_of_no_file_is_named(modules: KernelModules) -> None:
    with pytest.raises(ArgumentError, match="no file of kernels/ holds 'adamant_f32'"):
        modules.get_function("adamant_f32")


def test_the_options_of_a_part() -> None:
    assert compile_options()[0] == "-std=c++17"
    assert compile_options("f16") == (*compile_options(), "-DTENSORGRAD_DTYPE=f16")
    assert compile_options("") == (*compile_options(), "-DTENSORGRAD_DTYPE=none")


def test_every_source_lies_in_the_folder_of_a_family_and_is_looked_at() -> None:
    """By the digest, and by setup.py: both look one folder deep."""
    folder = kernel_folder()
    found = {path.relative_to(folder) for ending in ("cu", "cuh", "h") for path in folder.rglob(f"*.{ending}")}
    assert {path.as_posix() for path in found} == set(all_sources())
    families = {path.stem for path in Path(primitives.__file__).parent.glob("*.py")}
    assert {path.parts[0] for path in found} - {"common"} <= families
    for file in all_sources():
        included = re.findall('#include "(.*)"', kernel_source(file))
        assert set(included) <= set(all_sources()), file
