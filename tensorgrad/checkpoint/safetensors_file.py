"""One format for everything saved: safetensors, which holds tensors and text and cannot run code when
opened.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from typing import Any

import numpy as np

from tensorgrad.arguments import hinted
from tensorgrad.backends import DeviceLike
from tensorgrad.backends import device as as_device
from tensorgrad.backends.device import kind_asked_for
from tensorgrad.checkpoint.bfloat16 import read_bfloat16
from tensorgrad.checkpoint.tree import pack, unpack
from tensorgrad.checkpoint.whole_file import write_whole
from tensorgrad.creation import tensor
from tensorgrad.dtypes import type_name
from tensorgrad.errors import ArgumentError, DeviceError, DTypeError, FormatError
from tensorgrad.regular_file import check_regular
from tensorgrad.tensor import Tensor

__all__ = ["load", "read_metadata", "save"]

# Entries of the file's text header: how the tensors were nested, and what the caller wanted noted.
_STRUCTURE = "tensorgrad.structure"
_METADATA = "tensorgrad.metadata"

# The format's names of the dtypes that tensors have, and of the one that is read as another.
_BFLOAT16 = "BF16"
_READABLE = (
    "BOOL", "U8", "I8", "U16", "I16", "U32", "I32", "U64", "I64", "F16", "F32", "F64", _BFLOAT16
)  # fmt: skip

Path = str | os.PathLike[str]
Array = np.ndarray[Any, np.dtype[Any]]

# safetensors is imported inside the functions: it would be a twentieth of the time `import tensorgrad` may
# take.


@hinted
def save(obj: object, path: Path, metadata: Mapping[str, Any] | None = None) -> None:
    """Write nested dicts, lists and tuples of tensors, numbers, text, bools and None to a safetensors file.

    `load` gives back an equal object: dtypes, shapes (0-d and empty too), key types, tuples, floats to the
    last bit. A flat state_dict keeps its names in the file, for other programs to read. `metadata`, a
    JSON-able dict, can be read alone with `read_metadata`. The file appears whole or not at all, and several may save
    to one path at a time: the last wins. A file that is there keeps its permissions, and a symbolic link is followed;
    see `write_whole`.

    Raises: DTypeError for what cannot be saved (a module: save its state_dict()); FileNotFoundError where there is no
    such folder, IsADirectoryError where `path` is one, PermissionError for a file that may not be written; OSError
    where writing fails.
    """
    from safetensors.numpy import save as serialize

    where = _name("save", path)
    _check_place(where)
    description, tensors = pack(obj)
    arrays = {name: _on_host(value) for name, value in tensors.items()}
    notes = {_STRUCTURE: json.dumps(description), _METADATA: _as_json(metadata)}
    write_whole(where, serialize(arrays, notes))


@hinted
def load(
    path: Path, device: DeviceLike = None, *, map_location: DeviceLike = None, weights_only: bool | None = None
) -> Any:
    """The object that `save` wrote, its tensors not requiring grad.

    They go to `device`; without it to the default device (`tg.set_default_device`), wherever they were when they were
    saved: the file does not say. `map_location` is PyTorch's name for the same; only a device is taken, no function
    and no dict. `weights_only` is accepted for PyTorch programs and changes nothing: no file runs code. A safetensors
    file written by another program comes back as a flat dict of tensors. Those of bfloat16, which NumPy does not have,
    come as float32, which holds every bfloat16.

    Raises: FileNotFoundError; FormatError for a file that is not safetensors, is damaged, or holds other dtypes that
    tensors do not have (the tensor is named); ArgumentError for both `device` and `map_location`; DeviceError for what
    names no device.
    """
    if device is not None and map_location is not None:
        raise ArgumentError(
            f"load: device and map_location mean the same, got {device!r} and {map_location!r}; give one of them"
        )
    name, given = ("map_location", map_location) if device is None else ("device", device)
    if kind_asked_for(given) is None and (callable(given) or isinstance(given, Mapping)):
        raise DeviceError(
            f"load: {name} must be a device; functions and dicts are not taken, got {type_name(given)}; give its name"
        )
    place = as_device(given)
    where = _name("load", path)
    notes, arrays = _read(where)
    if _STRUCTURE not in notes:
        return {name: tensor(array, device=place) for name, array in arrays.items()}

    def fetch(name: str) -> Tensor:
        if name not in arrays:
            raise FormatError(f"load: it describes a tensor {name!r:.80} that it does not hold, or describes it twice")
        return tensor(arrays.pop(name), device=place)

    description = _parsed(notes[_STRUCTURE], where)
    try:
        found = unpack(description, fetch)
    except RecursionError:
        raise _damaged(where, "it is nested too deeply") from None
    except FormatError as error:
        raise _damaged(where, error.message.removeprefix("load: ")) from error
    if arrays:
        raise _damaged(where, f"it leaves out the tensor {next(iter(arrays))!r:.80}")
    return found


def read_metadata(path: Path) -> dict[str, Any]:
    """The `metadata` given to `save`, without reading the tensors; {} where there was none."""
    where = _name("load", path)
    check_regular("load", where)
    with _opened(where) as file:
        notes = file.metadata() or {}
    metadata = _parsed(notes.get(_METADATA, "{}"), where)
    if not isinstance(metadata, dict):
        raise _damaged(where, f"it is no dict but {type_name(metadata)}")
    return metadata


def _read(path: str) -> tuple[dict[str, str], dict[str, Array]]:
    state = check_regular("load", path)
    with _opened(path) as file:
        dtypes = {name: file.get_slice(name).get_dtype() for name in file.keys()}  # noqa: SIM118
        _check_dtypes(path, dtypes)
        arrays = {name: _array(path, file, name) for name, dtype in dtypes.items() if dtype != _BFLOAT16}
        notes = file.metadata() or {}
    if len(arrays) < len(dtypes):
        arrays |= read_bfloat16(path, [name for name in dtypes if name not in arrays], state)
    return notes, {name: arrays[name] for name in dtypes}


def _check_dtypes(path: str, dtypes: Mapping[str, str]) -> None:
    for name, dtype in dtypes.items():
        if dtype not in _READABLE:
            raise FormatError(
                f"load: {path}: the tensor {name!r:.80} has dtype {dtype}, which tensors do not have; "
                f"convert it to one of {', '.join(_READABLE)} with the program that wrote it"
            )


def _array(path: str, file: Any, name: str) -> Array:
    try:
        array: Array = file.get_tensor(name)
    except Exception as error:  # NumPy refuses shapes that the format allows: 65 dims, none of which is long
        raise FormatError(f"load: {path}: the tensor {name!r:.80} cannot be read ({error})") from error
    if array.dtype.kind == "b" and array.size and array.view(np.uint8).max() > 1:
        raise FormatError(f"load: {path}: the tensor {name!r:.80} is damaged: a byte of it is no bool")
    return array


def _opened(path: str) -> Any:
    from safetensors import safe_open

    try:
        return safe_open(path, framework="np")
    except PermissionError:
        raise
    except Exception as error:  # what Rust's reader raises for damage: SafetensorError, and for empty files OSError
        raise FormatError(f"load: {path} is not a safetensors file ({error})") from error


def _parsed(text: str, path: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise _damaged(path, str(error)) from error


def _damaged(path: str, problem: str) -> FormatError:
    return FormatError(f"load: the description inside {path} is damaged ({problem})")


def _as_json(metadata: Mapping[str, Any] | None) -> str:
    try:
        return json.dumps(dict(metadata or {}))
    except TypeError as error:
        raise DTypeError(f"save: metadata must be JSON-able ({error}); put tensors into the object itself") from error


def _on_host(value: Tensor) -> Array:
    array: Array = np.asarray(value.detach().cpu().numpy(), order="C")
    return array


def _check_place(path: str) -> None:
    if os.path.isdir(path):
        raise IsADirectoryError(f"save: {path} is a folder; give a file name")
    folder = os.path.dirname(os.path.realpath(path) if os.path.islink(path) else path)
    if folder and not os.path.isdir(folder):
        raise FileNotFoundError(f"save: there is no folder {folder}; make it first")


def _name(caller: str, path: object) -> str:
    try:
        return os.fsdecode(path)  # type: ignore[arg-type]
    except TypeError:
        raise DTypeError(
            f"{caller}: expected the name of a file, got {type_name(path)}; give a str or a Path"
        ) from None
