"""Generators and random tensors: streams, states, signatures, distributions, errors."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest
from scipy import stats

import tensorgrad as tg
from tensorgrad import random as R
from tensorgrad.functional.activation import dropout


@pytest.fixture(autouse=True)
def _seeded() -> Iterator[None]:
    before = R.get_rng_state()
    R.manual_seed(1234)
    yield
    R.set_rng_state(before)


# ---------------------------------------------------------------------- streams
DRAWS: dict[str, Callable[[R.Generator], tg.Tensor]] = {
    "rand": lambda g: R.rand(3, 5, generator=g),
    "randn": lambda g: R.randn((3, 5), generator=g),
    "randint": lambda g: R.randint(0, 1000, (15,), generator=g),
    "randperm": lambda g: R.randperm(15, generator=g),
    "bernoulli": lambda g: R.bernoulli(tg.full((50,), 0.5), generator=g),
    "uniform": lambda g: R.uniform(-1, 1, (15,), generator=g),
    "normal": lambda g: R.normal(2.0, 3.0, (15,), generator=g),
    "dropout": lambda g: dropout(tg.ones(50), 0.5, generator=g),
}


@pytest.mark.parametrize("draw", DRAWS.values(), ids=DRAWS.keys())
def test_the_seed_decides_and_the_stream_moves_on(draw: Callable[[R.Generator], tg.Tensor]) -> None:
    a, b = (R.Generator().manual_seed(7) for _ in range(2))
    first, second = draw(a).numpy(), draw(a).numpy()
    np.testing.assert_array_equal(first, draw(b).numpy())
    assert not np.array_equal(first, second)
    assert not np.array_equal(first, draw(R.Generator().manual_seed(8)).numpy())


def test_draws_never_share_numbers() -> None:
    """Each draw moves the offset past its own blocks, whatever its size and dtype."""
    g = R.Generator().manual_seed(0)
    seen = np.concatenate([R.rand(n, generator=g, dtype=tg.float64).numpy() for n in (1, 2, 3, 5, 8, 13) * 20])
    assert len(np.unique(seen)) == len(seen)


def test_the_module_functions_use_the_default_generator() -> None:
    R.manual_seed(5)
    values = R.rand(4).numpy()
    assert R.initial_seed() == 5
    np.testing.assert_array_equal(values, R.rand(4, generator=R.Generator().manual_seed(5)).numpy())
    assert tg.manual_seed is R.manual_seed
    assert tg.rand is R.rand


def test_seed_draws_a_new_seed() -> None:
    g = R.Generator()
    assert g.seed() == g.initial_seed()
    assert g.seed() != g.seed()
    drawn = R.seed()
    assert R.initial_seed() == drawn


@pytest.mark.parametrize("seed", [-1, 2**64 - 1, 2**64 + 3, np.int64(12)])
def test_any_integer_is_a_seed(seed: Any) -> None:
    assert R.Generator().manual_seed(seed).initial_seed() == int(seed) % 2**64


# ---------------------------------------------------------------------- states
def test_a_state_continues_the_stream() -> None:
    R.randn(10)
    state = R.get_rng_state()
    expected = R.randn(6).numpy()
    assert (state.shape, state.dtype) == ((2,), tg.int64)
    R.randn(100)
    R.set_rng_state(state)
    np.testing.assert_array_equal(R.randn(6).numpy(), expected)


def test_a_state_is_a_copy_and_keeps_all_64_bits() -> None:
    g = R.Generator().manual_seed(2**64 - 5)
    R.rand(9, generator=g)
    state = g.get_state()
    R.rand(9, generator=g)
    assert state.tolist() == [-5, 3]
    other = R.Generator().set_state(state)
    assert other.initial_seed() == 2**64 - 5
    assert other.get_state().tolist() == [-5, 3]


def test_the_state_stays_in_the_same_memory() -> None:
    """A recorded step holds the state's memory: seeding and restoring must write into it."""
    g = R.Generator().manual_seed(1)
    memory = g._state
    g.manual_seed(2).set_state(g.get_state())
    R.rand(3, generator=g)
    assert g._state is memory
    assert memory.tolist() == [2, 1]


def test_states_that_are_none() -> None:
    with pytest.raises(tg.ShapeError, match=r"set_state: a state has shape \(2,\), got \(3,\)"):
        R.Generator().set_state(tg.zeros(3, dtype=tg.int64))
    with pytest.raises(tg.DTypeError, match="set_state: a state is int64, got float32"):
        R.Generator().set_state(tg.zeros(2))


def test_threads_get_different_numbers() -> None:
    g = R.Generator().manual_seed(3)
    with ThreadPoolExecutor(4) as pool:
        draws = list(pool.map(lambda _: R.rand(16, generator=g, dtype=tg.float64).numpy(), range(200)))
    together = np.concatenate(draws)
    assert len(np.unique(together)) == together.size
    alone = R.rand(3200, generator=R.Generator().manual_seed(3), dtype=tg.float64).numpy()
    np.testing.assert_array_equal(np.sort(together), np.sort(alone))


# ---------------------------------------------------------------------- signatures
def test_sizes_dtypes_and_gradients() -> None:
    for make in (R.rand, R.randn):
        assert make(2, 3).shape == make((2, 3)).shape == make([2, 3]).shape == (2, 3)
        assert make().shape == ()
        assert make(0, 4).shape == (0, 4)
        assert make(2).dtype == tg.float32
        assert make(2, dtype=tg.float64).dtype == tg.float64
        assert make(2, dtype=tg.float16, requires_grad=True).requires_grad
        assert not make(2).requires_grad
    assert R.rand(2, device="cpu").device is tg.device("cpu")


def test_like() -> None:
    x = tg.zeros(2, 3, dtype=tg.float64)
    assert (R.rand_like(x).shape, R.rand_like(x).dtype) == ((2, 3), tg.float64)
    assert R.randn_like(x, dtype=tg.float32).dtype == tg.float32
    assert R.randint_like(x, 5).dtype == tg.float64
    integers = R.randint_like(tg.zeros(1000, dtype=tg.int32), 3, 5)
    assert integers.dtype == tg.int32
    assert set(integers.tolist()) == {3, 4}


def test_randint_takes_one_bound_or_two() -> None:
    assert set(R.randint(3, (500,)).tolist()) == {0, 1, 2}
    assert set(R.randint(-2, 1, (500,)).tolist()) == {-2, -1, 0}
    assert set(R.randint(high=2, size=(500,)).tolist()) == {0, 1}
    assert R.randint(10, size=(2, 2)).dtype == tg.int64
    assert R.randint(0, 5, (3,), dtype=tg.uint8).dtype == tg.uint8


def test_randint_is_uniform() -> None:
    counts = np.bincount(R.randint(7, (70_000,)).numpy())
    assert stats.chisquare(counts).pvalue > 0.001


@pytest.mark.parametrize("n", [0, 1, 2, 1000])
def test_randperm_is_a_permutation(n: int) -> None:
    order = R.randperm(n)
    assert order.dtype == tg.int64
    assert sorted(order.tolist()) == list(range(n))


def test_randperm_reaches_every_order_equally() -> None:
    orders = [tuple(R.randperm(3).tolist()) for _ in range(6000)]
    counts = [orders.count(order) for order in sorted(set(orders))]
    assert len(counts) == 6
    assert stats.chisquare(counts).pvalue > 0.001


def test_bernoulli() -> None:
    p = tg.from_numpy(np.repeat([0.0, 0.25, 1.0], 20_000).astype(np.float32))
    drawn = R.bernoulli(p)
    zeros, some, ones = drawn.numpy().reshape(3, -1)
    assert drawn.dtype == tg.float32
    assert not zeros.any()
    assert ones.all()
    assert set(np.unique(some)) == {0.0, 1.0}
    assert abs(some.mean() - 0.25) < 4 * np.sqrt(0.25 * 0.75 / some.size)
    assert R.bernoulli(tg.zeros(100, dtype=tg.int64), 1.0).tolist() == [1] * 100


def test_uniform_and_normal_have_their_parameters() -> None:
    u = R.uniform(-3.0, 5.0, (50_000,), dtype=tg.float64).numpy()
    assert stats.kstest(u, "uniform", (-3, 8)).pvalue > 0.001
    z = R.normal(2.0, 0.5, (50_000,), dtype=tg.float64).numpy()
    assert stats.kstest(z, "norm", (2, 0.5)).pvalue > 0.001


def test_normal_with_tensors_broadcasts() -> None:
    mean = tg.from_numpy(np.array([[0.0], [100.0]]))
    std = tg.from_numpy(np.array([0.0, 1.0, 2.0]))
    drawn = R.normal(mean, std)
    assert (drawn.shape, drawn.dtype) == ((2, 3), tg.float64)
    assert drawn[:, 0].tolist() == [0.0, 100.0]
    assert abs(drawn.numpy() - mean.numpy()).max() < 12
    assert R.normal(mean).shape == (2, 1)


# ---------------------------------------------------------------------- in place
def test_in_place() -> None:
    x = tg.zeros(20_000)
    memory = x.array
    assert R.uniform_(x, 1.0, 2.0) is x
    assert x.array is memory
    assert 1 <= memory.min() <= memory.max() < 2
    R.normal_(x, 3.0, 0.1)
    assert abs(memory.mean() - 3) < 0.01
    R.bernoulli_(x, 0.25)
    assert abs(memory.mean() - 0.25) < 0.02
    with pytest.raises(tg.GraphError, match="a leaf that requires grad"):
        R.normal_(tg.zeros(2, requires_grad=True))


# ---------------------------------------------------------------------- dropout
def test_dropout_scales_what_it_keeps_and_so_does_its_gradient() -> None:
    values = R.uniform(1.0, 2.0, (100, 100))
    x = values.clone().requires_grad_()
    y = dropout(x, 0.25)
    dropped = y.detach().numpy()
    kept = dropped != 0
    np.testing.assert_allclose(dropped, np.where(kept, values.numpy() / 0.75, 0), rtol=1e-6)
    assert abs(kept.mean() - 0.75) < 0.02
    y.sum().backward()
    assert x.grad is not None
    np.testing.assert_allclose(x.grad.numpy(), np.where(kept, 1 / 0.75, 0), rtol=1e-6)


def test_dropout_twice_differentiated_keeps_its_mask() -> None:
    x = R.rand(50, dtype=tg.float64, requires_grad=True)
    y = dropout(x * x, 0.5)
    mask = y.detach().numpy() / (x.detach().numpy() ** 2)
    (first,) = tg.autograd.grad(y.sum(), [x], create_graph=True)
    np.testing.assert_allclose(first.detach().numpy(), 2 * x.detach().numpy() * mask)
    (second,) = tg.autograd.grad(first.sum(), [x])
    np.testing.assert_allclose(second.numpy(), 2 * mask)


def test_dropout_at_its_ends_draws_nothing() -> None:
    state = R.get_rng_state().tolist()
    x = tg.full((4,), float("inf"))
    assert dropout(x, 0.0) is x
    assert dropout(x, 0.5, training=False) is x
    assert dropout(x, 1.0).tolist() == [0.0] * 4
    assert R.get_rng_state().tolist() == state


# ---------------------------------------------------------------------- errors
@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: dropout(tg.ones(2), 1.5), tg.ArgumentError, r"dropout: p must be in \[0, 1\], got 1.5"),
        (lambda: dropout(tg.ones(2), float("nan")), tg.ArgumentError, r"dropout: p must be in \[0, 1\], got nan"),
        (lambda: R.bernoulli(tg.ones(2), -0.1), tg.ArgumentError, r"bernoulli: p must be in \[0, 1\]"),
        (lambda: R.bernoulli(tg.ones(2, dtype=tg.int64)), tg.DTypeError, "bernoulli: probabilities must be floating"),
        (lambda: R.rand(2, dtype=tg.int64), tg.DTypeError, "rand: expected a floating dtype, got int64"),
        (lambda: R.randn(-1), tg.ArgumentError, "randn: sizes must not be negative"),
        (lambda: R.randint(5, 5, (2,)), tg.ArgumentError, "randint: expected low < high.*low=5, high=5"),
        (lambda: R.randint(5), tg.ArgumentError, "randint: expected low < high and a size"),
        (lambda: R.uniform(2, 1, (2,)), tg.ArgumentError, "uniform: expected low <= high, got low=2, high=1"),
        (lambda: R.normal(0.0, -1.0, (2,)), tg.ArgumentError, "normal: std must not be negative, got -1.0"),
        (lambda: R.normal(0.0, 1.0), tg.ArgumentError, "normal: a size must be given"),
        (
            lambda: R.normal(tg.ones(2), tg.ones(3)),
            tg.ShapeError,
            r"must broadcast with each other, got \(2,\), \(3,\)",
        ),
        (lambda: R.manual_seed("7"), tg.DTypeError, "manual_seed: the seed must be an integer, got '7'"),  # type: ignore[arg-type]
        (lambda: R.randint(2, (2,), dtype=tg.int64, requires_grad=True), tg.DTypeError, "requires_grad"),
    ],
)
def test_errors(call: Callable[[], Any], error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        call()


@pytest.mark.parametrize(
    ("low", "high", "dtype"),
    [(0, 300, tg.uint8), (-1, 5, tg.uint8), (0, 129, tg.int8), (0, 3, tg.bool), (0, 2050, tg.float16)],
)
def test_integers_that_the_dtype_does_not_hold_are_refused(low: int, high: int, dtype: object) -> None:
    with pytest.raises(tg.errors.ArgumentError, match=r"randint: .* holds the integers from .* choose a wider dtype"):
        tg.randint(low, high, (5,), dtype=dtype)


def test_the_whole_range_of_a_dtype_can_be_drawn() -> None:
    assert tg.randint(0, 256, (5,), dtype=tg.uint8).dtype == tg.uint8
    assert tg.randint(-128, 128, (5,), dtype=tg.int8).dtype == tg.int8
    assert tg.randint(-2048, 2049, (5,), dtype=tg.float16).dtype == tg.float16
