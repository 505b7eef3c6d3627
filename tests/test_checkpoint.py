"""Checkpoints: what goes in comes out bit for bit, and files are whole or absent."""

from __future__ import annotations

import ast
import json
import math
import os
import struct
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

import tensorgrad as tg
from tensorgrad.checkpoint import read_metadata
from tests.opaque import opaque_device

DTYPES = ["float32", "float64", "float16", "int64", "int32", "int16", "int8", "uint8", "bool"]
DTYPES += ["uint16", "uint32", "uint64"]
SHAPES: list[tuple[int, ...]] = [(), (0,), (3, 0, 2), (5,), (2, 3, 4)]


def bits(value: tg.Tensor) -> tuple[str, tuple[int, ...], bytes]:
    array = value.detach().numpy()
    return str(array.dtype), array.shape, array.tobytes()


def same(a: Any, b: Any) -> bool:
    """Equal in type, structure, order and bits."""
    if isinstance(a, tg.Tensor) and isinstance(b, tg.Tensor):
        return bits(a) == bits(b)
    if type(a) is not type(b):
        return False
    if isinstance(a, dict):
        keys = [(type(k), k) for k in a] == [(type(k), k) for k in b]
        return keys and all(same(a[k], b[k]) for k in a)
    if isinstance(a, list | tuple):
        return len(a) == len(b) and all(map(same, a, b))
    if isinstance(a, float):
        return struct.pack("d", a) == struct.pack("d", b)
    return bool(a == b)


def round_trip(obj: Any, folder: Path) -> Any:
    tg.save(obj, folder / "file.safetensors")
    return tg.load(folder / "file.safetensors")


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("shape", SHAPES)
def test_tensors_bit_for_bit(tmp_path: Path, dtype: str, shape: tuple[int, ...]) -> None:
    raw = np.random.default_rng(0).integers(0, 256, size=(*shape, 8), dtype=np.uint8)
    size = np.dtype(dtype).itemsize
    array = (raw[..., 0] > 127) if dtype == "bool" else np.ascontiguousarray(raw[..., :size]).view(dtype)[..., 0]
    value = tg.tensor(np.array(array))
    assert str(value.dtype) == dtype
    assert bits(round_trip({"t": value}, tmp_path)["t"]) == (dtype, shape, np.array(array).tobytes())


def test_views_are_saved_as_they_read(tmp_path: Path) -> None:
    base = tg.arange(24).reshape(4, 6)
    views = {
        "transposed": base.t(),
        "strided": base[::2, 1::3],
        "expanded": tg.tensor([1.0, 2.0]).expand(3, 2),
        "slice": base[1],
    }
    found = round_trip(views, tmp_path)
    for name, view in views.items():
        assert np.array_equal(found[name].numpy(), view.numpy()), name


def test_nested_objects_keep_types_keys_and_order(tmp_path: Path) -> None:
    obj = {
        "z": tg.tensor([1.0]),
        "a": {1: tg.tensor(2), "1": tg.tensor(3), None: "none", 2.5: [True, False], False: None},
        "tuple": (1, (2.0, [tg.tensor([True])]), ()),
        "scalars": [0, -1, 2**70, 0.1, 1e-310, -0.0, math.inf, -math.inf, 'ü \n "', "", True, None],
        "empty": [{}, [], ()],
    }
    assert same(round_trip(obj, tmp_path), obj)
    assert math.isnan(round_trip([math.nan], tmp_path)[0])
    assert same(round_trip(tg.tensor(5), tmp_path), tg.tensor(5))


def test_names_that_collide_or_are_reserved(tmp_path: Path) -> None:
    obj = {"a.b": tg.tensor(1), "a": {"b": tg.tensor(2)}, "": tg.tensor(3), "__metadata__": tg.tensor(4)}
    assert same(round_trip(obj, tmp_path), obj)


def test_module_and_optimizer_resume_exactly(tmp_path: Path) -> None:
    def make(seed: int, lr: float) -> tuple[tg.nn.Module, tg.optim.Optimizer]:
        tg.manual_seed(seed)
        model = tg.nn.MLP([4, 8, 3])
        first, *others = model.parameters()
        groups: list[dict[str, Any]] = [{"params": [first]}, {"params": others, "lr": 5 * lr}]
        return model, tg.optim.AdamW(groups, lr=lr, betas=(0.8, 0.99))

    x, y = tg.tensor(np.random.default_rng(1).normal(size=(16, 4)).astype(np.float32)), tg.arange(16) % 3

    def steps(model: tg.nn.Module, optimizer: tg.optim.Optimizer, count: int) -> None:
        for _ in range(count):
            optimizer.zero_grad()
            tg.nn.functional.cross_entropy(model(x), y).backward()
            optimizer.step()

    whole, whole_optimizer = make(0, lr=0.01)
    steps(whole, whole_optimizer, 6)
    half, half_optimizer = make(0, lr=0.01)
    steps(half, half_optimizer, 3)
    state = {"model": half.state_dict(), "optimizer": half_optimizer.state_dict()}
    loaded = round_trip(state, tmp_path)
    assert same(loaded, state)
    # Into objects that begin elsewhere, with another learning rate: all of it must come from the file.
    again, again_optimizer = make(99, lr=1.0)
    again.load_state_dict(loaded["model"])
    again_optimizer.load_state_dict(loaded["optimizer"])
    steps(again, again_optimizer, 3)
    assert same(again.state_dict(), whole.state_dict())


def test_loaded_tensors_are_fresh(tmp_path: Path) -> None:
    weight = tg.ones(3, requires_grad=True)
    loaded = round_trip({"w": weight}, tmp_path)["w"]
    assert not loaded.requires_grad
    assert loaded.device is tg.device("cpu")
    loaded.add_(1.0)  # memory of its own, and writable
    assert tg.load(tmp_path / "file.safetensors")["w"].tolist() == [1.0, 1.0, 1.0]


def test_tensors_go_to_the_device_that_is_asked_for_or_the_default_one(tmp_path: Path) -> None:
    path, elsewhere = tmp_path / "file.safetensors", opaque_device()
    tg.save({"w": tg.ones(2, device=elsewhere)}, path)
    assert tg.load(path)["w"].device is tg.device("cpu")
    tg.save({"w": tg.ones(2)}, path)
    for loaded in (tg.load(path, elsewhere), tg.load(path, device="opaque"), tg.load(path, map_location="opaque")):
        assert loaded["w"].device is elsewhere
        assert loaded["w"].tolist() == [1, 1]
    assert tg.load(path, map_location=None)["w"].device is tg.device("cpu")
    tg.set_default_device(elsewhere)
    try:
        assert tg.load(path)["w"].device is elsewhere
        assert tg.load(path, map_location="cpu")["w"].device is tg.device("cpu")
    finally:
        tg.set_default_device("cpu")


def test_one_device_is_given_and_it_is_one(tmp_path: Path) -> None:
    path = tmp_path / "file.safetensors"
    tg.save({}, path)
    with pytest.raises(
        tg.errors.ArgumentError, match="load: device and map_location mean the same, got 'cpu' and 'cpu'"
    ):
        tg.load(path, "cpu", map_location="cpu")
    with pytest.raises(tg.DeviceError, match="expected one of 'cpu'"):
        tg.load(path, map_location="nowhere")
    wrong: Any
    for wrong in ({"cuda:0": "cpu"}, lambda storage, location: storage):
        message = "must be a device; functions and dicts are not taken, got (dict|function)"
        with pytest.raises(tg.DeviceError, match=f"^load: map_location {message}"):
            tg.load(path, map_location=wrong)
        with pytest.raises(tg.DeviceError, match=f"^load: device {message}"):
            tg.load(path, wrong)


def test_a_flat_state_dict_keeps_its_names_for_other_programs(tmp_path: Path) -> None:
    model = tg.nn.Linear(3, 2)
    tg.save(model.state_dict(), tmp_path / "file.safetensors")
    arrays = load_file(tmp_path / "file.safetensors")
    assert list(arrays) == ["bias", "weight"] or list(arrays) == ["weight", "bias"]
    assert np.array_equal(arrays["weight"], model.weight.detach().numpy())


def test_files_of_other_programs_load_flat(tmp_path: Path) -> None:
    arrays = {"x": np.arange(6, dtype=np.float32).reshape(2, 3), "n": np.array(3)}
    save_file(arrays, tmp_path / "other.safetensors", metadata={"made": "elsewhere"})
    loaded = tg.load(tmp_path / "other.safetensors")
    assert sorted(loaded) == ["n", "x"]
    assert all(np.array_equal(loaded[name].numpy(), arrays[name]) for name in arrays)
    assert read_metadata(tmp_path / "other.safetensors") == {}


def test_metadata(tmp_path: Path) -> None:
    notes = {"epochs": 3, "names": ["a", "b"], "lr": 0.1}
    tg.save({"w": tg.ones(2)}, tmp_path / "file.safetensors", metadata=notes)
    assert read_metadata(tmp_path / "file.safetensors") == notes
    with pytest.raises(tg.errors.DTypeError, match="metadata must be JSON-able"):
        tg.save({}, tmp_path / "file.safetensors", metadata={"t": tg.ones(1)})


def test_what_cannot_be_saved_is_named_by_its_path(tmp_path: Path) -> None:
    target = tmp_path / "file.safetensors"
    with pytest.raises(tg.errors.DTypeError, match=r"save: a.1 must be a Tensor, .* got numpy\.ndarray"):
        tg.save({"a": [1, np.ones(2)]}, target)
    with pytest.raises(tg.errors.DTypeError, match=r"the object must be .* got Linear; .* state_dict\(\)"):
        tg.save(tg.nn.Linear(1, 1), target)
    with pytest.raises(tg.errors.DTypeError, match=r"keys must be .* got tuple in a"):
        tg.save({"a": {(1, 2): 3}}, target)
    assert list(tmp_path.iterdir()) == []


def test_a_failed_write_leaves_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    target = tmp_path / "file.safetensors"
    tg.save({"w": tg.ones(2)}, target)
    before = target.read_bytes()

    def full(_: int) -> None:
        raise OSError("no space left")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="no space left"):
        tg.save({"w": tg.zeros(2)}, target)
    assert target.read_bytes() == before
    assert list(tmp_path.iterdir()) == [target]


def test_files_have_the_usual_permissions(tmp_path: Path) -> None:
    (tmp_path / "plain").write_text("x")
    tg.save({}, tmp_path / "saved")
    assert (tmp_path / "saved").stat().st_mode == (tmp_path / "plain").stat().st_mode


@pytest.mark.parametrize("content", [b"", b"junk", b"not a checkpoint at all " * 100, b"\x80\x04pickle."])
def test_other_files_are_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "file"
    path.write_bytes(content)
    for read in (tg.load, read_metadata):
        with pytest.raises(tg.errors.FormatError, match="is not a safetensors file"):
            read(path)


def test_truncated_and_damaged_files_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "file"
    tg.save({"w": tg.ones(100)}, path)
    path.write_bytes(path.read_bytes()[:-10])
    with pytest.raises(tg.errors.FormatError, match="is not a safetensors file"):
        tg.load(path)
    for description, message in (
        ("{", "is damaged"),
        (json.dumps({"tensor": "gone"}), "a tensor 'gone' that it does not hold"),
        (json.dumps({"set": []}), "does not know: \\['set'\\]"),
    ):
        save_file({"w": np.ones(1)}, path, metadata={"tensorgrad.structure": description})
        with pytest.raises(tg.errors.FormatError, match=message):
            tg.load(path)


def test_missing_files() -> None:
    with pytest.raises(FileNotFoundError, match="there is no file nowhere"):
        tg.load("nowhere")


def test_no_module_of_the_package_can_unpickle() -> None:
    """Neither by importing pickle nor by asking NumPy to."""
    for path in Path(tg.__file__).parent.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Import | ast.ImportFrom):
                module = getattr(node, "module", "") or ""
                names = {module.split(".")[0], *(alias.name.split(".")[0] for alias in node.names)}
                assert not names & {"pickle", "cPickle", "dill", "joblib", "shelve", "marshal"}, path
            if isinstance(node, ast.keyword) and node.arg == "allow_pickle":
                assert isinstance(node.value, ast.Constant), path
                assert node.value.value is False, path


def test_numpy_scalars_are_saved_as_numbers(tmp_path: Path) -> None:
    tg.save({"a": np.float32(0.5), "b": (np.int64(3), np.bool_(True)), np.int64(4): "c"}, tmp_path / "s")
    loaded = tg.load(tmp_path / "s")
    assert loaded == {"a": 0.5, "b": (3, True), 4: "c"}
    assert [type(v) for v in (loaded["a"], *loaded["b"])] == [float, int, bool]


def test_a_place_that_cannot_hold_the_file(tmp_path: Path) -> None:
    missing = tmp_path / "nodir"
    with pytest.raises(FileNotFoundError, match=f"there is no folder {missing}; make it first"):
        tg.save({"w": tg.ones(1)}, missing / "file")
    with pytest.raises(IsADirectoryError, match="is a folder; give a file name"):
        tg.save({"w": tg.ones(1)}, tmp_path)
    assert list(tmp_path.iterdir()) == []
