"""The command line: as a function, and as a process where signals, pipes and terminals matter."""

from __future__ import annotations

import csv
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import tensorgrad as tg
from tensorgrad.backends.cuda.available import NOT_INSTALLED
from tensorgrad.cli import main
from tests.cupy_standin import installed

COMMAND = [sys.executable, "-m", "tensorgrad.cli"]
Capture = pytest.CaptureFixture[str]


def run(capsys: Capture, *arguments: str) -> str:
    """Standard output of a command that must succeed, in silence on standard error but for progress."""
    assert main(list(arguments)) == 0
    shown = capsys.readouterr()
    assert all(line.startswith("epoch ") for line in shown.err.splitlines())
    return shown.out


def fails(capsys: Capture, *arguments: str) -> str:
    """The one line on standard error of a command that must fail."""
    assert main(list(arguments)) == 2
    shown = capsys.readouterr()
    (line,) = shown.err.splitlines()
    assert line.startswith("tensorgrad: error: ")
    return line


def fact(output: str, name: str) -> str:
    """The line of a report that begins with `name`, without it."""
    (line,) = (line for line in output.splitlines() if line.split()[0] == name)
    return line[len(name) :].strip()


def hide_cuda(monkeypatch: pytest.MonkeyPatch, reason: str) -> None:
    """For that reason CUDA cannot be used from here on, and nobody has been warned."""

    def refuse(index: int | None) -> Any:
        raise tg.DeviceError(reason)

    registry: Any = sys.modules["tensorgrad.backends.device"]
    monkeypatch.setattr(registry, "_devices", {k: d for k, d in registry._devices.items() if k[0] != "cuda"})
    for name, value in (("_factories", {**registry._factories, "cuda": refuse}), ("_failures", {}), ("_warned", set())):
        monkeypatch.setattr(registry, name, value)


@pytest.fixture(autouse=True)
def _no_emulated_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    """What tests/cuda puts in the place of CuPy is no device to train on: it is slow."""
    if installed():
        hide_cuda(monkeypatch, NOT_INSTALLED)


@pytest.fixture
def houses(tmp_path: Path) -> Path:
    """A price that is a linear function of two features, on scales of their own."""
    rng = np.random.default_rng(0)
    area, rooms = rng.uniform(50, 200, 200), rng.integers(1, 6, 200)
    path = tmp_path / "houses.csv"
    with open(path, "w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["area", "rooms", "price"])
        writer.writerows(
            [a, r, 3000 * a + 20000 * r + 50000.5] for a, r in zip(area.tolist(), rooms.tolist(), strict=True)
        )
    return path


@pytest.fixture
def flowers(tmp_path: Path) -> Path:
    """Three well separated kinds."""
    rng = np.random.default_rng(0)
    path = tmp_path / "flowers.csv"
    with open(path, "w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["kind", "length", "width"])
        for i in range(90):
            kind = i % 3
            length, width = rng.normal([2 * kind, -3 * kind], 0.2)
            writer.writerow([("setosa", "versicolor", "virginica")[kind], length, width])
    return path


def test_train_digits_reaches_the_accuracy_promised(capsys: Capture, tmp_path: Path) -> None:
    saved = tmp_path / "digits.safetensors"
    output = run(capsys, "train", "digits", "--save", str(saved))
    accuracy = float(fact(output, "accuracy").split("%")[0])
    assert accuracy >= 97.0
    assert fact(output, "device").split(" (no CUDA: ")[0] == str(tg.device("auto"))
    weights = 64 * 128 + 128 + 128 * 64 + 64 + 64 * 10 + 10
    assert fact(output, "parameters") == f"{weights:,}"
    assert re.fullmatch(r"\d+\.\d s", fact(output, "time"))
    # The saved model, on all digits: at least as many right as that accuracy says of the fifth held out.
    predicted = list(csv.reader(run(capsys, "predict", str(saved), "digits").splitlines()))
    labels = tg.data.digits().tensors[1].tolist()
    right = sum(row[0] == str(label) for row, label in zip(predicted[1:], labels, strict=True))
    assert right >= accuracy / 100 * len(labels)


def test_same_seed_same_result(capsys: Capture) -> None:
    def outcome(seed: str) -> tuple[str, str]:
        output = run(capsys, "train", "digits", "--epochs", "2", "--seed", seed, "--quiet")
        return fact(output, "accuracy"), fact(output, "epochs")

    assert outcome("3") == outcome("3")


def test_regression_from_file_to_predictions(capsys: Capture, houses: Path, tmp_path: Path) -> None:
    saved, predictions = tmp_path / "m.safetensors", tmp_path / "out.csv"
    output = run(
        capsys,
        "train",
        str(houses),
        "--save",
        str(saved),
        "--epochs",
        "100",
        "--hidden",
        "32",
        "--lr",
        "0.01",
    )
    assert fact(output, "data") == f"{houses}: 200 samples, 2 features, predicting price"
    assert fact(output, "split") == "140 to train, 20 to validate, 40 to test"
    assert float(re.search(r"R2 ([\d.]+)", fact(output, "test")).group(1)) > 0.99  # type: ignore[union-attr]
    run(capsys, "predict", str(saved), str(houses), "-o", str(predictions))
    with open(predictions, newline="") as file:
        rows = list(csv.reader(file))
    with open(houses, newline="") as file:
        truth = [float(row[2]) for row in list(csv.reader(file))[1:]]
    assert rows[0] == ["price"]
    errors = np.array([float(row[0]) for row in rows[1:]]) - truth
    assert np.sqrt((errors**2).mean()) < 0.1 * np.std(truth)


def test_class_names_survive(capsys: Capture, flowers: Path, tmp_path: Path) -> None:
    saved = tmp_path / "m.safetensors"
    output = run(capsys, "train", str(flowers), "--target", "kind", "--save", str(saved), "--epochs", "15")
    assert fact(output, "accuracy") == "100.00% of 18 test samples"
    rows = list(csv.reader(run(capsys, "predict", str(saved), str(flowers), "--probabilities").splitlines()))
    assert rows[0] == ["kind", "probability", "p(setosa)", "p(versicolor)", "p(virginica)"]
    with open(flowers, newline="") as file:
        truth = [row[0] for row in list(csv.reader(file))[1:]]
    assert [row[0] for row in rows[1:]] == truth
    for row in rows[1:]:
        chances = [float(cell) for cell in row[2:]]
        assert sum(chances) == pytest.approx(1, abs=1e-5)
        assert float(row[1]) == pytest.approx(max(chances), abs=1e-4)


def test_predict_takes_columns_by_name(capsys: Capture, flowers: Path, tmp_path: Path) -> None:
    saved, other = tmp_path / "m.safetensors", tmp_path / "other.csv"
    run(capsys, "train", str(flowers), "--target", "kind", "--save", str(saved), "--epochs", "15", "--quiet")
    other.write_text("note,width,length\n1,-6,4\n2,0,0\n")
    rows = run(capsys, "predict", str(saved), str(other)).splitlines()
    assert [row.split(",")[0] for row in rows] == ["kind", "virginica", "setosa"]
    other.write_text("width\n1\n")
    assert "lacks 1 of the 2 columns the model was trained on, the first is 'length'" in fails(
        capsys, "predict", str(saved), str(other)
    )
    assert "64 features a sample, the model was trained on 2" in fails(capsys, "predict", str(saved), "digits")


def test_npz(capsys: Capture, tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    y = np.arange(60) % 2
    images = (rng.normal(size=(60, 4, 4)) * 0.1 + y[:, None, None]).astype(np.float32)
    path, saved = tmp_path / "images.npz", tmp_path / "m.safetensors"
    np.savez(path, x=images, y=y)
    output = run(capsys, "train", str(path), "--epochs", "10", "--hidden", "none", "--save", str(saved))
    assert fact(output, "model") == "MLP 16-2, relu, dropout 0.2"
    assert fact(output, "accuracy") == "100.00% of 12 test samples"
    rows = run(capsys, "predict", str(saved), str(path)).splitlines()
    assert [row.split(",")[0] for row in rows[1:]] == [str(label) for label in y]


@pytest.mark.parametrize("optimizer", ["adamw", "adam", "sgd", "rmsprop", "adagrad"])
def test_every_optimizer_and_some_activations_learn(capsys: Capture, flowers: Path, optimizer: str) -> None:
    activation = {"adam": "gelu", "sgd": "tanh", "rmsprop": "silu", "adagrad": "elu"}.get(optimizer, "leaky_relu")
    options = f"--optimizer {optimizer} --activation {activation} --epochs 150 --hidden 16,16"
    options += " --weight-decay 0.001 --clip-norm 5 --quiet"
    output = run(capsys, "train", str(flowers), "--target", "kind", *options.split())
    assert fact(output, "accuracy") == "100.00% of 18 test samples"


def test_plot(capsys: Capture, flowers: Path, tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    for name, first in (("curves.png", b"\x89PNG"), ("curves.jpeg", b"\xff\xd8\xff")):
        picture = tmp_path / name
        run(capsys, "train", str(flowers), "--target", "kind", "--epochs", "3", "--plot", str(picture))
        assert picture.read_bytes().startswith(first)
        assert picture.stat().st_size > 5000


def test_a_plot_has_a_grid_and_says_what_it_shows(capsys: Capture, flowers: Path, tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    from matplotlib import rc_context

    with rc_context({"svg.fonttype": "none"}):  # text as text
        run(capsys, "train", str(flowers), "--target", "kind", "--epochs", "3", "--plot", str(tmp_path / "curves.svg"))
        drawn = (tmp_path / "curves.svg").read_text(encoding="utf8")
        arguments = ["--target", "kind", "--epochs", "3", "--val", "0", "--plot", str(tmp_path / "fewer.svg")]
        run(capsys, "train", str(flowers), *arguments)
        fewer = (tmp_path / "fewer.svg").read_text(encoding="utf8")
    for text in ("training loss", "validation loss", "validation accuracy", "best epoch"):
        assert f">{text}<" in drawn
    assert ">training accuracy<" in fewer
    assert "validation" not in fewer
    grid = [line for axis in ("x", "y") for line in re.findall(rf'id="{axis}tick_\d+">\s*<g id="line2d_\d+">', drawn)]
    ticks = [line for axis in ("x", "y") for line in re.findall(rf'id="{axis}tick_\d+"', drawn)]
    assert len(grid) == len(ticks) > 0
    assert drawn.count("stroke-opacity: 0.4") >= len(ticks)


def test_a_plot_that_cannot_be_drawn_fails_before_training(
    capsys: Capture, flowers: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    arguments = ["train", str(flowers), "--target", "kind", "--epochs", "1"]
    monkeypatch.setattr("tensorgrad.cli.plot.find_spec", lambda _: "somewhere")
    assert ".png" in fails(capsys, *arguments, "--plot", "curves.xyz")
    monkeypatch.setattr("tensorgrad.cli.plot.find_spec", lambda _: None)
    line = fails(capsys, *arguments, "--plot", "curves.png")
    assert line.endswith(": pip install matplotlib")


def test_results_that_cannot_be_written_fail_before_training(capsys: Capture, tmp_path: Path) -> None:
    for option in ("--save", "--plot"):
        assert "there is no folder" in fails(capsys, "train", "digits", option, str(tmp_path / "no" / "file.png"))
        assert "it is a folder" in fails(capsys, "train", "digits", option, str(tmp_path))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["dance"], "invalid choice: 'dance'"),
        (["train"], "required: DATA (see tensorgrad train --help)"),
        (["train", "nothing.csv"], "No such file or directory: nothing.csv"),
        (["train", "nothing.npz"], "there is no file nothing.npz"),
        (["train", "nothing.xlsx"], "must be digits, iris, FILE.csv or FILE.npz, got 'nothing.xlsx'"),
        (
            ["train", "digits", "--epochs", "0"],
            "argument --epochs: must be a whole number of at least 1, got '0'",
        ),
        (["train", "digits", "--lr", "-1"], "argument --lr: must be a positive number, got '-1'"),
        (["train", "digits", "--lr", "fast"], "argument --lr: must be a positive number, got 'fast'"),
        (["train", "digits", "--dropout", "1"], "argument --dropout: must be a number in [0, 1), got '1'"),
        (["train", "digits", "--hidden", "12,x"], "must be sizes such as 128,64, or none, got '12,x'"),
        (["train", "digits", "--activation", "step"], "invalid choice: 'step'"),
        (["train", "digits", "--ephocs", "5"], "--ephocs 5; did you mean --epochs? (see tensorgrad train --help)"),
        (["train", "digits", "--leraning-rate=1"], "did you mean --lr? (see tensorgrad train --help)"),
        (["train", "digits", "--xyzzy"], "unrecognized arguments: --xyzzy (see tensorgrad train --help)"),
        (["predict", "m", "digits", "--probabilites"], "did you mean --probabilities? (see tensorgrad predict --help)"),
        (["train", "digits", "--device", "tpu"], "got 'tpu'"),
        (["train", "digits", "--target", "x"], "--target is for CSV files, got digits"),
        (["train", "iris", "--ignore", "x", "--missing", "drop"], "--ignore and --missing are for CSV files, got iris"),
        (["train", "x.npz", "--decimal", ","], "--decimal is for CSV files, got x.npz"),
        (["train", "x.csv", "--decimal", ";"], "argument --decimal: must be . or , (or point, comma), got ';'"),
        (["train", "x.csv", "--missing", "guess"], "argument --missing: invalid choice: 'guess'"),
        (["predict", "m", "x.csv", "--unknown", "drop"], "argument --unknown: invalid choice: 'drop'"),
        (["data", "mnist"], "argument table: invalid choice: 'mnist'"),
        (["train", "digits", "--task", "regression"], "does not fit digits"),
        (["train", "digits", "--val", "0.6", "--test", "0.5"], "leave none of the 1797 samples"),
        (["train", "digits", "--lr", "1e30", "--epochs", "1", "--optimizer", "sgd"], "try a smaller --lr"),
        (["predict", "nothing.safetensors", "digits"], "there is no file nothing.safetensors"),
        (["predict", __file__, "digits"], "is not a safetensors file"),
    ],
)
def test_user_errors_are_one_line(capsys: Capture, arguments: list[str], message: str) -> None:
    extra = ["--quiet"] if len(arguments) > 1 and arguments[0] == "train" else []
    assert message in fails(capsys, *arguments, *extra)


def test_data_errors_are_one_line(capsys: Capture, tmp_path: Path) -> None:
    path = tmp_path / "data.csv"
    path.write_text("a,b,c\n1,,x\n2,3,y\n")
    assert "line 2, column 'b': the value is missing" in fails(capsys, "train", str(path))
    path.write_text("a,c\n" + "1,x\n" * 10)
    assert "only the class 'x'" in fails(capsys, "train", str(path))
    np.savez(tmp_path / "inputs.npz", x=np.ones((5, 2)))
    assert "training needs both" in fails(capsys, "train", str(tmp_path / "inputs.npz"))


def test_text_where_numbers_are_wanted(capsys: Capture, tmp_path: Path) -> None:
    path = tmp_path / "data.csv"
    path.write_text("city,n,kind\n" + "Paris,1,a\nRome,2,b\n5,2,b\n" * 10)
    assert "leave the column out with --ignore city" in fails(capsys, "train", str(path))
    run(capsys, "train", str(path), "--ignore", "city", "--epochs", "1")
    line = fails(capsys, "train", str(path), "--ignore", "city", "--task", "regression")
    assert "the target is text: use --task classification" in line
    np.savez(tmp_path / "data.npz", x=np.ones((4, 2)), y=np.array(["a", "b"] * 2, dtype=object))
    assert "y has dtype object; use y.astype(str)" in fails(capsys, "train", str(tmp_path / "data.npz"))


def test_doubtful_classes_are_noted(capsys: Capture, tmp_path: Path) -> None:
    path = tmp_path / "data.csv"

    def note(targets: list[object], *options: str) -> list[str]:
        path.write_text("n,y\n" + "".join(f"{i},{target}\n" for i, target in enumerate(targets)))
        output = run(capsys, "train", str(path), "--epochs", "1", "--quiet", *options)
        return [line for line in output.splitlines() if line.startswith("note:")]

    ratings: list[object] = [1, 2, 3, 4, 5] * 8
    (line,) = note(ratings)
    assert line.endswith("the 5 values of y are taken for classes; --task regression predicts a number")
    prices: list[object] = [i + 0.5 for i in range(40)]
    (line,) = note(prices, "--task", "classification")
    assert line.endswith("y has 40 classes in 40 samples; --task regression predicts a number")
    (line,) = note([f"name {i}" for i in range(40)])
    assert line.endswith("y has 40 classes in 40 samples; is it the column to predict?")
    assert note(ratings, "--task", "classification") == []
    assert note(ratings, "--task", "regression") == []
    assert note([0, 1] * 20) == []
    assert note(["a", "b", "c", "d"] * 10) == []


def test_a_checkpoint_of_something_else_is_refused(capsys: Capture, tmp_path: Path) -> None:
    tg.save({"w": tg.ones(3)}, tmp_path / "file")
    assert "is not a model that this version" in fails(capsys, "predict", str(tmp_path / "file"), "digits")


def test_tiny_files_train(capsys: Capture, tmp_path: Path) -> None:
    path = tmp_path / "xor.csv"
    path.write_text("a,b,y\n0,0,0\n0,1,1\n1,0,1\n1,1,0\n")
    output = run(capsys, "train", str(path), "--val", "0", "--test", "0", "--epochs", "2")
    assert fact(output, "split") == "4 to train, 0 to validate, 0 to test"
    assert fact(output, "test") == "none: the test part is empty"


@pytest.mark.parametrize("command", [[], ["train"], ["predict"], ["data"], ["info"]])
def test_help(capsys: Capture, command: list[str]) -> None:
    with pytest.raises(SystemExit) as exit_:
        main([*command, "--help"])
    assert exit_.value.code == 0
    shown = capsys.readouterr()
    assert shown.out.startswith("usage: tensorgrad")
    assert command in ([], ["data"], ["info"]) or "examples:" in shown.out


def test_without_a_command_it_shows_its_help(capsys: Capture) -> None:
    assert main([]) == 0
    shown = capsys.readouterr().out
    with pytest.raises(SystemExit):
        main(["--help"])
    assert shown == capsys.readouterr().out
    assert all(command in shown for command in ("train", "predict", "data", "info"))


def test_version(capsys: Capture) -> None:
    with pytest.raises(SystemExit):
        main(["--version"])
    assert capsys.readouterr().out == f"tensorgrad {tg.__version__}\n"


def test_process_output_is_plain_and_exit_code_is_two() -> None:
    done = subprocess.run([*COMMAND, "train", "digits", "--epochs", "1"], capture_output=True, text=True)
    assert done.returncode == 0
    assert "\x1b" not in done.stdout + done.stderr
    assert done.stderr.startswith("epoch 1/1  train loss ")
    failed = subprocess.run([*COMMAND, "train", "nothing.csv"], capture_output=True, text=True)
    assert (failed.returncode, failed.stdout) == (2, "")
    assert failed.stderr == "tensorgrad: error: No such file or directory: nothing.csv\n"


def test_ctrl_c_saves_and_exits_130(tmp_path: Path) -> None:
    saved = tmp_path / "m.safetensors"
    process = subprocess.Popen(
        [*COMMAND, "train", "digits", "--epochs", "100000", "--patience", "100000", "--save", str(saved)],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    assert process.stdout is not None
    while not process.stdout.readline().startswith("parameters"):
        pass
    time.sleep(1.0)
    process.send_signal(signal.SIGINT)
    output, _ = process.communicate(timeout=20)
    assert process.returncode == 130
    assert "stopped by Ctrl-C" in output
    assert fact(output, "saved") == str(saved)
    assert main(["predict", str(saved), "digits", "-o", str(tmp_path / "out.csv")]) == 0


def test_a_closed_pipe_is_not_an_error(tmp_path: Path) -> None:
    saved = tmp_path / "m.safetensors"
    assert main(["train", "digits", "--epochs", "1", "--save", str(saved), "--quiet"]) == 0
    command = f"{' '.join(COMMAND)} predict {saved} digits --probabilities | head -n 1"
    done = subprocess.run(["bash", "-o", "pipefail", "-c", command], capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("digit,probability")


def test_a_terminal_shows_a_bar() -> None:
    pty = pytest.importorskip("pty")
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [*COMMAND, "train", "digits", "--epochs", "3"],
        stdout=subprocess.DEVNULL,
        stderr=theirs,
        env={**os.environ, "TERM": "xterm-256color", "COLUMNS": "120"},
    )
    os.close(theirs)
    shown = b""
    while chunk := _read(ours):
        shown += chunk
    os.close(ours)
    assert process.wait() == 0
    assert b"\x1b[" in shown
    assert "━".encode() in shown
    assert b"epoch 3/3" in shown


def _read(descriptor: int) -> bytes:
    try:
        return os.read(descriptor, 65536)
    except OSError:  # Linux says so when the other end of a terminal closes
        return b""
