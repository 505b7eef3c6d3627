"""Contenders timed side by side: interleaved in one run, each in a process of its own.

A machine's speed drifts, so two programs timed one after the other differ even when they are the same. Here
every round gives each contender one turn, in an order that rotates; a ratio is formed within a round, where
both saw the same machine, and the median over rounds is reported.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from bench.comparison import Comparison
from bench.cpu_time import ForeignLoad, wait_until_idle

__all__ = ["ROOT", "SINGLE_THREAD", "Contender", "Contest", "WorkerError"]

ROOT = Path(__file__).resolve().parent.parent
REPLY_LIMIT_SECONDS = 600.0
SINGLE_THREAD = {
    "OPENBLAS_NUM_THREADS": "1",
    "OMP_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    "VECLIB_MAXIMUM_THREADS": "1",
}


class WorkerError(RuntimeError):
    """A worker process failed or did not answer. `kind`: of the exception, if it told one. `worker`: whose it is."""

    def __init__(self, message: str, kind: str = "", worker: str = "") -> None:
        super().__init__(message)
        self.kind = kind
        self.worker = worker


@dataclass(frozen=True)
class Contender:
    """A name, and how a worker makes its workload: `factory` is `"package.module:function"`, of the checkout `root`."""

    name: str
    factory: str
    arguments: Mapping[str, Any] = field(default_factory=dict)
    environment: Mapping[str, str] = field(default_factory=dict)
    root: Path = ROOT


class Worker:
    """The parent's end of a worker process (`bench/worker.py`)."""

    def __init__(self, contender: Contender) -> None:
        self.name = contender.name
        self.reply_limit = REPLY_LIMIT_SECONDS
        self.process = subprocess.Popen(
            [sys.executable, "-m", "bench.worker"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=contender.root,
            env={**os.environ, **contender.environment},
        )

    def ask(self, **request: Any) -> dict[str, Any]:
        """Send one request and wait for its answer; raises WorkerError if it failed or took too long."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        watchdog = threading.Timer(self.reply_limit, self.process.kill)
        watchdog.start()
        try:
            print(json.dumps(request), file=self.process.stdin, flush=True)
            line = self.process.stdout.readline()
        except BrokenPipeError:
            line = ""
        finally:
            watchdog.cancel()
        return self._opened(line, request["do"])

    def _opened(self, line: str, request: str) -> dict[str, Any]:
        if not line:
            message = f"{self.name}: the worker ended, or was stopped, during '{request}'; see above"
            raise WorkerError(message, worker=self.name)
        reply: dict[str, Any] = json.loads(line)
        if "error" in reply:
            message = f"{self.name}: {reply['kind']} during '{request}': {reply['error']}"
            raise WorkerError(message, reply["kind"], self.name)
        return reply

    def make(self, contender: Contender) -> None:
        self.ask(do="make", factory=contender.factory, arguments=dict(contender.arguments))

    def time(self, repetitions: int) -> dict[str, float]:
        return self.ask(do="time", repetitions=repetitions)

    def settle(self) -> None:
        wait_until_idle(self.process.pid)

    def close(self) -> None:
        self.process.kill()
        for pipe in (self.process.stdin, self.process.stdout):
            with suppress(BrokenPipeError):  # a request that the ended worker never read
                if pipe is not None:
                    pipe.close()
        self.process.wait()


class Contest:
    """Workers for a list of contenders; use it in a `with` block.

    A contender whose factory lacks a module (a peer that is not installed) is left out, with the reason in
    `absent`; any other failure raises WorkerError.
    """

    def __init__(self, contenders: Sequence[Contender]) -> None:
        self.workers: dict[str, Worker] = {}
        self.absent: dict[str, str] = {}
        try:
            for contender in contenders:
                self._add(contender)
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _add(self, contender: Contender) -> None:
        self.workers[contender.name] = worker = Worker(contender)
        try:
            worker.make(contender)
        except WorkerError as error:
            if error.kind != "ModuleNotFoundError":
                raise
            self.leave_out(contender.name, str(error))

    def remake(self, contenders: Sequence[Contender]) -> None:
        """Give the running workers other workloads; contenders without a worker are passed over."""
        for contender in contenders:
            if contender.name in self.workers:
                self.workers[contender.name].make(contender)

    @property
    def names(self) -> list[str]:
        return list(self.workers)

    def leave_out(self, name: str, reason: str) -> None:
        self.workers.pop(name).close()
        self.absent[name] = reason

    def check(self) -> dict[str, list[float]]:
        """The numbers by which each contender shows what it computes."""
        return {name: self._rested(name).ask(do="check")["values"] for name in self.names}

    def time(self, rounds: int = 15, turn_seconds: float = 0.2) -> Comparison:
        """Give every contender one turn of about `turn_seconds` in each round."""
        repetitions = {name: self._calibrated(name, turn_seconds) for name in self.names}
        seconds: dict[str, list[float]] = {name: [] for name in self.names}
        load = ForeignLoad()
        for number in range(rounds):
            for name in rotated(self.names, number):
                seconds[name].append(self._turn(name, repetitions[name], load))
        return Comparison(seconds, repetitions, load.share)

    def close(self) -> None:
        for worker in self.workers.values():
            worker.close()

    def _rested(self, name: str) -> Worker:
        for other in self.workers.values():
            other.settle()
        return self.workers[name]

    def _turn(self, name: str, repetitions: int, load: ForeignLoad) -> float:
        worker = self.workers[name]
        load.start()
        reply = worker.time(repetitions)
        load.stop(reply["cpu_seconds"])
        worker.settle()
        return reply["seconds"] / repetitions

    def _calibrated(self, name: str, turn_seconds: float) -> int:
        worker = self._rested(name)
        worker.time(1)  # lazy state, compilation
        repetitions = 1
        while (seconds := worker.time(repetitions)["seconds"]) < turn_seconds / 4:
            repetitions *= 2
        worker.settle()
        return max(1, round(repetitions * turn_seconds / seconds))


def rotated(names: Sequence[str], places: int) -> list[str]:
    """The same order, begun `places` further on."""
    start = places % len(names)
    return [*names[start:], *names[:start]]
