"""One format for everything saved: safetensors, which holds tensors and text and cannot run code when
opened.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from typing import Any

import numpy as np

from tensorgrad.backends import DeviceLike
from tensorgrad.backends import device as as_device
from tensorgrad.backends.device import kind_asked_for
from tensorgrad.checkpoint.tree import pack, unpack
from tensorgrad.creation import tensor
from tensorgrad.dtypes import type_name
from tensorgrad.errors import ArgumentError, DeviceError, DTypeError, FormatError
from tensorgrad.tensor import Tensor

__all__ = ["load", "read_metadata", "save"]

# Entries of the file's text header: how the tensors were nested, and what the caller wanted noted.
_STRUCTURE = "tensorgrad.structure"
_METADATA = "tensorgrad.metadata"

Path = str | os.PathLike[str]
Array = np.ndarray[Any, np.dtype[Any]]

# safetensors is imported inside the functions: it would be a twentieth of the time `import tensorgrad` may
# take.


def save(obj: object, path: Path, metadata: Mapping[str, Any] | None = None) -> None:
    """Write nested dicts, lists and tuples of tensors, numbers, text, bools and None to a safetensors file.

    `load` gives back an equal object: dtypes, shapes (0-d and empty too), key types, tuples, floats to the
    last bit. A flat state_dict keeps its names in the file, for other programs to read. `metadata`, a
    JSON-able dict, can be read alone with `read_metadata`. The file appears whole or not at all: it is
    written beside its place, then moved.

    Raises: DTypeError for what cannot be saved (a module: save its state_dict()); FileNotFoundError where there is no
    such folder, IsADirectoryError where `path` is one; OSError where writing fails.
    """
    from safetensors.numpy import save as serialize

    _check_place(os.fspath(path))
    description, tensors = pack(obj)
    arrays = {name: _on_host(value) for name, value in tensors.items()}
    notes = {_STRUCTURE: json.dumps(description), _METADATA: _as_json(metadata)}
    _write_whole(os.fspath(path), serialize(arrays, notes))


def load(path: Path, device: DeviceLike = None, *, map_location: DeviceLike = None) -> Any:
    """The object that `save` wrote, its tensors not requiring grad.

    They go to `device`; without it to the default device (`tg.set_default_device`), wherever they were when they were
    saved: the file does not say. `map_location` is PyTorch's name for the same; only a device is taken, no function
    and no dict. A safetensors file written by another program comes back as a flat dict of tensors.

    Raises: FileNotFoundError; FormatError for a file that is not safetensors or holds dtypes NumPy does not have;
    ArgumentError for both `device` and `map_location`; DeviceError for what names no device.
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
    notes, arrays = _read(os.fspath(path))

    def fetch(name: str) -> Tensor:
        if name not in arrays:
            raise FormatError(
                f"load: {os.fspath(path)} describes a tensor {name!r} that it does not hold; it is damaged"
            )
        return tensor(arrays[name], device=place)

    if _STRUCTURE not in notes:
        return {name: fetch(name) for name in arrays}
    return unpack(_parsed(notes[_STRUCTURE], path), fetch)


def read_metadata(path: Path) -> dict[str, Any]:
    """The `metadata` given to `save`, without reading the tensors; {} where there was none."""
    with _opened(os.fspath(path)) as file:
        notes = file.metadata() or {}
    metadata: dict[str, Any] = _parsed(notes.get(_METADATA, "{}"), path)
    return metadata


def _read(path: str) -> tuple[dict[str, str], dict[str, Array]]:
    with _opened(path) as file:
        try:
            return file.metadata() or {}, {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
        except (TypeError, AttributeError, KeyError) as error:
            raise FormatError(f"load: {path} holds a dtype that NumPy does not have ({error})") from error


def _opened(path: str) -> Any:
    from safetensors import SafetensorError, safe_open

    if not os.path.isfile(path):
        raise FileNotFoundError(f"load: there is no file {path}")
    try:
        return safe_open(path, framework="np")
    except (SafetensorError, ValueError, OSError) as error:
        raise FormatError(f"load: {path} is not a safetensors file ({error})") from error


def _parsed(text: str, path: Path) -> Any:
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        raise FormatError(f"load: the description inside {os.fspath(path)} is damaged ({error})") from error


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
    folder = os.path.dirname(path)
    if folder and not os.path.isdir(folder):
        raise FileNotFoundError(f"save: there is no folder {folder}; make it first")


def _write_whole(path: str, content: bytes) -> None:
    """Write beside `path`, make sure it is on the disk, and only then give it its real name."""
    temporary = f"{path}.{os.getpid()}.partial"
    try:
        with open(temporary, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
    except BaseException:
        if os.path.exists(temporary):
            os.remove(temporary)
        raise
