"""How far roundings move a result: the line, or the program, is run in float64 with disturbed arguments.

A difference smaller than what a rounding of the arguments makes is nobody's fault.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch

from tests.against_torch.fuzz.lines import Line
from tests.against_torch.fuzz.worlds import Float64, disturbed, held, numbers, storage_of, tensors_of, theirs

__all__ = ["moved_by_arguments", "moved_by_program"]

RUNS = 4
FACTOR = 6.0  # so few runs do not meet the worst case


def moved_by_arguments(line: Line, tensors: dict[str, Any], true: Any) -> Any:
    """The greatest distances from `true` of the line's result with disturbed tensors; None where there is none."""
    results = []
    for seed in range(RUNS):
        noise = np.random.default_rng(seed)
        world = Float64(noise)
        for name, value in tensors.items():
            base, _, position = name.partition("[")
            if position:
                world.names.setdefault(base, {})[int(position[:-1])] = disturbed(value, noise)
            else:
                world.names[name] = disturbed(value, noise)
        outcome = world.run(line.text, line.name)
        if outcome.error is not None:
            return None
        results.append(outcome.value)
    return _distance(true, results)


def moved_by_program(lines: Sequence[Line], name: str | None) -> Callable[[], Any]:
    """The same of what `name` holds after all lines, with noise after each of them, forward and backward."""

    def measure() -> Any:
        results = [_held_after(lines, name or "", np.random.default_rng(seed)) for seed in range(RUNS)]
        return _distance(_held_after(lines, name or "", None), results)

    return measure


def _held_after(lines: Sequence[Line], name: str, noise: np.random.Generator | None) -> Any:
    other, true = theirs(), Float64()
    tensors: dict[str, Any] = {}
    for line in lines:
        outcome = other.run(line.text, line.name)
        true.run(line.text, line.name)
        fresh = {f"{line.name}{suffix}": t for suffix, t in tensors_of(outcome.value)} if line.name else {}
        if line is lines[-1]:
            break
        for key, value in {**tensors, **fresh}.items():
            is_new = key in fresh and all(storage_of(value) != storage_of(t) for t in tensors.values())
            true.follow(key, value, noise if is_new else None)
            _disturb_backward(held(true, key), value, noise if key in fresh else None)
        tensors.update(fresh)
    return held(true, name)


def _disturb_backward(mine: Any, value: Any, noise: np.random.Generator | None) -> None:
    if noise is not None and isinstance(mine, torch.Tensor) and mine.requires_grad and value.is_floating_point():
        dtype = value.dtype
        tensor: Any = mine
        tensor.register_hook(lambda g: g + (disturbed(g.detach(), noise, dtype) - g.detach()))


def _distance(true: Any, results: list[Any]) -> Any:
    if isinstance(true, (tuple, list)):
        return None if not true else _shared_distance(true, results)
    if not isinstance(true, torch.Tensor):
        return None
    worst = np.zeros(tuple(true.shape))
    for value in results:
        if not isinstance(value, torch.Tensor) or value.shape != true.shape:
            return None
        difference = np.abs(numbers(value).astype("float64") - numbers(true).astype("float64"))
        worst = np.maximum(worst, np.where(np.isfinite(difference), difference, np.inf))
    return FACTOR * worst


def _shared_distance(true: Any, results: list[Any]) -> Any:
    """Of a result of several tensors the greatest distance of all, for each of them."""
    parts = [
        _distance(t, [r[k] for r in results])
        if all(isinstance(r, (tuple, list)) and len(r) == len(true) for r in results)
        else None
        for k, t in enumerate(true)
        if isinstance(t, torch.Tensor)
    ]
    known = [float(p.max(initial=0)) for p in parts if p is not None]
    return max(known) if known and len(known) == len(parts) else None
