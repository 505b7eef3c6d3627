"""From a table to a data set: nothing is altered without a word."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import tensorgrad as tg
from tensorgrad.data import Standardizer, Table, read_csv

Array = np.ndarray[Any, np.dtype[Any]]


def table(column: Array, **more: Any) -> Table:
    inputs = np.stack([np.arange(len(column)), column], axis=1).astype(np.float64)
    return Table(inputs, None, None, ("i", "t"), **more)


SECONDS = 1_700_000_000 + np.arange(10)


@pytest.mark.parametrize(
    ("column", "row", "message"),
    [
        (SECONDS, 1, "float32 cannot hold 1700000001.0 .it would be 1700000000.0"),
        (SECONDS + 0.5, 0, "float32 cannot hold 1700000000.5"),
        (2**24 + np.arange(3), 1, "float32 cannot hold 16777217.0"),
        (np.array([0.5, 1e300, 0.25]), 1, "float32 cannot hold 1e.300 .it would be inf"),
        (np.array([0.5, 1e-50, 0.25]) * 1e-50, 0, "float32 cannot hold"),
        (np.array([1.0, 1 + 1e-9, 1 + 2e-9]), 1, "float32 cannot hold 1.000000001"),
        (np.array([np.nan, 2**30 + 1, np.nan]), 1, "float32 cannot hold 1073741825"),
    ],
    ids=["seconds", "fractions of seconds", "2^24", "beyond", "below", "next to 1", "among missing ones"],
)
def test_what_float32_does_not_hold_is_named(column: Array, row: int, message: str) -> None:
    with pytest.raises(tg.errors.FormatError, match=rf"Table\.dataset: row {row}, column 't': {message}"):
        table(column).dataset()
    exact = table(column).dataset(dtype=tg.float64).tensors[0]
    assert exact.dtype == tg.float64
    assert np.array_equal(exact.numpy()[:, 1], column.astype(np.float64), equal_nan=True)


def test_the_line_of_a_file_is_named(tmp_path: Path) -> None:
    path = tmp_path / "data.csv"
    path.write_text("t,x,y\n\n1,2,a\n" + "".join(f"{t},1,b\n" for t in SECONDS))
    with pytest.raises(tg.errors.FormatError, match="line 5, column 't': float32 cannot hold 1700000001"):
        read_csv(path).dataset()
    path.write_text("x,y\n1,5\n1,16777217\n")
    with pytest.raises(tg.errors.FormatError, match="line 3, column 'y': float32 cannot hold 16777217"):
        read_csv(path, task="regression").dataset()


@pytest.mark.parametrize(
    "column",
    [
        np.random.default_rng(0).normal(size=1000),
        np.random.default_rng(0).normal(1000, 1, 1000),
        np.full(5, 0.1),
        np.array([52.520008, 52.51, 52.53, 52.5]),
        2000 + np.arange(30) / 12,
        2.0 ** np.arange(24, 60),
        np.array([np.nan, 0.1, np.nan]),
        np.full(4, np.nan),
        np.zeros(0),
        np.array([0.1]),
        np.array([3e38, -3e38]),
    ],
)
def test_ordinary_numbers_become_float32(column: Array) -> None:
    (found,) = table(column).dataset().tensors
    assert found.dtype == tg.float32
    assert np.array_equal(found.numpy()[:, 1], column.astype(np.float32), equal_nan=True)


def test_labels_stay_whole() -> None:
    labels = np.array([2**60, 2**60 + 1])
    found = Table(np.zeros((2, 1)), labels, "classification", ("x",)).dataset(dtype=tg.float64).tensors[1]
    assert found.tolist() == labels.tolist()


def test_dtypes() -> None:
    with pytest.raises(tg.errors.DTypeError, match="must be a floating one, got int64"):
        table(SECONDS).dataset(dtype=tg.int64)
    half = table(np.array([1.0, 2048.0])).dataset(dtype="float16").tensors[0]
    assert half.dtype == tg.float16
    with pytest.raises(tg.errors.FormatError, match="float16 cannot hold 2049"):
        table(np.array([1.0, 2049.0])).dataset(dtype=tg.float16)


def test_scaled_in_float64_they_fit() -> None:
    """The way that the message names, and the one of the command line."""
    (inputs,) = table(SECONDS).dataset(dtype=tg.float64).tensors
    scaled = Standardizer.fit(inputs).transform(inputs).float().numpy()[:, 1]
    np.testing.assert_allclose(scaled, (np.arange(10) - 4.5) / np.arange(10).std(), rtol=1e-6)


def test_training_on_a_table_refuses_it_too() -> None:
    model = tg.nn.MLP([2, 1])
    optimizer = tg.optim.SGD(model.parameters(), lr=0.1)
    data = Table(table(SECONDS).inputs, np.zeros((10, 1)), "regression", ("i", "t"))
    with pytest.raises(tg.errors.FormatError, match="row 1, column 't': float32 cannot hold 1700000001"):
        tg.train.fit(model, data, tg.nn.MSELoss(), optimizer, epochs=1)
    wide = model.double()
    history = tg.train.fit(
        wide, data, tg.nn.MSELoss(), tg.optim.SGD(wide.parameters(), lr=1e-30), epochs=1, progress=False
    )
    assert len(history.epochs) == 1
