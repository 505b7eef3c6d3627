"""The NPZ reader, on archives written here."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import tensorgrad as tg
from tensorgrad.data import read_npz


def archive(folder: Path, **arrays: Any) -> Path:
    path = folder / "data.npz"
    np.savez(path, **arrays)
    return path


X = np.arange(8, dtype=np.float32).reshape(4, 2)


@pytest.mark.parametrize("keys", [("x", "y"), ("X", "y"), ("inputs", "targets")])
def test_keys(tmp_path: Path, keys: tuple[str, str]) -> None:
    table = read_npz(archive(tmp_path, **{keys[0]: X, keys[1]: np.array([1, 0, 1, 0], np.uint8), "more": X}))
    assert np.array_equal(table.inputs, X)
    assert (table.task, table.classes, table.feature_names) == ("classification", ("0", "1"), ("x_0", "x_1"))
    assert table.targets is not None
    assert table.targets.tolist() == [1, 0, 1, 0]


def test_images_are_flattened_row_by_row(tmp_path: Path) -> None:
    images = np.arange(48, dtype=np.uint8).reshape(4, 3, 4)
    table = read_npz(archive(tmp_path, x=images))
    assert np.array_equal(table.inputs, images.reshape(4, 12))
    assert (table.targets, table.task, table.alike) == (None, None, True)
    assert len(table.dataset().tensors) == 1


def test_targets_of_every_kind(tmp_path: Path) -> None:
    names = read_npz(archive(tmp_path, x=X, y=np.array(["b", "a", "b", "a"])))
    assert names.classes == ("a", "b")
    column = read_npz(archive(tmp_path, x=X, y=np.array([[1], [0], [1], [0]])))
    assert column.targets is not None
    assert column.targets.tolist() == [1, 0, 1, 0]
    numbers = read_npz(archive(tmp_path, x=X, y=np.array([0.5, 1.5, 2.5, 3.5])))
    assert numbers.targets is not None
    assert (numbers.task, numbers.targets.shape) == ("regression", (4, 1))
    several = read_npz(archive(tmp_path, x=X, y=np.ones((4, 3))))
    assert several.targets is not None
    assert (several.task, several.targets.shape) == ("regression", (4, 3))
    said = read_npz(archive(tmp_path, x=X, y=np.array([1, 0, 1, 0])), task="regression")
    assert said.task == "regression"


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        ({"images": X, "labels": X}, "needs the keys x and y .*; found images, labels"),
        ({"x": X, "y": np.zeros(3)}, r"one entry per sample, got shapes \(4, 2\) and \(3,\)"),
        ({"x": np.zeros(4)}, r"shape \(samples, features\), got \(4,\)"),
        ({"x": np.zeros((0, 3))}, r"got \(0, 3\)"),
        ({"x": np.array([[1.0, np.nan]])}, r"inputs must be finite, got nan at position \(0, 1\)"),
        ({"x": X, "y": np.array([1, 2, 3, np.inf])}, r"targets must be finite, got inf at position \(3,\)"),
        ({"x": np.array([["a", "b"]])}, "inputs must be numbers, got dtype <U1"),
        ({"x": np.array([[None, {}]], dtype=object)}, r"x has dtype object; use x\.astype\(float\)"),
        ({"x": X, "y": np.array(["a", "b"] * 2, dtype=object)}, r"y has dtype object; use y\.astype\(str\)"),
    ],
)
def test_faults(tmp_path: Path, arrays: dict[str, Any], message: str) -> None:
    with pytest.raises(tg.errors.FormatError, match=message):
        read_npz(archive(tmp_path, **arrays))


def test_text_is_not_a_number_to_predict(tmp_path: Path) -> None:
    with pytest.raises(tg.errors.FormatError, match="the target is text: use --task classification"):
        read_npz(archive(tmp_path, x=X, y=np.array(["a", "b", "a", "b"])), task="regression")


def test_one_hot_targets_are_not_labels(tmp_path: Path) -> None:
    with pytest.raises(tg.errors.FormatError, match=r"class labels must have shape \(samples,\), got \(4, 4\)"):
        read_npz(archive(tmp_path, x=X, y=np.eye(4)), task="classification")


def test_other_files(tmp_path: Path) -> None:
    single = tmp_path / "single.npz"
    with open(single, "wb") as file:
        np.save(file, X)
    with pytest.raises(tg.errors.FormatError, match="it holds a single array"):
        read_npz(single)
    (tmp_path / "text.npz").write_text("x,y\n1,2\n")
    with pytest.raises(tg.errors.FormatError, match="not a NumPy archive"):
        read_npz(tmp_path / "text.npz")
    with pytest.raises(FileNotFoundError):
        read_npz(tmp_path / "nowhere.npz")
