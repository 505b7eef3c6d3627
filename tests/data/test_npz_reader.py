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


# ---------------------------------------------------------------------- nothing is lost on the way
TWO_60 = 2**60
NEIGHBOURS = [
    (np.array([TWO_60, TWO_60 + 1] * 2), ("1152921504606846976", "1152921504606846977")),
    (np.array([-TWO_60 - 1, TWO_60] * 2), ("-1152921504606846977", "1152921504606846976")),
    (np.array([2**64 - 1, 2**64 - 2] * 2, np.uint64), ("18446744073709551614", "18446744073709551615")),
    (np.array([2**24, 2**24 + 1] * 2, np.int32), ("16777216", "16777217")),
    (np.array([2**53, 2**53 + 1] * 2, ">i8"), ("9007199254740992", "9007199254740993")),
    (np.array([1.0, 1 + 2**-52] * 2), ("1", "1.0000000000000002")),
    (np.array([0.1, np.nextafter(0.1, 1)] * 2), ("0.1", "0.10000000000000002")),
    (np.array([0.1, 0.25] * 2, np.float32), ("0.1", "0.25")),
    (np.array([1e300, 2.0] * 2), ("2", str(int(1e300)))),
    (np.array([True, False] * 2), ("False", "True")),
    (np.array(["1", "1.0"] * 2), ("1", "1.0")),
    (np.array(["01", "1"] * 2), ("01", "1")),
    (np.array([b"01", b"1"] * 2), ("01", "1")),
    (np.array(["é".encode(), b"e"] * 2), ("e", "é")),
    (np.array(["日本".encode(), "日".encode()] * 2), ("日", "日本")),
    (np.array(["b", "ä"] * 2, ">U1"), ("b", "ä")),
]


@pytest.mark.parametrize(("labels", "names"), NEIGHBOURS, ids=[f"{a.dtype.str}-{n[0]}" for a, n in NEIGHBOURS])
def test_labels_are_told_apart_as_the_file_has_them(labels: Any, names: tuple[str, ...], tmp_path: Path) -> None:
    table = read_npz(archive(tmp_path, x=X, y=labels), task="classification")
    assert table.classes == names
    assert table.targets is not None
    assert table.targets.dtype == np.int64
    assert [labels.tolist().index(value) for value in labels.tolist()] == [0, 1, 0, 1]
    assert (table.targets[0], table.targets[1]) in ((0, 1), (1, 0))
    assert table.targets[:2].tolist() == table.targets[2:].tolist()
    assert [names[label] for label in table.targets] == [_written(value) for value in labels]


def _written(value: Any) -> str:
    if isinstance(value, bytes):
        return value.decode()
    return str(int(value)) if isinstance(value, np.floating) and value == np.floor(value) else str(value)


def test_integers_of_64_bits_are_classes_without_being_told(tmp_path: Path) -> None:
    for dtype in (np.int64, np.uint64):
        table = read_npz(archive(tmp_path, x=X, y=np.array([TWO_60, TWO_60 + 1] * 2, dtype)))
        assert (table.task, len(table.classes)) == ("classification", 2)


@pytest.mark.parametrize("label", [b"\xff\xfe", b"caf\xe9", b"\xed\xa0\x80", b"\xf4\x90\x80\x80"])
def test_labels_in_bytes_that_are_not_utf8(label: bytes, tmp_path: Path) -> None:
    with pytest.raises(tg.errors.FormatError, match=r"data.npz: target 1, b'.*', is not UTF-8 .* np.char.decode"):
        read_npz(archive(tmp_path, x=X, y=np.array([b"plain", label, b"plain", label])))


@pytest.mark.parametrize(
    ("numbers", "message"),
    [
        (np.array([[TWO_60 + 1]]), r"float64 would round 1152921504606846977 at position \(0, 0\); subtract an offset"),
        (np.array([[0], [2**53 + 1]]), r"float64 would round 9007199254740993 at position \(1, 0\)"),
        (np.array([[2**63 - 1]]), "float64 would round 9223372036854775807"),
        (np.array([[2**64 - 1]], np.uint64), "float64 would round 18446744073709551615"),
        (np.array([[-(2**53) - 1]]), "float64 would round -9007199254740993"),
        (np.array([[np.longdouble("1e400")]]), r"float64 does not reach to 1e\+400 at position \(0, 0\); scale them"),
    ],
)
def test_numbers_that_float64_does_not_hold(numbers: Any, message: str, tmp_path: Path) -> None:
    if numbers.dtype == np.longdouble and np.finfo(np.longdouble).max <= np.finfo(np.float64).max:
        pytest.skip("longdouble is float64 here")
    with pytest.raises(tg.errors.FormatError, match=f"inputs: {message}"):
        read_npz(archive(tmp_path, x=numbers))
    rows = np.concatenate([np.arange(0, 7, dtype=numbers.dtype), numbers.reshape(-1)])
    with pytest.raises(tg.errors.FormatError, match=f"targets: {message.partition(' at ')[0]}"):
        read_npz(archive(tmp_path, x=np.zeros((len(rows), 1)), y=rows), task="regression")


def test_numbers_that_float64_holds(tmp_path: Path) -> None:
    for column in (
        np.array([2**63 - 1024, -(2**63), 2**53 + 2, 1_700_000_001]),
        np.array([2**64 - 2048, 2**63], np.uint64),
        np.array([1e300, -1e-300, 5e-324]),
        np.array([True, False]),
        np.array([65504, 6e-8], np.float16),
    ):
        table = read_npz(archive(tmp_path, x=column.reshape(-1, 1)))
        assert [int(v) if column.dtype.kind in "iu" else v for v in table.inputs[:, 0].tolist()] == column.tolist()
