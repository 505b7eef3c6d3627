"""Batches: every sample once, in the order promised, by one gather each."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import tensorgrad as tg
from tensorgrad.data import DataLoader, Dataset, Subset, TensorDataset, read_csv, train_val_test_split
from tests.opaque import OpaqueBackend, opaque_device


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


SHUFFLED = [3, 1, 4, 5, 9, 2, 6]
ON_ONE_DEVICE: dict[str, Callable[[TensorDataset], Dataset]] = {
    "tensors": lambda data: data,
    "subset": lambda data: Subset(data, SHUFFLED),
    "short indices": lambda data: Subset(data, tg.tensor(SHUFFLED, dtype=tg.int8, device=data.device)),
    "subset of a subset": lambda data: Subset(Subset(data, SHUFFLED), [6, 0, 3, 3]),
}


@pytest.mark.parametrize("shuffle", [True, False])
@pytest.mark.parametrize("kind", ON_ONE_DEVICE)
def test_an_order_of_ones_own_is_not_checked_batch_by_batch(
    kind: str, shuffle: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    device = opaque_device()
    backend = device.backend
    assert isinstance(backend, OpaqueBackend)
    data = ON_ONE_DEVICE[kind](numbered(10).to(device))
    expected = ON_ONE_DEVICE[kind](numbered(10))
    ids = list(range(len(data)))
    if shuffle:
        ids = tg.randperm(len(data), generator=seeded(4)).tolist()
    loader = DataLoader(data, 3, shuffle=shuffle, generator=tg.random.Generator(device).manual_seed(4))
    wrapped: list[Any] = []
    monkeypatch.setattr(backend, "wrap_indices", lambda *args, **kwargs: wrapped.append(args))
    backend.calls.clear()
    batches = [[field.tolist() for field in batch] for batch in loader]
    assert (backend.calls["check_bounds"], wrapped) == (0, [])
    assert backend.calls["take"] >= 2 * len(loader)
    monkeypatch.undo()
    chosen = [ids[i : i + 3] for i in range(0, len(ids), 3)]
    assert batches == [[field.tolist() for field in expected.gather(tg.tensor(part))] for part in chosen]
    with pytest.raises(tg.BoundsError, match=rf"size {len(data)} must be in .* got {len(data)} at position 1"):
        data.gather(tg.tensor([0, len(data)], device=device))


def test_what_is_not_known_of_an_order_is_checked() -> None:
    """Indices written into since, indices of someone else's, and data that have become fewer."""
    data = numbered(9)
    written, replaced = Subset(data, [8, 1, 4]), Subset(data, [8, 1, 4])
    written.indices[1] = 9
    replaced.indices = tg.tensor([8, 9, 4])
    for subset in (written, replaced):
        with pytest.raises(tg.BoundsError, match="got 9 at position 1"):
            order(DataLoader(subset, 3))
    written.indices[1] = 7
    assert order(DataLoader(written, 3)) == [[8, 7, 4]]
    fewer = numbered(9)
    subset = Subset(fewer, [8, 1, 4])
    fewer.tensors = numbered(5).tensors
    with pytest.raises(tg.BoundsError, match="got 8 at position 0"):
        order(DataLoader(subset, 3))

    class Boasting(TensorDataset):
        def __len__(self) -> int:
            return 12

    with pytest.raises(tg.BoundsError, match="got 9 at position 1"):
        order(DataLoader(Boasting(*data.tensors), 4))

    class Longer(Subset):
        def __len__(self) -> int:
            return 12

    class Bare(Subset):
        def __init__(self) -> None:
            self.dataset, self.indices = data, tg.tensor([9])

    with pytest.raises(tg.BoundsError, match="got 9 at position 0"):
        order(DataLoader(Bare(), 4))
    with pytest.raises(tg.BoundsError, match="got 3 at position 3"):
        order(DataLoader(Longer(data, [8, 1, 4]), 4))


def test_a_gather_of_ones_own_is_the_one_that_is_called() -> None:
    class Cyclic(TensorDataset):
        def __len__(self) -> int:
            return 7

        def gather(self, indices: tg.Tensor) -> tuple[tg.Tensor, ...]:
            return super().gather(indices % 3)

    class Backwards(Subset):
        def gather(self, indices: tg.Tensor) -> tuple[tg.Tensor, ...]:
            return super().gather(len(self) - 1 - indices)

    assert order(DataLoader(Cyclic(*numbered(3).tensors), 5)) == [[0, 1, 2, 0, 1], [2, 0]]
    assert order(DataLoader(Subset(Cyclic(*numbered(3).tensors), [6, 1]), 5)) == [[0, 1]]
    assert order(DataLoader(Backwards(numbered(9), [8, 1, 4]), 2)) == [[4, 1], [8]]
    data = numbered(4)
    data.gather = lambda indices: numbered(40).gather(indices + 30)  # type: ignore[method-assign]
    assert order(DataLoader(data, 4)) == [[30, 31, 32, 33]]


def test_batches_of_tensors_that_require_grad_have_their_history() -> None:
    x = tg.arange(4.0).requires_grad_()
    for (batch,) in DataLoader(Subset(TensorDataset(x), [3, 3, 0]), 2):
        (batch * batch).sum().backward()
    assert x.grad is not None
    assert x.grad.tolist() == [0, 0, 0, 12]


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
    assert [batch.tolist() for batch in DataLoader([5, 6, 7], 2)] == [[5, 6], [7]]
    assert [batch.tolist() for batch in DataLoader(tg.arange(3), 2)] == [[0, 1], [2]]
    train, val, test = train_val_test_split(pairs, val=1, test=1)
    assert sorted(int(part.gather(tg.tensor([0]))[1].item()) for part in (train, val, test)) == [0, 1, 2]


def test_refuses_samples_that_are_not_alike_and_data_sets_that_are_not_whole() -> None:
    with pytest.raises(tg.errors.ArgumentError, match=r"as many fields, got \[1, 2\]"):
        list(DataLoader([(1, 2), (3,)], 2))
    with pytest.raises(NotImplementedError, match="define __len__"):
        len(Dataset())
    with pytest.raises(NotImplementedError, match="define __getitem__"):
        Dataset()[0]


class Rows(Dataset):
    """A sample is a tensor, no tuple."""

    def __len__(self) -> int:
        return 5

    def __getitem__(self, index: int) -> tg.Tensor:
        return tg.full((3,), float(index))


@pytest.mark.parametrize(
    ("data", "shape", "dtype"),
    [
        (tg.zeros(5, 3), (2, 3), tg.float32),
        (Rows(), (2, 3), tg.float32),
        (Subset(Rows(), [0, 1, 2, 3]), (2, 3), tg.float32),
        (tg.data.random_split(tg.zeros(5, 3), [4, 1])[0], (2, 3), tg.float32),
        ([tg.zeros(3)] * 5, (2, 3), tg.float32),
        ([np.zeros(3)] * 5, (2, 3), tg.float64),
        ([np.float32(1)] * 5, (2,), tg.float32),
        ([0.5] * 5, (2,), tg.float64),
        ([1] * 5, (2,), tg.int64),
        ([True] * 5, (2,), tg.bool),
    ],
)
def test_samples_that_are_no_tuples_make_a_tensor(data: Any, shape: tuple[int, ...], dtype: tg.dtype[Any]) -> None:
    batch = next(iter(DataLoader(data, 2)))
    assert isinstance(batch, tg.Tensor)
    assert (batch.shape, batch.dtype) == (shape, dtype)


def test_samples_that_are_tuples_make_tuples() -> None:
    for data in (
        tg.data.TensorDataset(tg.zeros(5, 3)),
        [(1,)] * 5,
        Subset(tg.data.TensorDataset(tg.zeros(5, 3)), [1, 2]),
    ):
        (field,) = next(iter(DataLoader(data, 2)))
        assert field.shape[0] == 2
    x, y = next(iter(DataLoader([(tg.zeros(3), 0.25)] * 5, 2)))
    assert (x.dtype, y.dtype) == (tg.float32, tg.float64)
