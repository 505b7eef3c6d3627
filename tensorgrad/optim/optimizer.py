"""Optimizer: parameter groups, lazily made state, and one backend call for all that are stepped together."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from typing import Any, ClassVar, TypeAlias

from tensorgrad.arguments import hint_making
from tensorgrad.autograd.modes import enable_grad, no_grad
from tensorgrad.autograd.variable import new_tensor
from tensorgrad.backends import Device
from tensorgrad.backends.primitives.optimizer_rules import Rule
from tensorgrad.dtypes import float64
from tensorgrad.errors import ArgumentError, DeviceError, DTypeError, ShapeError, TensorgradError
from tensorgrad.nn.parameter import zero_gradient
from tensorgrad.optim.bucket import Bucket, Roster
from tensorgrad.optim.options import SYNONYMS, check_group_options, checked_parameter, checked_rate, plain
from tensorgrad.optim.state import dump_state, read_state
from tensorgrad.tensor import Tensor

__all__ = ["Optimizer", "Parameters"]

Group: TypeAlias = dict[str, Any]
Parameters: TypeAlias = Iterable[Tensor] | Iterable[tuple[str, Tensor]] | Iterable[Group]


class Optimizer:
    """Base class of the optimizers, with PyTorch's interface.

    `params`: tensors, (name, tensor) pairs, or groups: dicts with "params" and options that differ from
    `defaults`. `param_groups` is a list of such dicts; an option changed there holds from the next step on.
    `state` maps each parameter to its state, made at its first step. Parameters without a gradient are passed
    over.

    The step count is a device scalar that all parameters of a group share as long as they are stepped
    together: each set of parameters that share one goes to the backend in one call. Where only some of them
    have a gradient, these go on with a copy of it, so that every parameter's count is its own, as in PyTorch.

    A subclass names its `rule`, checks its options in `_check`, says in `_wanted` which state they call for, and maps
    in `_options` those that the rule calls otherwise.
    """

    rule: ClassVar[Rule]

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        hint_making(cls, SYNONYMS)

    def __init__(self, params: Parameters, defaults: dict[str, Any]) -> None:
        self.defaults = defaults
        self.param_groups: list[Group] = []
        self.state: defaultdict[Tensor, dict[str, Tensor]] = defaultdict(dict)
        self._rates: dict[tuple[int, Device], tuple[float, Any]] = {}
        self._rosters: dict[int, Roster] = {}
        self._name = type(self).__name__
        for group in _as_groups(self._name, params):
            self.add_param_group(group)

    # ------------------------------------------------------------------ what a subclass supplies
    def _check(self, group: Group) -> None:
        """Raise ArgumentError for options outside their values."""

    def _wanted(self, group: Group) -> tuple[str, ...]:
        """The names of the state that the options of `group` call for."""
        return self.state_names

    def _start(self, parameter: Tensor, group: Group, name: str) -> float:
        """The value with which the state called `name` begins."""
        return 0.0

    def _options(self, group: Group) -> dict[str, Any]:
        """The options of the rule, by its names."""
        return {name: group[name] for name in self.rule.options}

    @property
    def state_names(self) -> tuple[str, ...]:
        """What may be kept for each parameter."""
        return self.rule.state

    def exported(self, state: dict[str, Tensor]) -> dict[str, Tensor]:
        """What of one parameter's state `state_dict` shows."""
        return dict(state)

    def count_of(self, entry: Mapping[str, Any], state: dict[str, Tensor]) -> float | None:
        """The step count of one parameter's loaded state: `entry` as it was given, `state` as it was read."""
        if "step" not in entry:
            raise ArgumentError(f"{self._name}.load_state_dict: the state of a parameter has no 'step'")
        return float(entry["step"])

    # ------------------------------------------------------------------ groups
    def add_param_group(self, param_group: Group) -> None:
        """Add a group: a dict with "params" and the options that differ from the defaults.

        Raises DTypeError for parameters that are not floating Tensors and for what looks like an option misspelt (other
        keys are the caller's own, such as "name"), GraphError for results of operations, and ArgumentError for options
        outside their values and for a parameter that is there already.
        """
        if not isinstance(param_group, dict) or "params" not in param_group:
            raise ArgumentError(f"{self._name}: a parameter group is a dict with the key 'params', got {param_group!r}")
        check_group_options(self._name, ("params", "param_names", *self.defaults), param_group)
        names, params = _named(self._name, param_group["params"])
        group = {**plain(self.defaults), **plain(param_group), "params": params}
        if names:
            group["param_names"] = names
        index = len(self.param_groups)
        known = {id(p) for g in self.param_groups for p in g["params"]}
        for i, p in enumerate(params):
            what = self._describe(group, index, i)
            checked_parameter(self._name, what, p)
            if id(p) in known:
                raise ArgumentError(f"{self._name}: {what} is there already; each parameter may be given once")
            known.add(id(p))
        group["lr"] = checked_rate(self._name, group["lr"])
        self._check(group)
        self.param_groups.append(group)

    def zero_grad(self, set_to_none: bool = True) -> None:
        """Forget the gradients, or fill them with zeros in place: they stay the same tensors."""
        for group in self.param_groups:
            for p in group["params"]:
                if set_to_none:
                    p.grad = None
                else:
                    zero_gradient(p)

    # ------------------------------------------------------------------ stepping
    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """Change every parameter that has a gradient, in place. Returns what `closure`, called first,
        returned.

        Raises ShapeError, DTypeError or DeviceError where a gradient is not like its parameter, or where a
        parameter was moved after its state was made; then no parameter of its group was changed.

        On CUDA, from the failure of a check on the device (of a label, an index, a probability, a norm) until the host
        raises its error, a step changes nothing.
        """
        loss = None
        if closure is not None:
            with enable_grad():
                loss = closure()
        writer = f"{self._name}.step"
        with no_grad():
            self.mirror_rates()
            for index, group in enumerate(self.param_groups):
                for bucket in self._stepped(index, group):
                    self._apply(bucket, group, self._rate(index, bucket.device))
                    bucket.note_write(writer)
        return loss

    def _apply(self, bucket: Bucket, group: Group, lr: Any) -> None:
        """Call the primitive of the rule for all parameters of the bucket."""
        wanted, rule = self._wanted(group), self.rule
        state = [bucket.column(name) if name in wanted else None for name in rule.state]
        step = getattr(bucket.device.backend, rule.primitive)
        step(bucket.params, bucket.grads, *state, lr, bucket.step.array, **self._options(group))

    def mirror_rates(self) -> None:
        """Feed each group's lr to its slots on the devices, where it changed: before a step, or a replay of one."""
        rates = [checked_rate(self._name, group["lr"]) for group in self.param_groups]
        for (index, device), (have, slot) in self._rates.items():
            if index < len(rates) and have != rates[index]:
                device.backend.feed(slot, rates[index])
                self._rates[index, device] = rates[index], slot

    def _rate(self, index: int, device: Device) -> Any:
        """The slot on `device` that holds the lr of group `index`."""
        found = self._rates.get((index, device))
        if found is None:
            rate = checked_rate(self._name, self.param_groups[index]["lr"])
            found = self._rates[index, device] = rate, device.backend.full((), rate, float64)
        return found[1]

    def _stepped(self, index: int, group: Group) -> list[Bucket]:
        """The parameters of `group` that have a gradient, by the step count they share; checked, if not as before."""
        wanted, roster = self._wanted(group), self._rosters.get(index)
        if roster is None or not roster.renew(group["params"], self.state, wanted):
            self._rosters.pop(index, None)
            buckets = self._buckets(index, group, wanted)
            roster = self._rosters[index] = Roster(group["params"], self.state, wanted, buckets)
        return roster.buckets

    def _buckets(self, index: int, group: Group, wanted: tuple[str, ...]) -> list[Bucket]:
        buckets: dict[Any, Bucket] = {}
        fresh: dict[Any, Tensor] = {}
        idle: set[int] = set()
        for i, p in enumerate(group["params"]):
            state = self.state.get(p)
            if p.grad is None:
                if state:
                    idle.add(id(state.get("step")))
                continue
            if state is None or not self._complete(state, wanted):
                state = self._begin(p, group, wanted, fresh)
            self._check_match(p, state, wanted, index, i)
            key = id(state["step"]), p.dtype
            if key not in buckets:
                buckets[key] = Bucket(p.device, state["step"])
            buckets[key].append(p, state)
        for bucket in buckets.values():
            if id(bucket.step) in idle:
                bucket.split_off()
        return list(buckets.values())

    def _complete(self, state: dict[str, Tensor], wanted: tuple[str, ...]) -> bool:
        return "step" in state and all(name in state for name in wanted)

    def _begin(self, p: Tensor, group: Group, wanted: tuple[str, ...], fresh: dict[Any, Tensor]) -> dict[str, Tensor]:
        """Make what is missing of the state of `p`. Those that begin in the same step share a count."""
        state, backend = self.state[p], p.device.backend
        for name in wanted:
            if name not in state:
                value = self._start(p, group, name)
                state[name] = new_tensor(backend.full(p.shape, value, p.dtype), p.device)
        if "step" not in state:
            key = p.device, p.dtype
            if key not in fresh:
                fresh[key] = new_tensor(backend.full((), 0.0, float64), p.device)
            state["step"] = fresh[key]
        return state

    def _check_match(self, p: Tensor, state: dict[str, Tensor], wanted: tuple[str, ...], index: int, i: int) -> None:
        gradient: Any = p.grad
        kept = state[wanted[0]] if wanted else p
        error = _difference(p, gradient) or _difference(p, kept)
        if error is None:
            return
        what = f"{self._name}: {self._describe(self.param_groups[index], index, i)} is {_likeness(p)}"
        if _difference(p, gradient):
            raise error(f"{what}, but its gradient is {_likeness(gradient)}; they must be alike")
        raise error(
            f"{what}, but its state was made for {_likeness(kept)}; "
            "make the optimizer after the model was moved or converted"
        )

    def _describe(self, group: Group, index: int, i: int) -> str:
        names = group.get("param_names")
        return f"parameter {names[i]!r}" if names else f"parameter {i} of group {index}"

    # ------------------------------------------------------------------ state and text
    def state_dict(self) -> dict[str, Any]:
        """{"state": {position: {name: tensor}}, "param_groups": [options and positions]}, as in PyTorch.

        Positions count the parameters of all groups in order. Tensors are the optimizer's own, not copies.
        """
        return dump_state(self)

    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        """Take over what `state_dict` gave, of this or of PyTorch's optimizer of the same name, as a copy.

        Tensors are converted to the device and dtype of their parameter. Raises ArgumentError where groups or
        their sizes differ, where the state is another optimizer's or an option is outside its values, and
        ShapeError for state of another shape; then nothing was changed.
        """
        state, options = read_state(self, state_dict)
        for group, loaded in zip(self.param_groups, options, strict=True):
            loaded["lr"] = checked_rate(self._name, loaded.get("lr", group["lr"]))
            self._check({**group, **loaded})
        self.state = state
        for group, loaded in zip(self.param_groups, options, strict=True):
            group.update(loaded)

    def __repr__(self) -> str:
        lines = [f"{self._name} ("]
        for i, group in enumerate(self.param_groups):
            lines.append(f"Parameter Group {i}")
            lines += [f"    {k}: {group[k]}" for k in sorted(group) if k not in ("params", "param_names")]
        return "\n".join([*lines, ")"])


def _difference(p: Tensor, other: Tensor) -> type[TensorgradError] | None:
    """The error to raise where `other` is not like `p`, or None where it is."""
    mine, its = p.array, other.array
    if other.device is not p.device:
        return DeviceError
    if its.dtype != mine.dtype:
        return DTypeError
    return ShapeError if its.shape != mine.shape else None


def _likeness(t: Tensor) -> str:
    return f"{t.dtype} on {t.device}, of shape {t.shape}"


def _as_groups(owner: str, params: Any) -> list[Group]:
    if isinstance(params, Tensor):
        raise ArgumentError(f"{owner}: expected a list of tensors, got one Tensor; pass [tensor]")
    if isinstance(params, Mapping):
        raise ArgumentError(f"{owner}: expected a list of groups, got one dict; pass [group]")
    try:
        listed = list(params)
    except TypeError:
        raise ArgumentError(
            f"{owner}: expected parameters or groups, got {type(params).__name__}; pass model.parameters()"
        ) from None
    if not listed:
        raise ArgumentError(
            f"{owner}: got no parameters; was a generator used up, or has the model none? "
            "layers in a plain list? use nn.ModuleList"
        )
    return listed if isinstance(listed[0], dict) else [{"params": listed}]


def _named(owner: str, params: Any) -> tuple[list[str], list[Any]]:
    """The names, if (name, tensor) pairs were given, and the tensors."""
    if isinstance(params, set):
        raise ArgumentError(f"{owner}: parameters need an order, which a set has not; pass a list")
    listed: list[Any] = [params] if isinstance(params, Tensor) else list(params)
    if not any(isinstance(p, tuple) for p in listed):
        return [], listed
    if not all(isinstance(p, tuple) and len(p) == 2 for p in listed):
        raise ArgumentError(f"{owner}: either all parameters come as (name, tensor) pairs, or none")
    return [pair[0] for pair in listed], [pair[1] for pair in listed]
