"""What a data set is here: a length, and the power to hand out many of its samples in one gather."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypeGuard, TypeVar

import numpy as np

from tensorgrad.autograd.tape import apply
from tensorgrad.backends import Device, get_default_device
from tensorgrad.creation import as_tensor
from tensorgrad.dtypes import how_to_make_one, type_name
from tensorgrad.errors import ArgumentError, BoundsError, DeviceError, DTypeError, ShapeError
from tensorgrad.functional.joining import stack
from tensorgrad.ops import index as I
from tensorgrad.tensor import Tensor

__all__ = ["Dataset", "Subset", "TensorDataset", "as_dataset", "gather_within", "has_bare_samples", "is_dataset"]

Index = int | slice | Sequence[int] | Tensor
D = TypeVar("D", bound="Dataset")


class Dataset:
    """Samples by number. A subclass defines `__len__` and `__getitem__`, and `gather` where it can do better.

    A sample is a tensor, an array or a number, or a tuple of these, one for each field: all samples alike.
    """

    @property
    def device(self) -> Device:
        """Where batches are wanted; the default device."""
        return get_default_device()

    def __len__(self) -> int:
        raise NotImplementedError(f"{type(self).__name__}: define __len__(self), the number of samples")

    def __getitem__(self, index: Any) -> Any:
        raise NotImplementedError(f"{type(self).__name__}: define __getitem__(self, index), one sample")

    def gather(self, indices: Tensor) -> tuple[Tensor, ...]:
        """The samples at `indices` (int64, shape (k,)), stacked: one tensor of shape (k, ...) for each field.

        Here they are asked for one by one. Raises ArgumentError for samples with different numbers of fields.
        """
        return _stacked([self[i] for i in indices.tolist()], self.device)


class _Indexed(Dataset):
    """Samples that something else holds: a list, or any object with `__len__` and `__getitem__`."""

    def __init__(self, samples: Any) -> None:
        self.samples = samples

    def __len__(self) -> int:
        return len(self.samples)

    def __getitem__(self, index: Any) -> Any:
        return self.samples[index]

    def __repr__(self) -> str:
        return f"{len(self)} samples of a {type(self.samples).__name__}"


class TensorDataset(Dataset):
    """Tensors whose first dimension counts the samples: sample i is `(tensors[0][i], tensors[1][i], ...)`.

    `dataset[i]`, `dataset[2:5]` and `dataset[[3, 1]]` give tuples of tensors, indexed as the tensors are.

    Raises: ArgumentError for no tensors, DTypeError for something else than a Tensor, ShapeError for 0-d
    tensors or different lengths, DeviceError for tensors on different devices.
    """

    def __init__(self, *tensors: Tensor) -> None:
        _check_fields(tensors)
        self.tensors = tensors

    @property
    def device(self) -> Device:
        """Where the tensors lie."""
        return self.tensors[0].device

    def __len__(self) -> int:
        return self.tensors[0].shape[0]

    def __getitem__(self, index: Index) -> tuple[Tensor, ...]:
        return tuple(tensor[index] for tensor in self.tensors)

    def gather(self, indices: Tensor) -> tuple[Tensor, ...]:
        """The samples at `indices` (int64, shape (k,)): one `index_select` for each tensor."""
        return tuple(tensor.index_select(0, indices) for tensor in self.tensors)

    def to(self, device: str | Device) -> TensorDataset:
        """The same samples on another device."""
        return TensorDataset(*(tensor.to(device) for tensor in self.tensors))

    def __repr__(self) -> str:
        fields = ", ".join(f"{tensor.dtype}{list(tensor.shape)}" for tensor in self.tensors)
        return f"TensorDataset({fields})"


class _Rows(TensorDataset):
    """The rows of one Tensor: a sample is a tensor, no tuple."""


class Subset(Dataset):
    """The samples of `dataset` at `indices` (int64, any order), without copying them.

    `dataset` is whatever a DataLoader takes. Raises: BoundsError for an index outside `[0, len(dataset))`, ShapeError
    for indices that are not one-dimensional.
    """

    _checked: tuple[Tensor, int, int] | None = None  # the indices, their version then, and below what they all lie

    def __init__(self, dataset: Any, indices: Sequence[int] | Tensor) -> None:
        self.dataset = as_dataset("Subset", dataset)
        self.indices = _checked_indices(indices, self.dataset)
        self._checked = self.indices, self.indices.version[0], len(self.dataset)

    @property
    def device(self) -> Device:
        """Where the tensors lie."""
        return self.dataset.device

    @property
    def tensors(self) -> tuple[Tensor, ...]:
        """The samples of this subset, gathered into new tensors."""
        return self.dataset.gather(self.indices)

    def __len__(self) -> int:
        return self.indices.shape[0]

    def __getitem__(self, index: Index) -> tuple[Tensor, ...]:
        if isinstance(index, int):
            (single,) = (self.indices[index].reshape(1),)
            return tuple(field[0] for field in self.dataset.gather(single))
        return self.dataset.gather(self.indices[index])

    def gather(self, indices: Tensor) -> tuple[Tensor, ...]:
        """The samples at `indices`, counted within this subset."""
        return self.dataset.gather(self.indices.index_select(0, indices))

    def _bound(self) -> int | None:
        """The number below which all `indices` are known to lie; None where they are not those that were checked."""
        if self._checked is None:
            return None
        indices, version, bound = self._checked
        return bound if self.indices is indices and indices.version[0] == version else None

    def to(self, device: str | Device) -> TensorDataset:
        """The samples of this subset on another device."""
        return TensorDataset(*(tensor.to(device) for tensor in self.tensors))

    def __repr__(self) -> str:
        return f"Subset({len(self)} of {self.dataset!r})"


def gather_within(dataset: Dataset, indices: Tensor, count: int) -> tuple[Tensor, ...]:
    """`dataset.gather(indices)` for indices (int64) that are known to lie in [0, count): they are not checked again
    where that is enough to know of them. A `gather` of a data set's own is called as it is.
    """
    if _gathers_as(dataset, TensorDataset) and all(tensor.shape[0] >= count for tensor in dataset.tensors):
        return tuple(_taken(tensor, indices) for tensor in dataset.tensors)
    if _gathers_as(dataset, Subset) and len(dataset.indices) >= count:
        bound = dataset._bound()
        if bound is not None:
            return gather_within(dataset.dataset, _taken(dataset.indices, indices), bound)
    return dataset.gather(indices)


def has_bare_samples(dataset: Dataset) -> bool:
    """Whether a sample is a tensor, an array or a number, and no tuple of fields. It may ask for the first one."""
    while isinstance(dataset, Subset):
        dataset = dataset.dataset
    if isinstance(dataset, TensorDataset):
        return isinstance(dataset, _Rows)
    return not isinstance(dataset[0], (tuple, list))


def _gathers_as(dataset: Dataset, kind: type[D]) -> TypeGuard[D]:
    """Whether `dataset.gather` is that of `kind`, overridden nowhere."""
    return getattr(dataset.gather, "__func__", None) is kind.gather


def _taken(tensor: Tensor, indices: Tensor) -> Tensor:
    taken: Tensor = apply(I.take, tensor, indices, axis=0)
    return taken


def is_dataset(given: Any) -> TypeGuard[Dataset]:
    """Whether `given` is a Dataset, or an object of its own kind that can do what a Dataset can."""
    return isinstance(given, Dataset) or (
        not isinstance(given, Tensor) and all(hasattr(given, name) for name in ("__len__", "gather", "device"))
    )


def as_dataset(owner: str, given: Any) -> Dataset:
    """`given` as a Dataset: itself if it is one, a Tensor as the only field, a Table by its `dataset()`, anything else
    by its `__getitem__`.

    Raises DTypeError, in the name of `owner`, for what has no samples by number, and for tuples of tensors or arrays.
    """
    if is_dataset(given):
        return given
    if isinstance(given, Tensor):
        return _Rows(given)
    if isinstance(given, tuple):
        _refuse_fields(owner, given)
    if callable(getattr(given, "dataset", None)):  # a Table, of which this module must not know
        return as_dataset(owner, given.dataset())
    numbered = hasattr(given, "__len__") and hasattr(given, "__getitem__")
    if isinstance(given, (Mapping, str)) or not numbered:
        raise DTypeError(
            f"{owner}: the data set must have `__len__` and, for one sample, `__getitem__`, got "
            f"{type_name(given)}; wrap tensors in tg.data.TensorDataset(inputs, labels)"
        )
    return _Indexed(given)


def _refuse_fields(owner: str, given: tuple[Any, ...]) -> None:
    """Raise DTypeError for `(inputs, labels)`, which would else pass for a data set of two samples."""
    if any(isinstance(field, Tensor) for field in given):
        raise DTypeError(f"{owner}: got a tuple of tensors; wrap them: TensorDataset(X, y)")
    if any(isinstance(field, np.ndarray) for field in given):
        raise DTypeError(f"{owner}: got a tuple of arrays; wrap them: TensorDataset(tg.tensor(X), tg.tensor(y))")


def _stacked(samples: list[Any], device: Device) -> tuple[Tensor, ...]:
    rows = [sample if isinstance(sample, tuple | list) else (sample,) for sample in samples]
    counts = {len(row) for row in rows}
    if len(counts) > 1:
        raise ArgumentError(f"gather: all samples of a data set must have as many fields, got {sorted(counts)}")
    return tuple(_stacked_field(field, device) for field in zip(*rows, strict=True))


def _stacked_field(values: tuple[Any, ...], device: Device) -> Tensor:
    if isinstance(values[0], Tensor):
        return stack([value.to(device) for value in values])
    if isinstance(values[0], float) and not isinstance(values[0], np.generic):
        return as_tensor(values, dtype="float64", device=device)  # as PyTorch does: they have that precision
    return as_tensor(np.stack(values) if isinstance(values[0], np.ndarray) else list(values), device=device)


def _check_fields(tensors: tuple[Tensor, ...]) -> None:
    if not tensors:
        raise ArgumentError("TensorDataset: needs at least one tensor, got none; pass inputs, then labels")
    for position, tensor in enumerate(tensors):
        if not isinstance(tensor, Tensor):
            raise DTypeError(
                f"TensorDataset: argument {position} must be a Tensor, got {type_name(tensor)}; "
                f"{how_to_make_one(tensor)}"
            )
        if tensor.ndim == 0:
            raise ShapeError(f"TensorDataset: tensor {position} is 0-d; its first dimension must count the samples")
        if tensor.shape[0] != tensors[0].shape[0]:
            raise ShapeError(
                "TensorDataset: all tensors must have the same first dimension, got shapes "
                f"{', '.join(str(t.shape) for t in tensors)}; every sample needs its part in each of them"
            )
        if tensor.device is not tensors[0].device:
            raise DeviceError(
                f"TensorDataset: tensor {position} is on {tensor.device}, tensor 0 on {tensors[0].device}; "
                "move them to one device with .to(device)"
            )


def _checked_indices(indices: Sequence[int] | Tensor, dataset: Dataset) -> Tensor:
    checked = as_tensor(indices, device=dataset.device)
    if checked.ndim != 1:
        raise ShapeError(f"Subset: indices must have one dimension, got shape {checked.shape}")
    if checked.shape[0] == 0:
        return as_tensor([], dtype="int64", device=dataset.device)
    if checked.dtype.kind != "i":
        raise DTypeError(f"Subset: indices must be integers, got {checked.dtype}; use `.nonzero()` on a mask first")
    least, most = int(checked.min().item()), int(checked.max().item())
    if least < 0 or most >= len(dataset):
        raise BoundsError(
            f"Subset: indices must be in [0, {len(dataset)}), got values from {least} to {most}; "
            "they count the samples of the data set"
        )
    return checked.long()
