"""The dtypes of reductions on the CPU, by the rules written out in `reduction_dtypes.py`."""

from __future__ import annotations

import pytest

import tensorgrad as tg
from tests.ops.reduction_dtypes import ASKED, DTYPES, RULES, check_asked, check_rule

CPU = tg.device("cpu")


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", RULES)
def test_the_dtype_of_a_reduction(name: str, dtype: str) -> None:
    check_rule(name, dtype, CPU)


@pytest.mark.parametrize("asked", DTYPES)
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", ASKED)
def test_a_reduction_in_the_dtype_that_is_asked_for(name: str, dtype: str, asked: str) -> None:
    check_asked(name, dtype, asked, CPU)


def test_one_element_too() -> None:
    for x in (tg.tensor([1]), tg.tensor(1), tg.tensor([[1]])):
        assert x.sum(dtype=tg.int32).dtype == x.prod(dtype=tg.int32).dtype == tg.int32
        assert x.sum(0 if x.ndim else None, dtype=tg.uint8).dtype == tg.uint8


def test_einsum_of_bools() -> None:
    x = tg.tensor([[True, False], [True, True]])
    assert tg.einsum("ij->i", x).tolist() == [1, 2]
    assert tg.einsum("ij,kl->", x, x).item() == 9
    assert tg.einsum("i,j->ij", x[0], x[1]).tolist() == [[True, True], [False, False]]
    with pytest.raises(tg.DTypeError, match="sums of products of bools are not defined"):
        tg.einsum("ij,jk->ik", x, x)


def test_einsum_sums_small_integers_without_wrapping() -> None:
    x = tg.full((3,), 200, dtype=tg.uint8)
    assert tg.einsum("i->", x).item() == 600
    assert tg.einsum("i,j->", x, x).item() == 360_000
    assert tg.einsum("i,j->j", x, x).tolist() == [120_000] * 3
    assert tg.einsum("i,j,k->", x, x, x).item() == 216_000_000
