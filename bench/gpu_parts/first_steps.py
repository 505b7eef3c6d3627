"""Times the first two training steps of this process: `python -m bench.gpu_parts.first_steps [--dry-run]`. Prints a
line of JSON: seconds of the import, of opening the device, and of each step.
"""

from __future__ import annotations

import json
import sys
from itertools import pairwise
from time import perf_counter

from bench.gpu_parts.setting import open_cupy

__all__: list[str] = []


def main() -> None:
    if dry_run := "--dry-run" in sys.argv[1:]:
        open_cupy(dry_run)
    times = [perf_counter()]

    import tensorgrad as tg

    times.append(perf_counter())
    tg.set_strict_device(True)
    tg.manual_seed(0)
    model = tg.nn.Sequential(tg.nn.Linear(64, 96), tg.nn.ReLU(), tg.nn.Dropout(0.1), tg.nn.Linear(96, 10))
    device = tg.device("cuda")
    tg.zeros(1, device=device).item()
    times.append(perf_counter())

    model.to(device)
    optimizer = tg.optim.Adam(model.parameters())
    inputs, labels = tg.randn(32, 64).to(device), tg.arange(32).to(device) % 10
    for _ in range(2):
        optimizer.zero_grad()
        loss = tg.nn.functional.cross_entropy(model(inputs), labels)
        loss.backward()
        optimizer.step()
        loss.item()
        times.append(perf_counter())
    stages = ("import", "device", "first step", "second step")
    seconds = [end - start for start, end in pairwise(times)]
    print(json.dumps(dict(zip(stages, seconds, strict=True))))


if __name__ == "__main__":
    main()
