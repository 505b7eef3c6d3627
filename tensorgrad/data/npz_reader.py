"""Tables from NumPy archives (.npz)."""

from __future__ import annotations

from os import PathLike, fspath
from typing import Any
from zipfile import BadZipFile

import numpy as np

from tensorgrad.data.table import Array, Table, Task
from tensorgrad.data.targets import check_task, encode_classes, infer_task
from tensorgrad.errors import FormatError

__all__ = ["read_npz"]

_PAIRS = (("x", "y"), ("X", "y"), ("inputs", "targets"))


def read_npz(path: str | PathLike[str], task: Task | None = None) -> Table:
    """The arrays `x` and `y` of a NumPy archive; also taken: `X` and `y`, `inputs` and `targets`.

    Inputs of shape (n, ...) are flattened to (n, features). The second array may be missing. One-dimensional
    targets are labels where they are strings or `infer_task` says so, unless `task` decides; others are
    numbers to predict.

    Raises: FileNotFoundError; FormatError for a file that is not such an archive, pickled objects, missing
    keys (the keys found are listed), lengths that differ, or numbers that are not finite.
    """
    check_task(task)
    arrays = _load(fspath(path))
    inputs, targets = _pair(arrays, fspath(path))
    matrix = _numbers(inputs.reshape(len(inputs), -1), f"{fspath(path)}: inputs")
    names = tuple(f"x_{i}" for i in range(matrix.shape[1]))
    alike = inputs.ndim > 2
    if targets is None:
        return Table(matrix, None, None, names, columns=names, alike=alike)
    encoded, classes = _encode(targets, task, fspath(path))
    task = "classification" if classes else "regression"
    return Table(matrix, encoded, task, names, classes, columns=(*names, "target"), alike=alike)


def _load(path: str) -> dict[str, Array]:
    try:
        archive = np.load(path, allow_pickle=False)
        if isinstance(archive, np.lib.npyio.NpzFile):
            with archive:
                return {key: _member(archive, key, path) for key in archive.files}
        problem = "it holds a single array"
    except FormatError:
        raise
    except (ValueError, BadZipFile, EOFError) as error:
        problem = str(error)
    raise FormatError(
        f"read_npz: {path} is not a NumPy archive of named, unpickled arrays ({problem}); "
        "write it with np.savez(path, x=inputs, y=labels)"
    )


def _member(archive: Any, key: str, path: str) -> Array:
    try:
        array: Array = archive[key]
    except ValueError as error:
        if "Object arrays" not in str(error):
            raise
        kind = "float" if key in {x for x, _ in _PAIRS} else "str"
        raise FormatError(
            f"read_npz: {path}: {key} has dtype object; use {key}.astype({kind}) before np.savez"
        ) from error
    return array


def _pair(arrays: dict[str, Array], path: str) -> tuple[Array, Array | None]:
    for x, y in _PAIRS:
        if x in arrays:
            inputs, targets = arrays[x], arrays.get(y)
            break
    else:
        raise FormatError(
            f"read_npz: {path} needs the keys x and y (or X and y, inputs and targets); "
            f"found {', '.join(sorted(arrays)) or 'none'}"
        )
    if inputs.ndim < 2 or inputs.size == 0:
        raise FormatError(f"read_npz: {path}: inputs must have shape (samples, features), got {inputs.shape}")
    if targets is not None and (targets.ndim == 0 or len(targets) != len(inputs)):
        raise FormatError(
            f"read_npz: {path}: inputs and targets must have one entry per sample, "
            f"got shapes {inputs.shape} and {targets.shape}"
        )
    return inputs, targets


def _numbers(array: Array, name: str) -> Array:
    if array.dtype.kind not in "biuf":
        raise FormatError(f"read_npz: {name} must be numbers, got dtype {array.dtype}")
    numbers: Array = array.astype(np.float64)
    finite = np.isfinite(numbers)
    if not finite.all():
        position = tuple(int(i) for i in np.argwhere(~finite)[0])
        raise FormatError(f"read_npz: {name} must be finite, got {numbers[position]} at position {position}")
    return numbers


def _encode(targets: Array, task: Task | None, path: str) -> tuple[Array, tuple[str, ...]]:
    flat = targets.reshape(-1) if targets.size == len(targets) else targets
    if flat.dtype.kind in "US":
        if task == "regression":
            raise FormatError(
                f"read_npz: {path}: the target is text: use --task classification (task='classification' in Python)"
            )
        if flat.ndim != 1:
            raise FormatError(
                f"read_npz: {path}: text targets must be class names of shape (samples,), got {flat.shape}"
            )
        return encode_classes(flat.astype(str))
    numbers = _numbers(flat, f"{path}: targets")
    if numbers.ndim != 1 and task == "classification":
        raise FormatError(
            f"read_npz: {path}: class labels must have shape (samples,), got {targets.shape}; use y.argmax(1)"
        )
    if numbers.ndim == 1 and (task or infer_task(numbers)) == "classification":
        return encode_classes(numbers)
    return numbers.reshape(len(numbers), -1), ()
