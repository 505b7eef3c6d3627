"""Ordinary tables: columns of text, and cells without values."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import tensorgrad as tg
from tensorgrad.data import Table, read_csv, read_csv_inputs


def write(folder: Path, text: str, name: str = "data.csv") -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def read(folder: Path, text: str, **options: object) -> Table:
    return read_csv(write(folder, text), **options)  # type: ignore[arg-type]


PEOPLE = "age,city,sex,y\n30,Rome,f,1.5\n40,Oslo,m,2.5\n50,Rome,m,3.5\n"
NAN = float("nan")


# ---------------------------------------------------------------------- text
def test_columns_of_text_are_one_hot(tmp_path: Path) -> None:
    table = read(tmp_path, PEOPLE)
    assert table.feature_names == ("age", "city=Oslo", "city=Rome", "sex=f", "sex=m")
    assert table.sources == ("age", "city", "city", "sex", "sex")
    assert table.feature_columns == ("age", "city", "sex")
    assert table.levels == {"city": ("Oslo", "Rome"), "sex": ("f", "m")}
    assert table.inputs.tolist() == [[30, 0, 1, 1, 0], [40, 1, 0, 0, 1], [50, 0, 1, 0, 1]]
    assert table.indicators == [1, 2, 3, 4]


def test_one_hot_against_numpys_own_unique(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    cells = rng.choice(["x", "yy", "Zz", "a b", "é"], 200)
    table = read(tmp_path, "n,c,t\n" + "".join(f"{i},{c},{i}.5\n" for i, c in enumerate(cells)))
    levels, codes = np.unique(cells, return_inverse=True)
    assert table.levels["c"] == tuple(levels)
    assert np.array_equal(table.inputs[:, 1:], np.eye(len(levels))[codes])


def test_numbers_can_be_taken_for_names(tmp_path: Path) -> None:
    text = "zip,n,y\n01097,1,a\n1097,2,b\n10115,3,a\n"
    assert read(tmp_path, text).inputs[:, 0].tolist() == [1097, 1097, 10115]
    assert read(tmp_path, text).padded == ("zip",)
    table = read(tmp_path, text, categorical=["zip"])
    assert table.feature_names == ("zip=01097", "zip=1097", "zip=10115", "n")
    assert table.padded == ()
    assert read(tmp_path, text, categorical="zip,n").levels["n"] == ("1", "2", "3")
    mixed = "code,y\n7,1.5\nA1,2.5\n7,3.5\n"
    assert read(tmp_path, mixed, categorical="code").feature_names == ("code=7", "code=A1")


def test_names_of_single_samples_are_no_categories(tmp_path: Path) -> None:
    text = "name,n,y\n" + "".join(f"Doe {i},{i},{i}.5\n" for i in range(30))
    with pytest.raises(
        tg.errors.FormatError, match="column 'name': 30 different texts in 30 lines, such as 'Doe 0'"
    ) as e:
        read(tmp_path, text)
    assert "--ignore name (ignore=['name'] in Python)" in str(e.value)
    assert "--categorical name (categorical=['name'])" in str(e.value)
    assert read(tmp_path, text, categorical="name").inputs.shape == (30, 31)
    assert read(tmp_path, text, ignore="name").inputs.shape == (30, 1)
    twice = "c,y\n" + "".join(f"c{i % 250},{i}.5\n" for i in range(1000))
    assert read(tmp_path, twice).inputs.shape == (1000, 250)
    with pytest.raises(tg.errors.FormatError, match="'c': 300 different texts in 1000 lines"):
        read(tmp_path, "c,y\n" + "".join(f"c{i % 300},{i}.5\n" for i in range(1000)))


def test_indicators_beyond_all_measure_are_refused(tmp_path: Path) -> None:
    text = "c,n\n" + "".join(f"c{i},1.5\n" for i in range(17_000))
    with pytest.raises(
        tg.errors.FormatError, match=r"each of 17000 texts in 17000 lines would take 2 GiB; leave it out"
    ):
        read(tmp_path, text, categorical="c")


def test_new_samples_have_the_features_of_the_table(tmp_path: Path) -> None:
    table = read(tmp_path, PEOPLE)
    new = write(tmp_path, "sex,age,note,city\nm,10,?,Rome\n", "new.csv")
    assert read_csv_inputs(new, table).tolist() == [[10, 0, 1, 0, 1]]
    said = read_csv_inputs(new, table.feature_columns, table.columns, levels=table.levels)
    assert said.tolist() == [[10, 0, 1, 0, 1]]
    assert np.array_equal(read_csv_inputs(tmp_path / "data.csv", table), table.inputs)


def test_unknown_texts_are_named_or_ignored(tmp_path: Path) -> None:
    table = read(tmp_path, PEOPLE)
    new = write(tmp_path, "age,city,sex\n10,Rome,m\n20,Bern,m\n30,Lima,f\n", "new.csv")
    message = r"line 3, column 'city': 'Bern', 'Lima' are not among the 2 texts .* \(Oslo, Rome\); .* --unknown ignore"
    with pytest.raises(tg.errors.FormatError, match=message):
        read_csv_inputs(new, table)
    found = read_csv_inputs(new, table, unknown="ignore")
    assert found[:, 1:3].tolist() == [[0, 1], [0, 0], [0, 0]]
    with pytest.raises(tg.errors.ArgumentError, match="unknown must be error or ignore, got 'drop'"):
        read_csv_inputs(new, table, unknown="drop")  # type: ignore[arg-type]


# ---------------------------------------------------------------------- missing values
HOLES = "age,city,n,y\n30,Rome,1,a\n,Oslo,2,b\n50,?,,a\n60,Rome,4,\n"


def test_missing_values_are_counted(tmp_path: Path) -> None:
    complete_targets = HOLES.replace("4,\n", "4,b\n")
    message = (
        r"line 3, column 'age': the value is missing \(found ''\), the first of 3 in 2 of 4 lines; by column: age "
    )
    with pytest.raises(tg.errors.FormatError, match=message + r"\(1\), city \(1\), n \(1\); .*--missing mean, median"):
        read(tmp_path, complete_targets)
    with pytest.raises(tg.errors.FormatError, match=r"line 5, column 'y': the value is missing .*--missing drop"):
        read(tmp_path, HOLES)
    with pytest.raises(tg.errors.FormatError, match=r"line 5, column 'y': the value is missing"):
        read(tmp_path, HOLES, missing="nan")


def test_lines_with_missing_values_can_be_left_out(tmp_path: Path) -> None:
    table = read(tmp_path, HOLES, missing="drop")
    assert (table.inputs.tolist(), table.lines, table.dropped) == ([[30, 1, 1]], (2,), 3)
    assert table.levels == {"city": ("Rome",)}  # no feature for a text that only left-out lines have
    unused = read(tmp_path, HOLES, missing="drop", ignore="age")
    assert (unused.inputs.tolist(), unused.dropped) == ([[0, 1, 1], [1, 0, 2]], 2)
    with pytest.raises(tg.errors.FormatError, match="no line is complete"):
        read(tmp_path, "a,y\n,1\n2,\n", missing="drop")


def test_missing_values_can_be_left_to_an_imputer(tmp_path: Path) -> None:
    table = read(tmp_path, HOLES.replace("4,\n", "4,b\n"), missing="nan")
    expected: list[list[float]] = [[30, 0, 1, 1], [NAN, 1, 0, 2], [50, NAN, NAN, NAN], [60, 0, 1, 4]]
    assert np.array_equal(table.inputs, expected, equal_nan=True)
    assert table.missing() == {"age": 1, "city": 1, "n": 1}
    (inputs, _) = table.dataset().tensors
    assert np.array_equal(inputs.numpy(), np.array(expected, np.float32), equal_nan=True)
    filled = tg.data.Imputer.fit(inputs, "mean").transform(inputs).numpy()
    assert filled[1, 0] == np.float32(140 / 3)
    assert filled[2].tolist() == pytest.approx([50, 1 / 3, 2 / 3, 7 / 3])


@pytest.mark.parametrize("cell", ["", " ", "NA", "n/a", "NaN", "null", "None", "?", "-", ".", "#N/A", '""'])
def test_what_stands_for_no_value(tmp_path: Path, cell: str) -> None:
    text = f"a,b,y\n1,2,x\n{cell},3,z\n"
    assert read(tmp_path, text, missing="drop").lines == (2,)
    with pytest.raises(tg.errors.FormatError, match="line 3, column 'a': the value is missing"):
        read(tmp_path, text)


def test_means_are_not_taken_over_what_is_held_out(tmp_path: Path) -> None:
    for strategy in ("mean", "median"):
        with pytest.raises(
            tg.errors.ArgumentError, match=rf"missing='nan', split, then tg\.data\.Imputer.* '{strategy}'"
        ):
            read(tmp_path, HOLES, missing=strategy)
    with pytest.raises(tg.errors.ArgumentError, match="missing must be 'error', 'drop', 'nan', got 'guess'"):
        read(tmp_path, HOLES, missing="guess")


def test_missing_values_in_samples_to_predict(tmp_path: Path) -> None:
    table = read(tmp_path, PEOPLE)
    new = write(tmp_path, "age,city,sex\n,Rome,m\n20,,m\n", "new.csv")
    with pytest.raises(
        tg.errors.FormatError, match=r"line 2, column 'age': the value is missing .*first of 2 in 2 of 2"
    ):
        read_csv_inputs(new, table)
    found = read_csv_inputs(new, table, missing="nan")
    assert np.array_equal(found, [[NAN, 0, 1, 0, 1], [20, NAN, NAN, 0, 1]], equal_nan=True)
    with pytest.raises(tg.errors.ArgumentError, match="missing must be 'error' or 'nan' for samples to predict"):
        read_csv_inputs(new, table, missing="drop")
