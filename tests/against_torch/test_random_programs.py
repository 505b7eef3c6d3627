"""Random programs do what they do in PyTorch, but for the differences that docs/differences.md lists."""

from __future__ import annotations

import inspect
import re
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import tensorgrad as tg

pytest.importorskip("torch")

from tests.against_torch.fuzz.differences import DIFFERENCES, Difference
from tests.against_torch.fuzz.lines import Line
from tests.against_torch.fuzz.programs import generated
from tests.against_torch.fuzz.reporting import described
from tests.against_torch.fuzz.running import Run, replayed
from tests.against_torch.fuzz.shrinking import shrunk
from tests.against_torch.fuzz.vocabulary import ELSEWHERE, GROUPS, names_in

DOCUMENT = Path(__file__).parents[2] / "docs" / "differences.md"
BLOCKS, PER_BLOCK = 8, 60  # the long run is `python -m tests.against_torch.fuzz`


@pytest.fixture(autouse=True)
def _quiet() -> Iterator[None]:
    """Only what is computed is compared: PyTorch warns of much that is refused or deprecated."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


@pytest.mark.parametrize("block", range(BLOCKS))
def test_programs_do_what_they_do_in_pytorch(block: int) -> None:
    ended = 0
    for seed in range(PER_BLOCK * block, PER_BLOCK * (block + 1)):
        run = generated(seed)
        if run.findings:
            lines, finding = shrunk(run.lines, run.findings[0])
            pytest.fail(f"seed {seed}: not as in PyTorch\n{described(lines, finding)}")
        ended += any("gradient" in line.template for line in run.kept)
    assert ended > PER_BLOCK / 3, "too few programs came to a gradient"


# ---------------------------------------------------------------------- that it would be seen
def _lines(*texts: str) -> list[Line]:
    return [_line(text) for text in texts]


def _line(text: str) -> Line:
    name = re.match(r"(\w+) = ", text)
    kind = "second gradient" if text.startswith("h = ") else f"gradient of {text}" if ".grad(" in text else text
    return Line(text, name and name[1], kind)


def _wrong_once(function: Callable[..., Any], change: Callable[[Any], Any]) -> Callable[..., Any]:
    return lambda *args, **kwargs: change(function(*args, **kwargs))


LEAF = "x = L.tensor([1.0, 2.0]).requires_grad_()"


def _summed_one_by_one(x: Any, *_: Any) -> Any:
    return tg.tensor(np.add.accumulate(x.numpy(), dtype=x.dtype)[-1])


@pytest.mark.parametrize(
    ("name", "wrong", "kind", "texts"),
    [
        ("exp", lambda f: _wrong_once(f, lambda r: r * 1.00001), "accuracy", ["y = L.exp(L.tensor([1.0, 2.0]))"]),
        ("exp", lambda f: _wrong_once(f, lambda r: r.double()), "dtype", ["y = L.exp(L.tensor([1.0]))"]),
        ("cumsum", lambda f: _wrong_once(f, lambda r: r[1:]), "shape", ["y = L.cumsum(L.tensor([1.0, 2.0]), 0)"]),
        ("abs", lambda f: _wrong_once(f, lambda r: -r), "value", ["y = L.abs(L.tensor([1, -2]))"]),
        ("sign", lambda f: lambda x: x, "aliasing", ["x = L.tensor([1, 0])", "y = L.sign(x)"]),
        ("flip", lambda f: _wrong_once(f, lambda r: r.T.contiguous().T), "layout", ["y = L.flip(L.eye(3), (0,))"]),
        ("reshape", lambda f: _wrong_once(f, tg.clone), "aliasing", ["x = L.ones(4)", "y = L.reshape(x, (2, 2))"]),
        ("floor", lambda f: _wrong_once(f, tg.Tensor.detach), "requires_grad", [LEAF, "y = L.floor(x)"]),
        ("diag", lambda f: _raising(f), "refused", ["y = L.diag(L.ones(3))"]),
        ("amax", lambda f: lambda x, dim: x, "answered", ["y = L.amax(L.ones(2, 2), 5)"]),
        ("amax", lambda f: _raising(f), "error class", ["y = L.amax(L.ones(2, 2), 5)"]),
        ("sum", lambda f: _summed_one_by_one, "accuracy", ["x = L.full((100000,), 0.1)", "y = L.sum(x, 0)"]),
    ],
)  # fmt: skip
def test_a_planted_fault_is_found(
    monkeypatch: pytest.MonkeyPatch, name: str, wrong: Callable[..., Any], kind: str, texts: list[str]
) -> None:
    assert not replayed(_lines(*texts)).findings, "without the fault there is nothing to be found"
    monkeypatch.setattr(tg, name, wrong(getattr(tg, name)))
    assert [f.mismatch.kind for f in replayed(_lines(*texts)).findings] == [kind]


def _raising(_function: Any) -> Callable[..., Any]:
    def function(*_args: Any) -> Any:
        raise ZeroDivisionError("planted")

    return function


def test_a_write_that_does_not_arrive_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    texts = ["x = L.ones(3, 3)", "x.t().mul_(2)"]
    assert not replayed(_lines(*texts)).findings
    original = tg.Tensor.t
    monkeypatch.setattr(tg.Tensor, "t", lambda self: original(self).clone())
    assert [f.mismatch.kind for f in replayed(_lines(*texts)).findings] == ["effect: accuracy"]


def test_a_wrong_gradient_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    texts = [
        LEAF,
        "y = L.tanh(x)",
        "g = L.autograd.grad(y.sum(), [x])",
    ]
    assert not replayed(_lines(*texts)).findings
    original = tg.tanh
    monkeypatch.setattr(tg, "tanh", lambda x: original(x.detach()) + (x - x.detach()) * 0.5)
    assert [f.mismatch.kind for f in replayed(_lines(*texts)).findings] == ["accuracy"]


def test_a_program_is_made_shorter(monkeypatch: pytest.MonkeyPatch) -> None:
    original = tg.tanh
    monkeypatch.setattr(tg, "tanh", lambda x: original(x) * 1.0001)
    lines = _lines("a = L.ones(2)", "b = a * 3", "c = a - 0.5", "d = b.sum()", "e = L.tanh(c)")
    (finding,) = replayed(lines).findings
    shorter, found = shrunk(lines, finding)
    assert [line.text for line in shorter] == ["a = L.ones(2)", "c = a - 0.5", "e = L.tanh(c)"]
    assert found.key == finding.key
    assert "L.tanh(c)" in described(shorter, found)


# ---------------------------------------------------------------------- what programs are made of
def test_the_vocabulary_has_every_public_function() -> None:
    drawn = {name for group in GROUPS for template in group.templates for name in names_in(template)}
    public = {
        name
        for source in (tg, tg.nn.functional, tg.Tensor)
        for name in dir(source)
        if not name.startswith("_") and inspect.isfunction(getattr(source, name))
    }
    assert public - drawn - ELSEWHERE.keys() == set()
    assert ELSEWHERE.keys() - public == set(), "these are no public names any more"


def test_programs_draw_from_every_group() -> None:
    runs = [generated(seed) for seed in range(300)]
    drawn = {line.template for run in runs for line in run.lines}
    assert all(drawn & set(group.templates) for group in GROUPS)


# ---------------------------------------------------------------------- known differences
def test_the_document_names_the_same_differences() -> None:
    named = re.findall(r"^- \*\*(.+?)\.\*\*", DOCUMENT.read_text(encoding="utf8"), re.MULTILINE)
    assert sorted(named) == sorted(d.name for d in DIFFERENCES)


def test_the_document_gives_the_same_reasons() -> None:
    text = " ".join(DOCUMENT.read_text(encoding="utf8").split())
    assert [d.name for d in DIFFERENCES if d.reason not in text] == []


@pytest.mark.parametrize("difference", [d for d in DIFFERENCES if d.covers], ids=lambda d: d.name)
def test_a_known_difference_is_one(difference: Difference) -> None:
    run: Run = replayed(_lines(*difference.example))
    assert (run.findings, [d.name for d in run.differences]) == ([], [difference.name])
