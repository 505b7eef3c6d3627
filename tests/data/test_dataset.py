"""Data sets: what they hand out, against plain NumPy indexing, and what they refuse."""

from __future__ import annotations

import numpy as np
import pytest

import tensorgrad as tg
from tensorgrad.data import Subset, TensorDataset

X = np.arange(24, dtype=np.float32).reshape(6, 2, 2)
Y = np.array([5, 3, 1, 4, 2, 0])


@pytest.fixture
def dataset() -> TensorDataset:
    return TensorDataset(tg.tensor(X), tg.tensor(Y))


def test_length_and_single_samples(dataset: TensorDataset) -> None:
    assert len(dataset) == 6
    for i in (0, 5, -1):
        x, y = dataset[i]
        assert np.array_equal(x.numpy(), X[i])
        assert y.item() == Y[i]


@pytest.mark.parametrize("index", [slice(1, 4), slice(None, None, 2), [3, 1, 1]])
def test_many_samples_index_like_numpy(dataset: TensorDataset, index: slice | list[int]) -> None:
    x, y = dataset[index]
    assert np.array_equal(x.numpy(), X[index])
    assert np.array_equal(y.numpy(), Y[index])


def test_gather_copies(dataset: TensorDataset) -> None:
    x, y = dataset.gather(tg.tensor([4, 0, 4]))
    assert np.array_equal(x.numpy(), X[[4, 0, 4]])
    assert np.array_equal(y.numpy(), Y[[4, 0, 4]])
    x.zero_()
    assert np.array_equal(dataset.tensors[0].numpy(), X)


def test_subset_counts_within_itself(dataset: TensorDataset) -> None:
    chosen = [5, 2, 3]
    subset = Subset(dataset, chosen)
    assert len(subset) == 3
    assert np.array_equal(subset.tensors[0].numpy(), X[chosen])
    assert np.array_equal(subset.gather(tg.tensor([2, 0]))[1].numpy(), Y[[3, 5]])
    x, y = subset[1]
    assert np.array_equal(x.numpy(), X[2])
    assert (y.shape, y.item()) == ((), Y[2])
    assert np.array_equal(subset[0:2][1].numpy(), Y[[5, 2]])
    nested = Subset(subset, [2])
    assert np.array_equal(nested.tensors[1].numpy(), Y[[3]])


def test_empty_subset(dataset: TensorDataset) -> None:
    empty = Subset(dataset, [])
    assert len(empty) == 0
    assert empty.tensors[0].shape == (0, 2, 2)


def test_refuses_what_is_not_a_data_set() -> None:
    with pytest.raises(tg.errors.ArgumentError, match="at least one tensor"):
        TensorDataset()
    with pytest.raises(tg.errors.DTypeError, match=r"argument 1 must be a Tensor, got numpy\.ndarray; make one"):
        TensorDataset(tg.tensor(X), Y)  # type: ignore[arg-type]
    with pytest.raises(tg.errors.ShapeError, match=r"first dimension, got shapes \(6, 2, 2\), \(5,\)"):
        TensorDataset(tg.tensor(X), tg.tensor(Y[:5]))
    with pytest.raises(tg.errors.ShapeError, match="tensor 0 is 0-d"):
        TensorDataset(tg.tensor(1.0))


def test_subset_refuses_bad_indices(dataset: TensorDataset) -> None:
    with pytest.raises(tg.errors.BoundsError, match=r"in \[0, 6\), got values from 2 to 6"):
        Subset(dataset, [2, 6])
    with pytest.raises(tg.errors.BoundsError, match="from -1 to 0"):
        Subset(dataset, [0, -1])
    with pytest.raises(tg.errors.DTypeError, match="must be integers"):
        Subset(dataset, tg.tensor([True, False]))
    with pytest.raises(tg.errors.ShapeError, match="one dimension"):
        Subset(dataset, tg.tensor([[0, 1]]))
