"""The command line on ordinary tables: texts, missing values, and files as spreadsheets of any country write them."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest

import tensorgrad as tg
from tensorgrad.cli.model_file import is_model, load_model
from tests.test_cli import Capture, fact, fails, run

QUICK = ["--hidden", "16", "--quiet"]


@pytest.fixture
def people(tmp_path: Path) -> Path:
    """Whether somebody bought: decided by the city and the age, both of which are missing here and there."""
    rng = np.random.default_rng(0)
    lines = ["id;city;age;height, m;bought"]
    for i in range(240):
        city = ("Berlin", "Köln", "Ulm")[i % 3]
        age = int(rng.integers(18, 90))
        bought = "ja" if (city == "Ulm") != (age > 60) else "nein"
        height = f"{rng.normal(1.7, 0.1):.2f}".replace(".", ",")
        shown = ["" if rng.random() < 0.05 else cell for cell in (city, str(age), height)]
        lines.append(";".join([f"{i:04d}", *shown, bought]))
    path = tmp_path / "people.csv"
    path.write_bytes("\r\n".join(lines).encode("cp1252"))
    return path


def answers(text: str) -> list[str]:
    return [row[0] for row in csv.reader(text.splitlines())][1:]


def test_a_table_of_another_country_in_a_few_commands(capsys: Capture, people: Path, tmp_path: Path) -> None:
    """What a newcomer is told at each step leads to the next."""
    saved = tmp_path / "m.safetensors"
    command = ["train", str(people), *QUICK, "--save", str(saved)]
    assert "with --encoding cp1252" in fails(capsys, *command)
    command += ["--encoding", "cp1252"]
    assert "--missing mean, median or drop" in fails(capsys, *command)
    output = run(capsys, *command, "--missing", "mean", "--ignore", "height, m", "--ignore", "id", "--lr", "0.01")
    assert fact(output, "read") == "as     delimiter ';', decimal comma, cp1252"
    assert fact(output, "one-hot") == "city (3 texts)"
    assert fact(output, "missing").endswith("; filled in with the mean of the training part")
    assert float(fact(output, "accuracy").split("%")[0]) > 75
    found = answers(run(capsys, "predict", str(saved), str(people), "--encoding", "cp1252"))
    truth = [line.split(";")[-1] for line in people.read_text(encoding="cp1252").splitlines()[1:]]
    assert np.mean([a == b for a, b in zip(found, truth, strict=True)]) > 0.8


@pytest.mark.parametrize(("strategy", "usual"), [("mean", np.nanmean), ("median", np.nanmedian)])
def test_the_model_keeps_what_the_training_part_has(
    capsys: Capture, tmp_path: Path, strategy: str, usual: object
) -> None:
    """The statistics are those of the training part: they differ from those of the whole file."""
    rng = np.random.default_rng(0)
    numbers = np.where(rng.random(100) < 0.2, np.nan, rng.exponential(size=100))
    path, saved = tmp_path / "data.csv", tmp_path / "m.safetensors"
    rows = [f"{'' if np.isnan(x) else x},{i % 7},{i}.5" for i, x in enumerate(numbers)]
    path.write_text("\n".join(["x,n,y", *rows]) + "\n")
    run(capsys, "train", str(path), *QUICK, "--epochs", "2", "--missing", strategy, "--save", str(saved))
    model = load_model(str(saved), tg.device("cpu"))
    assert model.fill is not None
    whole = tg.data.TensorDataset(tg.arange(100))
    train, _, _ = tg.data.train_val_test_split(whole, val=0.1, test=0.2, seed=0)
    kept = usual(numbers[train.indices.numpy()])  # type: ignore[operator]
    assert model.fill.fill[0].item() == pytest.approx(kept, rel=1e-12)
    assert kept != pytest.approx(usual(numbers), rel=1e-3)  # type: ignore[operator]
    new = tmp_path / "new.csv"
    new.write_text(f"n,x\n3,\n3,{float(kept)!r}\n")
    empty, filled = answers(run(capsys, "predict", str(saved), str(new)))
    assert float(empty) == pytest.approx(float(filled), rel=1e-6)


def test_lines_can_be_left_out(capsys: Capture, tmp_path: Path) -> None:
    path, saved = tmp_path / "data.csv", tmp_path / "m.safetensors"
    path.write_text("x,c,y\n" + "1,a,0\n2,b,1\n,a,0\n4,,1\n5,b,\n" * 10)
    output = run(capsys, "train", str(path), *QUICK, "--epochs", "2", "--missing", "drop", "--save", str(saved))
    assert fact(output, "missing") == "30 of 50 lines left out"
    assert fact(output, "data").endswith("20 samples, 3 features, 2 classes")
    path.write_text("x,c\n1,a\n,b\n")
    line = fails(capsys, "predict", str(saved), str(path))
    assert "line 3, column 'x': the value is missing" in line
    assert "train with --missing mean or median" in line
    path.write_text("x,c,y\n" + "1,a,0\n2,b,\n" * 10)
    assert "line 3, column 'y'" in fails(capsys, "train", str(path), "--missing", "mean")


def test_a_column_that_is_missing_in_the_training_part(capsys: Capture, tmp_path: Path) -> None:
    path = tmp_path / "data.csv"
    path.write_text("x,n,y\n" + "".join(f",{i},{i % 2}\n" for i in range(20)))
    assert "column 'x' has no values in the training part to take a mean of" in fails(
        capsys, "train", str(path), "--missing", "mean"
    )


def test_texts_that_the_model_does_not_know(capsys: Capture, tmp_path: Path) -> None:
    path, saved, new = tmp_path / "data.csv", tmp_path / "m.safetensors", tmp_path / "new.csv"
    path.write_text("zip,c,y\n" + "01097,red,0\n10115,blue,1\n" * 20)
    output = run(
        capsys,
        "train",
        str(path),
        *QUICK,
        "--epochs",
        "40",
        "--lr",
        ".02",
        "--categorical",
        "zip",
        "--save",
        str(saved),
    )
    assert fact(output, "one-hot") == "zip (2 texts), c (2 texts)"
    new.write_text("c,zip\nred,01097\ngreen,10115\nblue,1097\n")
    line = fails(capsys, "predict", str(saved), str(new))
    assert "line 4, column 'zip': '1097' is not among the 2 texts that the model was trained on (01097, 10115)" in line
    rows = answers(run(capsys, "predict", str(saved), str(new), "--unknown", "ignore"))
    assert rows == ["0", "1", "1"]
    assert load_model(str(saved), tg.device("cpu")).recipe.levels == {"zip": ["01097", "10115"], "c": ["blue", "red"]}


def test_indicators_keep_their_scale(capsys: Capture, tmp_path: Path) -> None:
    """A rare text is not made thirty times as large as a common one."""
    path, saved = tmp_path / "data.csv", tmp_path / "m.safetensors"
    path.write_text("c,x,y\n" + "".join(f"{'rare' if i == 3 else 'usual'},{i},{i % 2}\n" for i in range(200)))
    run(capsys, "train", str(path), *QUICK, "--epochs", "1", "--save", str(saved))
    scaler = load_model(str(saved), tg.device("cpu")).inputs
    assert (scaler.mean.tolist()[:2], scaler.std.tolist()[:2]) == ([0, 0], [1, 1])
    assert scaler.std[2].item() > 50


def test_zeros_before_numbers_are_noted(capsys: Capture, tmp_path: Path) -> None:
    path = tmp_path / "data.csv"
    path.write_text("zip,x,y\n" + "01097,0,0\n10115,0.5,1\n" * 10)
    note = "zip: 007 is read as 7; --categorical or --ignore if these are names"
    assert fact(run(capsys, "train", str(path), *QUICK, "--epochs", "1"), "note:") == note
    assert "note:" not in run(capsys, "train", str(path), *QUICK, "--epochs", "1", "--categorical", "zip")


def test_classes_that_are_one_number_are_noted(capsys: Capture, tmp_path: Path) -> None:
    path = tmp_path / "data.csv"
    path.write_text("x,y\n" + "1,1\n2,01\n" * 10)
    assert fact(run(capsys, "train", str(path), *QUICK, "--epochs", "1"), "note:") == (
        "01 and 1 of y are one number, here two classes"
    )


def test_classes_keep_their_spelling(capsys: Capture, tmp_path: Path) -> None:
    path, saved = tmp_path / "data.csv", tmp_path / "m.safetensors"
    path.write_text("x,y\n" + "1,01\n-1,1.10\n" * 30)
    task = ["--task", "classification"]
    run(capsys, "train", str(path), *QUICK, "--lr", "0.05", *task, "--save", str(saved))
    assert answers(run(capsys, "predict", str(saved), str(path))) == ["01", "1.10"] * 30


def test_numbers_too_large_for_float32_are_scaled_first(capsys: Capture, tmp_path: Path) -> None:
    """Seconds since 1970, whole numbers near 2^53, and 1e300: float32 tells none of them apart."""
    path, saved = tmp_path / "data.csv", tmp_path / "m.safetensors"
    rows = [f"{1700000000 + i},{2**53 - 300 + i},{(i + 1)}e298,{'a' if i < 100 else 'b'}\n" for i in range(200)]
    path.write_text("seconds,whole,huge,y\n" + "".join(rows))
    for ignored in ("whole,huge", "seconds,huge", "seconds,whole"):
        run(capsys, "train", str(path), *QUICK, "--lr", "0.02", "--ignore", ignored, "--save", str(saved))
        found = answers(run(capsys, "predict", str(saved), str(path)))
        assert sum(a == b for a, b in zip(found, ["a"] * 100 + ["b"] * 100, strict=True)) >= 195


def test_what_is_too_far_from_the_training_is_named(capsys: Capture, tmp_path: Path) -> None:
    path, saved = tmp_path / "data.csv", tmp_path / "m.safetensors"
    path.write_text("x,z,y\n" + "1,1,a\n2,3,b\n" * 20)
    run(capsys, "train", str(path), *QUICK, "--epochs", "1", "--save", str(saved))
    path.write_text("z,x\n1,1\n1e300,1\n")
    line = fails(capsys, "predict", str(saved), str(path))
    assert "line 3, column 'z': 1e+300 is too far from what the model was trained on (mean " in line


def held_out(row: int, count: int) -> tuple[int, int]:
    """A seed with which that of `count` rows is trained on, and one with which it is not."""
    whole = tg.data.TensorDataset(tg.arange(count))
    splits = [tg.data.train_val_test_split(whole, val=0.1, test=0.2, seed=seed)[0] for seed in range(30)]
    trained = [row in split.indices.tolist() for split in splits]
    return trained.index(True), trained.index(False)


@pytest.mark.parametrize(("name", "values"), [("x", "{huge},{i}.5"), ("y", "{i},{huge}")])
def test_so_is_what_was_held_out(capsys: Capture, tmp_path: Path, name: str, values: str) -> None:
    """In the training part it only makes all others small."""
    path = tmp_path / "data.csv"
    rows = [values.format(i=i, huge="1e300" if i == 17 else f"{i}.25") for i in range(40)]
    path.write_text("x,y\n" + "\n".join(rows))
    inside, outside = held_out(17, 40)
    run(capsys, "train", str(path), *QUICK, "--epochs", "1", "--seed", str(inside))
    line = fails(capsys, "train", str(path), *QUICK, "--epochs", "1", "--seed", str(outside))
    assert f"line 19, column '{name}': 1e+300 is too far from what the model was trained on" in line


def test_files_can_be_described(capsys: Capture, tmp_path: Path) -> None:
    path, saved = tmp_path / "data.txt", tmp_path / "m.safetensors"
    path.write_bytes("".join(f"{i},5 {i % 3},25 {'ä' if i % 2 else 'ö'}\n" for i in range(40)).encode("latin-1"))
    form = ["--delimiter", "space", "--decimal", ",", "--encoding", "latin-1", "--header", "no"]
    output = run(capsys, "train", str(path), *QUICK, "--epochs", "2", *form, "--save", str(saved))
    assert fact(output, "data").endswith("40 samples, 2 features, 2 classes")
    assert len(answers(run(capsys, "predict", str(saved), str(path), *form))) == 40
    assert "--encoding" in fails(capsys, "predict", str(saved), str(path))


def test_a_model_of_the_first_version_is_still_read(capsys: Capture, tmp_path: Path) -> None:
    """Without levels, and without what missing values are filled with."""
    saved = tmp_path / "m.safetensors"
    run(capsys, "train", "iris", *QUICK, "--epochs", "1", "--save", str(saved))
    content = tg.load(saved)
    del content["fill"], content["recipe"]["levels"]
    tg.save(content, saved, metadata={"format": "tensorgrad trained model", "version": 1})
    assert is_model(str(saved))
    assert len(answers(run(capsys, "predict", str(saved), "iris"))) == 150
    tg.save(content, saved, metadata={"format": "tensorgrad trained model", "version": 99})
    assert "not a model that this version" in fails(capsys, "predict", str(saved), "iris")


def test_levels_that_do_not_fit_the_network_are_damage(capsys: Capture, tmp_path: Path) -> None:
    saved = tmp_path / "m.safetensors"
    run(capsys, "train", "iris", *QUICK, "--epochs", "1", "--save", str(saved))
    content = tg.load(saved)
    content["recipe"]["levels"] = {"petal_length": ["a", "b"]}
    tg.save(content, saved, metadata={"format": "tensorgrad trained model", "version": 2})
    assert "damaged model (its columns make 5 features, and its network has 4 inputs)" in fails(
        capsys, "predict", str(saved), "iris"
    )


def test_irises(capsys: Capture, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    output = run(capsys, "train", "iris", "--quiet", "--save", "m.safetensors")
    assert float(fact(output, "accuracy").split("%")[0]) >= 90
    assert run(capsys, "data", "iris") == "150 samples written to iris.csv; now: tensorgrad train iris.csv\n"
    from_file = run(capsys, "train", "iris.csv", "--quiet")
    assert fact(from_file, "accuracy") == fact(output, "accuracy")
    table = tg.data.read_csv("iris.csv")
    assert np.array_equal(table.inputs, tg.data.iris_table().inputs)
    assert len(answers(run(capsys, "predict", "m.safetensors", "iris.csv"))) == 150
    run(capsys, "data", "digits", "-o", "numbers.csv")
    digits = tg.data.read_csv("numbers.csv")
    assert np.array_equal(digits.inputs, tg.data.digits_table().inputs)
    assert digits.classes == tuple("0123456789")
