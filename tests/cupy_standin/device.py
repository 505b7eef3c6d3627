"""Devices, streams and events: names and contexts, with nothing behind them, since everything here runs at once.

One thing is late on purpose: what is copied to the host with `blocking=False` arrives when its stream is synchronised.
"""

from __future__ import annotations

import itertools
import threading
import time
from collections.abc import Callable
from types import SimpleNamespace, TracebackType
from typing import Any

__all__ = ["CUDARuntimeError", "Device", "Event", "Stream", "current_device", "runtime"]

MIB = 1 << 20
_PROPERTIES = {
    "name": b"CuPy stand-in (emulated)",
    "totalGlobalMem": 16384 * MIB,
    "sharedMemPerBlock": 48 << 10,
    "sharedMemPerBlockOptin": 227 << 10,
    "warpSize": 32,
    "maxThreadsPerBlock": 1024,
    "maxThreadsDim": (1024, 1024, 64),
    "maxGridSize": (2**31 - 1, 65535, 65535),
    "multiProcessorCount": 4,
    "major": 9,
    "minor": 0,
    "clockRate": 1000000,
    "memoryClockRate": 1000000,
    "memoryBusWidth": 4096,
    "l2CacheSize": 32 * MIB,
}
_count = 1


class CUDARuntimeError(RuntimeError):
    """An error of the CUDA runtime."""


class _Thread(threading.local):
    def __init__(self) -> None:
        self.device = 0
        self.streams: dict[int, Stream] = {}


_thread = _Thread()


def set_device_count(count: int) -> None:
    """How many devices there are, from now on."""
    global _count
    _count = count


def current_device() -> int:
    """The number of the current device."""
    return _thread.device


def get_device_id() -> int:
    return _thread.device


def get_cublas_handle() -> int:
    """As if the library had been loaded, which happens in CuPy when this is first called."""
    return 0xB1A5 + _thread.device


def _checked(device: Any) -> int:
    if not isinstance(device, int) or not 0 <= device < _count:
        raise CUDARuntimeError("cudaErrorInvalidDevice: invalid device ordinal")
    return device


def _set_device(device: int) -> None:
    _thread.device = _checked(device)


class Device:
    """A device, and as a context the current one."""

    def __init__(self, device: int | Device | None = None) -> None:
        self.id: int = _thread.device if device is None else int(device)
        self._before: list[int] = []

    def use(self) -> None:
        _set_device(self.id)

    def synchronize(self) -> None:
        _checked(self.id)
        for stream in [Stream.null, *_thread.streams.values()]:
            stream.synchronize()

    @property
    def compute_capability(self) -> str:
        return f"{_PROPERTIES['major']}{_PROPERTIES['minor']}"

    @property
    def attributes(self) -> dict[str, Any]:
        return {
            "MultiProcessorCount": _PROPERTIES["multiProcessorCount"],
            "MaxThreadsPerBlock": 1024,
            "MaxSharedMemoryPerBlock": 48 << 10,
            "MaxSharedMemoryPerBlockOptin": 227 << 10,
            "WarpSize": 32,
        }

    @property
    def mem_info(self) -> tuple[int, int]:
        return runtime.memGetInfo()  # type: ignore[no-any-return]

    def __enter__(self) -> Device:
        self._before.append(_thread.device)
        self.use()
        return self

    def __exit__(self, *_: object) -> None:
        _set_device(self._before.pop())

    def __int__(self) -> int:
        return self.id

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Device) and other.id == self.id

    def __hash__(self) -> int:
        return hash(self.id)

    def __repr__(self) -> str:
        return f"<CUDA Device {self.id}>"


# ---------------------------------------------------------------------- streams and events
_handles = itertools.count(0x5000)


class Stream:
    """A queue in which everything is done as soon as it is asked for, but for what `later` is given."""

    null: Stream

    def __init__(
        self, null: bool = False, non_blocking: bool = False, ptds: bool = False, priority: int | None = None
    ) -> None:
        if null and (non_blocking or ptds):
            raise ValueError("null stream cannot be non-blocking or per-thread")
        self.ptr = 0 if null else 2 if ptds else next(_handles)
        self.is_non_blocking = non_blocking
        self.ptds = ptds
        self.priority = priority or 0
        self.device_id = -1 if null else _thread.device
        self._late: list[Callable[[], None]] = []
        self._before: list[Stream | None] = []

    def later(self, task: Callable[[], None]) -> None:
        """Do `task` when this stream is synchronised."""
        self._late.append(task)

    def synchronize(self) -> None:
        late, self._late = self._late, []
        for task in late:
            task()

    @property
    def done(self) -> bool:
        return not self._late

    def use(self) -> Stream:
        _thread.streams[_thread.device] = self
        return self

    def record(self, event: Event | None = None) -> Event:
        event = Event() if event is None else event
        event.record(self)
        return event

    def wait_event(self, event: Event) -> None:
        if not isinstance(event, Event):
            raise TypeError(f"wait_event: expected an Event, got {type(event)}")

    def is_capturing(self) -> bool:
        return False

    def begin_capture(self, mode: int | None = None) -> None:
        raise CUDARuntimeError("cudaErrorStreamCaptureUnsupported: the stand-in cannot capture a graph")

    def __enter__(self) -> Stream:
        self._before.append(_thread.streams.get(_thread.device))
        return self.use()

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        before = self._before.pop()
        (Stream.null if before is None else before).use()

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Stream) and other.ptr == self.ptr

    def __hash__(self) -> int:
        return hash(self.ptr)

    def __repr__(self) -> str:
        return f"<Stream {self.ptr} (device {self.device_id})>"


Stream.null = Stream(null=True)


def get_current_stream(device_id: int = -1) -> Stream:
    """The stream in use on the current device."""
    return _thread.streams.get(_thread.device if device_id < 0 else device_id, Stream.null)


class Event:
    """A moment in a stream."""

    def __init__(self, block: bool = False, disable_timing: bool = False, interprocess: bool = False) -> None:
        if interprocess and not disable_timing:
            raise ValueError("Timing must be disabled for interprocess events")
        self.ptr = next(_handles)
        self._timed = not disable_timing
        self._stream: Stream | None = None
        self._time: float | None = None

    def record(self, stream: Stream | None = None) -> None:
        self._stream = get_current_stream() if stream is None else stream
        self._time = time.perf_counter() if self._timed else None

    def synchronize(self) -> None:
        if self._stream is not None:
            self._stream.synchronize()

    @property
    def done(self) -> bool:
        return self._stream is None or self._stream.done


def get_elapsed_time(start_event: Event, end_event: Event) -> float:
    """Milliseconds between two recorded events."""
    if start_event._time is None or end_event._time is None:
        raise CUDARuntimeError("cudaErrorInvalidResourceHandle: invalid resource handle")
    return (end_event._time - start_event._time) * 1e3


# ---------------------------------------------------------------------- cupy.cuda.runtime
def _device_properties(device: int) -> dict[str, Any]:
    _checked(device)
    return dict(_PROPERTIES)


def _memory_info() -> tuple[int, int]:
    from tests.cupy_standin import memory  # it needs the current device, and so imports this file

    total = int(_PROPERTIES["totalGlobalMem"])  # type: ignore[call-overload]
    return total - memory.get_default_memory_pool().total_bytes(), total


runtime = SimpleNamespace(
    CUDARuntimeError=CUDARuntimeError,
    deviceSynchronize=lambda: Device().synchronize(),
    driverGetVersion=lambda: 13000,
    getDevice=current_device,
    getDeviceCount=lambda: _count,
    getDeviceProperties=_device_properties,
    is_hip=False,
    memGetInfo=_memory_info,
    runtimeGetVersion=lambda: 13000,
    setDevice=_set_device,
    streamLegacy=1,
    streamPerThread=2,
)
