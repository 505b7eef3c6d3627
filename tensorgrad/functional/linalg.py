"""Products of vectors, matrices and batches of them, under PyTorch's names.

All operands have one dtype (PyTorch's rule): a mixture is a DTypeError. Sizes that do not fit are a ShapeError that
names both shapes and the sizes that had to agree. Integers work, without a gradient.
"""

from __future__ import annotations

from typing import Any, NoReturn

from tensorgrad.autograd.tape import apply
from tensorgrad.autograd.variable import Tensor, Variable
from tensorgrad.backends.primitives.linear import ACTIVATIONS_OF_RESULT
from tensorgrad.dtypes import (
    category,
    float16,
    float32,
    how_to_make_one,
    is_floating,
    scalar_category,
    type_name,
)
from tensorgrad.errors import ArgumentError, DTypeError, IndexShapeError, ShapeError
from tensorgrad.functional.arithmetic import add, mul
from tensorgrad.functional.dims import normalize_dims
from tensorgrad.functional.promotion import Scalar, cast, shape_of
from tensorgrad.ops import linear as M
from tensorgrad.ops import shape as S

__all__ = ["addmm", "bmm", "dot", "matmul", "mm", "mv", "outer"]


def matmul(input: Tensor, other: Tensor) -> Tensor:
    """The product over the last dimension of `input` and the last but one of `other`; batches before them broadcast.

    (m, k) @ (k, n) -> (m, n); (..., m, k) @ (..., k, n) -> (..., m, n); a 1-d operand is a row on the left, a column
    on the right, and its dimension is gone from the result; of two 1-d operands it is their dot product.
    """
    x, y = _shapes("matmul", input, other)
    if not x or not y:
        raise ShapeError(f"matmul: both operands need at least one dimension, got {x} @ {y}; use * for a 0-d tensor")
    inner = y[-2] if len(y) > 1 else y[0]
    if x[-1] != inner:
        _refuse_inner("matmul", x, y, inner)
    if len(x) > 2 and len(y) > 2 and x[:-2] != y[:-2]:
        _check_batch(x, y)
    return apply(M.matmul, input, other)


def mm(input: Tensor, mat2: Tensor) -> Tensor:
    """(m, k) @ (k, n) -> (m, n), matrices only."""
    return _product("mm", input, mat2, 2, 2)


def bmm(input: Tensor, mat2: Tensor) -> Tensor:
    """(b, m, k) @ (b, k, n) -> (b, m, n); the batch does not broadcast."""
    x, y = _shapes("bmm", input, mat2)
    if len(x) == len(y) == 3 and x[0] != y[0]:
        raise ShapeError(f"bmm: batch sizes must agree, got {x} @ {y}: {x[0]} and {y[0]}; matmul broadcasts them")
    return _product("bmm", input, mat2, 3, 3)


def mv(input: Tensor, vec: Tensor) -> Tensor:
    """(m, k) @ (k,) -> (m,)."""
    return _product("mv", input, vec, 2, 1)


def dot(input: Tensor, tensor: Tensor) -> Tensor:
    """(k,) @ (k,) -> a 0-d tensor."""
    return _product("dot", input, tensor, 1, 1)


def outer(input: Tensor, vec2: Tensor) -> Tensor:
    """(m,) and (n,) -> (m, n): all products of an element of one with an element of the other. Dtypes are promoted."""
    x, y = shape_of("outer", input), shape_of("outer", vec2)
    if len(x) != 1 or len(y) != 1:
        raise ShapeError(f"outer: expected two tensors of one dimension, got shapes {x} and {y}; use .flatten()")
    if input.dtype != vec2.dtype or input.dtype.kind == "b":
        return mul(apply(S.reshape, input, shape=(*x, 1)), vec2)
    return apply(M.outer, input, vec2)


def addmm(input: Tensor, mat1: Tensor, mat2: Tensor, *, beta: float = 1, alpha: float = 1) -> Tensor:
    """beta * input + alpha * (mat1 @ mat2); `input` broadcasts to (m, n). With beta = 0 it is not read at all.

    Of float16 it is rounded once, at the end.
    """
    shape_of("addmm", input)
    if input.array.dtype == float16 and all(isinstance(x, Variable) and x.dtype == float16 for x in (mat1, mat2)):
        return cast(addmm(*(cast(x, float32) for x in (input, mat1, mat2)), beta=beta, alpha=alpha), float16)
    product = _product("addmm", mat1, mat2, 2, 2)
    _check_addend(input, product)
    if type(beta) is not int or type(alpha) is not int or input.array.dtype.kind == "b":
        _check_factors(input, beta=beta, alpha=alpha)
    if alpha != 1:
        product = mul(product, alpha)
    if beta == 0:
        return product
    return add(input if beta == 1 else mul(input, beta), product)


def _check_factors(input: Tensor, **factors: float) -> None:
    for name, factor in factors.items():
        if not isinstance(factor, Scalar) or scalar_category(factor) > category(input.dtype):
            raise DTypeError(f"addmm: {name} must be a number that {input.dtype} can hold, got {factor!r}")


def nuclear_norm(input: Tensor, dim: Any = None, keepdim: bool = False) -> Tensor:
    """The sum of the singular values of the matrices in the two dims `dim`; of a matrix without a dim. `norm("nuc")`.

    The host computes it. Where a singular value is 0, so is its part of the gradient; there is no second derivative.
    ArgumentError for numbers that are not finite.
    """
    shape = shape_of("norm", input)
    dims = normalize_dims("norm", dim, len(shape))
    if len(dims) != 2:
        raise ArgumentError(f'norm: p="nuc" is of matrices, so dim must be two dims, got {dim} for shape {shape}')
    order = (*[d for d in range(len(shape)) if d not in dims], *dims)
    matrices = apply(S.transpose, input, axes=order)
    sums = apply(M.nuclear_norm, matrices)
    kept = tuple([1 if d in dims else n for d, n in enumerate(shape)])
    return apply(S.reshape, sums, shape=kept) if keepdim else sums


def linear(input: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    """input @ weight.T + bias: (..., in) with weight (out, in) and bias (out,) -> (..., out)."""
    _check_linear("linear", input, weight, bias)
    return apply(M.linear, input, weight, bias)


def linear_act(
    input: Tensor,
    weight: Tensor,
    bias: Tensor | None = None,
    activation: str = "relu",
    negative_slope: float = 0.01,
) -> Tensor:
    """act(linear(input, weight, bias)) as one operation, which does not keep the sum before the activation.

    `activation`: "relu", "leaky_relu" (with `negative_slope`, which must not be negative), "sigmoid" or "tanh", whose
    slope can be told from their result; anything else is an ArgumentError. Shapes as for `linear`, in a floating dtype.
    As the result is kept, it may not be written into before backward.
    """
    if activation not in ACTIVATIONS_OF_RESULT:
        known = ", ".join(map(repr, ACTIVATIONS_OF_RESULT))
        raise ArgumentError(f"linear_act: activation must be one of {known}, got {activation!r}")
    if not negative_slope >= 0:
        raise ArgumentError(
            f"linear_act: negative_slope must not be negative, got {negative_slope}; use leaky_relu(linear(...))"
        )
    _check_linear("linear_act", input, weight, bias)
    if not is_floating(weight.dtype):
        raise DTypeError(f"linear_act: expected floating tensors, got {weight.dtype}; convert them with .float()")
    return apply(M.linear_act, input, weight, bias, activation=activation, negative_slope=float(negative_slope))


# ---------------------------------------------------------------------- checks
def _check_batch(x: tuple[int, ...], y: tuple[int, ...]) -> None:
    for n, m in zip(reversed(x[:-2]), reversed(y[:-2]), strict=False):
        if n != m and n != 1 and m != 1:
            raise ShapeError(f"matmul: batch sizes must broadcast, got {x} @ {y}: {n} and {m}")


def _check_linear(name: str, input: Tensor, weight: Tensor, bias: Tensor | None) -> None:
    x, w = _shapes(name, input, weight)
    if len(w) != 2:
        raise ShapeError(f"{name}: weight must be (out_features, in_features), got {w}")
    if not x or x[-1] != w[1]:
        raise ShapeError(
            f"{name}: the last dimension of input must be in_features={w[1]}, got input {x} with weight {w}"
        )
    if bias is not None and (bias.array.shape != w[:1] or bias.array.dtype != weight.array.dtype):
        raise ShapeError(
            f"{name}: bias must be ({w[0]},) of {weight.dtype}, as weight {w} demands, got {bias.shape} of {bias.dtype}"
        )


def _check_addend(input: Tensor, product: Tensor) -> None:
    if input.dtype != product.dtype:
        raise DTypeError(f"addmm: all must have one dtype, got input of {input.dtype} and matrices of {product.dtype}")
    shape = (1,) * (product.ndim - input.ndim) + input.shape
    if input.ndim > 2 or any(n not in (1, m) for n, m in zip(shape, product.shape, strict=True)):
        raise ShapeError(f"addmm: input must broadcast to the product's shape {product.shape}, got {input.shape}")


def _product(name: str, input: Tensor, other: Tensor, left: int, right: int) -> Tensor:
    """matmul of operands that must have `left` and `right` dimensions."""
    x, y = _shapes(name, input, other)
    if len(x) != left or len(y) != right:
        kind = IndexShapeError if () in (x, y) else ShapeError  # a dim of it is asked for that a 0-d tensor has not
        raise kind(
            f"{name}: expected tensors of {left} and {right} dimensions, got shapes {x} and {y}; matmul takes others"
        )
    inner = y[-2] if right > 1 else y[0]
    if x[-1] != inner:
        _refuse_inner(name, x, y, inner)
    return apply(M.matmul, input, other)


def _shapes(name: str, x: Any, y: Any) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """The shapes of two Tensors that must have one dtype."""
    if not isinstance(x, Variable) or not isinstance(y, Variable):
        remedy = how_to_make_one(y if isinstance(x, Variable) else x)
        raise DTypeError(f"{name}: expected two Tensors, got {type_name(x)} and {type_name(y)}; {remedy}")
    a, b = x.array, y.array
    if a.dtype is not b.dtype and a.dtype != b.dtype:
        what = "input and weight" if name == "linear" else "both"
        raise DTypeError(
            f"{name}: {what} must have one dtype, got {a.dtype} and {b.dtype}; convert one with .to(dtype)"
        )
    if a.dtype.kind == "b":
        raise DTypeError(f"{name}: bool tensors have no product; convert them with .int() or .float()")
    return a.shape, b.shape


def _refuse_inner(name: str, x: tuple[int, ...], y: tuple[int, ...], inner: int) -> NoReturn:
    raise ShapeError(f"{name}: inner sizes must agree, got {x} @ {y}: {x[-1]} and {inner}")


class ProductMethods:
    """Tensor's methods among these."""

    __slots__ = ()
    matmul = matmul
    mm = mm
    bmm = bmm
    mv = mv
    dot = dot
    outer = outer
    addmm = addmm
