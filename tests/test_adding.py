"""docs/adding.md: its examples are put into a copy of the checkout, where its commands are run."""

from __future__ import annotations

import contextlib
import importlib
import io
import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

import tensorgrad as tg
from tests.cupy_standin.plugin import FORCE

ROOT = Path(__file__).resolve().parent.parent
TEXT = (ROOT / "docs" / "adding.md").read_text(encoding="utf8")
registry: Any = importlib.import_module("tensorgrad.backends.device")
SECTIONS: dict[str, str] = dict(re.findall(r"^## (.+?)\n(.*?)(?=^## |\Z)", TEXT, re.MULTILINE | re.DOTALL))
ELEMENTWISE, DEVICE = "An elementwise op, with its gradient", "A device"
COPIED = ("tensorgrad", "tests", "bench", "kernels", "pyproject.toml")
PLACE = re.compile(r"^(?:#|//) (\S+\.\w+), (?:(new)|(before|after|instead of) `(.+)`)\n", re.MULTILINE)


class Edit(NamedTuple):
    """A piece of code of the document, and the line of `file` that it goes before, after, or in the place of: the one
    that begins with `line`, or else the one that has it."""

    file: str
    how: str
    line: str
    code: str

    def apply(self, folder: Path) -> None:
        path = folder / self.file
        if self.how == "new":
            assert not path.exists(), f"{self.file} exists: the document is to show something that is not there"
            path.write_text(self.code, encoding="utf8")
            return
        lines = path.read_text(encoding="utf8").splitlines(keepends=True)
        places = [i for i, line in enumerate(lines) if line.lstrip().startswith(self.line)]
        places = places or [i for i, line in enumerate(lines) if self.line in line]
        assert len(places) == 1, f"{self.file}: {self.line!r} is in {len(places)} lines, not in one"
        first = places[0] + (self.how == "after")
        lines[first : first + (self.how == "instead of")] = [self.code]
        path.write_text("".join(lines), encoding="utf8")


def blocks(language: str, section: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", section, re.MULTILINE | re.DOTALL)


def edits_of(section: str) -> Iterator[Edit]:
    for block in blocks("(?:python|cuda)", section):
        before, *pieces = PLACE.split(block)
        assert not pieces or not before, f"no file is said to be that of {before!r}"
        for i in range(0, len(pieces), 5):
            file, new, how, line, code = pieces[i : i + 5]
            yield Edit(file, new or how, line, code)


def commands_of(section: str) -> list[list[str]]:
    return [shlex.split(line) for block in blocks("console", section) for line in block.splitlines()]


def copy(folder: Path, *edits: Edit) -> Path:
    """A checkout with these edits, in which tests can be run."""
    for name in COPIED:
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, folder / name)  # with the compiled modules: times are copied too
        else:
            shutil.copy2(ROOT / name, folder / name)
    for edit in edits:
        edit.apply(folder)
    return folder


def touched(folder: Path) -> set[str]:
    """The files there that are not as they are here."""
    files = {p for name in COPIED for p in [folder / name, *(folder / name).rglob("*")] if p.is_file()}
    names = {p.relative_to(folder) for p in files if "__pycache__" not in p.parts}
    return {str(n) for n in names if not (ROOT / n).exists() or (folder / n).read_bytes() != (ROOT / n).read_bytes()}


def run(folder: Path, *command: str) -> tuple[int, str]:
    """The exit status of pytest in that checkout, and what it says."""
    environment = {**os.environ, "PYTHONPATH": str(folder), FORCE: "1", "OPENBLAS_NUM_THREADS": "1"}
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-v", "-p", "no:cacheprovider", *command],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    return done.returncode, done.stdout + done.stderr


def outcomes(printed: str, outcome: str) -> set[str]:
    return set(re.findall(rf"^(tests/\S+\[?.*?) {outcome} ", printed, re.MULTILINE))


# ---------------------------------------------------------------------- an elementwise op
OP = list(edits_of(SECTIONS[ELEMENTWISE]))
ROW = "tests/ops/cases_elementwise.py"
FILES = {"tensorgrad/ops/elementwise.py", "tensorgrad/functional/arithmetic.py", ROW}
TABLE, ON_CUDA, ON_OPAQUE = (
    f"tests/{p}::test_case" for p in ("ops/test_table.py", "cuda/test_table.py", "test_seam.py")
)


def test_the_op_is_a_new_one() -> None:
    assert not hasattr(tg, "logaddexp")
    assert {edit.file for edit in OP} == FILES


def test_two_files_and_a_row_make_an_op(tmp_path: Path) -> None:
    folder = copy(tmp_path, *OP)
    assert touched(folder) == FILES
    ((program, *command),) = commands_of(SECTIONS[ELEMENTWISE])
    assert program == "pytest"
    status, printed = run(folder, *command)
    assert status == 0, printed
    passed = outcomes(printed, "PASSED")
    for kind in ("", "-method", "-row", "-column", "-both", "-with-0d", "-empty", "-0d", "-number"):
        for check in ("value", "gradient", "second"):
            assert f"{TABLE}[logaddexp{kind}-float64-{check}]" in passed
            assert f"{ON_OPAQUE}[logaddexp{kind}-float64-{check}]" in passed
        assert f"{TABLE}[logaddexp{kind}-float64-layout]" in passed or kind == "-0d"
    if shutil.which("g++") is None:
        pytest.skip("the emulator needs g++")
    assert {i.replace(TABLE, ON_CUDA) for i in passed if i.startswith(TABLE)} <= passed
    assert "cuda (emulated): " in printed


def test_without_its_gradient_it_fails(tmp_path: Path) -> None:
    bare = [e._replace(code=re.sub(r"@op\(.*?^\)", "@op()", e.code, flags=re.MULTILINE | re.DOTALL)) for e in OP]
    status, printed = run(
        copy(tmp_path, *bare), "tests/ops/test_table.py", "-k", "logaddexp and float64 and not layout"
    )
    assert status == 1
    assert f"{TABLE}[logaddexp-float64-value]" in outcomes(printed, "PASSED")
    assert f"{TABLE}[logaddexp-float64-gradient]" in outcomes(printed, "FAILED")
    assert not any("-gradient]" in i or "-second]" in i for i in outcomes(printed, "PASSED") if "empty" not in i)


def test_without_its_row_it_fails(tmp_path: Path) -> None:
    folder = copy(tmp_path, *[e for e in OP if e.file != ROW])
    status, printed = run(folder, "tests/ops/test_table.py", "-k", "every_function or logaddexp")
    assert status == 1
    assert "['logaddexp'] == []" in printed


# ---------------------------------------------------------------------- all else
def test_all_examples_work_together(tmp_path: Path) -> None:
    edits = [edit for section in SECTIONS.values() for edit in edits_of(section)]
    folder = copy(tmp_path, *edits)
    assert touched(folder) == {edit.file for edit in edits}
    files, words = [], []
    for title, section in SECTIONS.items():
        for _, *arguments in commands_of(section) if title != ELEMENTWISE else ():
            at = arguments.index("-k")
            files += arguments[:at]
            words.append(f"({arguments[at + 1]})")
    status, printed = run(folder, *dict.fromkeys(files), "-k", " or ".join(words))
    assert status == 0, printed
    passed = outcomes(printed, "PASSED")
    for name in ("prelu", "soft_margin_loss", "softsign", "atan", "arctan", "adamax"):
        assert any(name in i for i in passed), name


def test_the_device_of_the_example() -> None:
    (program,) = [b for b in blocks("python", SECTIONS[DEVICE]) if not PLACE.search(b)]
    printed = io.StringIO()
    known = dict(registry._factories)
    try:
        with contextlib.redirect_stdout(printed):
            exec(compile(program, "adding.md", "exec"), {"__name__": "adding"})
    finally:
        registry._factories.clear()
        registry._factories.update(known)
    (expected,) = re.findall(r"^print\(.*\)  # (.*)$", program, re.MULTILINE)
    assert printed.getvalue().strip() == expected


# ---------------------------------------------------------------------- what it speaks of
def test_it_names_only_files_that_exist() -> None:
    prose = re.sub(r"^```.*?^```", "", TEXT, flags=re.MULTILINE | re.DOTALL)
    named = set(re.findall(r"`([\w.<>/]+(?:\.(?:py|md|h|cu)|/))`", prose))
    assert {"ops/elementwise.py", "kernels/<family>/", "backends/primitives/<family>.py"} <= named
    named |= {f"docs/{link}" for link in re.findall(r"\]\(([^#)]+)\)", prose)}
    named |= {edit.file for section in SECTIONS.values() for edit in edits_of(section) if edit.how != "new"}
    for name in named:
        pattern = re.sub(r"<\w+>", "*", name.rstrip("/"))
        inside = [p for folder in (ROOT, ROOT / "tensorgrad") for p in folder.glob(pattern)]
        assert inside or (ROOT / name).exists(), name


def test_its_links_lead_to_sections() -> None:
    anchors = {re.sub(r"[^\w -]", "", title).lower().replace(" ", "-") for title in SECTIONS}
    assert set(re.findall(r"\]\(#([^)]+)\)", TEXT)) <= anchors
    assert anchors <= set(re.findall(r"\]\(#([^)]+)\)", TEXT))
