"""The CSV reader: small files written out here, their tables worked out by hand."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import tensorgrad as tg
from tensorgrad.data import Table, read_csv, read_csv_inputs
from tensorgrad.data.targets import infer_task

FLOWERS = "length,width,kind\n5.1,3.5,setosa\n7,3.2,versicolor\n4.9,3e0,setosa\n"


def write(folder: Path, text: str, name: str = "data.csv") -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def read(folder: Path, text: str, **options: object) -> Table:
    return read_csv(write(folder, text), **options)  # type: ignore[arg-type]


def test_header_and_class_names(tmp_path: Path) -> None:
    table = read(tmp_path, FLOWERS)
    assert table.feature_names == ("length", "width")
    assert (table.target_name, table.task, table.classes) == (
        "kind",
        "classification",
        ("setosa", "versicolor"),
    )
    assert table.inputs.tolist() == [[5.1, 3.5], [7.0, 3.2], [4.9, 3.0]]
    assert table.inputs.dtype == np.float64
    assert table.targets is not None
    assert table.targets.dtype == np.int64
    assert table.targets.tolist() == [0, 1, 0]


def test_dataset_has_the_dtypes_of_training(tmp_path: Path) -> None:
    x, y = read(tmp_path, FLOWERS).dataset().tensors
    assert (x.dtype, x.shape, y.dtype, y.shape) == (tg.float32, (3, 2), tg.int64, (3,))
    x, y = read(tmp_path, "a,b\n1,0.5\n2,1.5\n").dataset().tensors
    assert (y.dtype, y.shape) == (tg.float32, (2, 1))


def test_without_header(tmp_path: Path) -> None:
    table = read(tmp_path, "1,2,0.5\n3,4,1.5\n")
    assert table.feature_names == ("column_1", "column_2")
    assert table.inputs.tolist() == [[1, 2], [3, 4]]
    assert table.task == "regression"
    assert table.targets is not None
    assert table.targets.tolist() == [[0.5], [1.5]]


def test_named_target_and_ignored_columns(tmp_path: Path) -> None:
    table = read(tmp_path, "id,price,rooms,area\n7,100.5,2,50\n8,200.5,3,70\n", target="price", ignore=["id"])
    assert table.feature_names == ("rooms", "area")
    assert table.columns == ("id", "price", "rooms", "area")
    assert table.inputs.tolist() == [[2, 50], [3, 70]]
    assert table.targets is not None
    assert table.targets.tolist() == [[100.5], [200.5]]


@pytest.mark.parametrize(
    "text",
    [
        "a;b\n1;2.5\n3;4.5\n",
        "a\tb\n1\t2.5\n3\t4.5\n",
        "\ufeffa,b\r\n1,2.5\r\n\r\n3,4.5\r\n",
        '"a", "b"\n "1",2.5\n3,"4.5"',
    ],
    ids=["semicolon", "tab", "byte order mark, CRLF, blank line", "quotes and spaces"],
)
def test_dialects(tmp_path: Path, text: str) -> None:
    table = read(tmp_path, text)
    assert (table.feature_names, table.target_name) == (("a",), "b")
    assert table.inputs.tolist() == [[1], [3]]
    assert table.targets is not None
    assert table.targets.tolist() == [[2.5], [4.5]]


def test_numeric_classes_keep_their_names_and_order(tmp_path: Path) -> None:
    table = read(tmp_path, "x,y\n1,10\n2,9\n3,10\n4,9\n")
    assert (table.task, table.classes) == ("classification", ("9", "10"))
    assert table.targets is not None
    assert table.targets.tolist() == [1, 0, 1, 0]


def test_task_can_be_said(tmp_path: Path) -> None:
    text = "x,y\n1,1\n2,0\n3,1\n4,0\n"
    assert read(tmp_path, text).task == "classification"
    regression = read(tmp_path, text, task="regression")
    assert (regression.task, regression.classes) == ("regression", ())
    assert regression.targets is not None
    assert regression.targets.tolist() == [[1], [0], [1], [0]]
    assert read(tmp_path, "x,y\n1,1.5\n2,2.5\n", task="classification").classes == ("1.5", "2.5")


@pytest.mark.parametrize(
    ("numbers", "task"),
    [
        ([0, 1, 1, 0], "classification"),
        ([0.0, 1.0, 0.5, 0.0], "regression"),
        ([925, 740, 510, 333], "regression"),
        (list(range(100)) * 2, "classification"),
        ([3 * i for i in range(100)] * 2, "regression"),
        ([-1, 1, -1, 1], "classification"),
    ],
)
def test_inference_of_the_task(numbers: list[float], task: str) -> None:
    assert infer_task(np.array(numbers, dtype=np.float64)) == task


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a,b,c\n1,2,x\n3,,y\n", r"line 3, column 'b': the value is missing \(found ''\)"),
        ("a,b,c\n1,NA,x\n3,4,y\n", r"line 2, column 'b': the value is missing \(found 'NA'\)"),
        ("a,b,c\n1,2,x\n\n3,4,?\n", r"line 4, column 'c': the value is missing \(found '\?'\)"),
        ("a,b,c\n1,2,x\n3,4.5.6,y\n", "line 3, column 'b': expected a finite number, got '4.5.6'"),
        ("a,b,c\n1,inf,x\n", "line 2, column 'b': expected a finite number, got 'inf'"),
        ("a,b,c\n1,red,x\n", "line 2, column 'b': expected a finite number, got 'red'"),
        ("a,b,c\n1,2,x\n3,4\n", "line 3: expected 3 cells as in the first line, got 2"),
        ("a,a,c\n1,2,x\n", "column name 'a' occurs more than once"),
        ("a,b,c\n", "a header and no data"),
        ("", "is empty"),
        ("a\nx\n", "no feature columns"),
        ("id,2020,2021\n1,2,3\n", "the first line has 'id' above a number"),
    ],
)
def test_faults_are_located(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(tg.errors.FormatError, match=message):
        read(tmp_path, text)


def test_regression_target_that_is_text(tmp_path: Path) -> None:
    with pytest.raises(tg.errors.FormatError, match="line 3, column 'y': expected a finite number, got 'cheap'"):
        read(tmp_path, "x,y\n1,2\n2,cheap\n", task="regression")
    with pytest.raises(tg.errors.FormatError, match="column 'y': the target is text: use --task classification"):
        read(tmp_path, "x,y\n1,dear\n2,cheap\n", task="regression")


def test_a_feature_that_is_text(tmp_path: Path) -> None:
    message = (
        "line 3, column 'home town': .* got 'Paris'; the column is text: encode it, or leave it out with --ignore "
    )
    with pytest.raises(tg.errors.FormatError, match=message + "'home town'"):
        read(tmp_path, "home town,n,kind\n,1,a\nParis,2,b\n")
    with pytest.raises(tg.errors.FormatError, match=r"column 'kind': the value is missing .*; fill it in"):
        read(tmp_path, "n,kind\n1,a\n2,\n")
    for text in ("city,n,y\n1,2,3\nParis,2,3\n", "city,n,y\ninf,2,3\n"):  # one wrong cell, not a column of text
        with pytest.raises(tg.errors.FormatError, match=r"'city': expected a finite number, got '.*'; fill it in"):
            read(tmp_path, text)
    with pytest.raises(tg.errors.FormatError, match=r"the column is text: encode it as for the training$"):
        read_csv_inputs(write(tmp_path, "city,n\nParis,2\n"), ["n", "city"])


def test_the_repr_of_a_table_is_short(tmp_path: Path) -> None:
    assert repr(read(tmp_path, "a,b,kind\n1,2,x\n3,4,y\n3,5,y\n")) == (
        "Table(inputs: float64[3, 2] of a, b; targets: int64[3] of kind, for classification; classes: x, y)"
    )
    many = read(tmp_path, "\n".join([",".join(f"c{i}" for i in range(21)), ",".join("1.5" for _ in range(21))]))
    assert repr(many) == (
        f"Table(inputs: float64[1, 20] of {', '.join(f'c{i}' for i in range(12))}, ... (20 in all); "
        "targets: float64[1, 1] of c20, for regression)"
    )


def test_header_can_be_said(tmp_path: Path) -> None:
    text = "id,2020,2021\n1,2,3.5\n"
    assert read(tmp_path, text, header=True).feature_names == ("id", "2020")
    with pytest.raises(tg.errors.FormatError, match="line 1, column 'column_1': expected a finite number, got 'id'"):
        read(tmp_path, text, header=False)


def test_unknown_columns_and_tasks(tmp_path: Path) -> None:
    with pytest.raises(tg.errors.ArgumentError, match="no column 'colour'; its columns are length, width, kind"):
        read(tmp_path, FLOWERS, target="colour")
    with pytest.raises(tg.errors.ArgumentError, match="no column 'id'"):
        read(tmp_path, FLOWERS, ignore=["id"])
    with pytest.raises(tg.errors.ArgumentError, match="classification or regression, got 'guess'"):
        read(tmp_path, FLOWERS, task="guess")


def test_not_text(tmp_path: Path) -> None:
    path = tmp_path / "picture.csv"
    path.write_bytes(bytes(range(256)))
    with pytest.raises(tg.errors.FormatError, match="not a text file"):
        read_csv(path)
    with pytest.raises(FileNotFoundError):
        read_csv(tmp_path / "nowhere.csv")


def test_inputs_are_found_by_name(tmp_path: Path) -> None:
    path = write(tmp_path, "extra,b,a\n9,2,1\n9,4,3\n")
    assert read_csv_inputs(path, ["a", "b"]).tolist() == [[1, 2], [3, 4]]
    with pytest.raises(tg.errors.FormatError, match=r"lacks 1 of the 2 columns .* the first is 'c'; found extra, b, a"):
        read_csv_inputs(path, ["a", "c"])


def test_inputs_without_header_have_one_of_two_layouts(tmp_path: Path) -> None:
    features, columns = ["a", "b"], ["a", "y", "b"]
    assert read_csv_inputs(write(tmp_path, "1,2\n3,4\n"), features, columns).tolist() == [[1, 2], [3, 4]]
    assert read_csv_inputs(write(tmp_path, "1,9,2\n3,9,4\n"), features, columns).tolist() == [[1, 2], [3, 4]]
    with pytest.raises(tg.errors.FormatError, match="lacks 2 of the 2 columns"):
        read_csv_inputs(write(tmp_path, "1,2,3,4\n"), features, columns)
