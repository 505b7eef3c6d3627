"""An optimizer's state in PyTorch's structure, and back."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from typing import Any, Protocol

from tensorgrad.autograd.variable import new_tensor
from tensorgrad.creation import as_tensor
from tensorgrad.dtypes import float64
from tensorgrad.errors import ArgumentError, ShapeError
from tensorgrad.optim.options import plain
from tensorgrad.tensor import Tensor

__all__ = ["dump_state", "read_state"]


class Stateful(Protocol):
    """What is read here of an Optimizer, which says what each of them is."""

    param_groups: list[dict[str, Any]]
    state: defaultdict[Tensor, dict[str, Tensor]]

    @property
    def state_names(self) -> tuple[str, ...]:
        """What may be kept for each parameter."""

    def exported(self, state: dict[str, Tensor], /) -> dict[str, Tensor]:
        """What of one parameter's state is shown."""

    def count_of(self, entry: Mapping[str, Any], state: dict[str, Tensor], /) -> float | None:
        """The step count of one parameter's loaded state."""


def dump_state(optimizer: Stateful) -> dict[str, Any]:
    """See `Optimizer.state_dict`."""
    state: dict[int, dict[str, Tensor]] = {}
    groups: list[dict[str, Any]] = []
    for group, positions in _numbered(optimizer):
        groups.append({**plain(group), "params": positions})
        for position, p in zip(positions, group["params"], strict=True):
            visible = optimizer.exported(optimizer.state.get(p, {}))
            if visible:
                state[position] = visible
    return {"state": state, "param_groups": groups}


def read_state(
    optimizer: Stateful, given: Mapping[str, Any]
) -> tuple[defaultdict[Tensor, dict[str, Tensor]], list[dict[str, Any]]]:
    """The state and each group's options that `given` stands for, checked; `optimizer` is not changed."""
    owner = type(optimizer).__name__
    if not isinstance(given, Mapping) or not {"state", "param_groups"} <= given.keys():
        raise ArgumentError(f"{owner}.load_state_dict: expected a dict with the keys 'state' and 'param_groups'")
    groups = given["param_groups"]
    sizes = [len(g["params"]) for g in optimizer.param_groups]
    got = [len(g["params"]) for g in groups]
    if sizes != got:
        raise ArgumentError(
            f"{owner}.load_state_dict: the optimizer has groups of {sizes} parameters, the state has {got}"
        )
    # Whoever counts alike may share a count again; it is a matter of speed only.
    state: defaultdict[Tensor, dict[str, Tensor]] = defaultdict(dict)
    for index, (group, loaded) in enumerate(zip(optimizer.param_groups, groups, strict=True)):
        clocks: dict[Any, Tensor] = {}
        for p, position in zip(group["params"], loaded["params"], strict=True):
            entry = given["state"].get(position, given["state"].get(str(position)))
            if entry:
                where = f"{owner}.load_state_dict: the state of parameter {position} (group {index})"
                state[p] = _read_entry(optimizer, p, entry, clocks, where)
    return state, [_options(optimizer.param_groups[i], g) for i, g in enumerate(groups)]


def _numbered(optimizer: Stateful) -> Iterator[tuple[dict[str, Any], list[int]]]:
    start = 0
    for group in optimizer.param_groups:
        count = len(group["params"])
        yield group, list(range(start, start + count))
        start += count


def _options(group: dict[str, Any], loaded: Mapping[str, Any]) -> dict[str, Any]:
    """What a group takes over. Pairs that went through a format without tuples become tuples again."""
    taken = {
        key: tuple(value) if isinstance(group.get(key), tuple) else value
        for key, value in loaded.items()
        if key != "params"
    }
    return plain(taken)


def _read_entry(
    optimizer: Stateful, p: Tensor, entry: Mapping[str, Any], clocks: dict[Any, Tensor], where: str
) -> dict[str, Tensor]:
    made: dict[str, Tensor] = {}
    for name, value in entry.items():
        if name == "step":
            continue
        if name not in optimizer.state_names:
            raise ArgumentError(f"{where} has {name!r}, which {type(optimizer).__name__} does not keep")
        if value is None:
            continue
        tensor = as_tensor(value, dtype=p.dtype).detach()
        if tensor.shape != p.shape:
            raise ShapeError(f"{where}: {name!r} must have shape {p.shape}, got {tensor.shape}")
        made[name] = tensor.to(device=p.device, copy=True)
    count = optimizer.count_of(entry, made)
    if count is not None:
        key = p.device, p.dtype, count
        if key not in clocks:
            clocks[key] = new_tensor(p.device.backend.full((), count, float64), p.device)
        made["step"] = clocks[key]
    return made
