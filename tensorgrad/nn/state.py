"""A module's state as a flat mapping from names to tensors, and back."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple, Protocol

from tensorgrad.autograd.modes import no_grad
from tensorgrad.creation import as_tensor
from tensorgrad.dtypes import type_name
from tensorgrad.errors import ArgumentError, TensorgradError
from tensorgrad.tensor import Tensor

__all__ = ["IncompatibleKeys", "load_state", "named_state"]


class Registry(Protocol):
    """What is read here of a Module."""

    def registered(self, kind: str, /) -> Iterator[tuple[str, Any]]:
        """(name, value) of what is registered as `kind`."""


class IncompatibleKeys(NamedTuple):
    """What `load_state_dict` did not find in the mapping, and what it found there but had no place for."""

    missing_keys: list[str]
    unexpected_keys: list[str]


def named_state(module: Registry, prefix: str = "") -> Iterator[tuple[str, Tensor]]:
    """Parameters, then persistent buffers, then each child's: PyTorch's names in PyTorch's order.

    What is shared appears under each of its names, so that the mapping fits a model where it is not shared.
    """
    for kind in ("parameter", "buffer"):
        for name, value in module.registered(kind):
            if value is not None:
                yield prefix + name, value
    for name, child in module.registered("module"):
        if child is not None:
            yield from named_state(child, f"{prefix}{name}.")


def load_state(module: Registry, state: Mapping[str, Any], strict: bool) -> IncompatibleKeys:
    """Copy the values of `state` into the module's tensors; see `Module.load_state_dict`."""
    if not isinstance(state, Mapping):
        raise ArgumentError(f"load_state_dict: expected a mapping from names to tensors, got {type(state).__name__}")
    targets = dict(named_state(module))
    missing = [name for name in targets if name not in state]
    unexpected = [name for name in state if name not in targets]
    values, unfit = _matched(targets, state)
    if unfit or (strict and (missing or unexpected)):
        raise ArgumentError(_report(module, missing, unexpected, unfit, strict, state))
    with no_grad():
        for name, value in values.items():
            targets[name].copy_(value)
    return IncompatibleKeys(missing, unexpected)


def _matched(targets: dict[str, Tensor], state: Mapping[str, Any]) -> tuple[dict[str, Tensor], list[str]]:
    """The values that fit, as tensors, and a line about each that does not."""
    values, unfit = {}, []
    for name, target in targets.items():
        if name in state:
            try:
                value = as_tensor(state[name], dtype=target.dtype)
            except (TensorgradError, TypeError, ValueError):
                unfit.append(f"{name}: expected a tensor, got {type_name(state[name])}")
                continue
            if value.shape == target.shape:
                values[name] = value
            else:
                unfit.append(f"{name}: expected shape {target.shape}, got {value.shape}")
    return values, unfit


def _report(
    module: Registry,
    missing: list[str],
    unexpected: list[str],
    unfit: list[str],
    strict: bool,
    state: Mapping[str, Any],
) -> str:
    lines = [f"load_state_dict: the mapping does not fit this {type(module).__name__}; nothing was changed"]
    if missing and strict:
        lines.append(f"missing keys: {', '.join(missing)}")
    if unexpected and strict:
        lines.append(f"unexpected keys: {', '.join(unexpected)}")
    lines += [f"does not fit: {line}" for line in unfit]
    if not unfit:
        lines.append(_remedy(module, missing, unexpected, state))
    return "\n  ".join(lines)


def _remedy(module: Registry, missing: list[str], unexpected: list[str], state: Mapping[str, Any]) -> str:
    """Where the same shapes stand under other names, layers were left out or put in between: loading what fits would
    leave the others as they were made."""
    targets = dict(named_state(module))
    wanted = [tuple(targets[name].shape) for name in missing]
    if missing and wanted == [tuple(getattr(state[name], "shape", ())) for name in unexpected]:
        return "the shapes are the same under other names: build the model as it was saved, Dropout layers included"
    return "pass strict=False to load what fits"
