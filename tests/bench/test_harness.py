"""The benchmark harness: does it measure what it says? Timings are only compared within wide bands."""

from __future__ import annotations

import json
import math
import os
import re
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

import tensorgrad as tg
from bench import import_time, overhead, steps
from bench.comparison import Comparison, Spread
from bench.cpu_time import ticked_seconds, wait_until_idle
from bench.machine import machine_name, stamp
from bench.mlp.agreement import Difference, worst_difference
from bench.mlp.numpy_step import NumpyTraining
from bench.mlp.problem import CASES, Case
from bench.mlp.training import CHECKED_STEPS
from bench.overhead_links import LINKS, constant, start
from bench.report import Report, numbers_in_lines, table
from bench.timing import ROOT, Contender, Contest, WorkerError, rotated


def spinner(name: str, limit: int) -> Contender:
    return Contender(name, "bench.toys:spin", {"limit": limit})


def test_known_cost_ratio_is_found() -> None:
    with Contest([spinner("one", 2000), spinner("three", 6000)]) as contest:
        comparison = contest.time(rounds=9, turn_seconds=0.02)
    assert 1.5 < comparison.ratio("three", "one").median < 6
    assert all(len(seconds) == 9 for seconds in comparison.seconds.values())


def test_contender_that_is_not_installed_is_left_out() -> None:
    with Contest([spinner("here", 10), Contender("gone", "bench.no_such_module:make")]) as contest:
        assert contest.names == ["here"]
        assert "No module named 'bench.no_such_module'" in contest.absent["gone"]


def test_failing_contender_is_an_error_and_ends_all_workers() -> None:
    with pytest.raises(WorkerError, match="bad: TypeError during 'make'"):
        Contest([spinner("good", 10), Contender("bad", "bench.toys:spin", {"limit": 1, "other": 2})])


def test_worker_that_ends_is_an_error() -> None:
    with Contest([spinner("mortal", 10)]) as contest:
        contest.workers["mortal"].process.kill()
        with pytest.raises(WorkerError, match="mortal: the worker ended"):
            contest.check()


def test_workers_are_idle_between_turns() -> None:
    with Contest([spinner("rests", 1000)]) as contest:
        contest.time(rounds=1, turn_seconds=0.01)
        assert wait_until_idle(contest.workers["rests"].process.pid)


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="read from /proc")
def test_cpu_time_is_the_process_own() -> None:
    seconds = ticked_seconds(os.getpid())
    assert seconds is not None
    assert abs(seconds - time.process_time()) < 0.05


def test_remade_workload_runs_in_the_same_process() -> None:
    with Contest([spinner("same", 100)]) as contest:
        process = contest.workers["same"].process.pid
        contest.remake([spinner("same", 100_000), spinner("unknown", 1)])
        assert contest.workers["same"].process.pid == process
        assert contest.time(rounds=1, turn_seconds=0.001).repetitions["same"] < 100


def test_spread_and_ratios_by_hand() -> None:
    comparison = Comparison({"a": [1.0, 2.0, 9.0], "b": [2.0, 8.0, 3.0]}, {"a": 1, "b": 1}, None)
    assert comparison.ratio("a", "b") == Spread(0.5, 0.375, 1.75)
    assert comparison.difference("a", "b").median == -1.0
    assert comparison.spread("b").median == 3.0
    assert comparison.fastest(["a", "b"]) == "a"
    assert Spread.of([4.0]) == Spread(4.0, 4.0, 4.0)


def test_order_rotates() -> None:
    assert [rotated("abc", places) for places in (0, 1, 5)] == [list("abc"), list("bca"), list("cab")]


def test_table_lines_up() -> None:
    lines = table(["op", "us"], [["multiply", "1.5"], ["x", "10.25"]]).split("\n")
    assert lines == [
        "| op       |    us |",
        "| -------- | ----: |",
        "| multiply |   1.5 |",
        "| x        | 10.25 |",
    ]


def test_lists_of_numbers_stand_in_one_line_and_texts_as_they_are() -> None:
    content = {"numbers": [1, 2.5, None], "texts": ["[ 1,  2 ]"], "deep": [[1, 2], {"a": []}], "empty": []}
    compact = numbers_in_lines(json.dumps(content, indent=1))
    assert json.loads(compact) == content
    assert '"numbers": [1, 2.5, null]' in compact


def test_saved_result_carries_the_machine_but_no_host_and_no_path(tmp_path: Path) -> None:
    report = Report("name", "Title")
    report.raw = {"answer": 42}
    report.say("A finding.")
    markdown = report.save(tmp_path)
    assert markdown is not None
    saved = json.loads(markdown.with_suffix(".json").read_text())
    assert saved["answer"] == 42
    assert saved["machine"]["packages"]["numpy"] == np.__version__
    assert re.fullmatch(r"name-[a-z0-9-]+c-\d{4}-\d\d-\d\d\.md", markdown.name)
    everything = markdown.read_text() + markdown.with_suffix(".json").read_text()
    assert "A finding." in everything
    assert str(ROOT) not in everything
    assert not re.search(r'[\s"](/[a-z_]+){2,}', everything)


def test_environment_that_steers_blas_is_named(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("OPENBLAS_CORETYPE", "Haswell")
    assert Report("name", "Title").stamp["blas_variables"]["OPENBLAS_CORETYPE"] == "Haswell"
    assert "OPENBLAS_CORETYPE=Haswell" in capsys.readouterr().out


def test_machine_name_is_a_file_name() -> None:
    assert machine_name({"cpu": "Intel(R) Xeon(R) CPU E5-2690 @ 2.90GHz", "cores": 8}) == "intel-xeon-e5-2690-8c"
    assert stamp()["cores"] >= 1


def test_reference_gradients_match_finite_differences(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(CASES, "toy", Case("toy", (5, 4, 3), 6))
    inputs, labels = np.random.default_rng(0).standard_normal((6, 5)), np.arange(6) % 3

    def loss_at(index: int, shift: float) -> float:
        training = NumpyTraining("toy", "float64", learning_rate=0.0)
        training.parameters()[index].flat[1] += shift
        return float(training.step(inputs, labels))

    training = NumpyTraining("toy", "float64", learning_rate=0.0)
    training.step(inputs, labels)
    for index, mean in enumerate(training.means):
        slope = (loss_at(index, 1e-6) - loss_at(index, -1e-6)) / 2e-6
        assert mean.flat[1] / 0.1 == pytest.approx(slope, rel=1e-6, abs=1e-9)


def test_reference_takes_adams_first_step_of_the_learning_rate() -> None:
    training = NumpyTraining("tiny", "float64", learning_rate=0.01)
    before = [parameter.copy() for parameter in training.parameters()]
    training.time(1)
    last_bias = np.abs(training.parameters()[-1] - before[-1])
    np.testing.assert_allclose(last_bias, 0.01, rtol=1e-4)


def test_agreement_catches_what_computes_something_else(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    make = "bench.mlp.numpy_step:make"
    field = [
        Contender(steps.OURS, make, {"case": "tiny"}),
        Contender("a tenth too fast", make, {"case": "tiny", "learning_rate": 1.1e-4}),
    ]
    monkeypatch.setattr(steps, "contenders", lambda case, compiled: field)
    assert steps.main(["--quick"]) == 1
    output = capsys.readouterr().out
    assert "a tenth too fast computes something else" in output
    assert "After 5 steps tensorgrad differ from float64" in output


def test_differences_by_hand() -> None:
    assert worst_difference([1.0, 2.2], [1.0, 2.0]) == pytest.approx(0.1)
    assert worst_difference([1.0], [1.0, 2.0]) == math.inf
    assert worst_difference([math.nan], [1.0]) == math.inf
    true = [2.0] * CHECKED_STEPS + [1.0]
    assert Difference.between([2.0001] * CHECKED_STEPS + [1.005], true).small
    assert not Difference.between([2.001] * CHECKED_STEPS + [1.0], true).small
    assert not Difference.between([2.0] * CHECKED_STEPS + [1.02], true).small
    assert not Difference.between([2.0] * CHECKED_STEPS, true).small


def test_tensorgrad_agrees_and_is_timed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pair = steps.contenders("tiny")[:2]
    monkeypatch.setattr(steps, "contenders", lambda case, compiled: pair)
    assert steps.main(["--quick", "--save", str(tmp_path)]) == 0
    (result,) = tmp_path.glob("steps-*.json")
    tiny = json.loads(result.read_text())["tiny"]
    assert tiny["disagreeing"] == {}
    assert set(tiny["seconds"]) == {"tensorgrad", "NumPy"}
    assert tiny["summary"]["NumPy"]["ratio"]["median"] > 0


def test_unknown_case_is_a_usage_error(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="2"):
        steps.main(["--cases", "tiny,enormous"])
    assert "no case enormous; there are tiny, small" in capsys.readouterr().err


@pytest.mark.parametrize("index", range(len(LINKS)), ids=[link.name for link in LINKS])
def test_overhead_links_do_the_work_of_their_raw_calls(index: int) -> None:
    link, x, w = LINKS[index], start(), constant(LINKS[index])
    tensor = tg.tensor(x, requires_grad=True)
    result = link.taped(tensor, tg.tensor(w))
    np.testing.assert_allclose(result.detach().numpy(), link.forward(x, w), rtol=1e-6)
    seed = np.random.default_rng(1).standard_normal(x.shape).astype(np.float32)
    result.backward(tg.tensor(seed))
    assert tensor.grad is not None
    expected = link.backward(seed, w, link.forward(x, w))
    np.testing.assert_allclose(tensor.grad.numpy(), expected, rtol=1e-5, atol=1e-6)


def test_overhead_numbers_are_finite(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    everyone = overhead.contenders
    monkeypatch.setattr(overhead, "contenders", lambda direction, index: everyone(direction, index)[:2])
    assert overhead.main(["--quick"]) == 0
    output = capsys.readouterr().out
    rows = [line.split("|")[2:5] for line in output.splitlines() if re.match(r"\| (add|multiply) ", line)]
    assert len(rows) == 4
    assert all(math.isfinite(float(cell)) for row in rows for cell in row)
    assert len(re.findall(r"budget 2\.00 us: (?:NOT )?kept\.", output)) == 2


def test_import_time_tells_what_is_loaded() -> None:
    comparison, last = import_time.measure(1, ["json", "numpy"])
    assert comparison.seconds["numpy"][0] > 0
    assert last["numpy"].modules > last["json"].modules
    assert last["numpy"].heavy == ()


def test_op_table_runs() -> None:
    pytest.importorskip("pytest_benchmark")
    options = ["-p", "no:cacheprovider", "--benchmark-disable", "-k", "32"]
    command = [sys.executable, "-m", "pytest", "bench", *options]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout
