"""`python -m bench.gpu`: does it find what is wrong, go on after it, and time what it says? On the emulated device."""

from __future__ import annotations

import json
import re
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from statistics import median
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from bench import gpu
from bench.gpu_parts import kernel_driver, pytest_shard, roofs, sanitizers, step_cases
from bench.gpu_parts.case import check_error
from bench.gpu_parts.clock import Clock
from bench.gpu_parts.kernel_cases import CASES, checked
from bench.gpu_parts.kernel_device import KernelDevice, from_bits, to_bits
from bench.gpu_parts.mlp_steps import TolerantContest
from bench.gpu_parts.setting import EMULATE, Finding, Setting, read_finding
from bench.machine import ROOT
from bench.timing import Contender
from tensorgrad.backends.cuda_kernels import source_of
from tensorgrad.backends.cuda_source import kernel_folder
from tests import cupy_standin
from tests.emulator import available, build

pytestmark = pytest.mark.skipif(not available(), reason="the emulator needs g++")

BY_NAME = {case.name: case for case in CASES}
SHAPE = (5, 33)


def floats(values: list[float]) -> Any:
    return np.array(values, np.float32)


@pytest.fixture
def cupy() -> Iterator[Any]:
    before = cupy_standin.installed()
    yield cupy_standin.install()
    if not before:
        cupy_standin.uninstall()


class Tampered(KernelDevice):
    """A device on which something happens instead of one kernel, or after it."""

    def __init__(self, cupy: Any, name: str, instead: Callable[..., None]) -> None:
        super().__init__(cupy)
        self._name, self._instead = name, instead

    def _function(self, name: str) -> Callable[..., None]:
        whole = super()._function(name)
        if name != self._name:
            return whole
        return lambda grid, block, args: self._instead(lambda: whole(grid, block, args), args)


# ---------------------------------------------------------------------- the kernels' cases
def test_arrays_longer_than_the_random_numbers_are_checked_as_well(cupy: Any) -> None:
    device = KernelDevice(cupy)
    device.drawn = 64
    result = kernel_driver.drive(device, (((29, 20), 1),), quick=True)
    assert result["faults"] == []


def test_every_kernel_of_every_file_is_launched_and_right(cupy: Any) -> None:
    device = KernelDevice(cupy)
    result = kernel_driver.drive(device, kernel_driver.SHAPES[1:2])
    written = {name for file in kernel_folder().glob("*.cu") for name in build(file, [kernel_folder()]).kernels}
    assert result["faults"] == []
    assert set(result["kernels"]) == written


@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
def test_a_kernel_that_writes_nothing_is_caught(cupy: Any, dtype: str) -> None:
    suffix = {"float32": "f32", "bfloat16": "bf16"}[dtype]
    device = Tampered(cupy, f"gelu_{suffix}", lambda launch, args: None)
    assert "165 elements are not written" in checked(BY_NAME["gelu"], device, dtype, SHAPE)[1]


def test_one_element_that_is_not_written_is_caught(cupy: Any) -> None:
    def skip_one(launch: Callable[[], None], args: tuple[Any, ...]) -> None:
        launch()
        args[3].view("uint32").reshape(-1)[7] = np.uint32(0xFFFFFFFF)

    fault = checked(BY_NAME["silu"], Tampered(cupy, "silu_f32", skip_one), "float32", SHAPE)[1]
    assert "1 elements are not written" in fault


@pytest.mark.parametrize(
    ("case", "kernel", "argument"),
    [
        ("tanh", "tanh_f32", 3),
        ("softmax", "softmax_f32", 1),
        ("random_uniform", "random_uniform_f32", 1),
        ("column_sums", "column_finish_f32", 1),
        ("gelu_backward_bias", "column_finish_f32", 1),
        ("scale_tensors", "scale_tensors_f32", None),
        ("adam", "adam_f32", None),
        ("norm", "norm_finish", None),
    ],
)
def test_a_wrong_result_is_caught(cupy: Any, case: str, kernel: str, argument: int | None) -> None:
    def spoil(launch: Callable[[], None], args: tuple[Any, ...]) -> None:
        if argument is None:
            return  # results in place stay as they were, others are rubbish
        launch()
        args[argument][...] += 0.01

    device = Tampered(cupy, kernel, spoil)
    assert checked(BY_NAME[case], device, "float32", SHAPE)[1] != ""


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_bytes_moved_are_those_the_source_counts(cupy: Any, case: Any) -> None:
    rows, columns = 64, 128
    device, dtype = KernelDevice(cupy), case.dtypes[0]
    itemsize = np.dtype(dtype).itemsize
    each = round(case.prepare(device, dtype, (rows, columns)).moved / (rows * columns * itemsize))
    first = {"norm": "norm_parts"}.get(case.name, case.name.split()[0])
    text = (kernel_folder() / source_of(first)).read_text().split("#include")[0]
    more = sum(word in case.name for word in ("centered", "momentum")) if "2b more" in text else 0
    count = "" if each == 1 else each - 2 * more
    assert re.search(rf"(?<![\w]){count}b\b", text), f"{each}b is not at the top of the source"


def test_a_result_may_err_twice_as_much_as_the_composition() -> None:
    x = floats([1 / 3, 2.0, 3.0])
    check_error(x + np.float32(2e-7), "float32", lambda x: x, x)
    with pytest.raises(AssertionError, match=r"error 1e-05, allowed 3\.6e-07"):
        check_error(x + np.float32(1e-5), "float32", lambda x: x, x)
    with pytest.raises(AssertionError, match="error inf"):
        check_error(floats([1, np.nan, 3]), "float32", lambda x: x, x)


def test_bfloat16_is_rounded_to_even() -> None:
    values = floats([1.0, 1 + 2**-8, 1 + 3 * 2**-8, -3.140625])
    np.testing.assert_array_equal(from_bits(to_bits(values)), floats([1.0, 1.0, 1 + 2**-6, -3.140625]))


def test_long_arrays_repeat_their_block(cupy: Any) -> None:
    device = KernelDevice(cupy)
    device.offset = 3
    x = device.filled((7, 5), "float32", np.arange(4, dtype=np.float32))
    np.testing.assert_array_equal(device.values(x).reshape(-1), np.arange(35) % 4)
    assert x.data.ptr % 16 == 12


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


def test_a_wrong_product_is_refused() -> None:
    a, b = np.random.default_rng(0).standard_normal((2, 16, 16))
    roofs.check_product("fp32", a, b, (a @ b).astype(np.float32))
    with pytest.raises(RuntimeError, match="relative error"):
        roofs.check_product("fp32", a, b, a @ b + 0.01)


# ---------------------------------------------------------------------- contenders, sanitizers, tests
def test_whoever_fails_is_left_out_and_the_others_go_on() -> None:
    good = Contender("good", "bench.toys:spin", {"limit": 10})
    bad = Contender("bad", "bench.toys:spin", {"nothing": 10})
    with TolerantContest([good, bad]) as contest:
        assert contest.names == ["good"]
        assert "TypeError" in contest.absent["bad"]
        assert contest.check() == {"good": []}


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
    assert row == ["memcheck", "-", "-", "-", "2 errors"]
    assert finding.failures == ["memcheck: exit code 9: 2 errors"]


def test_a_sanitizer_is_found_in_a_toolkit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tool = tmp_path / "bin" / "compute-sanitizer"
    tool.parent.mkdir()
    tool.write_text("")
    monkeypatch.setenv("CUDA_HOME", str(tmp_path))
    monkeypatch.setenv("PATH", "")
    assert sanitizers.find_sanitizer() != tool
    tool.chmod(0o755)
    assert sanitizers.find_sanitizer() == tool


def test_tests_of_the_device_are_told_from_others() -> None:
    assert pytest_shard.runs_on_cuda(SimpleNamespace(path=Path("tests/cuda/test_table.py")))
    assert not pytest_shard.runs_on_cuda(SimpleNamespace(path=Path("tests/ops/test_table.py")))


def test_the_runner_without_pytest_writes_each_outcome(tmp_path: Path) -> None:
    file = tmp_path / "outcomes.txt"
    command = [sys.executable, "-m", "bench.gpu_parts.table_runner", str(file), "0", "1", "12"]
    environment = {"PATH": "/usr/bin:/bin", EMULATE: "1"}
    subprocess.run(command, check=True, cwd=ROOT, env=environment, capture_output=True, timeout=120)
    outcomes = [json.loads(line) for line in file.read_text().splitlines()]
    assert len({outcome["test"] for outcome in outcomes}) == len(outcomes) >= 12
    assert {outcome["outcome"] for outcome in outcomes} <= {"passed", "failed", "skipped"}


# ---------------------------------------------------------------------- the command
def saved(folder: Path) -> Any:
    (file,) = folder.glob("gpu-emulated-*.json")
    return json.loads(file.read_text())


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
    assert read_finding(tmp_path / "part.json")["raw"] == {"half": 1}
    assert read_finding(tmp_path / "part.json")["complete"] is False


def test_time_that_is_left_over_goes_to_later_parts() -> None:
    ends = gpu.deadlines(list(gpu.PARTS), 8)
    assert list(ends.values()) == sorted(ends.values())
    assert max(ends.values()) < 8 * 60


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
