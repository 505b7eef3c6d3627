"""Splits: a partition of the samples, of the sizes asked for, the same for the same seed."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import tensorgrad as tg
from tensorgrad.data import Subset, TensorDataset, random_split, train_val_test_split
from tensorgrad.data.split import _evenly_spaced


def labelled(counts: list[int]) -> TensorDataset:
    labels = np.repeat(np.arange(len(counts)), counts)
    return TensorDataset(tg.tensor(np.arange(len(labels))), tg.tensor(labels))


@pytest.mark.parametrize(
    ("val", "test", "sizes"),
    [(0.1, 0.2, (70, 10, 20)), (0.0, 0.0, (100, 0, 0)), (7, 3, (90, 7, 3)), (0, 0.5, (50, 0, 50))],
)
@pytest.mark.parametrize("stratify", [None, True])
def test_partition_of_the_sizes_asked_for(
    val: float, test: float, sizes: tuple[int, int, int], stratify: bool | None
) -> None:
    parts = train_val_test_split(labelled([60, 30, 10]), val=val, test=test, stratify=stratify)
    assert tuple(len(part) for part in parts) == sizes
    assert sorted(i for part in parts for i in part.indices.tolist()) == list(range(100))


def test_same_seed_same_split() -> None:
    data = labelled([100])

    def split(seed: int) -> list[list[int]]:
        return [part.indices.tolist() for part in train_val_test_split(data, seed=seed)]

    assert split(4) == split(4)
    assert split(4) != split(5)
    assert split(4)[0] != sorted(split(4)[0])


def test_split_leaves_the_default_generator_alone() -> None:
    tg.manual_seed(1)
    expected = tg.rand(3).tolist()
    tg.manual_seed(1)
    train_val_test_split(labelled([20]))
    assert tg.rand(3).tolist() == expected


@settings(max_examples=40, deadline=None)
@given(st.lists(st.integers(1, 40), min_size=1, max_size=6), st.integers(0, 3), st.integers(0, 100))
def test_stratified_parts_keep_the_share_of_every_class(counts: list[int], tenths: int, seed: int) -> None:
    data, total = labelled(counts), sum(counts)
    share = tenths / 10
    if 2 * round(share * total) >= total:
        return
    _, val, test = train_val_test_split(data, val=share, test=share, seed=seed, stratify=True)
    assert len(test) == len(val) == round(share * total)
    in_test = np.bincount(data.tensors[1].numpy()[test.indices.numpy()], minlength=len(counts))
    exact = np.array(counts) * len(test) / total
    assert np.all(np.abs(in_test - exact) < 1)


@given(st.integers(0, 300), st.data())
def test_evenly_spaced_masks(count: int, data: st.DataObject) -> None:
    chosen = data.draw(st.integers(0, count))
    mask = _evenly_spaced(count, chosen)
    assert (len(mask), int(mask.sum())) == (count, chosen)
    start = data.draw(st.integers(0, count))
    stop = data.draw(st.integers(start, count))
    assert count == 0 or abs(mask[start:stop].sum() - (stop - start) * chosen / count) < 1


def test_labels_can_be_passed() -> None:
    data = TensorDataset(tg.tensor(np.zeros((40, 1), np.float32)))
    labels = tg.tensor([0] * 20 + [1] * 20)
    _, _, test = train_val_test_split(data, val=0, test=10, stratify=labels)
    assert (test.indices.numpy() < 20).sum() == 5


def test_refuses_what_cannot_be_split() -> None:
    with pytest.raises(tg.errors.ArgumentError, match=r"val \(5\) and test \(5\) leave none of the 10"):
        train_val_test_split(labelled([10]), val=5, test=5)
    with pytest.raises(tg.errors.ArgumentError, match=r"test as a fraction must be in \[0, 1\), got 1.5"):
        train_val_test_split(labelled([10]), test=1.5)
    with pytest.raises(tg.errors.ArgumentError, match="val must not be negative"):
        train_val_test_split(labelled([10]), val=-1)
    with pytest.raises(tg.errors.ShapeError, match=r"shape \(10,\), got \(3,\)"):
        train_val_test_split(labelled([10]), stratify=tg.tensor([0, 1, 2]))


# ---------------------------------------------------------------------- random_split
def seeded(seed: int) -> tg.Generator:
    return tg.Generator("cpu").manual_seed(seed)


@pytest.mark.parametrize(
    ("lengths", "sizes"),
    [
        ([70, 20, 10], [70, 20, 10]),
        ((100,), [100]),
        ([0, 100], [0, 100]),
        ([0.7, 0.2, 0.1], [70, 20, 10]),
        ([0.335, 0.335, 0.33], [34, 33, 33]),
        ([0.1] * 10, [10] * 10),
        ([1 / 3] * 3, [34, 33, 33]),
        ([0.129, 0.129, 0.742], [13, 13, 74]),
        ([1.0, 0], [100, 0]),
        ([0, 1], [0, 100]),
        (np.array([0.5, 0.5], np.float32), [50, 50]),
    ],
)
def test_parts_of_the_lengths_asked_for(lengths: list[float], sizes: list[int]) -> None:
    data = labelled([60, 40])
    parts = random_split(data, lengths, generator=seeded(1))
    assert [len(part) for part in parts] == sizes
    drawn = [i for part in parts for i in part.indices.tolist()]
    assert sorted(drawn) == list(range(100)) != drawn
    assert all(isinstance(part, Subset) and part.dataset is data for part in parts)
    assert parts[-1].gather(tg.arange(len(parts[-1])))[0].tolist() == parts[-1].indices.tolist()


def test_random_split_draws_from_the_generator() -> None:
    def split(generator: tg.Generator | None) -> list[list[int]]:
        return [part.indices.tolist() for part in random_split(range(50), [30, 20], generator)]

    assert split(seeded(3)) == split(seeded(3)) != split(seeded(4))
    generator = seeded(3)
    assert split(generator) != split(generator)
    tg.manual_seed(5)
    first = split(None)
    assert split(None) != first
    tg.manual_seed(5)
    assert split(None) == first


@pytest.mark.parametrize(
    ("lengths", "message"),
    [
        ([5, 4], r"lengths must add up to the 10 samples, got \[5, 4\], which add up to 9"),
        ([], r"lengths must add up to the 10 samples, got \[\], which add up to 0"),
        ([0.5, 0.4], r"fractions must add up to 1, got \[0.5, 0.4\], which add up to 0.9"),
        ([0.5, 5], "fractions must add up to 1"),
        ([float("nan"), 0.5], "fractions must add up to 1"),
        ([11, -1], r"lengths must not be negative, got \[11, -1\]"),
        ([1.5, -0.5], "lengths must not be negative"),
    ],
)
def test_random_split_refuses_lengths_that_do_not_add_up(lengths: list[float], message: str) -> None:
    with pytest.raises(tg.errors.ArgumentError, match=f"^random_split: {message}"):
        random_split(labelled([10]), lengths)


def test_sizes_that_are_no_numbers_are_refused() -> None:
    wrong: Any
    for wrong in (["a"], [5, None], [5, [5]], [1j]):
        with pytest.raises(tg.DTypeError, match=r"^random_split: lengths must be counts or fractions, got "):
            random_split(labelled([10]), wrong)
    for wrong in (10, "ab", None):
        with pytest.raises(tg.DTypeError, match=r"^random_split: lengths must be a list of numbers, got "):
            random_split(labelled([10]), wrong)
    for name in ("val", "test"):
        wrong = {name: "a"}
        with pytest.raises(
            tg.DTypeError, match=f"^train_val_test_split: {name} must be a count or a fraction, got 'a'"
        ):
            train_val_test_split(labelled([10]), **wrong)
