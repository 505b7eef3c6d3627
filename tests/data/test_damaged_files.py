"""Damaged files: every reader answers each of them with its own error that names the file, in bounded time and memory."""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import dataclass
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
    reader, random, refused = READERS[kind], np.random.default_rng([seed, len(kind)]), 0
    whole, path = reader.whole(folder), folder / f"damaged{reader.suffix}"
    for number in range(count):
        damage = reader.damages[int(random.integers(len(reader.damages)))]
        path.write_bytes(damage(random, whole[int(random.integers(len(whole)))]))
        for call in reader.calls:
            started = perf_counter()
            try:
                call(path)
            except tg.errors.FormatError as error:
                assert str(path) in str(error), f"file {number}: the error does not name the file: {error}"
                refused += 1
            except Exception as error:
                error.add_note(f"file {number} of seed {seed}: {path.read_bytes()!r:.2000}")
                raise
            assert perf_counter() - started < SECONDS, f"file {number} of seed {seed}"
    return refused


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
    refused = try_damaged_files(kind, 1, count, tmp_path)
    assert refused > count / 4  # else the damage is none


@pytest.mark.long
@pytest.mark.parametrize("seed", range(2, 12))
@pytest.mark.parametrize("kind", READERS)
def test_many_damaged_files(kind: str, seed: int, tmp_path: Path) -> None:
    try_damaged_files(kind, seed, 10_000, tmp_path)
