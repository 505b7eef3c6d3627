"""Generators: where a device's random numbers come from, and how far their streams have been used.

A generator's state (seed, offset) lives on its device. A draw is a function of that state (`primitives/random.py`),
which then moves on by the blocks that were used: nothing is read back to the host.

The default generators of all devices draw from one stream, each from where the last draw on any of them ended. So a
program draws the same numbers wherever its parts run, and no number twice.
"""

from __future__ import annotations

import os
import threading

from tensorgrad.autograd.variable import Tensor, new_tensor
from tensorgrad.backends import Device, DeviceLike
from tensorgrad.backends import device as as_device
from tensorgrad.backends.primitives import Array
from tensorgrad.dtypes import int64, uint64
from tensorgrad.errors import DTypeError, ShapeError

__all__ = [
    "Generator",
    "default_generator",
    "get_rng_state",
    "initial_seed",
    "key_tensor",
    "manual_seed",
    "seed",
    "set_rng_state",
]

_SEEDS = 1 << 64


class Generator:
    """A stream of random numbers on one device: a seed, and how far the stream has been used."""

    def __init__(self, device: DeviceLike = "cpu") -> None:
        """Seeded by the operating system; see `manual_seed`."""
        self.device: Device = as_device(device)
        self._lock = threading.Lock()
        self._state: Array = self._pair(_fresh_seed(), 0)

    def manual_seed(self, seed: int) -> Generator:
        """Start the stream of `seed` (any integer; taken modulo 2^64) from its beginning. Returns the
        generator."""
        self._write(self._pair(_checked_seed(seed), 0))
        return self

    def seed(self) -> int:
        """Start the stream of a seed drawn by the operating system. Returns the seed."""
        drawn = _fresh_seed()
        self.manual_seed(drawn)
        return drawn

    def initial_seed(self) -> int:
        """The seed of the stream."""
        return int(self.device.backend.to_numpy(self._state)[0])

    def get_state(self) -> Tensor:
        """The state as int64[2] (seed, offset), a copy."""
        return new_tensor(self.device.backend.astype(self._state, int64), self.device)

    def set_state(self, state: Tensor) -> Generator:
        """Continue where the generator was that gave `state`. Returns the generator.

        Raises ShapeError and DTypeError unless it is int64[2] (or uint64[2]), on any device.
        """
        _check_state(state)
        backend = self.device.backend
        values = state.array if state.device is self.device else state.device.backend.to_numpy(state.array)
        self._write(backend.astype(backend.asarray(values), uint64))
        return self

    def next_key(self, blocks: int) -> Array:
        """The key of a draw of `blocks` blocks: a copy of the state (uint64[2]), which then moves on by as
        many."""
        with self._lock:
            key: Array = self.device.backend.next_key(self._state, blocks)
        return key

    def _write(self, state: Array) -> None:
        with self._lock:  # in place: a recorded step holds this memory
            self.device.backend.copyto(self._state, state)

    def _pair(self, first: int, second: int) -> Array:
        backend = self.device.backend
        return backend.copy(backend.asarray([first, second], dtype=uint64))

    def __repr__(self) -> str:
        return f"Generator(device={str(self.device)!r}, initial_seed={self.initial_seed()})"


def _check_state(state: Tensor) -> None:
    if state.shape != (2,):
        raise ShapeError(f"set_state: a state has shape (2,), got {state.shape}")
    if state.dtype not in (int64, uint64):
        raise DTypeError(f"set_state: a state is int64, got {state.dtype}")


def _checked_seed(seed: int) -> int:
    if isinstance(seed, bool) or not hasattr(seed, "__index__"):
        raise DTypeError(f"manual_seed: the seed must be an integer, got {seed!r}")
    return seed.__index__() % _SEEDS


def _fresh_seed() -> int:
    return int.from_bytes(os.urandom(8), "little")


# ---------------------------------------------------------------------- the default generators
class _Stream:
    """The stream of the default generators: its seed, the blocks that were used of it, and who draws from it."""

    def __init__(self) -> None:
        self.lock = threading.RLock()
        self.seed = _fresh_seed()
        self.used = 0
        self.generators: dict[Device, _DefaultGenerator] = {}

    def restart(self, seed: int, used: int) -> None:
        """Go on from there: on every device at once, since a recorded step reads its device's memory alone."""
        with self.lock:
            self.seed, self.used = seed, used
            for generator in self.generators.values():
                generator.catch_up(always=True)


class _DefaultGenerator(Generator):
    """The default generator of a device. Seeding it or setting its state is doing so for all of them."""

    def __init__(self, device: Device, stream: _Stream) -> None:
        super().__init__(device)
        self._stream = stream
        self._used: int = 0  # blocks of the stream, as far as the state knows
        self.catch_up(always=True)

    def catch_up(self, always: bool = False) -> None:
        """Bring the state to where the last draw on any device ended. It costs nothing while one device draws, since
        the host counts along.

        The state is fed (`Backend.feed`), which is no part of the draw: a recording notes `next_key` alone. Whoever
        replays recorded draws calls this before, and `advance` afterwards with the blocks of the keys that were drawn.
        """
        stream = self._stream
        with stream.lock:
            if always or self._used != stream.used:
                self._used = stream.used
                with self._lock:
                    self.device.backend.feed(self._state, (stream.seed, stream.used % _SEEDS))

    def advance(self, blocks: int) -> None:
        """Count draws of so many blocks that this device has made by itself."""
        with self._stream.lock:
            self._used = self._stream.used = self._stream.used + blocks

    def next_key(self, blocks: int) -> Array:
        with self._stream.lock:
            self.catch_up()
            used, self._used = self._used, -1  # unknown, should the draw fail
            key = super().next_key(blocks)
            self._used = self._stream.used = used + blocks
        return key

    def manual_seed(self, seed: int) -> Generator:
        self._stream.restart(_checked_seed(seed), 0)
        return self

    def initial_seed(self) -> int:
        return self._stream.seed

    def get_state(self) -> Tensor:
        with self._stream.lock:
            self.catch_up()
            return super().get_state()

    def set_state(self, state: Tensor) -> Generator:
        _check_state(state)
        seed, used = (int(word) % _SEEDS for word in state.device.backend.to_numpy(state.array))
        self._stream.restart(seed, used)
        return self


_stream = _Stream()


def default_generator(device: DeviceLike = None) -> Generator:
    """The generator that is used on `device` where none is given."""
    place = as_device(device)
    found = _stream.generators.get(place)
    if found is None:
        with _stream.lock:
            found = _stream.generators.setdefault(place, _DefaultGenerator(place, _stream))
    return found


def manual_seed(seed: int) -> Generator:
    """Start the stream of the default generators, which is one for all devices, from `seed`. Returns the default
    device's."""
    return default_generator().manual_seed(seed)


def seed() -> int:
    """Start the stream of the default generators from a seed drawn by the operating system. Returns the seed."""
    return default_generator().seed()


def initial_seed() -> int:
    """The seed of the default generators."""
    return default_generator().initial_seed()


def get_rng_state(device: DeviceLike = None) -> Tensor:
    """The state of the default generators, as `Generator.get_state` gives it, on `device`."""
    return default_generator(device).get_state()


def set_rng_state(new_state: Tensor, device: DeviceLike = None) -> None:
    """Set the state of the default generators, whichever `device` is named. Errors as `Generator.set_state`."""
    default_generator(device).set_state(new_state)


def key_tensor(generator: Generator, blocks: int) -> Tensor:
    """The key of a draw, as an input for an op."""
    return new_tensor(generator.next_key(blocks), generator.device)
