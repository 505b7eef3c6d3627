"""The command line as a process: its names, and consoles that do not have every character."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest


def process(*arguments: str, encoding: str = "utf-8", module: str = "tensorgrad") -> tuple[int, bytes, bytes]:
    done = subprocess.run(
        [sys.executable, "-m", module, *arguments],
        capture_output=True,
        env={**os.environ, "PYTHONIOENCODING": encoding, "OPENBLAS_NUM_THREADS": "1"},
        check=False,
    )
    return done.returncode, done.stdout, done.stderr


@pytest.mark.parametrize("module", ["tensorgrad", "tensorgrad.cli"])
def test_it_is_a_module_too(module: str) -> None:
    code, shown, complaints = process(module=module)
    assert (code, complaints) == (0, b"")
    assert shown.startswith(b"usage: tensorgrad ")
    code, shown, complaints = process("info", module=module)
    assert (code, complaints) == (0, b"")
    assert b"OPENBLAS_NUM_THREADS=1 is set" in shown
    assert process("dance", module=module)[0] == 2


@pytest.fixture
def flowers(tmp_path: Path) -> Path:
    path = tmp_path / "花.csv"
    path.write_text("幅,種類\n" + "1,桜\n2,梅\n3,naïve\n" * 10, encoding="utf-8")
    return path


@pytest.mark.parametrize("encoding", ["cp1252", "ascii", "cp437", "cp932", "utf-8", "cp1252:strict"])
def test_names_that_the_console_does_not_have(flowers: Path, tmp_path: Path, encoding: str) -> None:
    model = tmp_path / "m.safetensors"
    code, shown, complaints = process(
        "train", str(flowers), "--epochs", "80", "--lr", "0.02", "--save", str(model), encoding=encoding
    )
    assert code == 0, complaints
    assert b"Traceback" not in complaints
    name = encoding.split(":")[0]
    assert "3 classes" in shown.decode(name)
    code, shown, complaints = process("predict", str(model), str(flowers), "--probabilities", encoding=encoding)
    assert (code, complaints) == (0, b"")
    classes = [line.split(",")[0] for line in shown.decode(name).splitlines()[1:]]
    assert classes == [c.encode(name, "backslashreplace").decode(name) for c in ["桜", "梅", "naïve"] * 10]
    code, shown, complaints = process("train", str(flowers), "--target", "花", encoding=encoding)
    assert (code, shown) == (2, b"")
    assert complaints.startswith(b"tensorgrad: error: ")
    assert len(complaints.splitlines()) == 1


def test_what_is_written_to_a_file_is_utf8(flowers: Path, tmp_path: Path) -> None:
    model, out = tmp_path / "m.safetensors", tmp_path / "out.csv"
    assert process("train", str(flowers), "--epochs", "1", "--save", str(model), encoding="ascii")[0] == 0
    assert process("predict", str(model), str(flowers), "-o", str(out), encoding="ascii")[0] == 0
    assert out.read_text(encoding="utf-8").startswith("種類,probability\n")
