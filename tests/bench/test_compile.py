"""Every kernel compiles for every architecture, and none spills registers."""

from __future__ import annotations

import os
import re
import tempfile
import time
from pathlib import Path

import pytest

from bench.kernel_compilers import (
    Compiled,
    CupyNvrtc,
    Nvcc,
    Remembering,
    Usage,
    WheelNvrtc,
    find_compiler,
    parse_usage,
)
from bench.kernel_table import ARCHITECTURES, compile_all, kernel_files, main, raw_usages, spilling, usage_table
from tensorgrad.backends.kernel_files import SUFFIXES, dtype_suffix_of

LOG = """\
ptxas info    : 0 bytes gmem
ptxas info    : Compiling entry function 'adam_f32' for 'sm_90'
ptxas info    : Function properties for adam_f32
    0 bytes stack frame, 0 bytes spill stores, 0 bytes spill loads
ptxas info    : Used 40 registers, used 1 barriers, 128 bytes smem, 400 bytes cmem[0]
ptxas info    : Compiling entry function 'adam_f64' for 'sm_90'
ptxas info    : Function properties for adam_f64
    32 bytes stack frame, 24 bytes spill stores, 16 bytes spill loads
ptxas info    : Used 128 registers, used 0 barriers
"""
SPILLER = """
extern "C" __global__ void __launch_bounds__(1024) greedy(double* x) {
    double kept[64];
#pragma unroll
    for (int i = 0; i < 64; ++i) kept[i] = x[threadIdx.x + 1024 * i];
    __syncthreads();
#pragma unroll
    for (int i = 0; i < 64; ++i) x[threadIdx.x * 64 + i] = kept[i] * kept[63 - i] + kept[(i * 7) % 64];
}
"""


@pytest.mark.compile
def test_every_kernel_on_every_architecture() -> None:
    compiler = find_compiler()
    if compiler is None:
        pytest.skip("no CUDA compiler: neither cupy nor nvidia-cuda-nvrtc nor nvcc is there")
    start = time.perf_counter()
    folder = Path(tempfile.gettempdir()) / f"tensorgrad-kernel-table-{os.getuid()}"
    results = compile_all(Remembering(compiler, folder), kernel_files(), ARCHITECTURES)
    print(f"{len(results)} compilations in {time.perf_counter() - start:.0f} s by {compiler.name}")
    assert [f"{r.file} sm_{r.architecture}: {r.error}" for r in results if r.error] == []
    assert spilling(results) == []
    assert all(result.usages for result in results)


@pytest.mark.compile
@pytest.mark.parametrize("file", kernel_files())
def test_a_kernel_compiled_in_its_part_is_the_one_of_the_whole_file(file: str) -> None:
    compiler = find_compiler()
    if compiler is None:
        pytest.skip("no CUDA compiler: neither cupy nor nvidia-cuda-nvrtc nor nvcc is there")
    whole = compiler.compile(file, 90)
    parts = {suffix: compiler.compile(file, 90, suffix) for suffix in ("", *SUFFIXES.values())}
    assert [result.error for result in (whole, *parts.values()) if result.error] == []
    usages = {(suffix, usage.kernel): usage for suffix, part in parts.items() for usage in part.usages}
    assert {usage.kernel: usages[dtype_suffix_of(usage.kernel), usage.kernel] for usage in whole.usages} == {
        usage.kernel: usage for usage in whole.usages
    }
    assert {kernel for _, kernel in usages} == {usage.kernel for usage in whole.usages}


@pytest.mark.parametrize("kind", [CupyNvrtc, WheelNvrtc, Nvcc])
def test_every_compiler(kind: type[CupyNvrtc] | type[WheelNvrtc] | type[Nvcc]) -> None:
    try:
        compiler = kind()
    except (ImportError, OSError):
        pytest.skip(f"{kind.__name__} is not there")
    (result,) = compile_all(compiler, kernel_files(["adagrad"]), [90])
    assert result.error == ""
    assert {usage.kernel for usage in result.usages} == {
        "adagrad_prepare",
        *(f"adagrad_{suffix}" for suffix in ("f32", "f64", "f16")),
    }


def test_a_spill_and_an_error_are_seen(tmp_path: Path) -> None:
    compiler = find_compiler()
    if compiler is None:
        pytest.skip("no CUDA compiler: neither cupy nor nvidia-cuda-nvrtc nor nvcc is there")
    files = [tmp_path / "greedy.cu", tmp_path / "wrong.cu"]
    files[0].write_text(SPILLER)
    files[1].write_text('extern "C" __global__ void wrong() { nonsense; }')
    greedy, wrong = compile_all(compiler, [str(file) for file in files], [90])
    assert spilling([greedy])
    assert "nonsense" in wrong.error


class Counting:
    """A compiler that compiles nothing."""

    name = "none"
    calls = 0
    wrong = False

    def compile(self, file: str, architecture: int, suffix: str | None = None) -> Compiled:
        self.calls += 1
        return Compiled(file, architecture, parse_usage(LOG), "wrong" if self.wrong else "")


def test_what_is_remembered_goes_with_the_sources(tmp_path: Path) -> None:
    source, header = tmp_path / "kernels" / "a" / "a.cu", tmp_path / "kernels" / "b" / "b.h"
    counting = Counting()
    compiler = Remembering(counting, tmp_path / "kept", tmp_path / "kernels")
    for file in (source, header):
        file.parent.mkdir(parents=True)
    source.write_text("one")
    first = compiler.compile("a/a.cu", 90)
    assert compiler.compile("a/a.cu", 90) == first
    assert counting.calls == 1
    compiler.compile("a/a.cu", 80)
    compiler.compile("a/a.cu", 90, "f32")
    header.write_text("two")
    compiler.compile("a/a.cu", 90)
    assert counting.calls == 4
    source.write_text("three")
    counting.wrong = True
    assert compiler.compile("a/a.cu", 90).error
    assert compiler.compile("a/a.cu", 90).error
    assert counting.calls == 6


def test_reading_a_log() -> None:
    assert parse_usage(LOG) == (Usage("adam_f32", 40, 128, 0, 0), Usage("adam_f64", 128, 0, 32, 24))


def test_the_table() -> None:
    results = [Compiled("adam.cu", 90, parse_usage(LOG)), Compiled("adam.cu", 75, parse_usage(LOG)[:1])]
    assert [line.split() for line in usage_table(results, (75, 90)).splitlines()[2:]] == [
        "| adam_f32 | adam.cu | 128 | 0 | 0 | 40 | 40 |".split(),
        "| adam_f64 | adam.cu | 0 | 32 | 24 | - | 128 |".split(),
    ]
    assert spilling(results) == ["adam_f64 on sm_90 spills 24 bytes"]
    assert raw_usages(results, (75, 90)) == {
        "adam_f32": {"file": "adam.cu", "registers": [40, 40], "shared": [128] * 2, "stack": [0] * 2, "spill": [0] * 2},
        "adam_f64": {"file": "adam.cu", "registers": [None, 128], "shared": [None, 0], "stack": [None, 32]}
        | {"spill": [None, 24]},
    }


def test_the_command(capsys: pytest.CaptureFixture[str]) -> None:
    if find_compiler() is None:
        assert main([]) == 1
        assert "no CUDA compiler" in capsys.readouterr().err
        return
    assert main(["--architectures", "90", "--files", "adagrad"]) == 0
    assert "adagrad_f16" in capsys.readouterr().out


def test_files_that_do_not_exist_are_refused(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["--files", "adagrad,nosuch"])
    assert ended.value.code == 2
    assert re.search("no file nosuch; there are adagrad, adam, .*tanh\n", capsys.readouterr().err)
