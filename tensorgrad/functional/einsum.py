"""einsum: sums of products named by letters, carried out two operands at a time as matrix products.

Everything is made of permute, reshape, matmul, sum and multiply, so gradients of any order come by themselves.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Sequence
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np

from tensorgrad.autograd.tape import apply
from tensorgrad.autograd.variable import Tensor, Variable
from tensorgrad.dtypes import float16, float32, int64, is_floating, type_name
from tensorgrad.errors import ArgumentError, DTypeError, ShapeError
from tensorgrad.functional.arithmetic import mul
from tensorgrad.functional.promotion import cast
from tensorgrad.ops import linear as M
from tensorgrad.ops import reduce as R
from tensorgrad.ops import shape as S

__all__ = ["einsum"]

Labels = tuple[str, ...]  # one a dimension: its letter, or ".1", ".2", ... for those of an ellipsis, from the right
_SUBSCRIPTS = re.compile(r"[A-Za-z]*(\.\.\.)?[A-Za-z]*")


class _Term(NamedTuple):
    tensor: Tensor
    labels: Labels


def einsum(equation: str, *operands: Any) -> Tensor:
    """The sum, over every letter that `equation` does not name in its output, of the product of the operands.

    `"ik,kj->ij"` is a matrix product, `"bij,bjk->bik"` a batch of them, `"ii->i"` a diagonal, `"ij->"` a sum. Without
    "->" the output has the letters that occur once, in alphabetical order (capitals first), after the dimensions of
    the ellipses. `...` stands for any dimensions, which broadcast, as does a dimension of size 1. An ellipsis the
    output leaves out is summed over.

    The result has the operands' dtype, but for integers and bools of which a sum was taken: over a letter that one
    operand alone has they are summed in int64, as `sum` does. Sums of products of theirs are matrix products, whose
    dtype is theirs.

    Raises ArgumentError for an equation that cannot be read, ShapeError where the operands do not fit it, and
    DTypeError where two that have a letter in common which is summed over are of different dtypes, or of bools; else
    dtypes are promoted. More than two operands are contracted in the order `numpy.einsum_path` plans.
    """
    if len(operands) == 1 and isinstance(operands[0], (list, tuple)):
        operands = tuple(operands[0])
    if not isinstance(equation, str):
        raise DTypeError(f"einsum: the equation must be a string, got {type_name(equation)}")
    _check_operands(operands)
    if len(operands) > 2 and operands[0].dtype == float16:  # or each product on the way would be rounded
        return cast(einsum(equation, *(cast(t, float32) for t in operands)), float16)
    inputs, output = _parse(equation, tuple([t.ndim for t in operands]))
    terms = [_without_repeats(equation, _Term(t, ls)) for t, ls in zip(operands, inputs, strict=True)]
    sizes = _sizes(equation, terms)
    terms = [_without_stretched(t, sizes) for t in terms]
    for group in _plan(tuple([t.labels for t in terms]), output, tuple(sizes.items())):
        picked = [terms[i] for i in group]
        terms = [t for i, t in enumerate(terms) if i not in group]
        wanted = set(output).union(*(t.labels for t in terms))
        terms.append(_contract_all(picked, wanted, output))
    result = _arranged(_summed(terms[0], set(output)), output)
    return apply(S.transpose, result, axes=tuple(range(result.ndim))) if result is operands[0] else result


# ---------------------------------------------------------------------- reading the equation
@lru_cache(maxsize=512)
def _parse(equation: str, ndims: tuple[int, ...]) -> tuple[tuple[Labels, ...], Labels]:
    """The labels of each operand, and of the output."""
    left, arrow, right = equation.replace(" ", "").partition("->")
    subscripts = left.split(",")
    for text in (*subscripts, right):
        if not _SUBSCRIPTS.fullmatch(text):
            raise ArgumentError(
                f'einsum: expected letters and at most one "..." for each operand, got {text!r} in {equation!r}'
            )
    if len(subscripts) != len(ndims):
        raise ArgumentError(
            f"einsum: {equation!r} describes {len(subscripts)} operands, got {len(ndims)}; a comma stands between two"
        )
    inputs = tuple([_labels(equation, text, ndim) for text, ndim in zip(subscripts, ndims, strict=True)])
    counts = Counter(label for labels in inputs for label in labels)
    covered = _covered(max((len(ls) - _named(s) for ls, s in zip(inputs, subscripts, strict=True)), default=0))
    if not arrow:
        return inputs, (*covered, *sorted(c for c, n in counts.items() if n == 1 and c.isalpha()))
    head, dots, tail = right.partition("...")
    output = (*head, *(covered if dots else ()), *tail)
    for label, count in Counter(output).items():
        if count > 1 or label not in counts:
            what = "more than once" if count > 1 else "but no operand has it"
            raise ArgumentError(f"einsum: the output of {equation!r} names {label!r} {what}")
    return inputs, output


def _named(subscripts: str) -> int:
    return len(subscripts.replace("...", ""))


def _covered(count: int) -> Labels:
    return tuple([f".{i}" for i in range(count, 0, -1)])


def _labels(equation: str, subscripts: str, ndim: int) -> Labels:
    head, dots, tail = subscripts.partition("...")
    left_over = ndim - len(head) - len(tail)
    if left_over < 0 or (left_over and not dots):
        needed = f"{'at least ' if dots else ''}{len(head) + len(tail)}"
        raise ShapeError(f"einsum: {subscripts!r} in {equation!r} needs {needed} dimensions, got {ndim}")
    return (*head, *_covered(left_over), *tail)


# ---------------------------------------------------------------------- preparing the operands
def _check_operands(operands: Sequence[Any]) -> None:
    if not operands or not all(isinstance(t, Variable) for t in operands):
        raise DTypeError(f"einsum: expected Tensors after the equation, got {', '.join(map(type_name, operands))}")


def _without_repeats(equation: str, term: _Term) -> _Term:
    """The diagonal where a label occurs twice."""
    tensor, labels = term
    repeated = next((c for c, n in Counter(labels).items() if n > 1), None)
    if repeated is None:
        return term
    i = labels.index(repeated)
    j = labels.index(repeated, i + 1)
    n, m = tensor.shape[i], tensor.shape[j]
    if n != m:
        raise ShapeError(f"einsum: {repeated!r} occurs twice in an operand of {equation!r}, with sizes {n} and {m}")
    rest = [k for k in range(len(labels)) if k not in (i, j)]
    diagonal = apply(S.diagonal, tensor, place=(0, i, j))
    return _without_repeats(equation, _Term(diagonal, (*[labels[k] for k in rest], repeated)))


def _sizes(equation: str, terms: Sequence[_Term]) -> dict[str, int]:
    sizes: dict[str, int] = {}
    for tensor, labels in terms:
        for label, n in zip(labels, tensor.shape, strict=True):
            known = sizes.get(label, 1)
            if n != known and n != 1 and known != 1:
                name = "..." if label.startswith(".") else label
                raise ShapeError(f"einsum: {name!r} in {equation!r} has size {known} in one operand and {n} in another")
            sizes[label] = n if known == 1 else known
    return sizes


def _without_stretched(term: _Term, sizes: dict[str, int]) -> _Term:
    """Without dimensions of size 1 that broadcast: a factor that does not vary along a label need not have it."""
    kept = [(c, n) for c, n in zip(term.labels, term.tensor.shape, strict=True) if n == sizes[c]]
    if len(kept) == len(term.labels):
        return term
    shape = tuple([n for _, n in kept])
    return _Term(apply(S.reshape, term.tensor, shape=shape), tuple([c for c, _ in kept]))


# ---------------------------------------------------------------------- contracting
@lru_cache(maxsize=512)
def _plan(
    inputs: tuple[Labels, ...], output: Labels, sizes: tuple[tuple[str, int], ...]
) -> tuple[tuple[int, ...], ...]:
    """Which operands to take together, step by step; results go to the end of the list."""
    if len(inputs) <= 2:
        return () if len(inputs) == 1 else ((0, 1),)
    size_of = dict(sizes)
    number = {label: i for i, label in enumerate(size_of)}
    arguments: list[Any] = []
    for labels in inputs:
        # Only the shape is read: a 0-d array, stretched, costs nothing.
        arguments += [np.broadcast_to(np.empty(()), [size_of[c] for c in labels]), [number[c] for c in labels]]
    path = np.einsum_path(*arguments, [number[c] for c in output], optimize="greedy")[0]
    return tuple([tuple(group) for group in path[1:]])


def _contract_all(terms: Sequence[_Term], wanted: set[str], output: Labels) -> _Term:
    result = terms[0]
    for i, term in enumerate(terms[1:], 1):
        result = _contract(result, term, wanted.union(*(t.labels for t in terms[i + 1 :])), output)
    return result


def _contract(x: _Term, y: _Term, wanted: set[str], output: Labels) -> _Term:
    """The product of two, summed over the labels that are not `wanted`."""
    x, y = _summed(x, wanted.union(y.labels)), _summed(y, wanted.union(x.labels))
    shared = [c for c in x.labels if c in y.labels]
    inner = tuple([c for c in shared if c not in wanted])
    if not inner:  # a matrix product would be the slower way to multiply
        return _multiplied(x, y, output)
    batch = _ordered([c for c in shared if c in wanted], output)
    left = _ordered([c for c in x.labels if c not in shared], output)
    right = _ordered([c for c in y.labels if c not in shared], output)
    size_of = dict(zip(x.labels + y.labels, x.tensor.shape + y.tensor.shape, strict=True))
    outside = [size_of[c] for c in batch]
    m, k, n = (math.prod([size_of[c] for c in group]) for group in (left, inner, right))
    rows = _shaped(_arranged(x, batch + left + inner), (*outside, m, k))
    columns = _shaped(_arranged(y, batch + inner + right), (*outside, k, n))
    labels = batch + left + right
    return _Term(_shaped(_matrix_product(rows, columns), tuple([size_of[c] for c in labels])), labels)


def _multiplied(x: _Term, y: _Term, output: Labels) -> _Term:
    """Element by element, in the order of the output, so that the product need not be turned."""
    labels = _ordered(list(dict.fromkeys(x.labels + y.labels)), output)
    return _Term(mul(_spread(x, labels), _spread(y, labels)), labels)


def _ordered(labels: list[str], output: Labels) -> Labels:
    """In the order of the output, and those that it has not behind."""
    if len(labels) < 2:
        return tuple(labels)
    return (*[c for c in output if c in labels], *[c for c in labels if c not in output])


def _spread(term: _Term, labels: Labels) -> Tensor:
    """With a dimension for each of `labels`, of size 1 where the term has none."""
    mine = tuple([c for c in labels if c in term.labels])
    size_of = dict(zip(term.labels, term.tensor.shape, strict=True))
    return _shaped(_arranged(term, mine), tuple([size_of.get(c, 1) for c in labels]))


def _matrix_product(x: Tensor, y: Tensor) -> Tensor:
    dtypes = {x.dtype, y.dtype}
    if len(dtypes) == 2 and int64 in dtypes and not any(map(is_floating, dtypes)):  # one of them was summed before
        x, y = cast(x, int64), cast(y, int64)
    if x.dtype != y.dtype:
        raise DTypeError(
            f"einsum: operands that are summed over a common letter must have one dtype, got {x.dtype} and {y.dtype}"
        )
    if x.dtype.kind == "b":
        raise DTypeError("einsum: sums of products of bools are not defined; convert them with .int() or .float()")
    return apply(M.matmul, x, y)


def _shaped(tensor: Tensor, shape: tuple[int, ...]) -> Tensor:
    return tensor if tensor.shape == shape else apply(S.reshape, tensor, shape=shape)


def _summed(term: _Term, wanted: set[str]) -> _Term:
    axes = tuple([i for i, c in enumerate(term.labels) if c not in wanted])
    if not axes:
        return term
    tensor = term.tensor if is_floating(term.tensor.dtype) else cast(term.tensor, int64)
    return _Term(apply(R.sum, tensor, axis=axes), tuple([c for c in term.labels if c in wanted]))


def _arranged(term: _Term, labels: Labels) -> Tensor:
    if labels == term.labels:
        return term.tensor
    return apply(S.transpose, term.tensor, axes=tuple([term.labels.index(c) for c in labels]))
