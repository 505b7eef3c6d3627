"""How a text file may be written: quotation marks, delimiters, decimal marks, encodings, headers."""

from __future__ import annotations

import codecs
import csv
import io
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import tensorgrad as tg
from tensorgrad.data import Table, read_csv, read_csv_inputs
from tensorgrad.data.text.dialect import guess_delimiter
from tensorgrad.data.text.records import read_records


def read(folder: Path, content: str | bytes, **options: object) -> Table:
    path = folder / "data.csv"
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return read_csv(path, **options)  # type: ignore[arg-type]


# ---------------------------------------------------------------------- quotation marks
@pytest.mark.parametrize(
    ("text", "line", "problem"),
    [
        ('a,y\n1,"x\n2,z\n', 2, "a cell begins with a quotation mark, and no other closes it"),
        ('a,y\n1,x\n2,"z', 3, "no other closes it"),
        ('a,y\n1,x\n2,"', 3, "no other closes it"),
        ('a,y\n1, "x\n2,z\n', 2, "no other closes it"),
        ('"a,y\n1,x\n2,z\n', 1, "no other closes it"),
        ('a,y\n1,"x""\n2,z\n', 2, "no other closes it"),
        ('a,y\n1,x\n2,"x\n\n"z\n3,w\n', 3, "there is text after the quotation mark that closes a cell"),
        ('a,y\n1,"x"y\n', 2, "text after the quotation mark"),
        ('a,y\n1,"x" "y"\n', 2, "text after the quotation mark"),
        ('a,y\n1,"x\n2,"z"\n', 2, "text after the quotation mark"),
        ('a,y\n1,12" disk\n2,z\n', 2, "a quotation mark inside a cell that does not begin with one"),
        ('a,y\n1,x\n2,z"\n', 3, "inside a cell that does not begin with one"),
        ('a,y\n"1\n2",x\n3,z"\n', 4, "inside a cell that does not begin with one"),
        ('a;y\r\n1;"x\r\n2;z\r\n', 2, "no other closes it"),
        ('a\ty\n1\t"x\n2\tz\n', 2, "no other closes it"),
        ('a y\n1 "x\n2 z\n', 2, "no other closes it"),
    ],
)
def test_malformed_quotes_are_an_error_with_the_line(tmp_path: Path, text: str, line: int, problem: str) -> None:
    delimiter = " " if " " in text.splitlines()[0] else None
    with pytest.raises(tg.errors.FormatError, match=rf"line {line}: .*{problem}"):
        read(tmp_path, text, delimiter=delimiter)


def test_a_mark_that_is_never_closed_in_a_long_file(tmp_path: Path) -> None:
    """Longer than Python's reader takes for one cell; and not in quadratic time."""
    rows = "".join(f"{i},x\n" for i in range(100_000))
    with pytest.raises(tg.errors.FormatError, match="line 2: a cell begins with a quotation mark"):
        read(tmp_path, 'a,y\n1,"x\n' + rows)
    with pytest.raises(tg.errors.FormatError, match="line 2: a cell begins with a quotation mark"):
        read(tmp_path, 'a,y\n1,"' + '""' * 60_000)


def test_well_formed_quotes(tmp_path: Path) -> None:
    text = 'a,y\n1,"x, ""y"""\n"2" ,"two\nlines"\n3, "z" \n\n4,""""\n'
    table = read(tmp_path, text)
    assert set(table.classes) == {'x, "y"', "two\nlines", "z", '"'}
    assert table.lines == (2, 3, 5, 7)


@given(st.lists(st.lists(st.text('a1", \n;\r'), min_size=2, max_size=3), min_size=1), st.sampled_from(",;\t"))
def test_what_python_writes_is_read_back(rows: list[list[str]], delimiter: str) -> None:
    rows = [[*row, "x", "x"][:3] for row in rows]
    text = io.StringIO(newline="")
    csv.writer(text, delimiter=delimiter, quoting=csv.QUOTE_ALL).writerows(rows)
    _, found = read_records("file", text.getvalue(), delimiter)
    assert found == [[cell.strip() for cell in row] for row in rows]


@given(st.lists(st.sampled_from(['"', ",", "a", " ", "\n", '""']), max_size=12).map("".join))
def test_any_text_is_read_or_refused(text: str) -> None:
    """What is read holds as many quotation marks as RFC 4180 leaves of them: a cell in marks loses two."""
    try:
        _, rows = read_records("file", text, ",")
    except tg.errors.FormatError:
        return
    kept = sum(cell.count('"') for row in rows for cell in row)
    assert text.count('"') % 2 == 0
    assert 2 * kept <= text.count('"')


# ---------------------------------------------------------------------- delimiters
@pytest.mark.parametrize(
    ("text", "delimiter"),
    [
        ('"Doe, Jane";1\n"Roe, Max, Dr.";2\n', ";"),
        ('"a, b, c";y\n1;2\n', ";"),
        ("5,1;3,5;2\n4,9;3,0;1\n", ";"),
        ("1,2;3,4\n5,6;7,8\n", ";"),
        ("a,b\tc\n1,5\t2\n", "\t"),
        ("a|b\n1|2\n", "|"),
        ("a,b\nx;y,1\nz,2\n", ","),
        ("a,b\n", ","),
        ("a\n1\n", ","),
        ("", ","),
        ('a,"multi\nline; cell",c\n1,2,3\n', ","),
    ],
)
def test_the_delimiter_is_guessed_outside_of_quotation_marks(text: str, delimiter: str) -> None:
    assert guess_delimiter(text) == delimiter


@pytest.mark.parametrize("delimiter", ["|", "pipe", ":", "colon", " ", "space", "\t", "tab", "\\t", ";", "semicolon"])
def test_the_delimiter_can_be_said(tmp_path: Path, delimiter: str) -> None:
    mark = {"pipe": "|", "colon": ":", "space": " ", "tab": "\t", "\\t": "\t", "semicolon": ";"}.get(
        delimiter, delimiter
    )
    table = read(tmp_path, "a,b,y\n1,2,x\n3,4,z\n".replace(",", mark), delimiter=delimiter)
    assert table.inputs.tolist() == [[1, 2], [3, 4]]
    assert table.read_as == f"delimiter {mark!r}"


def test_columns_lined_up_with_spaces(tmp_path: Path) -> None:
    table = read(tmp_path, "a    b   y\n1.5  2   x  \n 3   4.5 z\n", delimiter="space")
    assert table.inputs.tolist() == [[1.5, 2], [3, 4.5]]


@pytest.mark.parametrize("delimiter", ["", "ab", "a", "1", '"', "\n", "tabs"])
def test_delimiters_that_are_none(tmp_path: Path, delimiter: str) -> None:
    if delimiter:
        with pytest.raises(tg.errors.ArgumentError, match="delimiter must be one character"):
            read(tmp_path, "a,b\n1,2\n", delimiter=delimiter)


def test_a_declared_delimiter(tmp_path: Path) -> None:
    table = read(tmp_path, "sep=;\r\na;y\r\n1,5;x\r\n2,5;z\r\n")
    assert (table.inputs.tolist(), table.lines) == ([[1.5], [2.5]], (3, 4))


def test_one_column_asks_for_the_delimiter(tmp_path: Path) -> None:
    with pytest.raises(tg.errors.FormatError, match=r"no feature columns, only a b; .* with --delimiter"):
        read(tmp_path, "a b\n1 2\n3 4\n")


# ---------------------------------------------------------------------- decimal marks
def test_decimal_commas_are_recognised(tmp_path: Path) -> None:
    table = read(tmp_path, "l;b;n;art\n5,1;-3,5;1;x\n4,9;+3,0e1;2;y\n,5;0,25;3;x\n")
    assert table.inputs.tolist() == [[5.1, -3.5, 1], [4.9, 30, 2], [0.5, 0.25, 3]]
    assert table.read_as == "delimiter ';', decimal comma"


def test_decimal_commas_in_quotes_among_commas_and_without_a_header(tmp_path: Path) -> None:
    assert read(tmp_path, 'a,y\n"1,5","2,25"\n"3,5","4,75"\n').inputs.tolist() == [[1.5], [3.5]]
    table = read(tmp_path, "5,1;3,5;x\n4,9;3,0;y\n5,0;2,0;x\n")
    assert table.inputs.tolist() == [[5.1, 3.5], [4.9, 3.0], [5.0, 2.0]]


def test_targets_with_decimal_commas(tmp_path: Path) -> None:
    table = read(tmp_path, "n;y\n1;2,5\n2;3,5\n")
    assert table.task == "regression"
    assert table.targets is not None
    assert table.targets.tolist() == [[2.5], [3.5]]
    classes = read(tmp_path, "n;y\n1;2,5\n2;10,0\n3;9,0\n", task="classification").classes
    assert classes == ("2,5", "9,0", "10,0")


def test_thousands_or_fractions_must_be_said(tmp_path: Path) -> None:
    text = "n;y\n1,234;a\n5,678;b\n"
    with pytest.raises(tg.errors.FormatError, match=r"is '1,234' a fraction or a whole number .* --decimal ,"):
        read(tmp_path, text)
    assert read(tmp_path, text, decimal=",").inputs.tolist() == [[1.234], [5.678]]
    assert read(tmp_path, "n;y\n1,234;a\n5,67;b\n").inputs.tolist() == [[1.234], [5.67]]
    assert read(tmp_path, "n;y\n0,234;a\n5,678;b\n").inputs.tolist() == [[0.234], [5.678]]


@pytest.mark.parametrize(
    ("cells", "decimal"),
    [
        (("1.234,50", "2.345,60"), None),
        (("1.234,50", "2.345,60"), ","),
        (("12 %", "13 %"), None),
        (("$5", "$6.50"), None),
        (("1 000", "2 000"), None),
        (("1'000", "2'000"), None),
        (("1.5", "2.5"), ","),
        (("01.02.2024", "02.02.2024"), None),
        (("192.168.0.1", "192.168.0.2"), None),
    ],
)
def test_numbers_for_people_are_no_texts(tmp_path: Path, cells: tuple[str, str], decimal: str | None) -> None:
    text = f"n;y\n{cells[0]};a\n{cells[1]};b\n"
    with pytest.raises(tg.errors.FormatError, match=r"line 2, column 'n': .* is not read as a number .* --decimal"):
        read(tmp_path, text, decimal=decimal)
    swapped = f"y;n\na;{cells[0]}\nb;{cells[1]}\n"
    with pytest.raises(tg.errors.FormatError, match=r"line 2, column 'n': .* is not read as a number"):
        read(tmp_path, swapped, decimal=decimal)
    assert read(tmp_path, text, decimal=decimal, categorical="n").feature_names == tuple(f"n={c}" for c in cells)


def test_the_decimal_mark_is_one_of_two(tmp_path: Path) -> None:
    with pytest.raises(tg.errors.ArgumentError, match=r"decimal must be '\.' or ',', got ';'"):
        read(tmp_path, "a,b\n1,2\n", decimal=";")


def test_a_mixture_of_marks_is_refused(tmp_path: Path) -> None:
    with pytest.raises(tg.errors.FormatError, match=r"line 3, column 'n': expected a finite number, got '2\.5'"):
        read(tmp_path, "n;y\n1,5;a\n2.5;b\n3,5;a\n")


# ---------------------------------------------------------------------- encodings
GERMAN = "Größe;Straße\n1,5;Nähweg\n2,5;Öhrstraße\n"


@pytest.mark.parametrize(
    "encoding", ["cp1252", "latin-1", "utf-16", "utf-16-le", "utf-8", "UTF8", "utf-8-sig", "cp850"]
)
def test_the_encoding_can_be_said(tmp_path: Path, encoding: str) -> None:
    table = read(tmp_path, GERMAN.encode(encoding), encoding=encoding)
    assert (table.feature_names, table.classes) == (("Größe",), ("Nähweg", "Öhrstraße"))


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16-le", "utf-16-be", "utf-32-le", "utf-32-be"])
def test_a_byte_order_mark_says_it(tmp_path: Path, encoding: str) -> None:
    mark = "\ufeff".encode(encoding)
    table = read(tmp_path, mark + GERMAN.encode(encoding))
    assert table.classes == ("Nähweg", "Öhrstraße")
    assert table.read_as.endswith("decimal comma" if encoding == "utf-8" else encoding[:6])
    said = read(tmp_path, mark + GERMAN.encode(encoding), encoding=encoding)
    assert said.feature_names == ("Größe",)


@pytest.mark.parametrize("encoding", ["cp1252", "cp850"])
def test_other_encodings_are_named_with_the_line_as_it_would_read(tmp_path: Path, encoding: str) -> None:
    with pytest.raises(
        tg.errors.FormatError, match=rf"line 1: the byte 0x.. is not utf-8 text; with --encoding {encoding}"
    ):
        read(tmp_path, GERMAN.encode(encoding))
    content = ("a;b\n1;x\n2;Nähweg\n").encode(encoding)
    with pytest.raises(tg.errors.FormatError, match=r"line 3: .* the line reads '2;Nähweg'"):
        read(tmp_path, content)


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be"])
def test_wide_text_without_a_mark_is_named(tmp_path: Path, encoding: str) -> None:
    with pytest.raises(tg.errors.FormatError, match=f"not a text file .* it looks like {encoding}: say --encoding"):
        read(tmp_path, b"a,b\n1,2\n3,4\n".decode().encode(encoding))


def test_encodings_that_are_none_or_do_not_fit(tmp_path: Path) -> None:
    for name in ("klingon", "hex", "a\0b"):
        with pytest.raises(tg.errors.ArgumentError, match="encoding must be one that Python knows"):
            read(tmp_path, "a,b\n1,2\n", encoding=name)
    with pytest.raises(tg.errors.FormatError, match="line 2: the byte 0xe4 is not ascii text"):
        read(tmp_path, "a,b\n1,ä\n".encode("latin-1"), encoding="ascii")
    with pytest.raises(tg.errors.FormatError, match="not a text file of comma-separated values in utf-16"):
        read(tmp_path, codecs.BOM_UTF16_LE + b"a\0b")


def test_not_text(tmp_path: Path) -> None:
    with pytest.raises(tg.errors.FormatError, match="not a text file"):
        read(tmp_path, bytes(range(256)))
    with pytest.raises(FileNotFoundError):
        read_csv(tmp_path / "nowhere.csv")


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_line_ends(tmp_path: Path, end: str) -> None:
    table = read(tmp_path, f"a,y{end}{end}1,x{end}2,z{end}")
    assert (table.inputs.tolist(), table.lines) == ([[1], [2]], (3, 4))


# ---------------------------------------------------------------------- headers
@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "red,small\nblue,large\nred,large\n",
            "holds 'red', which occurs again in its column, and the file has no num",
        ),
        ("country,2020\nFrance,1\nPeru,2\n", "has 'country', which never occurs again in its column, and numbers"),
    ],
)
def test_a_first_line_that_may_be_either_is_asked_about(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(tg.errors.FormatError, match=message + ".*--header yes or no"):
        read(tmp_path, text)
    rows = text.count("\n")
    assert len(read(tmp_path, text, header=False, task="classification")) == rows
    assert len(read(tmp_path, text, header=True, task="classification")) == rows - 1


def test_first_lines_that_are_clear(tmp_path: Path) -> None:
    assert read(tmp_path, "colour,size\nred,small\nblue,large\n").feature_names == ("colour=blue", "colour=red")
    iris = "5.1,3.5,setosa\n4.9,3.0,setosa\n7.0,3.2,virginica\n"
    assert len(read(tmp_path, iris)) == 3


def test_samples_to_predict_need_no_header(tmp_path: Path) -> None:
    table = read(tmp_path, "colour,n,y\nred,1,a\nblue,2,b\nred,3,a\n")
    path = tmp_path / "new.csv"
    for text in ("red,5\n", "red,5\nblue,7\n", "colour,n\nred,5\n", "n,colour\n5,red\n"):
        path.write_text(text)
        assert read_csv_inputs(path, table)[0].tolist() == [0, 1, 5], text
