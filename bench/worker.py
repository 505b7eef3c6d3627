"""A worker process: makes one workload and times it on request, one JSON line in, one JSON line out.

Between requests it is blocked reading its standard input, so that it costs nothing while another is timed.

    {"do": "make", "factory": "package.module:function", "arguments": {...}}  ->  {}
    {"do": "check"}                    ->  {"values": [...]}
    {"do": "time", "repetitions": n}   ->  {"seconds": ..., "cpu_seconds": ...}

Anything that fails is answered with `{"error": message, "kind": exception class}`.
"""

from __future__ import annotations

import importlib
import json
import os
import sys
import traceback
from time import process_time
from typing import Any, TextIO, cast

from bench.workload import Workload

__all__: list[str] = []

WARM_UP_SHARE = 10


class Server:
    """Answers requests about one workload."""

    def __init__(self) -> None:
        self._workload: Workload | None = None

    def answer(self, request: dict[str, Any]) -> dict[str, Any]:
        if request["do"] == "make":
            return self._make(request["factory"], request["arguments"])
        if self._workload is None:
            raise RuntimeError(f"worker: asked to {request['do']} before a workload was made")
        if request["do"] == "check":
            return {"values": self._workload.check()}
        return timed(self._workload, request["repetitions"])

    def _make(self, factory: str, arguments: dict[str, Any]) -> dict[str, Any]:
        module, _, function = factory.partition(":")
        self._workload = cast(Workload, getattr(importlib.import_module(module), function)(**arguments))
        return {}


def timed(workload: Workload, repetitions: int) -> dict[str, float]:
    """Time a turn. A tenth of it runs untimed first: while this process slept, others emptied the caches."""
    start = process_time()
    workload.time(max(1, repetitions // WARM_UP_SHARE))
    seconds = workload.time(repetitions)
    return {"seconds": seconds, "cpu_seconds": process_time() - start}


def private_stdout() -> TextIO:
    """Keep standard output for the replies; whatever a library prints goes to standard error instead."""
    replies = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)
    return replies


def main() -> None:
    replies, server = private_stdout(), Server()
    for line in sys.stdin:
        try:
            reply = server.answer(json.loads(line))
        except Exception as error:
            if not isinstance(error, ModuleNotFoundError):  # a peer not installed is nothing to worry about
                traceback.print_exc()
            reply = {"error": str(error), "kind": type(error).__name__}
        print(json.dumps(reply), file=replies, flush=True)


if __name__ == "__main__":
    main()
