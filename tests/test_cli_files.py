"""No command writes over what it reads, or over a file of another kind."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

import tensorgrad as tg
from tensorgrad.cli import main
from tests.test_cli import Capture, fails, run

TABLE = "x,kind\n" + "".join(f"{i % 10},{'ab'[i % 10 > 4]}\n" for i in range(60))
QUICK = ["--epochs", "1", "--hidden", "4", "--quiet"]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """With a table, models of it, and other names for both."""
    (tmp_path / "ow.csv").write_text(TABLE)
    (tmp_path / "prices.csv").write_text("x,price\n" + "".join(f"{i},{i * 1.25 + 0.1}\n" for i in range(60)))
    monkeypatch.chdir(tmp_path)
    for name in ("ow", "prices"):
        assert main(["train", f"{name}.csv", *QUICK, "--save", f"{name}.st"]) == 0
    os.mkdir("sub")
    os.symlink("ow.csv", "symlink.csv")
    os.symlink("symlink.csv", "twice.csv")
    os.link("ow.csv", "hardlink.csv")
    os.symlink("ow.st", "model-link")
    return tmp_path


NAMES = ["ow.csv", "./ow.csv", "sub/../ow.csv", "symlink.csv", "twice.csv", "hardlink.csv"]


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("overwrite", [[], ["--overwrite"]])
def test_train_does_not_save_over_its_data(folder: Path, capsys: Capture, name: str, overwrite: list[str]) -> None:
    capsys.readouterr()
    line = fails(capsys, "train", "ow.csv", *QUICK, "--save", name, *overwrite)
    assert f"--save {name} would overwrite the input ow.csv" in line
    line = fails(capsys, "train", name, *QUICK, "--save", "ow.csv", *overwrite)
    assert f"--save ow.csv would overwrite the input {name}" in line
    assert (folder / "ow.csv").read_text() == TABLE
    assert fails(capsys, "train", "ow.csv", *QUICK, "--save", str(folder / name), *overwrite)


@pytest.mark.parametrize("name", [*NAMES, "ow.st", "model-link"])
@pytest.mark.parametrize("overwrite", [[], ["--overwrite"]])
def test_predict_does_not_write_over_its_inputs(folder: Path, capsys: Capture, name: str, overwrite: list[str]) -> None:
    capsys.readouterr()
    before = (folder / "ow.st").read_bytes()
    line = fails(capsys, "predict", "ow.st", "ow.csv", "-o", name, *overwrite)
    assert f"--output {name} would overwrite the input ow." in line
    assert (folder / "ow.csv").read_text() == TABLE
    assert (folder / "ow.st").read_bytes() == before


OTHERS = {
    "text": b"my notes\n",
    "table": TABLE.encode(),
    "binary": bytes(range(256)),
    "broken text": "n\xf6tig,x\n1,2\n".encode("latin-1"),
    "line": b"kind,probability",
    "alike": b"kind,probability\na,0.9\n",
    "wider": b"kind,probability,my note\na,0.9000,good\n",
    "ragged": b"kind,probability\na,0.9000\nb\n",
    "prices": b"price\n100\n200.5\n300\n",
    "prices with cents": b"price\n524275.24\n383019.03\n123456.78\n",
    "prices with a text": b"price\n123.456789\ncheap\n",
    "a picture": b"\x89PNG\r\n\x1a\n" + bytes(100),
}


@pytest.mark.parametrize("content", OTHERS.values(), ids=OTHERS)
@pytest.mark.parametrize(
    ("command", "kind"),
    [
        (["train", "ow.csv", *QUICK, "--save", "mine.png"], "a model of `tensorgrad train`"),
        (["predict", "ow.st", "ow.csv", "-o", "mine.png"], "of predictions of this model"),
        (["predict", "prices.st", "prices.csv", "-o", "mine.png"], "of predictions of this model"),
        (["train", "ow.csv", *QUICK, "--plot", "mine.png"], "a plot of `tensorgrad train`"),
        (["data", "iris", "-o", "mine.png"], "this table"),
    ],
    ids=["save", "classes", "numbers", "plot", "data"],
)
def test_files_of_other_kinds_are_kept(
    folder: Path, capsys: Capture, command: list[str], kind: str, content: bytes
) -> None:
    if "--plot" in command:
        pytest.importorskip("matplotlib")
    (folder / "mine.png").write_bytes(content)
    capsys.readouterr()
    line = fails(capsys, *command)
    assert f"would overwrite a file that is not {kind}" in line
    assert "--overwrite" in line
    assert (folder / "mine.png").read_bytes() == content
    run(capsys, *command, "--overwrite")
    assert (folder / "mine.png").read_bytes() != content


def test_files_of_the_same_kind_are_replaced(folder: Path, capsys: Capture) -> None:
    capsys.readouterr()
    commands = [
        ["train", "ow.csv", *QUICK, "--save", "new.st"],
        ["predict", "ow.st", "ow.csv", "-o", "classes.csv"],
        ["predict", "ow.st", "ow.csv", "-o", "chances.csv", "--probabilities"],
        ["predict", "ow.st", "ow.csv", "-o", "chances.csv"],
        ["predict", "prices.st", "prices.csv", "-o", "numbers.csv"],
        ["data", "iris"],
    ]
    for command in commands:
        run(capsys, *command)
        run(capsys, *command)
        (folder / "empty").write_bytes(b"")
        run(capsys, *(part if part not in ("new.st", "classes.csv", "numbers.csv") else "empty" for part in command))


@pytest.mark.parametrize("ending", ["png", "pdf", "svg", "jpg", "jpeg"])
def test_plots_are_known_by_their_mark(folder: Path, capsys: Capture, ending: str) -> None:
    pytest.importorskip("matplotlib")
    from matplotlib.figure import Figure

    capsys.readouterr()
    command = ["train", "ow.csv", *QUICK, "--plot", f"curves.{ending}"]
    run(capsys, *command)
    run(capsys, *command)
    Figure().savefig(folder / f"curves.{ending}")
    assert "not a plot of `tensorgrad train`" in fails(capsys, *command)


def test_two_results_in_one_file(folder: Path, capsys: Capture) -> None:
    capsys.readouterr()
    for other in ("new.png", "./new.png"):
        line = fails(capsys, "train", "ow.csv", *QUICK, "--save", "new.png", "--plot", other)
        assert "--save and --plot name the same file, " in line


def test_predictions_go_to_devices_and_pipes(folder: Path, capsys: Capture) -> None:
    capsys.readouterr()
    assert run(capsys, "predict", "ow.st", "ow.csv", "-o", os.devnull).startswith("60 predictions")


def test_predictions_of_another_model_are_kept(folder: Path, capsys: Capture) -> None:
    """Its target has another name."""
    run(capsys, "predict", "ow.st", "ow.csv", "-o", "out.csv")
    assert "not of predictions of this model" in fails(capsys, "predict", "prices.st", "prices.csv", "-o", "out.csv")


def test_other_checkpoints_are_no_models(folder: Path, capsys: Capture) -> None:
    tg.save({"w": tg.ones(3)}, folder / "mine.st")
    capsys.readouterr()
    assert "not a model of `tensorgrad train`" in fails(capsys, "train", "ow.csv", *QUICK, "--save", "mine.st")
    assert tg.load(folder / "mine.st")["w"].tolist() == [1, 1, 1]


@pytest.mark.skipif(os.name == "nt", reason="a pipe of a POSIX shell")
def test_a_reader_that_has_seen_enough_costs_no_model(tmp_path: Path) -> None:
    environment = os.environ | {"PYTHONPATH": str(Path(tg.__file__).parents[1])}
    (tmp_path / "t.csv").write_text("x,y\n" + "".join(f"{i},{i % 2}\n" for i in range(60)), encoding="utf8")
    command = [
        sys.executable,
        "-m",
        "tensorgrad",
        "train",
        "t.csv",
        "--epochs",
        "1",
        "--quiet",
        "--save",
        "m.safetensors",
    ]
    with subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.PIPE, env=environment) as process:
        assert process.stdout is not None
        process.stdout.readline()
        process.stdout.close()
        assert process.wait() == 0
    assert (tmp_path / "m.safetensors").exists()
