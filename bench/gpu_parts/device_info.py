"""Part 1: the machine. What it is, and the versions of everything."""

from __future__ import annotations

from importlib.util import find_spec
from typing import Any

from bench.gpu_parts.setting import Finding, Setting
from bench.machine import output_of, version_of
from bench.report import table

__all__ = ["run"]

PACKAGES = "cupy-cuda13x cupy-cuda12x cupy safetensors pytest torch triton jax jaxlib jax-cuda13-plugin"
QUERY = "driver_version,clocks.sm,clocks.max.sm,clocks.mem,clocks.max.mem,power.limit,temperature.gpu,persistence_mode"
MIB = 1 << 20


def run(setting: Setting, finding: Finding) -> None:
    cupy = setting.cupy()
    finding.raw = properties(cupy) | {"versions": versions(cupy)}
    if not setting.dry_run:
        finding.raw["nvidia-smi"] = settings_of_card()
    rows = [[name, text_of(value)] for name, value in finding.raw.items()]
    finding.say(table(["what", "value"], rows))


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
    tools = {"tensorgrad installed": version_of("tensorgrad-engine") or "no, from the checkout"}
    return {"cupy": cupy.__version__, **installed, **tools, "rich": "yes" if find_spec("rich") else "no"}


def settings_of_card() -> dict[str, str] | None:
    """Driver, clocks and limits as nvidia-smi reads them; nothing is changed."""
    line = output_of("nvidia-smi", "--id=0", f"--query-gpu={QUERY}", "--format=csv,noheader")
    if line is None:
        return None
    return dict(zip(QUERY.split(","), (cell.strip() for cell in line.split("\n")[0].split(",")), strict=False))


def text_of(value: Any) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{name} {text}" for name, text in value.items())
    return "unknown" if value is None else str(value)
