"""Batches: every sample once, in the order promised, by one gather each."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import tensorgrad as tg
from tensorgrad.data import DataLoader, Dataset, Subset, TensorDataset, read_csv, train_val_test_split


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
    bad: list[tuple[object, str]] = [
        (7, "int"),
        ({0: 1}, "dict"),
        (iter([1]), "list_iterator"),
    ]
    for given, name in bad:
        with pytest.raises(tg.errors.DTypeError, match=rf"got {name}; wrap tensors in tg\.data\.TensorDataset"):
            DataLoader(given, 2)


def test_options_of_pytorch_that_have_no_effect_here() -> None:
    plain = DataLoader(numbered(10), 4, shuffle=True, generator=seeded(2))
    ported = DataLoader(numbered(10), 4, shuffle=True, generator=seeded(2), num_workers=0, pin_memory=True)
    assert order(ported) == order(plain)
    for count in (1, -1):
        with pytest.raises(tg.errors.ArgumentError, match=f"DataLoader: num_workers must be 0, got {count}; "):
            DataLoader(numbered(10), num_workers=count)


def test_refuses_a_tuple_of_fields() -> None:
    x = np.zeros((3, 2), np.float32)
    with pytest.raises(tg.errors.DTypeError, match=r"got a tuple of tensors; wrap them: TensorDataset\(X, y\)"):
        DataLoader((tg.tensor(x), tg.zeros(3)), 2)
    with pytest.raises(tg.errors.DTypeError, match=r"got a tuple of arrays; .* TensorDataset\(tg\.tensor\(X\), tg\.t"):
        train_val_test_split((x, x[:, 0]))


def test_a_table_loads(tmp_path: Path) -> None:
    path = tmp_path / "table.csv"
    path.write_text("a,b,y\n1,2,0.5\n3,4,1.5\n")
    (batch,) = DataLoader(read_csv(path), 2)
    assert [field.tolist() for field in batch] == [[[1, 2], [3, 4]], [[0.5], [1.5]]]
    train, val, test = train_val_test_split(read_csv(path), val=1, test=0)
    assert (len(train), len(val), len(test)) == (1, 1, 0)


class Squares(Dataset):
    """Sample i is (i, [i, i^2])."""

    def __len__(self) -> int:
        return 5

    def __getitem__(self, index: int) -> tuple[int, np.ndarray]:
        return index, np.array([index, index**2], np.float32)


def test_a_data_set_of_ones_own() -> None:
    batches = list(DataLoader(Squares(), 2))
    assert [ids.tolist() for ids, _ in batches] == [[0, 1], [2, 3], [4]]
    assert batches[1][1].tolist() == [[2, 4], [3, 9]]
    assert (batches[0][0].dtype, batches[0][1].dtype) == (tg.int64, tg.float32)
    chosen = Subset(Squares(), [4, 2])
    assert [x.tolist() for x in chosen.gather(tg.tensor([1, 0]))] == [[2, 4], [[2, 4], [4, 16]]]
    assert [x.tolist() for x in next(iter(DataLoader(chosen, 2)))] == [[4, 2], [[4, 16], [2, 4]]]
    shuffled = [i for ids, _ in DataLoader(Squares(), 2, shuffle=True, generator=seeded(1)) for i in ids.tolist()]
    assert sorted(shuffled) == [0, 1, 2, 3, 4]


def test_lists_and_other_sequences_load() -> None:
    pairs = [(tg.full((2,), float(i)), i) for i in range(3)]
    (x, y), (rest, _) = DataLoader(pairs, 2)
    assert (x.tolist(), y.tolist(), rest.tolist()) == ([[0, 0], [1, 1]], [0, 1], [[2, 2]])
    assert [batch[0].tolist() for batch in DataLoader([5, 6, 7], 2)] == [[5, 6], [7]]
    assert [batch[0].tolist() for batch in DataLoader(tg.arange(3), 2)] == [[0, 1], [2]]
    train, val, test = train_val_test_split(pairs, val=1, test=1)
    assert sorted(int(part.gather(tg.tensor([0]))[1].item()) for part in (train, val, test)) == [0, 1, 2]


def test_refuses_samples_that_are_not_alike_and_data_sets_that_are_not_whole() -> None:
    with pytest.raises(tg.errors.ArgumentError, match=r"as many fields, got \[1, 2\]"):
        list(DataLoader([(1, 2), (3,)], 2))
    with pytest.raises(NotImplementedError, match="define __len__"):
        len(Dataset())
    with pytest.raises(NotImplementedError, match="define __getitem__"):
        Dataset()[0]
