"""`python -m bench.gpu`: does it find what is wrong, go on after it, and time what it says? On the emulated device."""

from __future__ import annotations

import itertools
import json
import os
import signal
import socket
import subprocess
import sys
import time
from datetime import datetime
from pathlib import Path
from statistics import median
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from bench import gpu, processes
from bench.gpu_parts import (
    device_tests,
    kernel_rates,
    mlp_steps,
    pytest_shard,
    roofs,
    sanitizers,
    step_cases,
)
from bench.gpu_parts.clock import Clock
from bench.gpu_parts.kernel_cases import CASES
from bench.gpu_parts.mlp_steps import TolerantContest
from bench.gpu_parts.setting import EMULATE, Finding, Setting, read_finding
from bench.machine import ROOT
from bench.timing import Contender
from tests.bench.test_processes import is_running
from tests.cupy_standin.plugin import FORCE
from tests.emulator import available

pytestmark = pytest.mark.skipif(not available(), reason="the emulator needs g++")

BY_NAME = {case.name: case for case in CASES}


# ---------------------------------------------------------------------- time and roofs
def test_the_clock_takes_the_time_of_a_call(cupy: Any) -> None:
    clock = Clock(cupy, budget=0.02, least=4, most=6)
    seconds = clock.each(lambda: time.sleep(2e-3))
    assert 4 <= len(seconds) <= 6
    assert 2e-3 <= median(seconds) < 1e-2
    assert 1e-3 <= median(clock.back_to_back(lambda: time.sleep(1e-3), 3)) < 5e-3


def test_bandwidth_counts_bytes_read_and_written(cupy: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Clock, "each", lambda self, call: [call() or 0.5])
    assert roofs.copy_bandwidth(cupy, Clock(cupy), (1 << 20,)) == {1 << 20: 4.0 * (1 << 20)}


def test_what_there_is_no_time_for_is_counted(cupy: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    finding = Finding(tmp_path / "finding.json")
    monkeypatch.setattr(kernel_rates, "measured_roof", lambda cupy, setting: 1.0)
    kernel_rates.run(Setting(True, tmp_path, kernel_rates.RESERVE), finding)
    assert finding.failures == [f"{2 * len(CASES)} measurements were left out for lack of time"]
    assert finding.raw["large"] == finding.raw["small"] == []


def test_a_wrong_product_is_refused() -> None:
    a, b = np.random.default_rng(0).standard_normal((2, 16, 16))
    roofs.check_product("fp32", a, b, (a @ b).astype(np.float32))
    with pytest.raises(RuntimeError, match="relative error"):
        roofs.check_product("fp32", a, b, a @ b + 0.01)


# ---------------------------------------------------------------------- contenders, sanitizers, tests
def test_whoever_fails_is_left_out_and_the_others_go_on(tmp_path: Path) -> None:
    field = [
        Contender("tensorgrad", "bench.toys:spin", {"limit": 10}),
        Contender("other", "bench.toys:spin", {"limit": 10}),
        Contender("bad", "bench.toys:spin", {"nothing": 10}),
        Contender("breaks", "bench.toys:breaking", {"limit": 10}),
    ]
    finding = Finding(tmp_path / "finding.json")
    with TolerantContest(field, lambda: 60.0) as contest:
        contest.remake(field)
        assert contest.names == ["tensorgrad", "other", "breaks"]
        assert "TypeError" in contest.absent["bad"]
        assert contest.check() == {"tensorgrad": [], "other": [], "breaks": []}
        contest.rest("other")
        found = mlp_steps.timed(contest, "toy", "fp32", Setting(True, tmp_path, 60), finding)
        assert found is not None
        assert list(found.seconds) == ["tensorgrad"]
        assert "ArithmeticError" in contest.absent["breaks"]
        contest.remake(field)
        assert contest.names == ["tensorgrad", "other"]
    assert finding.failures == ["toy in fp32: breaks: ArithmeticError during 'time': cannot count to 10"]


def test_whoever_does_not_answer_in_time_is_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mlp_steps, "SHORTEST", 2.0)
    field = [Contender("quick", "bench.toys:spin", {"limit": 10}), Contender("slow", "bench.toys:endless", {})]
    with TolerantContest(field, lambda: 0.0) as contest:
        contest.remake(field)
        assert contest.names == ["quick"]
        assert "was stopped, during 'make'" in contest.absent["slow"]


def test_equal_precision_is_asked_of_everyone() -> None:
    assert step_cases.environment("fp32")["CUPY_TF32"] == "0"
    assert step_cases.environment("fp32")["NVIDIA_TF32_OVERRIDE"] == "0"
    assert "NVIDIA_TF32_OVERRIDE" not in step_cases.environment("tf32")
    assert step_cases.find_case("huge", False).widths[:4] == (8192,) * 4
    assert step_cases.find_case("huge", False).batch == 4096


def test_what_a_sanitizer_finds_is_a_failure(tmp_path: Path) -> None:
    tool = tmp_path / "compute-sanitizer"
    tool.write_text("#!/bin/sh\necho '========= ERROR SUMMARY: 2 errors'\nexit 9\n")
    tool.chmod(0o755)
    finding = Finding(tmp_path / "finding.json")
    row = sanitizers.watched(Setting(True, tmp_path, 60), finding, "memcheck", [str(tool)])
    assert row == ["memcheck", "-", "-", "-", "-", "2 errors"]
    assert finding.failures == ["memcheck: exit code 9: 2 errors"]


def test_a_sanitizer_that_refuses_the_machine_is_no_failure_of_the_kernels(tmp_path: Path) -> None:
    tool = tmp_path / "compute-sanitizer"
    tool.write_text("#!/bin/sh\necho '========= Error: Device not supported. See the manual.'\nexit 1\n")
    tool.chmod(0o755)
    finding = Finding(tmp_path / "finding.json")
    row = sanitizers.watched(Setting(True, tmp_path, 60), finding, "racecheck", [str(tool)])
    assert row[-1] == "no part"
    assert finding.failures == []
    assert "Device not supported" in (tmp_path / "finding.json").read_text()


def test_a_sanitizer_that_hangs_is_ended_with_its_children(tmp_path: Path) -> None:
    tool = tmp_path / "compute-sanitizer"
    tool.write_text(f"#!/bin/sh\nsleep 60 &\necho $! > {tmp_path}/child\nwait\n")
    tool.chmod(0o755)
    finding = Finding(tmp_path / "finding.json")
    row = sanitizers.watched(Setting(True, tmp_path, 6), finding, "racecheck", [str(tool)])
    assert row[-1] == "stopped"
    assert finding.failures == ["racecheck: time ran out after 0 launches"]
    assert not is_running(int((tmp_path / "child").read_text()))


def test_a_sanitizer_is_found_in_a_toolkit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tool = tmp_path / "bin" / "compute-sanitizer"
    tool.parent.mkdir()
    tool.write_text("")
    monkeypatch.setenv("CUDA_HOME", str(tmp_path))
    monkeypatch.setenv("PATH", "")
    assert sanitizers.find_sanitizer() != tool
    tool.chmod(0o755)
    assert sanitizers.find_sanitizer() == tool


def test_bench_and_the_tests_call_the_emulated_device_by_one_name() -> None:
    assert EMULATE == FORCE


def test_tests_of_the_device_are_told_from_others() -> None:
    assert pytest_shard.runs_on_cuda(SimpleNamespace(path=Path("tests/cuda/test_table.py")))
    assert not pytest_shard.runs_on_cuda(SimpleNamespace(path=Path("tests/ops/test_table.py")))


def test_the_reason_of_a_skip_and_of_a_failure_are_told() -> None:
    skipped = SimpleNamespace(outcome="skipped", longrepr=("file.py", 3, "Skipped: needs 40 GiB"))
    crashed = SimpleNamespace(message="AssertionError: assert 1 == 2")
    failed = SimpleNamespace(outcome="failed", longrepr=SimpleNamespace(reprcrash=crashed), longreprtext="...")
    assert [pytest_shard.reason(report) for report in (skipped, failed)] == [skipped.longrepr[2], crashed.message]


def test_shards_share_all_tests_in_stretches() -> None:
    tests = list(range(1000))
    shards = [pytest_shard.share(tests, number, 3, 10_000) for number in range(3)]
    assert sorted(itertools.chain(*shards)) == tests
    assert shards[1][: pytest_shard.TOGETHER + 1] == [*range(60, 120), 240]
    assert len(pytest_shard.share(tests, 0, 1, 50)) == 50


@pytest.mark.parametrize(("code", "lost"), [(0, 0), (None, 0), (-11, 1)])
def test_tests_that_a_crash_took_along_are_missed(code: int | None, lost: int, tmp_path: Path) -> None:
    notes, log = tmp_path / "notes.txt", tmp_path / "log.txt"
    passed = [{"test": f"t{i}", "outcome": "passed", "error": ""} for i in range(3 if code == 0 else 1)]
    notes.write_text("".join(json.dumps(line) + "\n" for line in [{"planned": 3}, *passed]) + '{"half a li')
    log.write_text("Fatal Python error: Segmentation fault\n")
    shards = device_tests.Shards()
    shards.add(2, code, notes, log)
    assert len(shards.outcomes) == len(passed)
    assert shards.stopped == (code is None)
    assert shards.lost == ["process 2 ended with exit code -11 after 1 of 3 tests: " + log.read_text().strip()] * lost


def test_a_run_that_was_cut_short_does_not_call_itself_all(tmp_path: Path) -> None:
    finding = Finding(tmp_path / "finding.json")
    finding.raw |= {"pytest": 1, "built-in runner": 0}
    passed = [{"test": "t", "outcome": "passed", "error": ""}]
    whole = device_tests.Shards(passed, planned=1, done=1)
    assert device_tests.extent(whole, device_tests.ALL) == "all the tests"
    device_tests.summarize(finding, device_tests.Shards(passed, stopped=True, planned=7, done=1), device_tests.ALL)
    assert "The run is 1 of 7 planned tests of" in (tmp_path / "finding.json").read_text()
    assert "and those of 2 processes" in device_tests.extent(device_tests.Shards(uncounted=2), device_tests.ALL)


def test_a_family_that_cannot_be_imported_is_a_failure(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    notes, log = tmp_path / "notes.txt", tmp_path / "log.txt"
    monkeypatch.setenv(pytest_shard.VARIABLE, f"{notes} 0 1 10")
    pytest_shard.note(planned=1)
    pytest_shard.note_broken_families({"special": ModuleNotFoundError("No module named 'scipy'")})
    pytest_shard.note(test="t", outcome="passed", error="")
    shards, finding = device_tests.Shards(), Finding(tmp_path / "finding.json")
    shards.add(0, 0, notes, log)
    finding.raw |= {"pytest": 1, "built-in runner": 0}
    device_tests.summarize(finding, shards, device_tests.ALL)
    assert (shards.lost, shards.done) == ([], 1)
    assert device_tests.extent(shards, device_tests.ALL) == "all the tests that can be imported"
    (failure,) = finding.failures
    assert failure.startswith("tests.ops.cases_special and all its tests are missing: ModuleNotFoundError: No module")


def test_the_tests_of_missing_packages_are_missed(tmp_path: Path) -> None:
    """As a process sees it, in which SciPy cannot be imported."""
    notes = tmp_path / "notes.txt"
    code = "import sys; sys.modules['scipy'] = None; from bench.gpu_parts import table_runner as r; "
    code += f"list(r.checks_in_table(open({str(notes)!r}, 'w')))"
    subprocess.run([sys.executable, "-c", code], check=True, cwd=ROOT, timeout=120)
    found = [json.loads(line) for line in notes.read_text().splitlines()]
    assert found
    assert {(line["outcome"], line["error"].split(":")[0]) for line in found} == {("broken", "ModuleNotFoundError")}


def test_the_runner_without_pytest_writes_each_outcome(tmp_path: Path) -> None:
    file = tmp_path / "outcomes.txt"
    command = [sys.executable, "-m", "bench.gpu_parts.table_runner", str(file), "0", "1", "12"]
    environment = {"PATH": "/usr/bin:/bin", EMULATE: "1"}
    subprocess.run(command, check=True, cwd=ROOT, env=environment, capture_output=True, timeout=120)
    planned, *outcomes = [json.loads(line) for line in file.read_text().splitlines()]
    assert planned == {"planned": len(outcomes)}
    assert len({outcome["test"] for outcome in outcomes}) == len(outcomes) >= 12
    assert {outcome["outcome"] for outcome in outcomes} <= {"passed", "failed"}


# ---------------------------------------------------------------------- the command
def saved(folder: Path) -> Any:
    (file,) = folder.glob("gpu-emulated-*.json")
    return json.loads(file.read_text())


@pytest.mark.parametrize("reason", ["CuPy is not installed", None])
def test_without_a_gpu_it_says_why(
    reason: str | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    finding = {"complete": False, "paragraphs": [], "failures": ["ModuleNotFoundError: No module"], "raw": {}}
    monkeypatch.setattr(gpu, "run_part", lambda *_: gpu.Outcome(finding, 0.1, False, ""))
    monkeypatch.setattr(gpu, "why_unusable", {"cuda": reason}.get)
    assert gpu.main(["--out", str(tmp_path)]) == 2
    said = capsys.readouterr().err.splitlines()
    assert said[0] == f"no GPU can be used: {reason or 'ModuleNotFoundError: No module'}"
    assert list(tmp_path.iterdir()) == []


def test_a_part_that_fails_is_reported_and_the_rest_goes_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    broken = gpu.Part("no_such_part", "Broken", 10)
    monkeypatch.setattr(gpu, "PARTS", {"machine": gpu.PARTS["machine"], "broken": broken, "roofs": gpu.PARTS["roofs"]})
    assert gpu.main(["--out", str(tmp_path), "--dry-run", "--parts", "broken,roofs"]) == 1
    found = saved(tmp_path)
    assert found["broken"]["state"] == "failed"
    assert "No module named" in found["broken"]["failures"][0]
    assert found["machine"]["state"] == found["roofs"]["state"] == "passed"


def test_a_part_that_takes_too_long_is_stopped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gpu, "GRACE", 0.0)
    outcome = gpu.run_part(gpu.PARTS["digits"], tmp_path, 0.05, dry_run=True)
    assert outcome.stopped
    assert outcome.state == "stopped"
    assert outcome.failures[-1].startswith("stopped after")


def test_what_a_part_found_before_it_failed_is_kept(tmp_path: Path) -> None:
    finding = Finding(tmp_path / "part.json")
    finding.raw["half"] = 1
    finding.say("So far.")
    finding.say("One case.", about="cases")
    finding.say("Two cases.", about="cases")
    assert read_finding(tmp_path / "part.json")["paragraphs"] == ["So far.", "Two cases."]
    assert read_finding(tmp_path / "part.json")["raw"] == {"half": 1}
    assert read_finding(tmp_path / "part.json")["complete"] is False


def test_time_that_is_left_over_goes_to_later_parts() -> None:
    ends = gpu.deadlines(list(gpu.PARTS), 8)
    assert list(ends.values()) == sorted(ends.values())
    assert max(ends.values()) < 8 * 60


def test_every_part_is_given_one_gpu_and_caches_of_our_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "3,1")
    monkeypatch.setenv("NVIDIA_TF32_OVERRIDE", "1")
    monkeypatch.setenv("CUPY_TF32", "1")
    given = gpu.environment(tmp_path)
    assert given["CUDA_VISIBLE_DEVICES"] == "3"
    assert given["CUPY_TF32"] == "0"
    assert "NVIDIA_TF32_OVERRIDE" not in given
    assert Path(given["CUPY_CACHE_DIR"]).parent == tmp_path


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_what_was_found_is_kept_when_somebody_ends_the_command(number: signal.Signals, tmp_path: Path) -> None:
    if signal.getsignal(number) == signal.SIG_IGN:
        pytest.skip(f"{number.name} is ignored here, and by every process started here")
    command = [sys.executable, "-m", "bench.gpu", "--out", str(tmp_path), "--dry-run", "--parts", "digits"]
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.PIPE}
    with subprocess.Popen(command, cwd=ROOT, text=True, **quiet) as process:  # type: ignore[call-overload]
        try:
            deadline = time.monotonic() + 60
            while not list(tmp_path.glob("*.md")):  # the first part is over
                assert process.poll() is None
                assert time.monotonic() < deadline
                time.sleep(0.02)
            process.send_signal(number)
            said = process.communicate(timeout=30)[1]
        finally:
            process.kill()
    assert process.returncode == 3
    assert "Traceback" not in said
    found = saved(tmp_path)
    assert found["machine"]["state"] == "passed"
    assert found["digits"]["failures"][0].startswith("stopped from outside after")


def test_a_signal_while_a_part_is_being_started_leaves_no_process(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun = []

    def begin_and_be_told_to_end(*arguments: Any, **options: Any) -> Any:
        os.kill(os.getpid(), signal.SIGTERM)
        begun.append(processes.begin(*arguments, **options))
        os.kill(os.getpid(), signal.SIGINT)
        return begun[-1]

    monkeypatch.setattr(gpu, "ENDING", gpu.Ending())
    monkeypatch.setattr(gpu, "begin", begin_and_be_told_to_end)
    assert gpu.main(["--out", str(tmp_path), "--dry-run", "--parts", "digits"]) == 3
    (process,) = begun
    assert process.returncode is not None
    assert not is_running(process.pid)


@pytest.mark.parametrize("minutes", ["0", "-1", "nan", "inf", "x"])
def test_minutes_that_are_none_are_refused(minutes: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        gpu.parse(["--out", str(tmp_path), f"--minutes={minutes}"])
    assert "argument --minutes" in capsys.readouterr().err
    assert gpu.parse(["--out", str(tmp_path), "--minutes", "0.5"]).minutes == 0.5


def test_a_later_report_leaves_an_earlier_one_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    machine = gpu.Outcome(read_finding(tmp_path / "none"), 1.0, False, "")
    for minute in (7, 8):
        clock = SimpleNamespace(now=lambda zone, minute=minute: datetime(2030, 1, 2, 3, minute, tzinfo=zone))
        monkeypatch.setattr(gpu, "datetime", clock)
        gpu.new_report(machine, dry_run=True).write(tmp_path)
    assert [file.stem[-5:] for file in sorted(tmp_path.glob("*.md"))] == ["-0307", "-0308"]


def test_reports_name_no_host_and_no_place() -> None:
    text = f"{ROOT}/bench/gpu.py failed on {socket.gethostname()} in /usr/lib/python3/x.py: 3 GB/s, ours / it"
    told = gpu.clean({"a": [text]})["a"][0]
    assert "bench/gpu.py failed on" in told
    assert told.endswith("in x.py: 3 GB/s, ours / it")
    assert str(ROOT) not in told
    assert len(socket.gethostname()) <= 2 or socket.gethostname() not in told


def test_dry_run_goes_through_everything(tmp_path: Path) -> None:
    """All parts but the one that runs the tests."""
    parts = ",".join(name for name in gpu.PARTS if name != "tests")
    command = [sys.executable, "-m", "bench.gpu", "--out", str(tmp_path), "--dry-run", "--parts", parts]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=180, check=False)
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    found = saved(tmp_path)
    assert found["emulated"] is True
    assert {found[name]["state"] for name in parts.split(",")} == {"passed"}
    assert found["digits"]["worst difference"] <= found["digits"]["bound"]
    assert {entry["kernel"] for entry in found["kernels"]["large"]} == set(BY_NAME)
    (markdown,) = tmp_path.glob("*.md")
    text = markdown.read_text()
    assert text.count(gpu.EMULATED) == len(parts.split(",")) + 1
    assert str(ROOT) not in text + json.dumps(found)
