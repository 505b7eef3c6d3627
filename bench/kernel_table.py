"""Compiles every kernel for every architecture, without a GPU or a driver, and tables what it takes.

    python -m bench.kernel_table [--architectures 75,90] [--files adam,relu] [--save [FOLDER]]

Registers for each architecture; static shared memory, stack and spilled bytes as the greatest over all. The exit code
is 1 where a kernel does not compile or spills. The compiler is NVRTC through CuPy, NVRTC of the `nvidia-cuda-nvrtc`
package, or nvcc: the first that is there.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import PurePath
from typing import Any

from bench.kernel_compilers import Compiled, Compiler, Usage, find_compiler
from bench.machine import usable_cores
from bench.report import Report, add_save_option, table
from tensorgrad.backends.kernel_files import all_sources, kernel_source

__all__ = ["ARCHITECTURES", "compile_all", "kernel_files", "main", "raw_usages", "spilling", "usage_table"]

ARCHITECTURES = (75, 80, 86, 89, 90, 100, 120)


def kernel_files(names: Sequence[str] = ()) -> list[str]:
    """The .cu files, or those of the given stems; the slowest to compile first."""
    files = [f for f in all_sources() if f.endswith(".cu") and (not names or stem_of(f) in names)]
    return sorted(files, key=lambda f: (-kernel_source(f).count("ACTIVATION_KERNELS"), f))


def stem_of(file: str) -> str:
    return PurePath(file).stem


def compile_all(compiler: Compiler, files: Sequence[str], architectures: Sequence[int]) -> list[Compiled]:
    """Every file for every architecture, on all cores."""
    jobs = [(file, architecture) for file in files for architecture in architectures]
    with ThreadPoolExecutor(usable_cores()) as pool:
        return list(pool.map(lambda job: compiler.compile(*job), jobs))


def spilling(results: Sequence[Compiled]) -> list[str]:
    """A line for each kernel that spills."""
    return [
        f"{usage.kernel} on sm_{result.architecture} spills {usage.spill} bytes"
        for result in results
        for usage in result.usages
        if usage.spill
    ]


def usage_table(results: Sequence[Compiled], architectures: Sequence[int]) -> str:
    """One row a kernel: registers on each architecture, and the greatest of everything else."""
    headers = ["kernel", "file", "shared", "stack", "spill", *(f"sm_{a}" for a in architectures)]
    return table(headers, [_row(*key, usages, architectures) for key, usages in _by_kernel(results).items()])


def raw_usages(results: Sequence[Compiled], architectures: Sequence[int]) -> dict[str, dict[str, Any]]:
    """By kernel: its file, and what it takes on each of the architectures (None where it was not compiled)."""
    return {
        kernel: {"file": file}
        | {
            what: [getattr(usages[a], what) if a in usages else None for a in architectures]
            for what in ("registers", "shared", "stack", "spill")
        }
        for (file, kernel), usages in _by_kernel(results).items()
    }


def _by_kernel(results: Sequence[Compiled]) -> dict[tuple[str, str], dict[int, Usage]]:
    """By file and kernel, in the order of their names."""
    found: dict[tuple[str, str], dict[int, Usage]] = {}
    for result in results:
        for usage in result.usages:
            found.setdefault((result.file, usage.kernel), {})[result.architecture] = usage
    return dict(sorted(found.items()))


def _row(file: str, kernel: str, usages: dict[int, Usage], architectures: Sequence[int]) -> list[str]:
    most = [max(values) for values in zip(*((u.shared, u.stack, u.spill) for u in usages.values()), strict=True)]
    registers = [str(usages[a].registers) if a in usages else "-" for a in architectures]
    return [kernel, file, *map(str, most), *registers]


def main(arguments: Sequence[str] | None = None) -> int:
    options = _parser().parse_args(arguments)
    architectures = [int(a) for a in options.architectures.split(",")]
    compiler = find_compiler()
    if compiler is None:
        print("no CUDA compiler: install cupy-cuda13x or nvidia-cuda-nvrtc, or put nvcc on PATH", file=sys.stderr)
        return 1
    results = compile_all(compiler, kernel_files(options.files), architectures)
    failed = [result for result in results if result.error]
    faults = [f"{r.file} for sm_{r.architecture} does not compile:\n{r.error}" for r in failed] + spilling(results)
    report = Report("kernels", "Registers, shared memory and spills of the kernels")
    report.say(f"Compiled by {compiler.name}. Bytes of shared memory, stack and spills; registers a thread.")
    report.say(usage_table(results, architectures))
    raw = raw_usages(results, architectures)
    report.lead = "\n\n".join(faults) or f"{len(raw)} kernels, {len(architectures)} architectures: no kernel spills."
    print(report.lead)
    report.raw |= {"compiler": compiler.name, "architectures": architectures, "kernels": raw}
    report.save(options.save)
    return 1 if faults else 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m bench.kernel_table", description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--architectures", default=",".join(map(str, ARCHITECTURES)), metavar="75,80,...")
    parser.add_argument("--files", type=file_list, default=(), metavar="adam,relu,...", help="default: all")
    add_save_option(parser)
    return parser


def file_list(text: str) -> list[str]:
    names, known = text.split(","), sorted(map(stem_of, kernel_files()))
    if unknown := [name for name in names if name not in known]:
        raise argparse.ArgumentTypeError(f"no file {', '.join(unknown)}; there are {', '.join(known)}")
    return names


if __name__ == "__main__":
    sys.exit(main())
