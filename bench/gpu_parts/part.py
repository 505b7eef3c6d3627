"""One part, in a process of its own: `python -m bench.gpu_parts.part NAME FOLDER SECONDS [--dry-run]`."""

from __future__ import annotations

import argparse
import importlib
import sys
import traceback
from pathlib import Path

from bench.gpu_parts.setting import Finding, Setting

__all__: list[str] = []


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("name")
    parser.add_argument("folder", type=Path)
    parser.add_argument("seconds", type=float)
    parser.add_argument("--dry-run", action="store_true")
    options = parser.parse_args()
    setting = Setting(options.dry_run, options.folder, options.seconds)
    finding = Finding(options.folder / f"{options.name}.json")
    try:
        importlib.import_module(f".{options.name}", __package__).run(setting, finding)
        finding.complete = True
    except Exception as error:
        traceback.print_exc()
        finding.failures.append(f"{type(error).__name__}: {error}")
    finding.save()
    return 1 if finding.failures else 0


if __name__ == "__main__":
    sys.exit(main())
