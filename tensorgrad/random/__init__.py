"""Generators and random tensors, under PyTorch's names and signatures.

One seed gives the same numbers on every device, whatever the number of threads (see `backends/primitives/random.py`).
"""

from __future__ import annotations

from tensorgrad.random.distributions import (
    bernoulli,
    normal,
    rand,
    rand_like,
    randint,
    randint_like,
    randn,
    randn_like,
    randperm,
    uniform,
)
from tensorgrad.random.generator import (
    Generator,
    default_generator,
    get_rng_state,
    initial_seed,
    key_tensor,
    manual_seed,
    seed,
    set_rng_state,
)
from tensorgrad.random.inplace import bernoulli_, normal_, uniform_

__all__ = [
    "Generator",
    "bernoulli",
    "bernoulli_",
    "default_generator",
    "get_rng_state",
    "initial_seed",
    "key_tensor",
    "manual_seed",
    "normal",
    "normal_",
    "rand",
    "rand_like",
    "randint",
    "randint_like",
    "randn",
    "randn_like",
    "randperm",
    "seed",
    "set_rng_state",
    "uniform",
    "uniform_",
]
