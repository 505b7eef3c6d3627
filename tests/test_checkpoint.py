"""Checkpoints: what goes in comes out bit for bit, and files are whole or absent."""

from __future__ import annotations

import ast
import errno
import io
import json
import math
import os
import signal
import stat
import struct
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

import tensorgrad as tg
from tensorgrad.checkpoint import read_metadata, safetensors_file
from tensorgrad.checkpoint.bfloat16 import read_bfloat16
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


def test_names_that_are_none() -> None:
    buffer: Any = io.BytesIO()
    for call, name in ((lambda: tg.save({}, buffer), "save"), (lambda: tg.load(buffer), "load")):
        with pytest.raises(tg.DTypeError, match=f"^{name}: expected the name of a file, got _?io.BytesIO; give a str"):
            call()
    with pytest.raises(tg.errors.FormatError, match="cannot be the name of a file"):
        tg.load("a\0b")


def test_a_place_that_cannot_hold_the_file(tmp_path: Path) -> None:
    missing = tmp_path / "nodir"
    with pytest.raises(FileNotFoundError, match=f"there is no folder {missing}; make it first"):
        tg.save({"w": tg.ones(1)}, missing / "file")
    with pytest.raises(IsADirectoryError, match="is a folder; give a file name"):
        tg.save({"w": tg.ones(1)}, tmp_path)
    assert list(tmp_path.iterdir()) == []


# ---------------------------------------------------------------------- saving over, beside and through others
POSIX = pytest.mark.skipif(os.name != "posix", reason="permissions, links and locks of POSIX")


def test_threads_may_save_one_path_and_others_load_it(tmp_path: Path) -> None:
    path, size, each = tmp_path / "file", 20_000, 25
    tg.save(tg.zeros(size), path)
    done = threading.Event()

    def write(number: int) -> None:
        for _ in range(each):
            tg.save(tg.full((size,), number), path)

    def read() -> set[float]:
        seen = set()
        while not done.is_set():
            values = set(tg.load(path).tolist())
            assert len(values) == 1, "a torn file"
            seen |= values
        return seen

    with ThreadPoolExecutor(9) as pool:
        reader = pool.submit(read)
        writers = [pool.submit(write, number) for number in range(1, 9)]
        try:
            for writer in writers:
                writer.result()
        finally:
            done.set()
        assert reader.result() <= set(map(float, range(9)))
    assert tg.load(path)[0].item() in range(1, 9)
    assert list(tmp_path.iterdir()) == [path]


def test_processes_may_save_one_path(tmp_path: Path) -> None:
    path = tmp_path / "file"
    script = (
        "import sys, tensorgrad as tg\nfor _ in range(40): tg.save(tg.full((9999,), int(sys.argv[2])), sys.argv[1])"
    )
    writers = [run_python(script, path, number) for number in (1, 2, 3)]
    while any(writer.poll() is None for writer in writers):
        if path.exists():
            assert len(set(tg.load(path).tolist())) == 1
    for writer in writers:
        writer.communicate()
    assert [writer.returncode for writer in writers] == [0, 0, 0]
    assert tg.load(path)[0].item() in (1, 2, 3)
    assert list(tmp_path.iterdir()) == [path]


def run_python(script: str, *arguments: object) -> subprocess.Popen[str]:
    root = str(Path(tg.__file__).parent.parent)
    return subprocess.Popen(
        [sys.executable, "-c", script, *map(str, arguments)],
        env=os.environ | {"PYTHONPATH": root},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


@POSIX
@pytest.mark.parametrize("mode", [0o600, 0o640, 0o664, 0o755, 0o400 | 0o200])
def test_a_file_keeps_its_permissions(tmp_path: Path, mode: int) -> None:
    path = tmp_path / "file"
    tg.save({}, path)
    path.chmod(mode)
    tg.save({"w": tg.ones(2)}, path)
    assert stat.S_IMODE(path.stat().st_mode) == mode
    assert tg.load(path)["w"].tolist() == [1, 1]


@POSIX
def test_a_private_file_is_private_while_it_is_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path, seen = tmp_path / "file", []
    tg.save({}, path)
    path.chmod(0o600)
    fsync = os.fsync
    monkeypatch.setattr(os, "fsync", lambda d: seen.append(stat.S_IMODE(os.fstat(d).st_mode)) or fsync(d))  # type: ignore[func-returns-value]
    tg.save({}, path)
    assert seen == [0o600]


@POSIX
def test_new_files_have_what_the_umask_leaves(tmp_path: Path) -> None:
    before = os.umask(0o077)
    try:
        tg.save({}, tmp_path / "file")
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "file").stat().st_mode) == 0o600


@POSIX
def test_a_group_that_cannot_be_kept_does_not_become_another(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path, asked = tmp_path / "file", []
    tg.save({}, path)
    path.chmod(0o664)

    def refuse(descriptor: int, user: int, group: int) -> None:
        asked.append(group)
        raise PermissionError(errno.EPERM, "not allowed")

    real = os.stat

    def of_another_group(name: Any, **options: Any) -> Any:
        found = real(name, **options)
        return os.stat_result((*found[:5], found.st_gid + 1, *found[6:10])) if name == str(path) else found

    monkeypatch.setattr(os, "fchown", refuse)
    monkeypatch.setattr(os, "stat", of_another_group)
    tg.save({}, path)
    monkeypatch.undo()
    assert asked == [path.stat().st_gid + 1]
    assert stat.S_IMODE(path.stat().st_mode) == 0o604


@POSIX
@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="only root may give files away")
def test_a_file_keeps_its_owner(tmp_path: Path) -> None:
    path = tmp_path / "file"
    tg.save({}, path)
    os.chown(path, 12345, 54321)
    path.chmod(0o640)
    tg.save({}, path)
    found = path.stat()
    assert (found.st_uid, found.st_gid, stat.S_IMODE(found.st_mode)) == (12345, 54321, 0o640)


@POSIX
def test_a_file_that_may_not_be_written_is_left_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "file"
    tg.save({"w": tg.ones(1)}, path)
    monkeypatch.setattr(os, "access", lambda name, mode: False)  # as it is for all but root
    with pytest.raises(PermissionError, match=f"the file is read-only: '{path}'"):
        tg.save({}, path)
    monkeypatch.undo()
    assert list(tg.load(path)) == ["w"]
    assert list(tmp_path.iterdir()) == [path]


@POSIX
def test_links_stay_and_what_they_point_to_is_written(tmp_path: Path) -> None:
    (tmp_path / "models").mkdir()
    real, link, second = tmp_path / "models" / "v1", tmp_path / "latest", tmp_path / "best"
    link.symlink_to("models/v1")
    second.symlink_to(link)
    tg.save([1], link)  # to where there is nothing yet
    assert tg.load(real) == [1]
    real.chmod(0o640)
    tg.save([2], second)
    assert (tg.load(real), os.readlink(link), second.is_symlink()) == ([2], "models/v1", True)
    assert stat.S_IMODE(real.stat().st_mode) == 0o640
    (tmp_path / "folder").symlink_to("models")
    tg.save([3], tmp_path / "folder" / "v1")
    assert tg.load(real) == [3]
    assert sorted(p.name for p in tmp_path.rglob("*")) == ["best", "folder", "latest", "models", "v1"]
    link.unlink()
    link.symlink_to(tmp_path / "gone" / "v1")
    with pytest.raises(FileNotFoundError, match=f"there is no folder {tmp_path / 'gone'}"):
        tg.save([4], link)
    link.unlink()
    link.symlink_to(link)
    with pytest.raises(OSError, match="symbolic links"):
        tg.save([5], link)


@POSIX
def test_pipes_and_devices_are_written_to_and_not_replaced(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    with ThreadPoolExecutor(1) as pool:
        received = pool.submit(pipe.read_bytes)
        tg.save({"w": tg.ones(3)}, pipe)
        (tmp_path / "copy").write_bytes(received.result(10))
    assert pipe.is_fifo()
    assert tg.load(tmp_path / "copy")["w"].tolist() == [1, 1, 1]
    tg.save({}, os.devnull)
    assert not Path(os.devnull).is_file()


STOPS = """
import os, signal, sys, tensorgrad as tg

def stop(*_):
    print("written", flush=True)
    sys.argv[2] == "die" and os.kill(os.getpid(), signal.SIGKILL)
    sys.stdin.readline()
    return replace(*_)

replace, os.replace = os.replace, stop
tg.save(tg.ones(1000), sys.argv[1])
"""


@POSIX
def test_the_next_save_clears_what_killed_ones_left_and_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "file"
    others = [tmp_path / name for name in ("file.1.partial", "file.2.txt", "file.b.3-00000000-00000000.partial")]
    others.append(tmp_path / "file.4-0badc0de-00000000.partial")  # of another host
    for other in others:
        other.write_text("kept")
    alive = run_python(STOPS, path, "wait")
    assert alive.stdout is not None
    assert alive.stdout.readline() == "written\n"
    dead = run_python(STOPS, path, "die")
    assert dead.communicate()[0] == "written\n"
    assert dead.returncode == -signal.SIGKILL
    left = {p.name.split(".")[1].split("-")[0]: p for p in tmp_path.glob("file.*-*-*.partial") if p not in others}
    assert left.keys() == {str(dead.pid), str(alive.pid)}
    tg.save([2], path)
    assert sorted(tmp_path.iterdir()) == sorted([path, *others, left[str(alive.pid)]])
    assert tg.load(path) == [2]
    alive.communicate("go on\n")
    assert alive.returncode == 0
    assert tg.load(path).tolist() == [1.0] * 1000  # the last one wins
    assert sorted(tmp_path.iterdir()) == sorted([path, *others])


@POSIX
def test_a_process_number_that_was_given_anew_protects_nothing(tmp_path: Path) -> None:
    path = tmp_path / "file"
    dead = run_python(STOPS, path, "die")
    dead.communicate()
    (left,) = tmp_path.iterdir()
    left.rename(str(left).replace(f".{dead.pid}-", f".{os.getpid()}-"))  # that of a process that lives
    tg.save([1], path)
    assert list(tmp_path.iterdir()) == [path]


def test_a_partial_file_that_another_clears_before_it_is_locked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fcntl = pytest.importorskip("fcntl")
    path, flock = tmp_path / "file", fcntl.flock
    cleared: list[str] = []

    def late(file: Any, operation: int) -> None:
        if not cleared:
            cleared.append(file.name)
            os.remove(file.name)
        flock(file, operation)

    monkeypatch.setattr(fcntl, "flock", late)
    tg.save([1], path)
    assert len(cleared) == 1
    assert tg.load(path) == [1]


def test_names_of_any_length_that_the_system_takes(tmp_path: Path) -> None:
    for name in ("n" * 255, "ü" * 127, "[a-z]*.{safe}"):
        tg.save([name], tmp_path / name)
        assert tg.load(tmp_path / name) == [name]


def test_names_in_bytes(tmp_path: Path) -> None:
    name: Any = os.fsencode(tmp_path / "file")
    tg.save([1], name)
    assert (tg.load(name), read_metadata(name)) == ([1], {})
    assert [p.name for p in tmp_path.iterdir()] == ["file"]


# ---------------------------------------------------------------------- dtypes of other programs
def file_of(path: Path, **tensors: tuple[str, list[int], bytes]) -> None:
    """A safetensors file by the format's specification: the header's length, the header, the numbers."""
    header, numbers = {}, b""
    for name, (dtype, shape, content) in tensors.items():
        header[name] = {"dtype": dtype, "shape": shape, "data_offsets": [len(numbers), len(numbers) + len(content)]}
        numbers += content
    packed = json.dumps(header).encode()
    path.write_bytes(struct.pack("<Q", len(packed)) + packed + numbers)


def value_of_bfloat16(bits: int) -> float:
    """By its definition: a sign, eight bits of exponent, seven of fraction."""
    sign, exponent, fraction = -1 if bits >> 15 else 1, bits >> 7 & 255, bits & 127
    if exponent == 255:
        return math.nan if fraction else sign * math.inf
    return sign * math.ldexp(fraction + 128 * (exponent > 0), max(exponent, 1) - 134)


def test_every_bfloat16_is_read_exactly(tmp_path: Path) -> None:
    path = tmp_path / "file"
    bits = np.arange(1 << 16, dtype="<u2")
    file_of(path, w=("BF16", [2, 1 << 15], bits.tobytes()))
    found = tg.load(path)["w"]
    assert (found.dtype, found.shape) == (tg.float32, (2, 1 << 15))
    expected = np.array([value_of_bfloat16(int(b)) for b in bits]).reshape(2, -1)
    assert np.array_equal(found.double().numpy(), expected, equal_nan=True)
    assert np.array_equal(np.signbit(found.numpy()), (bits >= 1 << 15).reshape(2, -1))


def test_bfloat16_among_others(tmp_path: Path) -> None:
    path = tmp_path / "file"
    one, half = np.array([1, 2], np.float32).tobytes(), np.array([0x3F80, 0xC000, 0x3F00], "<u2").tobytes()
    file_of(path, a=("F32", [2], one), b=("BF16", [3], half), c=("BF16", [0, 4], b""), d=("BF16", [], half[:2]))
    found = tg.load(path)
    assert list(found) == ["a", "b", "c", "d"]
    assert {name: t.tolist() for name, t in found.items()} == {"a": [1, 2], "b": [1, -2, 0.5], "c": [], "d": 1}
    assert {t.dtype for t in found.values()} == {tg.float32}
    assert found["c"].shape == (0, 4)


def test_bfloat16_of_a_model_of_pytorchs(tmp_path: Path) -> None:
    torch = pytest.importorskip("torch")
    from safetensors.torch import save_file as save_torch

    x = torch.randn(30, 7, generator=torch.Generator().manual_seed(0)).bfloat16()
    save_torch({"x": x, "i": torch.arange(3)}, str(tmp_path / "file"))
    found = tg.load(tmp_path / "file")
    assert np.array_equal(found["x"].numpy(), x.float().numpy())
    assert found["i"].tolist() == [0, 1, 2]


def test_a_file_that_is_replaced_while_it_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path, other = tmp_path / "file", tmp_path / "other"
    file_of(path, w=("BF16", [1], b"\x80\x3f"))
    file_of(other, w=("BF16", [1], b"\x00\x40"))

    def late(*given: Any) -> Any:
        os.replace(other, path)
        return read_bfloat16(*given)

    monkeypatch.setattr(safetensors_file, "read_bfloat16", late)
    with pytest.raises(tg.errors.FormatError, match=f"load: {path} was replaced while it was read; load it again"):
        tg.load(path)
    monkeypatch.undo()
    assert tg.load(path)["w"].item() == 2


@pytest.mark.parametrize("dtype", ["F8_E4M3", "F8_E5M2"])
def test_dtypes_that_tensors_lack_are_named_with_the_tensor(tmp_path: Path, dtype: str) -> None:
    path = tmp_path / "file"
    file_of(path, ok=("F32", [1], bytes(4)), **{"layer.weight": (dtype, [2], bytes(2))})
    message = (
        f"load: {path}: the tensor 'layer.weight' has dtype {dtype}, which tensors do not have; convert it to one of"
    )
    with pytest.raises(tg.errors.FormatError, match=message):
        tg.load(path)


def test_dtypes_that_safetensors_may_not_know(tmp_path: Path) -> None:
    for dtype, size in (("C64", 8), ("F32X", 4)):  # complex numbers came late
        file_of(tmp_path / "file", w=(dtype, [1], bytes(size)))
        known = f"the tensor 'w' has dtype {dtype}, which tensors do not have"
        with pytest.raises(tg.errors.FormatError, match=f"is not a safetensors file|{known}"):
            tg.load(tmp_path / "file")
