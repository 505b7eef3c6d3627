"""Damaged files: every reader answers each with its own error that names the file, in bounded time and memory."""

from __future__ import annotations

import io
import json
import os
import struct
import tracemalloc
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import save as save_arrays

import tensorgrad as tg
from tensorgrad.checkpoint import read_metadata
from tensorgrad.cli.model_file import Recipe, TrainedModel, load_model, save_model
from tensorgrad.data import Standardizer, read_csv, read_csv_inputs, read_npz
from tests.data.damage import Damage, bytes_damaged, npz_damaged, safetensors_damaged, text_damaged, with_dtype

SECONDS = 5.0  # that one small file may take on a machine that does other things as well


@dataclass(frozen=True)
class Reader:
    """Something that reads files: whole ones to begin with, ways to damage them, and how it is called."""

    suffix: str
    whole: Callable[[Path], list[bytes]]
    damages: tuple[Damage, ...]
    calls: tuple[Callable[[Path], Any], ...]


def csv_files(folder: Path) -> list[bytes]:
    numbers = b"a,b,kind\n1,2.5,x\n3,-4e2,y\n5,6,x\n7,8,y\n"
    quoted = 'ä;"b; c";ziel\r\n1;"2";1\r\n1;2;"a ""quoted"" one"\r\n'.encode()
    return [numbers, quoted, b"1\t2\t0\n3\t4\t1\n5\t6\t0\n"]


def npz_files(folder: Path) -> list[bytes]:
    x = np.arange(24.0).reshape(6, 4)
    kinds: list[dict[str, Any]] = [
        {"x": x, "y": np.arange(6) % 2},
        {"X": x.astype(np.float32).reshape(6, 2, 2), "y": np.array(["a", "bé"] * 3)},
        {"inputs": np.asfortranarray(x).astype(np.int64), "targets": x.astype(">f8")},
        {"x": x > 3, "y": np.array([b"no", b"yes"] * 3), "more": x},
    ]
    files = []
    for arrays in kinds:
        for write in (np.savez, np.savez_compressed):
            packed = io.BytesIO()
            write(packed, **arrays)
            files.append(packed.getvalue())
    return files


def safetensors_files(folder: Path) -> list[bytes]:
    nested = {"a": [tg.arange(3), (tg.ones(2, 2), 2.5)], 1: {"b": tg.tensor([True, False]), None: "text"}}
    tg.save(nested, folder / "whole", metadata={"epoch": 3, "names": ["a", "b"]})
    flat = save_arrays({"w": np.ones((2, 3), np.float32), "n": np.array(3), "h": np.ones(4, np.uint16)})
    return [(folder / "whole").read_bytes(), flat, with_dtype(flat, "h", "BF16")]


def model_files(folder: Path) -> list[bytes]:
    files = []
    for task, classes, targets in (("classification", ["no", "yes"], None), ("regression", [], scaler(2))):
        recipe = Recipe([3, 4, 2], "relu", 0.5, task, ["a", "b", "c"], ["a", "b", "c", "t"], classes, "t")  # type: ignore[arg-type]
        save_model(TrainedModel(recipe.build(), recipe, scaler(3), targets), str(folder / "model"))
        files.append((folder / "model").read_bytes())
    return files


def scaler(width: int) -> Standardizer:
    return Standardizer(tg.zeros(width), tg.ones(width))


READERS = {
    "csv": Reader(
        ".csv",
        csv_files,
        (bytes_damaged, text_damaged),
        (read_csv, lambda path: read_csv_inputs(path, ["a", "b"], ["a", "b", "kind"])),
    ),
    "npz": Reader(".npz", npz_files, (bytes_damaged, npz_damaged), (read_npz,)),
    "safetensors": Reader(
        ".safetensors", safetensors_files, (bytes_damaged, safetensors_damaged), (tg.load, read_metadata)
    ),
    "model": Reader(
        ".safetensors",
        model_files,
        (bytes_damaged, safetensors_damaged),
        (lambda path: load_model(str(path), tg.device("cpu")),),
    ),
}


def try_damaged_files(kind: str, seed: int, count: int, folder: Path) -> int:
    """Read `count` damaged files; return how many of the calls were refused. Anything but a FormatError comes out."""
    reader, random, number_refused = READERS[kind], np.random.default_rng([seed, len(kind)]), 0
    whole, path = reader.whole(folder), folder / f"damaged{reader.suffix}"
    for number in range(count):
        damage = reader.damages[int(random.integers(len(reader.damages)))]
        path.write_bytes(damage(random, whole[int(random.integers(len(whole)))]))
        for call in reader.calls:
            started = perf_counter()
            try:
                call(path)
            except tg.errors.FormatError as error:
                if str(path) not in str(error):
                    raise AssertionError(f"file {number}: the error does not name it") from error
                number_refused += 1
            except Exception as error:
                error.add_note(f"file {number} of seed {seed}: {path.read_bytes()!r:.2000}")
                raise
            assert perf_counter() - started < SECONDS, f"file {number} of seed {seed}"
    return number_refused


@pytest.mark.parametrize("kind", READERS)
def test_a_whole_file_is_read(kind: str, tmp_path: Path) -> None:
    reader = READERS[kind]
    for content in reader.whole(tmp_path):
        path = tmp_path / f"whole{reader.suffix}"
        path.write_bytes(content)
        reader.calls[0](path)


@pytest.mark.parametrize("kind", READERS)
def test_damaged_files_are_refused_in_the_readers_own_words(kind: str, tmp_path: Path) -> None:
    count = 800
    assert try_damaged_files(kind, 1, count, tmp_path) > count / 4  # else the damage is none


@pytest.mark.long
@pytest.mark.parametrize("seed", range(2, 6))
@pytest.mark.parametrize("kind", READERS)
def test_many_damaged_files(kind: str, seed: int, tmp_path: Path) -> None:
    try_damaged_files(kind, seed, 5_000, tmp_path)


# ---------------------------------------------------------------------- NumPy archives
X = np.arange(8, dtype=np.float32).reshape(4, 2)


def npy(shape: str = "(4, 2)", descr: str = "'<f4'", numbers: bytes = X.tobytes(), version: int = 1) -> bytes:
    """The bytes of an array that says of itself what it is told to."""
    header = f"{{'descr': {descr}, 'fortran_order': False, 'shape': {shape}, }}\n".encode("latin1")
    return (
        b"\x93NUMPY" + struct.pack("<BB" + ("H" if version == 1 else "I"), version, 0, len(header)) + header + numbers
    )


def npz(folder: Path, method: int = zipfile.ZIP_STORED, /, **members: bytes) -> Path:
    """An archive of these members, `y` being four labels unless it is given."""
    path = folder / "table.npz"
    with zipfile.ZipFile(path, "w", method) as archive:
        for name, content in ({"y": npy("(4,)", "'<i8'", np.arange(4).tobytes())} | members).items():
            archive.writestr(f"{name}.npy", content)
    return path


OBJECTS = npy("(4, 2)", "'|O'", b"\x80\x04cos\nsystem\n")
MEMBERS = {
    "a product beyond 64 bits": (
        npy("(4294967296, 4294967296, 4)"),
        "takes 295147905179352825856 bytes, and it has 32",
    ),
    "a negative dim": (npy("(-4, -2)"), "its header must give one dtype, an order and a shape"),
    "a dim of thirty digits": (npy(f"({'9' * 30}, 2)"), "there is no shape"),
    "a dim of 5000 digits": (npy(f"({'9' * 5000}, 2)"), "there is no shape"),
    "65 dims": (npy(f"({'1, ' * 64}8)"), "there is no shape"),
    "too few numbers": (npy(numbers=X.tobytes()[:-4]), r"shape \(4, 2\) of float32 takes 32 bytes, and it has 28"),
    "too many numbers": (npy(numbers=X.tobytes() + b"1234"), "takes 32 bytes, and it has 36"),
    "nothing but a header": (npy(numbers=b""), "takes 32 bytes, and it has 0"),
    "nothing": (b"", "it ends within its header"),
    "half a header": (npy()[:40], "it ends within its header"),
    "no array": (b"a text that somebody put here", "it does not begin as an array does"),
    "a later version": (npy(version=4), "it does not begin as an array does"),
    "objects": (OBJECTS, r"x has dtype object; use x\.astype\(float\)"),
    "objects among records": (npy(descr="[('a', '|O')]"), "its header must give one dtype"),
    "records": (npy(descr="[('a', '<f4')]"), "its header must give one dtype"),
    "subarrays": (npy(descr="('<f4', (1000000000,))"), "its header must give one dtype"),
    "an expression": (npy("(4, 2)", "__import__('os').getcwd()"), "its header must give one dtype"),
    "a deep header": (npy("(" * 9000 + ")" * 900), "its header must give one dtype"),
    "a long header": (npy("(4, 2)" + " " * 20_000), "its header is .* bytes long"),
    "an escape": (npy(descr=r"'\x3cf4'"), "its header must give one dtype"),
    "a key twice": (npy("(4, 2), 'shape': (4, 2)", "'<f4', 'descr': '<f4'"), "its header must give one dtype"),
    "a dtype that is none": (npy(descr="'<f3'"), "data type '<f3' not understood"),
    "several dtypes": (npy(descr="'f2,f2'"), "there is no dtype 'f2,f2'"),
    "a dtype without size": (npy(descr="'<U0'", numbers=b""), "dtype <U0 has no size"),
    "complex numbers": (npy("(4, 1)", "'<c8'"), "inputs must be numbers, got dtype complex64"),
    "dates": (npy("(4, 1)", "'<M8[s]'"), r"inputs must be numbers, got dtype datetime64\[s\]"),
    "raw bytes": (npy("(4, 1)", "'|V8'"), r"inputs must be numbers, got dtype \|V8"),
    "a bool of 7": (npy("(4, 1)", "'|b1'", b"\0\1\7\0"), "a byte of 7 is no bool"),
}


@pytest.mark.parametrize("name", MEMBERS)
def test_members_that_are_no_arrays_of_numbers(name: str, tmp_path: Path) -> None:
    member, message = MEMBERS[name]
    for method in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        path = npz(tmp_path, method, x=member)
        refused(path, partial(read_npz, path), message)


def test_headers_as_others_write_them(tmp_path: Path) -> None:
    """Other orders of the keys, other quotes, Python 2's integers, the later versions, Fortran's order: as NumPy."""
    headers = [
        b"{'shape': (4, 2), 'fortran_order': True, 'descr': '<f4'}",
        b'{"descr": "<f4", "fortran_order": True, "shape": (4, 2)}   ',
        b"{'descr': '<f4', 'fortran_order': True, 'shape': (4L, 2L), }\n",
        b" { 'descr' : '<f4' , 'fortran_order' : True , 'shape' : ( 4 , 2 , ) , } ",
    ]
    for header in headers:
        for version in (1, 2, 3):
            size = struct.pack("<H" if version == 1 else "<I", len(header))
            member = b"\x93NUMPY" + bytes([version, 0]) + size + header + X.T.tobytes()
            assert np.array_equal(read_npz(npz(tmp_path, x=member)).inputs, X)


def test_an_array_that_is_not_asked_for_may_be_anything(tmp_path: Path) -> None:
    assert np.array_equal(read_npz(npz(tmp_path, x=npy(), objects=OBJECTS, junk=b"?")).inputs, X)


def test_nothing_of_a_file_is_run(tmp_path: Path) -> None:
    path = npz(tmp_path, x=npy(), y=npy("(4,)", "'|O'", b"\x80\x04cbuiltins\nprint\n."))
    with pytest.raises(tg.errors.FormatError, match=r"y has dtype object; use y\.astype\(str\)"):
        read_npz(path)


def test_what_unpacks_to_far_more_than_the_file_is_refused_before_it_is_unpacked(tmp_path: Path) -> None:
    rows = 10_000_000
    path = npz(tmp_path, zipfile.ZIP_DEFLATED, x=npy(f"({rows}, 2)", numbers=bytes(8 * rows)))
    assert path.stat().st_size < 200_000
    refused(path, lambda: read_npz(path), r"unpacks to 800\d+ bytes from .* with np.savez, which does not compress")


def test_ordinary_zeros_may_be_packed_as_tightly_as_they_are(tmp_path: Path) -> None:
    rows = 200_000
    path = tmp_path / "zeros.npz"
    np.savez_compressed(path, x=np.zeros((rows, 8)), y=np.arange(rows) % 2)
    assert 100 * path.stat().st_size < 8 * 8 * rows
    assert read_npz(path).inputs.shape == (rows, 8)


def test_sizes_that_the_directory_makes_up(tmp_path: Path) -> None:
    """The archive claims for `x` what it has not: neither is it believed nor is memory taken for it."""
    for offset, message in ((20, "takes 1073741856 bytes, and the file has"), (24, "takes 32 bytes, and it has")):
        path = npz(tmp_path, zipfile.ZIP_DEFLATED, x=npy())
        content = bytearray(path.read_bytes())
        entry = content.rindex(b"PK\1\2") + offset
        claimed = int.from_bytes(content[entry : entry + 4], "little")
        real = 32 if offset == 20 else claimed
        content[entry : entry + 4] = struct.pack("<I", real + (1 << 30 if offset == 20 else 1 << 20))
        path.write_bytes(content)
        refused(path, partial(read_npz, path), message)


def test_a_member_that_ends_before_its_sizes_say(tmp_path: Path) -> None:
    """The directory and the array agree on more numbers than were packed."""
    shape, half = "(1000000, 2)", bytes(4_000_000)
    labels = npy("(1000000,)", "'|b1'", bytes(1_000_000))
    path = npz(tmp_path, zipfile.ZIP_DEFLATED, y=labels, x=npy(shape, numbers=half))
    content = bytearray(path.read_bytes())
    entry = content.rindex(b"PK\1\2") + 24
    content[entry : entry + 4] = struct.pack("<I", len(npy(shape, numbers=half + half)))
    path.write_bytes(content)
    with pytest.raises(tg.errors.FormatError, match=r"x is damaged .*it ends before its last number"):
        read_npz(path)


def test_archives_that_numpy_does_not_write(tmp_path: Path) -> None:
    for method in (zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA):
        with pytest.raises(tg.errors.FormatError, match=f"x is compressed by method {method}, and np.savez"):
            read_npz(npz(tmp_path, method, x=npy()))
    path = npz(tmp_path, x=npy())
    with pytest.warns(UserWarning, match="Duplicate name"), zipfile.ZipFile(path, "a") as archive:
        archive.writestr("x.npy", npy())
    with pytest.raises(tg.errors.FormatError, match="x is there 2 times; write it once"):
        read_npz(path)
    with zipfile.ZipFile(path := npz(tmp_path, x=npy()), "a") as archive:
        archive.writestr("x", npy())
    with pytest.raises(tg.errors.FormatError, match="x is there 2 times; write it once"):
        read_npz(path)
    content = bytearray(npz(tmp_path, x=npy()).read_bytes())
    content[content.rindex(b"PK\1\2") + 8] |= 1
    path.write_bytes(content)
    with pytest.raises(tg.errors.FormatError, match="x is encrypted; write it without a password"):
        read_npz(path)


def test_a_million_columns(tmp_path: Path) -> None:
    columns = 1_000_000
    path = tmp_path / "wide.npz"
    np.savez(path, x=np.zeros((2, columns), np.uint8), y=np.arange(2))
    started = perf_counter()
    table = read_npz(path)
    assert (table.inputs.shape, table.feature_names[-1]) == ((2, columns), f"x_{columns - 1}")
    assert perf_counter() - started < 2 * SECONDS


def test_characters_that_unicode_does_not_know(tmp_path: Path) -> None:
    for order in "<>":
        for code in (0x110000, 0xD800, 0xFFFFFFFF):
            labels = np.array([97, 98, code, 97], f"{order}u4").tobytes()
            with pytest.raises(tg.errors.FormatError, match="target 2 is damaged: it has characters that Unicode"):
                read_npz(npz(tmp_path, x=npy(), y=npy("(4,)", f"'{order}U1'", labels)))
        labels = np.array([97, 0x10FFFF, 0x1F600, 97], f"{order}u4").tobytes()
        table = read_npz(npz(tmp_path, x=npy(), y=npy("(4,)", f"'{order}U1'", labels)))
        assert table.classes == ("a", "\U0001f600", "\U0010ffff")


def test_wide_text_files_take_time_in_proportion(tmp_path: Path) -> None:
    path, columns = tmp_path / "wide.csv", 20_000
    ones = ",".join("1" * columns)
    for first in (",".join(f"a{i}" for i in range(columns)), ones):
        path.write_text(f"{first}\n{ones}\n{ones}\n")
        started = perf_counter()
        assert read_csv(path).inputs.shape[1] == columns - 1
        assert perf_counter() - started < 2 * SECONDS


# ---------------------------------------------------------------------- safetensors and models
def described(folder: Path, description: Any, **arrays: Any) -> Path:
    """A file whose description of the saved object is this one."""
    path = folder / "described.safetensors"
    text = description if isinstance(description, str) else json.dumps(description)
    path.write_bytes(save_arrays(arrays, {"tensorgrad.structure": text}))
    return path


DESCRIPTIONS = {
    "a key that is a list": ({"dict": [[[1], 2]]}, "a dict with a key of list"),
    "a key that is a tuple": ({"dict": [[{"tuple": []}, 2]]}, "a dict with a key of dict"),
    "a key twice": ({"dict": [["a", 1], ["a", 2]]}, "has one of its keys twice"),
    "an item that is no pair": ({"dict": [["a"]]}, "a kind of object this version does not know"),
    "a dict that is a number": ({"dict": 3}, "a kind of object this version does not know"),
    "a tuple that is a number": ({"tuple": 3}, "a kind of object this version does not know"),
    "a name that is a list": ({"tensor": []}, "a kind of object this version does not know"),
    "a tensor twice": ([{"tensor": "w"}, {"tensor": "w"}], "a tensor 'w' that it does not hold, or describes it twice"),
    "no tensor": ([], "leaves out the tensor 'w'"),
    "ten thousand lists": ("[" * 10_000 + "]" * 10_000, "maximum recursion|nested too deeply"),
    "nine hundred tuples": ('{"tuple": [' * 5000 + "]}" * 5000, "maximum recursion|nested too deeply"),
    "half a list": ("[1, 2", "Expecting"),
    "an integer of 5000 digits": ("1" * 5000, "Exceeds the limit"),
}


@pytest.mark.parametrize("name", DESCRIPTIONS)
def test_descriptions_that_make_no_sense(name: str, tmp_path: Path) -> None:
    description, message = DESCRIPTIONS[name]
    path = described(tmp_path, description, w=np.ones(2))
    with pytest.raises(tg.errors.FormatError, match=f"inside {path} is damaged .*({message})"):
        tg.load(path)


def test_metadata_that_is_no_dict(tmp_path: Path) -> None:
    path = tmp_path / "file"
    for notes in ("[1]", "3", "null", '"text"', "{", "[" * 10_000):
        path.write_bytes(save_arrays({}, {"tensorgrad.metadata": notes}))
        with pytest.raises(tg.errors.FormatError, match=f"inside {path} is damaged"):
            read_metadata(path)


def test_shapes_that_numpy_refuses(tmp_path: Path) -> None:
    path = tmp_path / "file"
    for dtype in ("F32", "BF16"):
        for shape in ([1] * 70, [0] * 70, [0, 2**62, 2**62]):
            content = safetensors(dtype, shape, bytes(0 if 0 in shape else 4 if dtype == "F32" else 2))
            path.write_bytes(content)
            with pytest.raises(tg.errors.FormatError, match=f"load: {path}"):
                tg.load(path)


def safetensors(dtype: str, shape: list[int], numbers: bytes) -> bytes:
    header = json.dumps({"w": {"dtype": dtype, "shape": shape, "data_offsets": [0, len(numbers)]}}).encode()
    return struct.pack("<Q", len(header)) + header + numbers


def test_a_byte_that_is_no_bool(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(safetensors("BOOL", [3], b"\0\1\2"))
    with pytest.raises(tg.errors.FormatError, match=f"{path}: the tensor 'w' is damaged: a byte of it is no bool"):
        tg.load(path)


MODELS: dict[str, tuple[Callable[[dict[str, Any]], None], str]] = {
    "a network far larger than its weights": (lambda c: c["recipe"].update(sizes=[3, 10**9, 2]), "26 weights do not"),
    "one layer": (lambda c: c["recipe"].update(sizes=[3]), "26 weights do not make a network of sizes"),
    "sizes below one": (lambda c: c["recipe"].update(sizes=[3, -4, 2]), "26 weights do not make a network of sizes"),
    "sizes of text": (
        lambda c: c["recipe"].update(sizes=["3", 4, 2]),
        r"recipe: sizes must be list\[int\], got \['3', 4, 2\]",
    ),
    "sizes that are bools": (lambda c: c["recipe"].update(sizes=[True, 4, 2]), r"recipe: sizes must be list\[int\]"),
    "no such activation": (lambda c: c["recipe"].update(activation="rule"), "activation must be one of"),
    "no such task": (lambda c: c["recipe"].update(task="guess"), "recipe: task must be .*, got 'guess'"),
    "a dropout of nan": (lambda c: c["recipe"].update(dropout=float("nan")), r"p must be in \[0, 1\], got nan"),
    "a class too many": (lambda c: c["recipe"]["classes"].append("maybe"), "2 outputs does not tell 3 classes apart"),
    "no recipe": (lambda c: c.pop("recipe"), "it lacks 'recipe'"),
    "half a recipe": (lambda c: c["recipe"].pop("classes"), "a recipe has .*classes.*, and this one has"),
    "more than a recipe": (lambda c: c["recipe"].update(more=1), "a recipe has .*, and this one has .*more"),
    "a recipe of text": (lambda c: c.update(recipe="MLP"), r"recipe must be dict\[str, .*\], got 'MLP'"),
    "no weights": (lambda c: c.update(model={}), "0 weights do not make"),
    "weights of numbers": (
        lambda c: c.update(model={"0.weight": 1.0}),
        r"model must be dict\[str, .*\], got {'0.weight': 1.0}",
    ),
    "weights of other shapes": (lambda c: c["model"].update({"0.bias": tg.zeros(2, 2)}), r"0\.bias"),
    "weights of other names": (lambda c: c["model"].update({"0.bios": c["model"].pop("0.bias")}), r"0\.bi"),
    "no deviations": (lambda c: c["inputs"].pop("std"), "it lacks 'std'"),
    "means of other features": (
        lambda c: c["inputs"].update(mean=tg.zeros(4)),
        r"mean must have shape \(3,\), got \(4,\)",
    ),
    "a list": (lambda c: c.clear(), "it lacks 'recipe'"),
}


@pytest.mark.parametrize("name", MODELS)
def test_model_files_that_describe_no_model(name: str, tmp_path: Path) -> None:
    change, message = MODELS[name]
    (tmp_path / "model").write_bytes(model_files(tmp_path)[0])
    path = tmp_path / "model.safetensors"
    content = tg.load(tmp_path / "model")
    change(content)
    tg.save(content, path, metadata=read_metadata(tmp_path / "model"))
    refused(path, lambda: load_model(str(path), tg.device("cpu")), f"is a damaged model .*{message}")


# ---------------------------------------------------------------------- what is no file
@pytest.mark.parametrize("kind", READERS)
def test_what_is_no_file(kind: str, tmp_path: Path) -> None:
    reader = READERS[kind]
    os.mkfifo(tmp_path / f"pipe{reader.suffix}")
    nothing_to_read = {"": "a folder", f"pipe{reader.suffix}": "a pipe"}
    if kind == "csv":  # which is read once from its beginning to its end, so that a pipe does as well
        del nothing_to_read[f"pipe{reader.suffix}"]
    for name, what in nothing_to_read.items():
        for call in reader.calls:
            with pytest.raises(tg.errors.FormatError, match=f": {tmp_path / name} is {what}"):
                call(tmp_path / name)
    for call in reader.calls:
        with pytest.raises(FileNotFoundError, match="nothing"):
            call(tmp_path / f"nothing{reader.suffix}")
        (tmp_path / f"empty{reader.suffix}").touch()
        with pytest.raises(tg.errors.FormatError, match=f"{tmp_path}/empty"):
            call(tmp_path / f"empty{reader.suffix}")


@contextmanager
def little_memory() -> Iterator[None]:
    """Within the block Python and NumPy must not take more than a mebibyte at a time."""
    tracemalloc.start()
    try:
        yield
    finally:
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    assert peak < 1 << 20


def refused(path: Path, call: Callable[[], Any], message: str) -> None:
    """The call ends in a FormatError that names the file, and takes little memory until then."""
    with little_memory(), pytest.raises(tg.errors.FormatError, match=message) as caught:
        call()
    assert str(path) in str(caught.value)
