"""The CSV reader: small files written out here, their tables worked out by hand."""

from __future__ import annotations

from pathlib import Path
from time import perf_counter

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
        ("a,b,c\n1,2,x\n1,red,x\n", "line 3, column 'b': expected a finite number, got 'red'"),
        ("a,b,c\n1,1_000,x\n1,2,x\n", "line 2, column 'b': expected a finite number, got '1_000'"),
        ("a,b,c\n1,\u0661,x\n1,2,x\n", "line 2, column 'b': expected a finite number, got '\u0661'"),
        ("a,b,c\n1,1e999,x\n", "line 2, column 'b': expected a finite number, got '1e999'"),
        ("a,b\n1,2.5\n9007199254740993,3.5\n", "line 3, column 'a': .* cannot hold 9007199254740993 to its last"),
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


def test_a_column_of_numbers_with_one_text(tmp_path: Path) -> None:
    for text in ("city,n,y\n1,2,3\nParis,2,3\n", "city,n,y\ninf,2,3\n"):
        with pytest.raises(tg.errors.FormatError, match=r"'city': expected a finite number, got '.*'; fill it in") as e:
            read(tmp_path, text)
        assert "--ignore city (ignore=['city'] in Python)" in str(e.value)
        assert "--categorical city (categorical=['city'])" in str(e.value)
    with pytest.raises(tg.errors.FormatError, match=r"got 'Paris'; fill it in, or leave out the line$"):
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
    with pytest.raises(tg.errors.ArgumentError, match=r"no column 'lenght'; .* did you mean 'length'?"):
        read(tmp_path, FLOWERS, ignore="width, lenght")
    with pytest.raises(tg.errors.ArgumentError, match="'kind' is the column to predict and to ignore"):
        read(tmp_path, FLOWERS, ignore="kind")
    with pytest.raises(tg.errors.ArgumentError, match="classification or regression, got 'guess'"):
        read(tmp_path, FLOWERS, task="guess")


def test_columns_whose_names_hold_commas(tmp_path: Path) -> None:
    text = '"size, cm","a","a,b",kind\n1,2,3,x\n4,5,6,y\n'
    for ignore, left in (
        (["size, cm"], ("a", "a,b")),
        ("size, cm", ("a", "a,b")),
        ("a,size, cm", ("a,b",)),
        ("a,b", ("size, cm", "a")),
        (["a,b", "a"], ("size, cm",)),
        (" a , a,b ", ("size, cm",)),
    ):
        assert read(tmp_path, text, ignore=ignore).feature_names == left
    with pytest.raises(tg.errors.ArgumentError, match="no column 'size'"):
        read(tmp_path, text, ignore="size")


def test_an_ignored_column_may_hold_anything(tmp_path: Path) -> None:
    assert read(tmp_path, "a,b,c\n1,,x\n2,red,y\n3,5,x\n", ignore="b").inputs.tolist() == [[1], [2], [3]]


@pytest.mark.parametrize(
    ("labels", "classes"),
    [
        (["02", "01", "10"], ("01", "02", "10")),
        (["1.10", "1.9", "1.5"], ("1.10", "1.5", "1.9")),
        (["1", "01", "1.0", "9"], ("01", "1", "1.0", "9")),
        (["10", "9", "1e1"], ("9", "10", "1e1")),
        ([str(2**60), str(2**60 + 1)], (str(2**60), str(2**60 + 1))),
        ([str(2**60 + 1), "-5", str(2**60)], ("-5", str(2**60), str(2**60 + 1))),
        (["+1", "0"], ("0", "+1")),
        (["10", "9", "b"], ("10", "9", "b")),
    ],
)
def test_classes_are_what_the_file_writes(tmp_path: Path, labels: list[str], classes: tuple[str, ...]) -> None:
    """In the order of the numbers that they are, told apart by how they are written."""
    rows = "".join(f"{i},{label}\n" for i, label in enumerate(labels * 2))
    table = read(tmp_path, "x,y\n" + rows, task="classification")
    assert table.classes == classes
    assert table.targets is not None
    assert [table.classes[label] for label in table.targets.tolist()] == labels * 2


def test_large_whole_targets_are_told_apart_before_the_task_is_inferred(tmp_path: Path) -> None:
    rows = "".join(f"{i},{2**60 + i % 2}\n" for i in range(8))
    table = read(tmp_path, "x,y\n" + rows)
    assert (table.task, table.classes) == ("classification", (str(2**60), str(2**60 + 1)))
    many = "".join(f"{i},{2**60 + i // 2}\n" for i in range(100))  # one value in float64, fifty in the file
    with pytest.raises(tg.errors.FormatError, match="cannot hold 1152921504606846977 to its last digit"):
        read(tmp_path, "x,y\n" + many)


def test_inputs_are_found_by_name(tmp_path: Path) -> None:
    path = write(tmp_path, "extra,b,a\n9,2,1\n9,4,3\n")
    assert read_csv_inputs(path, ["a", "b"]).tolist() == [[1, 2], [3, 4]]
    with pytest.raises(tg.errors.FormatError, match=r"lacks 1 of the 2 columns .* the first is 'c'; found extra, b, a"):
        read_csv_inputs(path, ["a", "c"])


def test_inputs_without_header_have_one_of_two_layouts(tmp_path: Path) -> None:
    features, columns = ["a", "b"], ["a", "y", "b"]
    assert read_csv_inputs(write(tmp_path, "1,2\n3,4\n"), features, columns).tolist() == [[1, 2], [3, 4]]
    assert read_csv_inputs(write(tmp_path, "1,9,2\n3,9,4\n"), features, columns).tolist() == [[1, 2], [3, 4]]
    with pytest.raises(
        tg.errors.FormatError, match="does not name its 4 columns; the model was trained on a file of 3"
    ):
        read_csv_inputs(write(tmp_path, "1,2,3,4\n"), features, columns)


def _file(tmp_path: Path, text: str) -> str:
    path = tmp_path / "table.csv"
    path.write_text(text, encoding="utf8")
    return str(path)


def test_one_slip_does_not_make_classes_of_numbers(tmp_path: Path) -> None:
    rows = [f"{i},{i * 1.5}" for i in range(30)]
    path = _file(tmp_path, "\n".join(["x,y", *rows, "31,12x"]))
    with pytest.raises(
        tg.FormatError, match=r"line 32, column 'y': '12x' is no finite number, unlike 30 of 31 targets"
    ):
        read_csv(path)
    assert read_csv(path, task="classification").task == "classification"
    assert read_csv(_file(tmp_path, "x,y\n1,a1\n2,b2\n3,7\n4,a1\n")).classes == ("7", "a1", "b2")


def test_the_target_is_no_categorical_feature(tmp_path: Path) -> None:
    path = _file(tmp_path, "x,year\n1,2001\n2,2002\n3,2001\n")
    with pytest.raises(tg.ArgumentError, match=r"'year' is the column to predict, .* --task classification"):
        read_csv(path, categorical="year")


def test_a_file_without_names_is_read_in_no_other_layout_than_the_models(tmp_path: Path) -> None:
    table = read_csv(
        _file(tmp_path, "1,7,101,1\n2,8,102,2\n3,9,103,3\n"), target="column_2", ignore="column_4", header=False
    )
    for text, found in (("1,101\n", [[1, 101]]), ("1,7,101,1\n", [[1, 101]])):
        assert read_csv_inputs(_file(tmp_path, text), table, header=False).tolist() == found
    for text in ("1,101,1001\n", "1,7,101,1,5\n"):
        with pytest.raises(tg.FormatError, match=r"does not name its . columns; the model was trained on a file of 4"):
            read_csv_inputs(_file(tmp_path, text), table, header=False)


@pytest.mark.parametrize("cell", ["1e-99999999999999999999", "0e99999999999999999999"])
def test_exponents_beyond_all_bounds(tmp_path: Path, cell: str) -> None:
    table = read_csv(_file(tmp_path, f"x,y\n1,{cell}\n2,3\n3,{cell}\n4,3\n"), task="classification")
    assert set(table.classes) == {cell, "3"}


def test_a_categorical_column_without_values(tmp_path: Path) -> None:
    path = _file(tmp_path, "c,x,y\n,1,a\n,2,b\n,3,a\n")
    with pytest.raises(tg.FormatError, match="column 'c' has no values"):
        read_csv(path, categorical="c", missing="nan")


def test_a_long_cell_is_looked_at_once(tmp_path: Path) -> None:
    path = _file(tmp_path, f"c,y\n1{' ' * 120_000}x,a\n2 %,b\nq,a\n")
    began = perf_counter()
    assert len(read_csv(path)) == 3
    assert perf_counter() - began < 20  # it took minutes


@pytest.mark.skipif(not Path("/dev/zero").exists(), reason="the system has no such device")
def test_a_device_is_no_table() -> None:
    with pytest.raises(tg.FormatError, match="a device; give the name of a file"):
        read_csv("/dev/zero")
