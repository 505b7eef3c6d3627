"""The README's programs and commands run, and print what it says they print."""

from __future__ import annotations

import contextlib
import io
import re
import shlex
import warnings
from pathlib import Path

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


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Empty but for what the README's commands have written when its programs begin."""
    monkeypatch.chdir(tmp_path)
    assert "tensorgrad data iris" in COMMANDS
    assert README.index("tensorgrad data iris") < README.index('read_csv("iris.csv"')
    assert main(["data", "iris"]) == 0
    return tmp_path


def test_programs_run_in_their_order_and_print_what_they_say(folder: Path) -> None:
    assert len(PROGRAMS) >= 6
    for program in PROGRAMS:
        _, printed = run(program)
        for expected in re.findall(r"^print\(.*\)  # (.*)$", program, re.MULTILINE):
            assert expected in printed


def test_a_table_of_ones_own_is_learned(folder: Path) -> None:
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
    monkeypatch.chdir(tmp_path)  # nothing is there but what the commands bring
    assert len(COMMANDS) >= 5
    for command in COMMANDS:
        assert main([*shlex.split(command)[1:], *(["--epochs", "3"] if " train " in command else [])]) == 0, command
    assert (tmp_path / "curves.png").stat().st_size > 1000
    assert capsys.readouterr().out


def test_what_the_first_page_uses_is_installed_by_its_first_command() -> None:
    first = re.search(r"^pip install (.*)$", README, re.MULTILINE)
    assert first is not None
    assert README.index(first[0]) < README.index("tensorgrad train")
    assert ("[plot]" in first[1]) == any("--plot" in command for command in COMMANDS)


def test_the_options_that_it_names_are_there(capsys: pytest.CaptureFixture[str]) -> None:
    section = README[
        README.index("## Train something, from the command line") : README.index("## Train something, in ten")
    ]
    known = ""
    for command in ("train", "predict", "data"):
        with pytest.raises(SystemExit):
            main([command, "--help"])
        known += capsys.readouterr().out
    named = set(re.findall(r"--[a-z][a-z-]*", section))
    assert {"--missing", "--unknown", "--categorical", "--encoding", "--overwrite"} <= named
    assert [option for option in named if not re.search(rf"{option}\b", known)] == []
