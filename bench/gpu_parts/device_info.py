"""The machine: what it is, and the versions of everything."""

from __future__ import annotations

import os
from typing import Any

from bench.gpu_parts.setting import Finding, Setting
from bench.machine import output_of, version_of
from bench.report import table

__all__ = ["run"]

PACKAGES = (
    "cupy-cuda13x cupy-cuda12x nvidia-cuda-nvrtc nvidia-cublas safetensors pytest scipy torch triton jax jaxlib "
    "jax-cuda13-plugin"
)
QUERY = "driver_version,clocks.sm,clocks.max.sm,clocks.mem,clocks.max.mem,power.limit,temperature.gpu,persistence_mode"
MIB = 1 << 20


def run(setting: Setting, finding: Finding) -> None:
    cupy = setting.cupy()
    finding.raw = properties(cupy)
    if not setting.dry_run:
        finding.raw["nvidia-smi"] = settings_of_card()
    rows = finding.raw | (finding.raw.get("nvidia-smi") or {})
    finding.say(table(["what", "value"], [[name, text_of(rows[name])] for name in rows if name != "nvidia-smi"]))
    finding.raw["versions"] = found = versions(cupy)
    finding.say(f"Versions: {', '.join(f'{name} {version}' for name, version in found.items())}.")


def properties(cupy: Any) -> dict[str, Any]:
    """What the runtime says of the first device."""
    device, found = cupy.cuda.Device(0), cupy.cuda.runtime.getDeviceProperties(0)
    free, total = cupy.cuda.runtime.memGetInfo()
    return {
        "gpu": found["name"].decode(),
        "compute capability": str(device.compute_capability),
        "multiprocessors": found["multiProcessorCount"],
        "memory MiB": total // MIB,
        "free MiB": free // MIB,
        "second-level cache MiB": round(found.get("l2CacheSize", 0) / MIB, 1),
        "memory bus bits": found.get("memoryBusWidth"),
        "driver supports CUDA": dotted(cupy.cuda.runtime.driverGetVersion()),
        "CUDA runtime": dotted(cupy.cuda.runtime.runtimeGetVersion()),
    }


def dotted(version: int) -> str:
    return f"{version // 1000}.{version % 1000 // 10}"


def versions(cupy: Any) -> dict[str, str]:
    installed = {name: version for name in PACKAGES.split() if (version := version_of(name))}
    return {"cupy": cupy.__version__, **installed}


def settings_of_card() -> dict[str, str] | None:
    """Driver, clocks and limits as nvidia-smi reads them; nothing is changed."""
    card = os.environ.get("CUDA_VISIBLE_DEVICES") or "0"
    line = output_of("nvidia-smi", f"--id={card}", f"--query-gpu={QUERY}", "--format=csv,noheader")
    if line is None:
        return None
    return dict(zip(QUERY.split(","), (cell.strip() for cell in line.split("\n")[0].split(",")), strict=False))


def text_of(value: Any) -> str:
    return "unknown" if value is None else str(value)
