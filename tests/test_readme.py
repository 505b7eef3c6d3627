"""The README's programs and commands run, and print what it says they print."""

from __future__ import annotations

import contextlib
import io
import re
import shlex
import warnings
from pathlib import Path

import numpy as np
import pytest

import tensorgrad as tg
from tensorgrad.cli import main

README = (Path(__file__).parent.parent / "README.md").read_text(encoding="utf8")
PROGRAMS: list[str] = re.findall(r"^```python\n(.*?)^```", README, re.MULTILINE | re.DOTALL)
COMMANDS: list[str] = [
    line
    for block in re.findall(r"^```console\n(.*?)^```", README, re.MULTILINE | re.DOTALL)
    for line in block.splitlines()
    if line.startswith("tensorgrad ")
]


def run(program: str) -> tuple[dict[str, object], str]:
    """The names a program defines and what it prints."""
    names: dict[str, object] = {"__name__": "readme"}
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed), warnings.catch_warnings():
        warnings.filterwarnings("ignore", "device 'cuda.*' cannot be used, running on the CPU", UserWarning)
        exec(compile(program, "README.md", "exec"), names)
    return names, printed.getvalue()


def program_with(text: str) -> str:
    (found,) = [p for p in PROGRAMS if text in p]
    return found


def test_programs_run_in_their_order_and_print_what_they_say(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    write_flowers(tmp_path)
    assert len(PROGRAMS) >= 6
    for program in PROGRAMS:
        _, printed = run(program)
        for expected in re.findall(r"^print\(.*\)  # (.*)$", program, re.MULTILINE):
            assert expected in printed


def test_a_table_of_ones_own_is_learned(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    write_flowers(tmp_path)
    _, printed = run(program_with("read_csv"))
    found = re.search(r"tensor\(([\d.]+)\)", printed)
    assert found is not None
    assert float(found[1]) >= 0.9


def test_ten_lines_learn_the_digits_and_save_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    names, printed = run(program_with("history = tg.train.fit"))
    found = re.search(r"test accuracy ([\d.]+)%", printed)
    assert found is not None
    assert float(found[1]) >= 95
    saved = tg.load("digits.safetensors")
    model = names["model"]
    assert isinstance(model, tg.nn.Module)
    for key, value in model.state_dict().items():
        assert tg.equal(saved[key], value)


def test_gradients_of_gradients() -> None:
    names, _ = run(program_with("create_graph=True"))
    assert (float(names["slope"]), float(names["curvature"])) == (12.0, 12.0)  # type: ignore[arg-type]


def test_commands_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("matplotlib")
    monkeypatch.chdir(tmp_path)
    write_flowers(tmp_path)
    assert len(COMMANDS) >= 4
    for command in COMMANDS:
        assert main([*shlex.split(command)[1:], *(["--epochs", "3"] if " train " in command else [])]) == 0, command
    assert (tmp_path / "curves.png").stat().st_size > 1000
    assert capsys.readouterr().out


def write_flowers(folder: Path) -> None:
    """Three made-up species in four measurements: a file for the commands to read."""
    rng = np.random.default_rng(0)
    header = "length,width,petal_length,petal_width"
    rows = [(k, rng.normal(3 + k, 0.3, 4)) for k in range(3) for _ in range(40)]
    lines = [",".join(f"{v:.2f}" for v in values) for _, values in rows]
    labelled = [f"{line},species_{k}" for line, (k, _) in zip(lines, rows, strict=True)]
    (folder / "iris.csv").write_text("\n".join([header + ",species", *labelled]) + "\n")
    (folder / "new_flowers.csv").write_text("\n".join([header, *lines[:5]]) + "\n")
