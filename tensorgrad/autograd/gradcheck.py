"""gradcheck and gradgradcheck: gradients against central finite differences, in float64.

By default every entry of the Jacobian is compared. `fast_mode` compares the dot products of the Jacobian with
random directions instead: two evaluations for each input and direction, whatever the sizes.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from typing import Any, TypeAlias

import numpy as np

from tensorgrad.arguments import hinted
from tensorgrad.autograd.backward import grad
from tensorgrad.autograd.variable import Tensor, Variable, new_tensor
from tensorgrad.backends import Device
from tensorgrad.dtypes import float64
from tensorgrad.errors import ArgumentError, DTypeError, GraphError

__all__ = ["gradcheck", "gradgradcheck"]

HostArray: TypeAlias = "np.ndarray[Any, Any]"  # values that were brought to the host to be compared there

_DIRECTIONS = 3


@hinted
def gradcheck(
    function: Callable[..., Any],
    inputs: Tensor | Sequence[Any],
    eps: float = 1e-6,
    atol: float = 1e-5,
    rtol: float = 1e-3,
    raise_exception: bool = True,
    fast_mode: bool = False,
) -> bool:
    """Whether the gradients of `function(*inputs)` are those that finite differences of step `eps` show.

    An entry is right where |analytic - numeric| <= atol + rtol * |numeric|. Inputs that require grad must be
    float64; the others, and things that are not Tensors, are passed on as they are. `function` returns a
    Tensor or a sequence of them and must be deterministic. A wrong entry is a GraphError that says which, or
    False without `raise_exception`.
    """
    return _Check("gradcheck", function, _listed(inputs), eps, atol, rtol).run(raise_exception, fast_mode)


@hinted
def gradgradcheck(
    function: Callable[..., Any],
    inputs: Tensor | Sequence[Any],
    grad_outputs: Tensor | Sequence[Tensor] | None = None,
    eps: float = 1e-6,
    atol: float = 1e-5,
    rtol: float = 1e-3,
    raise_exception: bool = True,
    fast_mode: bool = False,
) -> bool:
    """As `gradcheck`, of the gradients of `function`: by its inputs and by the gradients of its outputs.

    `grad_outputs`: the gradients of the outputs, where not random ones.
    """
    arguments = _listed(inputs)
    seeds = _random_seeds(function, arguments) if grad_outputs is None else _listed(grad_outputs)
    wanted = [i for i, t in enumerate(arguments) if isinstance(t, Variable) and t.requires_grad]

    def gradients(*both: Any) -> tuple[Tensor, ...]:
        given, outer = both[: len(arguments)], both[len(arguments) :]
        outputs = _differentiable(function(*given))
        found = grad(outputs, [given[i] for i in wanted], outer, create_graph=True, allow_unused=True)
        return tuple(g for g in found if g is not None)

    check = _Check("gradgradcheck", gradients, [*arguments, *seeds], eps, atol, rtol)
    return check.run(raise_exception, fast_mode)


class _Check:
    """One function at one point. Values are compared on the host; only the function runs on the device."""

    def __init__(
        self, name: str, function: Callable[..., Any], inputs: list[Any], eps: float, atol: float, rtol: float
    ) -> None:
        self.name, self.function, self.inputs = name, function, inputs
        self.eps, self.atol, self.rtol = eps, atol, rtol
        self.checked = [i for i, t in enumerate(inputs) if isinstance(t, Variable) and t.requires_grad]
        if not self.checked:
            raise ArgumentError(f"{name}: expected at least one input that requires grad, got none")
        for i in self.checked:
            if inputs[i].dtype != float64:
                raise DTypeError(
                    f"{name}: inputs that require grad must be float64, for finite differences to mean "
                    f"something; input {i} is {inputs[i].dtype}, convert it with .double()"
                )
        self.point = {i: _host(inputs[i]) for i in self.checked}

    def run(self, raise_exception: bool, fast: bool) -> bool:
        for complaint in self._along_directions() if fast else self._entry_by_entry():
            if raise_exception:
                raise GraphError(f"{self.name}: {complaint}")
            return False
        return True

    def _entry_by_entry(self) -> Iterator[str]:
        tensors, outputs = self._evaluate()
        for i in self.checked:
            numeric = self._numeric_jacobian(i, outputs)
            for k, output in enumerate(outputs):
                analytic = self._analytic_jacobian(output, tensors[i])
                right = np.abs(analytic - numeric[k]) <= self.atol + self.rtol * np.abs(numeric[k])
                for row, column in np.argwhere(~right)[:1]:
                    there = f"{_position(row, output.shape)} with respect to input {i} at "
                    there += f"{_position(column, tensors[i].shape)}"
                    yield (
                        f"the gradient of output {k} at {there} is {analytic[row, column]:.9g}, but finite "
                        f"differences give {numeric[k][row, column]:.9g} ({int((~right).sum())} of "
                        f"{right.size} entries are wrong)"
                    )

    def _along_directions(self) -> Iterator[str]:
        rng = np.random.default_rng(0)
        tensors, outputs = self._evaluate()
        for _ in range(_DIRECTIONS):
            weights = [np.asarray(rng.standard_normal(o.shape)) for o in outputs]
            gradients = self._gradients(outputs, [tensors[i] for i in self.checked], weights)
            for i, gradient in zip(self.checked, gradients, strict=True):
                direction = _random_direction(rng, gradient.shape)
                analytic = float(np.sum(gradient * direction))
                changes = self._differences(i, direction)
                numeric = float(sum(np.sum(d * w) for d, w in zip(changes, weights, strict=True)))
                if not abs(analytic - numeric) <= self.atol + self.rtol * abs(numeric):
                    yield (
                        f"along a random direction, the gradient with respect to input {i} (shape "
                        f"{gradient.shape}) is {analytic:.9g}, but finite differences give {numeric:.9g}; "
                        "fast_mode=False says where"
                    )

    def _numeric_jacobian(self, i: int, outputs: list[Any]) -> list[HostArray]:
        """For each output an array (its elements, the elements of input i)."""
        jacobians = [np.zeros((math.prod(o.shape), self.point[i].size)) for o in outputs]
        for column in range(self.point[i].size):
            direction = np.zeros(self.point[i].shape)
            direction.flat[column] = 1
            for jacobian, change in zip(jacobians, self._differences(i, direction), strict=True):
                jacobian[:, column] = change.reshape(-1)
        return jacobians

    def _analytic_jacobian(self, output: Any, tensor: Any) -> HostArray:
        jacobian = np.zeros((math.prod(output.shape), math.prod(tensor.shape)))
        for row in range(len(jacobian)):
            seed = np.zeros(output.shape)
            seed.flat[row] = 1
            jacobian[row] = self._gradients([output], [tensor], [seed])[0].reshape(-1)
        return jacobian

    def _gradients(self, outputs: list[Any], tensors: list[Any], seeds: list[HostArray]) -> list[HostArray]:
        """The analytic gradients on the host; outputs without a history have none to give."""
        tracked = [(o, _on_device(s, o.device)) for o, s in zip(outputs, seeds, strict=True) if o.requires_grad]
        if not tracked:
            return [np.zeros(t.shape) for t in tensors]
        roots, weights = [o for o, _ in tracked], [w for _, w in tracked]
        found = grad(roots, tensors, weights, retain_graph=True, allow_unused=True)
        return [np.zeros(t.shape) if g is None else _host(g) for t, g in zip(tensors, found, strict=True)]

    def _differences(self, i: int, direction: HostArray) -> list[HostArray]:
        """The derivative of every output along `direction` of input i."""
        ahead, behind = ([_host(o) for o in self._evaluate(i, sign * self.eps * direction)[1]] for sign in (1.0, -1.0))
        return [(a - b) / (2 * self.eps) for a, b in zip(ahead, behind, strict=True)]

    def _evaluate(self, moved: int | None = None, change: HostArray | None = None) -> tuple[list[Any], list[Any]]:
        """Fresh leaves at the point, input `moved` by `change`, and the outputs there."""
        tensors = list(self.inputs)
        for i, values in self.point.items():
            tensors[i] = _on_device(values + change if i == moved else values, self.inputs[i].device, True)
        return tensors, _floating(self.function(*tensors))


def _listed(x: Any) -> list[Any]:
    return [x] if isinstance(x, Variable) else list(x)


def _floating(outputs: Any) -> list[Any]:
    return [t for t in _listed(outputs) if isinstance(t, Variable) and t.dtype.kind == "f"]


def _differentiable(outputs: Any) -> list[Any]:
    return [t for t in _floating(outputs) if t.requires_grad]


def _host(t: Any) -> HostArray:
    return np.array(t.device.backend.to_numpy(t.array), dtype=np.float64)


def _on_device(values: HostArray | None, device: Device, requires_grad: bool = False) -> Tensor:
    array = device.backend.asarray(np.array(values), dtype=float64)
    return new_tensor(array, device, requires_grad)


def _random_seeds(function: Callable[..., Any], inputs: list[Any]) -> list[Tensor]:
    rng = np.random.default_rng(1)
    outputs = _differentiable(function(*inputs))
    if not outputs:
        raise ArgumentError("gradgradcheck: none of the outputs requires grad")
    return [_on_device(rng.standard_normal(o.shape), o.device, True) for o in outputs]


def _random_direction(rng: np.random.Generator, shape: tuple[int, ...]) -> HostArray:
    """A vector of length 1."""
    direction = np.asarray(rng.standard_normal(shape))
    return np.asarray(direction / max(float(np.sqrt(np.sum(direction**2))), 1e-300))


def _position(flat: int, shape: tuple[int, ...]) -> tuple[int, ...]:
    return tuple(int(i) for i in np.unravel_index(flat, shape)) if shape else ()
