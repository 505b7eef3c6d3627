"""Tables from NumPy archives (.npz)."""

from __future__ import annotations

from os import PathLike, fsdecode
from typing import Any

import numpy as np

from tensorgrad.arguments import hinted
from tensorgrad.data.archive import Archive, Header, opened
from tensorgrad.data.table import Array, Table, Task, listed
from tensorgrad.data.targets import check_task, encode_classes, infer_task
from tensorgrad.errors import FormatError

__all__ = ["read_npz"]

_PAIRS = (("x", "y"), ("X", "y"), ("inputs", "targets"))
_NUMBERS, _TEXT = "biuf", "US"
_LAST_CHARACTER = 0x10FFFF
_SURROGATES = 0xD800, 0xDFFF


@hinted
def read_npz(path: str | PathLike[str], task: Task | None = None) -> Table:
    """The arrays `x` and `y` of a NumPy archive; also taken: `X` and `y`, `inputs` and `targets`. Others are not read.

    Inputs of shape (n, ...) are flattened to (n, features). The second array may be missing. One-dimensional
    targets are labels where they are strings or `infer_task` says so, unless `task` decides; others are
    numbers to predict. Text in bytes is taken for UTF-8. Labels are told apart as the file has them.

    Raises: FileNotFoundError; FormatError for a file that is not such an archive or is damaged, an array that unpacks
    to far more than it takes in the file, pickled objects, missing keys (the keys found are listed), lengths that
    differ, numbers that are not finite, or numbers that float64 does not hold: integers that it would round, and
    what is beyond its range.
    """
    check_task(task)
    where = fsdecode(path)
    with opened(where) as archive:
        inputs, targets = _pair(archive)
    matrix = _numbers(inputs.reshape(len(inputs), -1), f"{where}: inputs")
    names = tuple(f"x_{i}" for i in range(matrix.shape[1]))
    alike = inputs.ndim > 2
    if targets is None:
        return Table(matrix, None, None, names, columns=names, alike=alike)
    encoded, classes = _encode(targets, task, where)
    task = "classification" if classes else "regression"
    return Table(matrix, encoded, task, names, classes, columns=(*names, "target"), alike=alike)


def _pair(archive: Archive) -> tuple[Array, Array | None]:
    """Inputs and targets, read when all that their headers say has been found to fit."""
    x, y = next((pair for pair in _PAIRS if pair[0] in archive.names), ("", ""))
    if not x:
        raise FormatError(
            f"read_npz: {archive.path} needs the keys x and y (or X and y, inputs and targets); "
            f"found {listed(archive.names) or 'none'}"
        )
    inputs = _header(archive, x, "inputs", _NUMBERS)
    targets = _header(archive, y, "targets", _NUMBERS + _TEXT) if y in archive.names else None
    _check_shapes(inputs.shape, None if targets is None else targets.shape, archive.path)
    return archive.read(x, inputs), None if targets is None else archive.read(y, targets)


def _header(archive: Archive, key: str, role: str, kinds: str) -> Header:
    header = archive.header(key)
    if header.dtype.kind == "O":
        kind = "float" if kinds == _NUMBERS else "str"
        raise FormatError(f"read_npz: {archive.path}: {key} has dtype object; use {key}.astype({kind}) before np.savez")
    if header.dtype.kind not in kinds:
        raise FormatError(
            f"read_npz: {archive.path}: {role} must be {'numbers' if kinds == _NUMBERS else 'numbers or text'}, "
            f"got dtype {header.dtype}"
        )
    return header


def _check_shapes(inputs: tuple[int, ...], targets: tuple[int, ...] | None, path: str) -> None:
    if len(inputs) < 2 or 0 in inputs:
        raise FormatError(f"read_npz: {path}: inputs must have shape (samples, features), got {inputs}")
    if targets is not None and targets[:1] != inputs[:1]:
        raise FormatError(
            f"read_npz: {path}: inputs and targets must have one entry per sample, got shapes {inputs} and {targets}"
        )


def _numbers(array: Array, name: str) -> Array:
    """The numbers in float64, each of them the one in the file to within that dtype's rounding of fractions."""
    finite = np.isfinite(array)
    if not finite.all():
        raise FormatError(f"read_npz: {name} must be finite, got {_first(array, ~finite)}")
    with np.errstate(over="ignore"):
        numbers: Array = array.astype(np.float64)
    beyond = ~np.isfinite(numbers)
    if beyond.any():
        raise FormatError(
            f"read_npz: {name}: float64 does not reach to {_first(array, beyond)}; scale them, or take logarithms"
        )
    if array.dtype.kind in "iu" and array.dtype.itemsize == numbers.dtype.itemsize:
        rounded = _rounded(array, numbers)
        if rounded.any():
            raise FormatError(
                f"read_npz: {name}: float64 would round {_first(array, rounded)}; subtract an offset, or divide, first"
            )
    return numbers


def _rounded(integers: Array, numbers: Array) -> Array:
    """Where `numbers`, the float64 of `integers`, differs from them: they cannot be cast back, or come back changed."""
    top = 2.0 ** (64 if integers.dtype.kind == "u" else 63)
    fits = numbers < top
    wrong: Array = ~fits | (np.where(fits, numbers, 0).astype(integers.dtype) != integers)
    return wrong


def _first(array: Array, where: Array) -> str:
    position = tuple(int(i) for i in np.argwhere(where)[0])
    return f"{array[position]!s} at position {position}"


def _encode(targets: Array, task: Task | None, path: str) -> tuple[Array, tuple[str, ...]]:
    flat = targets.reshape(-1) if targets.size == len(targets) else targets
    if flat.dtype.kind in _TEXT:
        if task == "regression":
            raise FormatError(
                f"read_npz: {path}: the target is text: use --task classification (task='classification' in Python)"
            )
        if flat.ndim != 1:
            raise FormatError(
                f"read_npz: {path}: text targets must be class names of shape (samples,), got {flat.shape}"
            )
        return encode_classes(_text(flat, path))
    if flat.ndim != 1 and task == "classification":
        raise FormatError(
            f"read_npz: {path}: class labels must have shape (samples,), got {targets.shape}; use y.argmax(1)"
        )
    if not np.isfinite(flat).all():
        _numbers(flat, f"{path}: targets")
    if flat.ndim == 1 and (task or infer_task(flat)) == "classification":
        return encode_classes(flat)
    numbers = _numbers(flat, f"{path}: targets")
    return numbers.reshape(len(numbers), -1), ()


def _text(labels: Array, path: str) -> Array:
    """The labels as Python's text, or a FormatError with the first that is none."""
    if labels.dtype.kind == "S":
        return np.array([_decoded(label, i, path) for i, label in enumerate(labels.tolist())])
    native: Any = labels.astype(labels.dtype.newbyteorder("="))
    codes = np.ascontiguousarray(native).view(np.uint32).reshape(len(labels), -1)
    first, last = _SURROGATES
    wrong = ((codes > _LAST_CHARACTER) | ((codes >= first) & (codes <= last))).any(1)
    if wrong.any():
        row = int(np.argmax(wrong))
        raise FormatError(f"read_npz: {path}: target {row} is damaged: it has characters that Unicode does not know")
    return np.asarray(native)


def _decoded(label: bytes, row: int, path: str) -> str:
    try:
        return label.decode("utf-8")
    except UnicodeDecodeError as error:
        raise FormatError(
            f"read_npz: {path}: target {row}, {label!r:.80}, is not UTF-8 ({error.reason}); "
            "decode it first, as in np.char.decode(y, 'latin-1'), and save the text"
        ) from None
