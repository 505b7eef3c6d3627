"""Batches: every sample once, in the order promised, by one gather each."""

from __future__ import annotations

import numpy as np
import pytest

import tensorgrad as tg
from tensorgrad.data import DataLoader, Subset, TensorDataset


def numbered(count: int) -> TensorDataset:
    """Sample i is (2 * i, i): the fields of a batch can be seen to belong together."""
    ids = np.arange(count)
    return TensorDataset(tg.tensor((2.0 * ids).astype(np.float32)[:, None]), tg.tensor(ids))


def order(loader: DataLoader) -> list[list[int]]:
    batches = []
    for x, ids in loader:
        assert np.array_equal(x.numpy()[:, 0], 2.0 * ids.numpy())
        batches.append(ids.tolist())
    return batches


def flat(loader: DataLoader) -> list[int]:
    return [sample for batch in order(loader) for sample in batch]


def seeded(seed: int) -> tg.random.Generator:
    return tg.random.Generator("cpu").manual_seed(seed)


@pytest.mark.parametrize(
    ("count", "batch_size", "drop_last", "expected"),
    [
        (7, 3, False, [[0, 1, 2], [3, 4, 5], [6]]),
        (7, 3, True, [[0, 1, 2], [3, 4, 5]]),
        (6, 3, True, [[0, 1, 2], [3, 4, 5]]),
        (2, 5, False, [[0, 1]]),
        (2, 5, True, []),
        (0, 2, False, []),
    ],
)
def test_order_and_length(count: int, batch_size: int, drop_last: bool, expected: list[list[int]]) -> None:
    loader = DataLoader(numbered(count), batch_size, drop_last=drop_last)
    assert order(loader) == expected
    assert len(loader) == len(expected)


def test_shuffling_is_a_new_permutation_each_pass_and_reproducible() -> None:
    first = DataLoader(numbered(100), 16, shuffle=True, generator=seeded(7))
    again = DataLoader(numbered(100), 16, shuffle=True, generator=seeded(7))
    passes = [flat(first) for _ in range(3)]
    assert all(sorted(p) == list(range(100)) for p in passes)
    assert len({tuple(p) for p in [*passes, list(range(100))]}) == 4
    assert [flat(again) for _ in range(3)] == passes
    other = DataLoader(numbered(100), 16, shuffle=True, generator=seeded(8))
    assert flat(other) not in passes


def test_shuffling_without_generator_follows_manual_seed() -> None:
    loader = DataLoader(numbered(50), 50, shuffle=True)
    tg.manual_seed(3)
    one = order(loader)
    tg.manual_seed(3)
    assert order(loader) == one


def test_one_gather_a_batch() -> None:
    class Counting(TensorDataset):
        calls: list[int]

        def gather(self, indices: tg.Tensor) -> tuple[tg.Tensor, ...]:
            self.calls.append(len(indices))
            return super().gather(indices)

        def __getitem__(self, index: object) -> tuple[tg.Tensor, ...]:
            raise AssertionError("a loader must not ask for single samples")

    data = Counting(*numbered(10).tensors)
    data.calls = []
    assert [batch[1].shape for batch in DataLoader(data, 4, shuffle=True)] == [(4,), (4,), (2,)]
    assert data.calls == [4, 4, 2]


def test_writing_to_a_batch_leaves_the_data_alone() -> None:
    data = numbered(4)
    for x, _ in DataLoader(data, 4):
        x.fill_(-1.0)
    assert data.tensors[0].numpy()[:, 0].tolist() == [0.0, 2.0, 4.0, 6.0]


def test_subsets_load() -> None:
    assert order(DataLoader(Subset(numbered(9), [8, 1, 4]), 2)) == [[8, 1], [4]]


def test_refuses_bad_arguments() -> None:
    with pytest.raises(tg.errors.ArgumentError, match="batch_size must be at least 1, got 0"):
        DataLoader(numbered(3), 0)
    with pytest.raises(tg.errors.DTypeError, match=r"got list; wrap tensors in tg\.data\.TensorDataset"):
        DataLoader([1, 2, 3], 2)  # type: ignore[arg-type]
