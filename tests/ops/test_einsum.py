"""einsum beyond the table: what NumPy reads differently, how operands are taken together, and its errors."""

from __future__ import annotations

import math
import string
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import tensorgrad as tg
from tensorgrad.errors import ArgumentError, DTypeError, ShapeError

RNG = np.random.default_rng(0)


def tensors(*shapes: tuple[int, ...]) -> list[tg.Tensor]:
    return [tg.tensor(RNG.standard_normal(shape)) for shape in shapes]


def test_an_ellipsis_the_output_leaves_out_is_summed_over() -> None:
    (x,) = tensors((2, 3, 4))
    np.testing.assert_allclose(tg.einsum("...->", x).numpy(), x.numpy().sum())
    np.testing.assert_allclose(tg.einsum("...j->j", x).numpy(), x.numpy().sum((0, 1)))


def test_sizes_of_one_broadcast_whether_the_label_is_kept_or_summed() -> None:
    x, y = tensors((3, 1), (3, 4))
    a, b = x.numpy(), y.numpy()
    np.testing.assert_allclose(tg.einsum("ij,ij->ij", x, y).numpy(), a * b)
    np.testing.assert_allclose(tg.einsum("ij,ij->", x, y).numpy(), (a * b).sum())
    np.testing.assert_allclose(tg.einsum("ij,ij->i", y, x).numpy(), (a * b).sum(1))


def test_a_size_of_one_meets_a_size_of_none() -> None:
    x, y = tensors((3, 1), (3, 0))
    assert tg.einsum("ij,ij->ij", x, y).shape == (3, 0)
    assert tg.einsum("ij,ij->i", x, y).tolist() == [0, 0, 0]


def test_the_implicit_output_has_capitals_first_and_the_ellipsis_before_them() -> None:
    (x,) = tensors((2, 3, 4))
    np.testing.assert_array_equal(tg.einsum("abC", x).numpy(), np.transpose(x.numpy(), (2, 0, 1)))
    np.testing.assert_array_equal(tg.einsum("b...a", x).numpy(), np.transpose(x.numpy(), (1, 2, 0)))


def test_spaces_do_not_matter_and_operands_may_come_as_a_list() -> None:
    x, y = tensors((3, 4), (4, 2))
    np.testing.assert_allclose(tg.einsum(" i k , k j -> i j ", [x, y]).numpy(), x.numpy() @ y.numpy())


def test_the_result_is_never_the_operand_itself() -> None:
    (x,) = tensors((3, 4))
    result = tg.einsum("ij->ij", x)
    assert result is not x
    np.testing.assert_array_equal(result.numpy(), x.numpy())


def test_an_operand_may_occur_twice() -> None:
    (x,) = tensors((3, 4))
    x.requires_grad = True
    (gradient,) = tg.autograd.grad(tg.einsum("ij,ij->", x, x), x)
    np.testing.assert_allclose(gradient.numpy(), 2 * x.detach().numpy())


def test_many_operands_are_not_multiplied_out_at_once() -> None:
    """The full product of these ten matrices has 10^11 elements; a chain of matrix products has 1000 at a time."""
    matrices = tensors(*[(10, 10)] * 10)
    letters = string.ascii_lowercase
    equation = ",".join(letters[i : i + 2] for i in range(10)) + "->ak"
    expected = np.linalg.multi_dot([m.numpy() for m in matrices])
    np.testing.assert_allclose(tg.einsum(equation, *matrices).numpy(), expected, rtol=1e-10)


@pytest.mark.parametrize("dtype", [tg.float16, tg.float32])
def test_the_dtype_stays(dtype: Any) -> None:
    x, y = (t.to(dtype).requires_grad_() for t in tensors((3, 4), (4, 2)))
    result = tg.einsum("ij,jk->k", x, y)
    gradients = tg.autograd.grad(result.sum(), [x, y])
    assert {result.dtype, *(g.dtype for g in gradients)} == {dtype}


@st.composite
def equations(draw: st.DrawFn) -> tuple[str, list[tuple[int, ...]]]:
    """One to three operands over at most four letters, with repeats, and any subset of the letters as the output."""
    size_of = {c: draw(st.integers(1, 3), label=c) for c in "abcd"}
    inputs = draw(st.lists(st.text("abcd", max_size=4), min_size=1, max_size=3))
    used = sorted(set("".join(inputs)))
    output = draw(st.lists(st.sampled_from(used), unique=True)) if used else []
    return f"{','.join(inputs)}->{''.join(output)}", [tuple(size_of[c] for c in text) for text in inputs]


@given(equations())
@settings(max_examples=200, deadline=None)
def test_any_equation_agrees_with_numpy(case: tuple[str, list[tuple[int, ...]]]) -> None:
    equation, shapes = case
    arrays = [RNG.standard_normal(shape) for shape in shapes]
    result = tg.einsum(equation, *[tg.tensor(a) for a in arrays])
    expected = np.einsum(equation, *arrays)
    assert result.shape == expected.shape
    np.testing.assert_allclose(result.numpy(), expected, atol=1e-12 * math.prod((3,) * 4))


@pytest.mark.parametrize(
    ("equation", "shapes", "error", "says"),
    [
        ("ij,jk", [(2, 3)], ArgumentError, "describes 2 operands, got 1"),
        ("i1->i", [(2, 3)], ArgumentError, "expected letters"),
        ("i..j", [(2, 3)], ArgumentError, "expected letters"),
        ("ij->ijk", [(2, 3)], ArgumentError, "names 'k' but no operand has it"),
        ("ij->ii", [(2, 3)], ArgumentError, "names 'i' more than once"),
        ("ijk", [(2, 3)], ShapeError, "'ijk' in 'ijk' needs 3 dimensions, got 2"),
        ("...ijk", [(2, 3)], ShapeError, "needs at least 3 dimensions, got 2"),
        ("i", [(2, 3)], ShapeError, "needs 1 dimensions, got 2"),
        (
            "ij,jk",
            [(2, 3), (4, 5)],
            ShapeError,
            "'j' in 'ij,jk' has size 3 in one operand and 4 in another",
        ),
        ("...i,...i", [(2, 3), (5, 3)], ShapeError, "'...' in"),
        ("ii", [(2, 3)], ShapeError, "'i' occurs twice in an operand of 'ii', with sizes 2 and 3"),
    ],
)
def test_errors_name_the_equation_and_what_does_not_fit(
    equation: str, shapes: list[tuple[int, ...]], error: type[Exception], says: str
) -> None:
    with pytest.raises(error, match="einsum") as caught:
        tg.einsum(equation, *tensors(*shapes))
    assert says in str(caught.value)


def test_dtypes_must_agree_and_have_a_product() -> None:
    x, y = tensors((2,), (2,))
    with pytest.raises(DTypeError, match="one dtype, got float64 and float32"):
        tg.einsum("i,i", x, y.float())
    with pytest.raises(DTypeError, match="sums of products of bools are not defined"):
        tg.einsum("i,i", x > 0, y > 0)
    with pytest.raises(DTypeError, match="expected Tensors"):
        tg.einsum("i,i", x, [1, 2])
