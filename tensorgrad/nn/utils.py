"""What is done to all parameters of a model at once: clipping gradients, and one long vector."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from tensorgrad.arguments import hinted
from tensorgrad.autograd.inplace import mark_written
from tensorgrad.autograd.modes import no_grad
from tensorgrad.autograd.variable import new_tensor
from tensorgrad.backends import Device
from tensorgrad.creation import zeros
from tensorgrad.dtypes import float64, type_name
from tensorgrad.errors import ArgumentError, DeviceError, DTypeError, ShapeError
from tensorgrad.functional.joining import cat
from tensorgrad.names import listing
from tensorgrad.tensor import Tensor

__all__ = [
    "clip_grad_norm_",
    "clip_grad_value_",
    "get_total_norm",
    "measure_gradients",
    "parameters_to_vector",
    "vector_to_parameters",
]

if not TYPE_CHECKING:
    __getattr__, __dir__ = listing(__name__, __all__)


@hinted
def clip_grad_norm_(
    parameters: Tensor | Iterable[Tensor],
    max_norm: float,
    norm_type: float = 2.0,
    error_if_nonfinite: bool = False,
    foreach: bool | None = None,
) -> Tensor:
    """Scale the gradients in place by min(1, max_norm / (norm + 1e-6)); return the norm they had, a 0-d
    tensor.

    The norm is that of all gradients together as one vector, kept in float64 and returned in the dtype of the first;
    `norm_type` is a positive number or infinity. Parameters without a gradient are passed over. Raises DeviceError for
    gradients on different devices. Nothing is read back to the host. `foreach` is accepted for PyTorch programs and
    changes nothing.

    A norm that is nan or infinite spoils the gradients. With `error_if_nonfinite` it leaves them as they are, and is a
    NonFiniteError (an ArgumentError, and as in PyTorch a RuntimeError): on the CPU at once, on CUDA at the next wait
    for the device (`.item()`, `.cpu()`, `.tolist()`, `tg.cuda.synchronize()`). Until it is raised, `optimizer.step()`
    on that device changes neither parameters nor state nor step count: the steps between this call and the wait are
    lost, nothing else is. What the host counts, as the steps of a schedule, has gone on. Writing into parameters
    without an optimizer (`p -= lr * p.grad`) is not held back: to be safe, read the returned norm with `.item()`
    before, which raises the error on every device.
    """
    norm_type = _checked_norm_type("clip_grad_norm_", norm_type)
    if not max_norm >= 0:
        raise ArgumentError(f"clip_grad_norm_: max_norm must not be negative, got {max_norm}")
    grads = _gradients("clip_grad_norm_", parameters)
    if not grads:
        return zeros(())
    place, arrays = _one_device("clip_grad_norm_", grads), [g.array for g in grads]
    total = place.backend.clip_grads_by_norm(arrays, float(max_norm), norm_type, if_finite=error_if_nonfinite)
    if error_if_nonfinite:
        _check_finite("clip_grad_norm_", total, place)
    _note_writes(grads, "clip_grad_norm_")
    return _as_norm(total, grads)


@hinted
def clip_grad_value_(parameters: Tensor | Iterable[Tensor], clip_value: float, foreach: bool | None = None) -> None:
    """Clamp every element of the gradients to [-clip_value, clip_value], in place. `foreach` changes nothing."""
    if not clip_value >= 0:
        raise ArgumentError(f"clip_grad_value_: clip_value must not be negative, got {clip_value}")
    grads = _gradients("clip_grad_value_", parameters)
    for place in dict.fromkeys(g.device for g in grads):
        mine = [g.array for g in grads if g.device is place]
        place.backend.clip_grads_by_value(mine, float(clip_value))
    _note_writes(grads, "clip_grad_value_")


@hinted
def get_total_norm(
    tensors: Tensor | Iterable[Tensor], norm_type: float = 2.0, error_if_nonfinite: bool = False
) -> Tensor:
    """The norm of all `tensors` together as one vector, a 0-d tensor; arguments and errors as for `clip_grad_norm_`."""
    norm_type = _checked_norm_type("get_total_norm", norm_type)
    listed = _listed("get_total_norm", tensors)
    if not listed:
        return zeros(())
    place = _one_device("get_total_norm", listed)
    total = _as_norm(place.backend.total_norm([t.array for t in listed], norm_type), listed)
    if error_if_nonfinite:
        _check_finite("get_total_norm", total.array, place)
    return total


def measure_gradients(parameters: Iterable[Tensor], max_norm: float | None = None) -> Tensor:
    """The norm of all gradients together, a 0-d float64 tensor, after which they are clipped to `max_norm`.

    It is nan or infinite where an element is, or where the squares sum to more than the dtype holds, and 0 where
    there are no gradients. Nothing is read back to the host. Raises DeviceError for gradients on different devices.
    """
    grads = _gradients("measure_gradients", parameters)
    if not grads:
        return zeros((), dtype=float64)
    place, arrays = _one_device("measure_gradients", grads), [g.array for g in grads]
    if max_norm is None:
        return new_tensor(place.backend.total_norm(arrays, 2.0), place)
    total = place.backend.clip_grads_by_norm(arrays, float(max_norm), 2.0)
    _note_writes(grads, "measure_gradients")
    return new_tensor(total, place)


def parameters_to_vector(parameters: Iterable[Tensor]) -> Tensor:
    """All elements of all parameters, one after another, as one vector; gradients flow through it."""
    return cat([p.reshape(-1) for p in parameters])


def vector_to_parameters(vec: Tensor, parameters: Iterable[Tensor]) -> None:
    """Copy a vector made by `parameters_to_vector` into the parameters. ShapeError for a wrong length."""
    listed = _listed("vector_to_parameters", parameters)
    sizes = [math.prod(p.shape) for p in listed]
    if vec.shape != (sum(sizes),):
        raise ShapeError(f"vector_to_parameters: expected shape ({sum(sizes)},), got {vec.shape}")
    start = 0
    with no_grad():
        for p, size in zip(listed, sizes, strict=True):
            p.copy_(vec[start : start + size].reshape(p.shape))
            start += size


def _listed(name: str, tensors: Tensor | Iterable[Tensor]) -> list[Tensor]:
    given: list[Any] = [tensors]
    if not isinstance(tensors, Tensor) and isinstance(tensors, Iterable):
        given = list(tensors)
    for t in given:
        if not isinstance(t, Tensor):
            raise DTypeError(f"{name}: expected Tensors, got {type_name(t)}; pass model.parameters()")
    return given


def _gradients(name: str, parameters: Tensor | Iterable[Tensor]) -> list[Tensor]:
    return [p.grad for p in _listed(name, parameters) if p.grad is not None]


def _checked_norm_type(name: str, norm_type: float) -> float:
    norm_type = float(norm_type)
    if not norm_type > 0:
        raise ArgumentError(f"{name}: norm_type must be positive or infinite, got {norm_type}")
    return norm_type


def _one_device(name: str, tensors: list[Tensor]) -> Device:
    places = list(dict.fromkeys(t.device for t in tensors))
    if len(places) > 1:
        raise DeviceError(
            f"{name}: all gradients must be on one device, got {', '.join(map(str, places))}; "
            "clip those of each device by themselves"
        )
    return places[0]


def _check_finite(name: str, norm: Any, place: Device) -> None:
    hint = (
        ", so they cannot be clipped; look for what made them so, or pass error_if_nonfinite=False to scale them all "
        "the same"
    )
    place.backend.check_finite(norm, what=f"{name}: the norm of the gradients", hint=hint)


def _as_norm(total: object, tensors: list[Tensor]) -> Tensor:
    first = tensors[0]
    return new_tensor(first.device.backend.astype(total, first.dtype), first.device)


def _note_writes(tensors: list[Tensor], writer: str) -> None:
    for t in tensors:
        mark_written(t, writer)
