"""How to draw calls of the primitives that compute element by element, reduce, multiply, make, copy and view."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from tensorgrad.backends.primitives import Shape
from tensorgrad.backends.primitives.linear import ACTIVATIONS_OF_RESULT
from tensorgrad.backends.primitives.results import Spec, diagonal, viewed
from tensorgrad.dtypes import FLOATS, DType, bool_, float16, float32, float64, int16, int32, int64, uint8
from tests.backends.case_values import ANY, INTEGERS, NUMBERS, Case, Cases, between
from tests.backends.operands import Call, Drawer, Operand, Values, plain

__all__ = ["CASES"]

CASES = Cases()


# ---------------------------------------------------------------------- elementwise
def _unary(dtypes: Sequence[DType], *static: Callable[[Drawer], Any], **keywords: Callable[[Drawer], Any]) -> Case:
    def case(d: Drawer) -> Call:
        x = d.array(d.shape(), d.pick(dtypes))
        return Call((x, *[s(d) for s in static]), {k: v(d) for k, v in keywords.items()})

    return case


def _slope(d: Drawer) -> float:
    return d.pick([0.25, 0.0, 1.5])


def _numbers(dtype: DType) -> list[Any]:
    """Python scalars for an operation with an array of `dtype`."""
    return [True, False] if dtype == bool_ else [2, 3, 1] if dtype.kind != "f" else [2.0, 0.5, 3, -1.5]


def _binary(dtypes: Sequence[DType], right: Values | None = None, numbers: bool = True) -> Case:
    """Two arrays that broadcast, or one and a number. `right`: the values of the second one where they are integers."""

    def case(d: Drawer) -> Call:
        dtype, (left_shape, right_shape) = d.pick(dtypes), d.shapes(2)
        values = plain if right is None or dtype.kind == "f" else right
        x, y = d.array(left_shape, dtype), d.array(right_shape, dtype, values)
        kind = d.pick(["arrays", "arrays", "arrays", "number right", "number left"]) if numbers else "arrays"
        number = d.pick(_numbers(dtype))
        return Call((number, y) if kind == "number left" else (x, number) if kind == "number right" else (x, y))

    return case


def _pair(*static: Callable[[Drawer], Any], axis: bool = False) -> Case:
    """A gradient and an array of its shape."""

    def case(d: Drawer) -> Call:
        shape, dtype = d.shape(least=int(axis)), d.pick(FLOATS)
        keywords = {"axis": d.pick([None, d.axis(len(shape))])} if axis else {}
        return Call((d.array(shape, dtype), d.array(shape, dtype), *[s(d) for s in static]), keywords)

    return case


CASES.add("negative sign square", _unary(NUMBERS))
CASES.add("absolute copy isfinite isnan isinf logical_not", _unary(ANY))
CASES.add(
    "exp expm1 log log1p log2 log10 sqrt reciprocal sin cos tan tanh erf floor ceil trunc rint "
    "relu sigmoid silu gelu gelu_tanh softplus",
    _unary(FLOATS),
)
CASES.add("invert", _unary((*INTEGERS, bool_)))
CASES.add("leaky_relu elu", _unary(FLOATS, _slope))
CASES.add("astype", _unary(ANY, lambda d: d.pick([float32, float64])))
CASES.add("subtract", _binary(NUMBERS))
CASES.add("add multiply maximum minimum", _binary(ANY))
CASES.add("divide", _binary(FLOATS))
CASES.add("floor_divide remainder", _binary(NUMBERS, between(1, 6)))
CASES.add("power", _binary(NUMBERS, between(0, 4)))
CASES.add("left_shift right_shift", _binary(INTEGERS, between(0, 5)))
CASES.add("equal not_equal less less_equal greater greater_equal logical_and logical_or logical_xor", _binary(ANY))
CASES.add("bitwise_and bitwise_or bitwise_xor", _binary((*INTEGERS, bool_)))
CASES.add("multiply_unless_zero divide_unless_zero", _binary(FLOATS, numbers=False))


@CASES.of("multiply_both_unless_zero")
def _guarded_product(d: Drawer) -> Call:
    dtype, shape = d.pick(FLOATS), d.shape()
    smaller = shape[d.whole(0, len(shape)) :]
    return Call((d.array(shape, dtype), d.array(shape, dtype), d.array(smaller, dtype)))


@CASES.of("divide_backward")
def _quotient_gradient(d: Drawer) -> Call:
    dtype, shape = d.pick(FLOATS), d.shape()
    smaller = shape[d.whole(0, len(shape)) :]
    return Call((d.array(shape, dtype), d.array(smaller, dtype), d.array(shape, dtype)))


CASES.add("relu_backward tanh_backward sigmoid_backward silu_backward gelu_backward gelu_tanh_backward", _pair())
CASES.add("leaky_relu_backward elu_backward", _pair(_slope))
CASES.add("act_backward", _pair(lambda d: d.pick(ACTIVATIONS_OF_RESULT), _slope))
CASES.add("bce_with_logits bce_with_logits_backward", _pair())
CASES.add("softmax_backward log_softmax_backward", _pair(axis=True))


@CASES.of("act_backward_bias_grad")
def _with_bias_gradient(d: Drawer) -> Call:
    shape, dtype = d.shape(2, 2), d.pick(FLOATS)
    return Call((d.array(shape, dtype), d.array(shape, dtype), d.pick(ACTIVATIONS_OF_RESULT), _slope(d)))


@CASES.of("where")
def _where(d: Drawer) -> Call:
    dtype, (c, x, y) = d.pick(ANY), d.shapes(3)
    return Call((d.array(c, bool_), d.array(x, dtype), d.array(y, dtype)))


@CASES.of("softmax log_softmax")
def _along_an_axis(d: Drawer) -> Call:
    shape = d.shape()
    axis = d.pick([None, d.axis(len(shape))]) if shape else None
    return Call((d.array(shape, d.pick(FLOATS)),), {"axis": axis})


# ---------------------------------------------------------------------- reductions, scans, products
def _reduction(dtypes: Sequence[DType], *, extent: int = 0, one: bool = False, **more: Callable[[Drawer], Any]) -> Case:
    """`one`: over one axis at most. `extent`: the least of each dimension."""

    def case(d: Drawer) -> Call:
        shape, dtype = d.shape(extent=extent), d.pick(dtypes)
        axis = (d.pick([None, d.axis(len(shape))]) if shape else None) if one else d.axes(len(shape))
        keywords = {k: v(d) for k, v in more.items()}
        return Call((d.array(shape, dtype),), {"axis": axis, "keepdims": d.flag(), **keywords})

    return case


CASES.add("sum prod", _reduction(NUMBERS))
CASES.add("max min", _reduction(ANY, extent=1))
CASES.add("any all", _reduction(ANY))
CASES.add("argmax argmin", _reduction(ANY, extent=1, one=True))
CASES.add("mean logsumexp", _reduction(FLOATS))
CASES.add("var std var_mean std_mean", _reduction(FLOATS, correction=lambda d: d.pick([0.0, 1.0])))
CASES.add("norm", _reduction(FLOATS, p=lambda d: d.pick([2.0, 0.0, 1.0, 3.0])))
CASES.add("leave_one_out", lambda d: Call((d.array(d.shape(1), d.pick(FLOATS)),)))


@CASES.of("extreme_backward")
def _extreme_backward(d: Drawer) -> Call:
    shape, dtype, few = d.shape(), d.pick(FLOATS), between(0, 3)
    axis = d.axes(len(shape))
    over = range(len(shape)) if axis is None else axis if isinstance(axis, tuple) else (axis,)
    kept = tuple([1 if i in over or i - len(shape) in over else n for i, n in enumerate(shape)])
    x, extreme = d.array(shape, dtype, few), d.array(kept, dtype, few)
    return Call((d.array(kept, dtype), x, extreme), {"axis": axis})


@CASES.of("cumsum")
def _cumsum(d: Drawer) -> Call:
    shape = d.shape(1)
    return Call((d.array(shape, d.pick(NUMBERS)), d.axis(len(shape))))


@CASES.of("argsort")
def _argsort(d: Drawer) -> Call:
    shape = d.shape(1)
    return Call((d.array(shape, d.pick(ANY)), d.axis(len(shape))), {"descending": d.flag()})


@CASES.of("unbroadcast")
def _unbroadcast(d: Drawer) -> Call:
    whole = d.shape()
    return Call((d.array(whole, d.pick(FLOATS)), d.shrunk(whole)))


@CASES.of("matmul")
def _matmul(d: Drawer) -> Call:
    rows, inner, columns = d.extent(), d.extent(), d.extent()
    x: Shape = (rows, inner)
    y: Shape = (inner, columns)
    kind, dtype = d.pick(["matrices", "batches", "vector left", "vector right", "vectors"]), d.pick(NUMBERS)
    if kind == "batches":
        left, right = d.batches()
        x, y = (*left, *x), (*right, *y)
    x = x[1:] if kind in ("vector left", "vectors") else x
    y = y[:1] if kind in ("vector right", "vectors") else y
    return Call((d.array(x, dtype), d.array(y, dtype)))


@CASES.of("linear")
def _linear(d: Drawer) -> Call:
    lead, inside, outside = d.pick([(d.extent(),), (2, d.extent()), ()]), d.extent(), d.extent()
    dtype = d.pick(FLOATS)
    bias = d.pick([None, d.array((outside,), dtype)])
    return Call((d.array((*lead, inside), dtype), d.array((outside, inside), dtype), bias))


@CASES.of("linear_act")
def _linear_act(d: Drawer) -> Call:
    return Call((*_linear(d).args, d.pick(ACTIVATIONS_OF_RESULT), _slope(d)))


# ---------------------------------------------------------------------- making, copying, viewing
CASES.add("empty", lambda d: Call((d.shape(), d.pick(ANY))))
CASES.add("full", lambda d: Call((d.shape(), d.pick([0, 1, 7]), d.pick(ANY))))


@CASES.of("arange")
def _arange(d: Drawer) -> Call:
    dtype, count = d.pick([float32, float64, float16, int64, int32]), d.count()
    start, step = d.pick([(0, 1), (3, 2), (-2, 3), (5, -1)] if dtype.kind != "f" else [(0, 1), (0.1, 0.3), (5, -0.7)])
    return Call((start, start + step * count, step, dtype))


@CASES.of("copyto")
def _copyto(d: Drawer) -> Call:
    shape = d.shape()
    target = d.array(shape, d.pick(ANY), written=True)
    return Call((target, d.array(d.shrunk(shape), d.pick([target.dtype, bool_]))))


def _other_shape(d: Drawer, shape: Shape) -> Shape:
    """A shape of as many elements: dimensions joined, split, and ones put in."""
    found = list(shape)
    if len(found) > 1 and d.flag():
        at = d.whole(0, len(found) - 2)
        found[at : at + 2] = [found[at] * found[at + 1]]
    if found and d.flag():
        at = d.whole(0, len(found) - 1)
        found[at : at + 1] = [2, found[at] // 2] if found[at] % 2 == 0 else [found[at]]
    for _ in range(d.whole(0, 1)):
        found.insert(d.whole(0, len(found)), 1)
    return tuple(found)


@CASES.of("reshape reshaped can_reshape")
def _reshape(d: Drawer) -> Call:
    shape = d.shape()
    return Call((d.array(shape, d.pick(ANY)), _other_shape(d, shape)))


@CASES.of("transpose")
def _transpose(d: Drawer) -> Call:
    x = d.array(d.shape(), d.pick(ANY))
    if d.flag():
        return Call((x,))
    return Call((x, d.pick([tuple(range(len(x.shape))), tuple(range(len(x.shape)))[::-1]])))


@CASES.of("broadcast_to")
def _broadcast_to(d: Drawer) -> Call:
    whole = d.shape()
    return Call((d.array(d.shrunk(whole), d.pick(ANY)), whole))


@CASES.of("getitem")
def _getitem(d: Drawer) -> Call:
    shape = d.shape()
    return Call((d.array(shape, d.pick(ANY)), d.key(shape)))


@CASES.of("diagonal")
def _diagonal(d: Drawer) -> Call:
    x = d.array(d.shape(2), d.pick(ANY))
    axis1 = d.axis(x.ndim)
    axis2 = d.pick([a for a in range(x.ndim) if a != axis1])
    return Call((x, (d.whole(-3, 3), axis1, axis2)))


@CASES.of("scatter_diagonal")
def _scatter_diagonal(d: Drawer) -> Call:
    place = (d.whole(-3, 3), *d.pick([(0, 1), (1, 0)]))
    shape = d.shape(2)
    found = diagonal(Spec(shape, float32), place)
    return Call((d.array(found.shape, d.pick(ANY)),), {"shape": shape, "place": place})


@CASES.of("reinterpret")
def _reinterpret(d: Drawer) -> Call:
    """Of another dtype of its size in every layout, of one of another size where the last dimension lies in a row."""
    if d.flag():
        return Call((d.array(d.shape(), d.pick([float32, int32])), d.pick([int32, float32])))
    shape = d.shape(1)
    row = (*shape[:-1], 2 * shape[-1])
    return Call((Operand(row, float32, plain, row), d.pick([int16, uint8, int64])))


@CASES.of("concatenate")
def _concatenate(d: Drawer) -> Call:
    shape, dtype = d.shape(1), d.pick(ANY)
    axis = d.axis(len(shape))
    pieces = [(*shape[:axis], d.extent(), *shape[axis + 1 :]) for _ in range(d.whole(1, 3))]
    return Call(([d.array(p, dtype) for p in pieces], axis))


@CASES.of("pad")
def _pad(d: Drawer) -> Call:
    x = d.array(d.shape(), d.pick(ANY))
    return Call((x,), {"widths": tuple([(d.whole(0, 2), d.whole(0, 2)) for _ in x.shape]), "value": d.pick([0, 1])})


@CASES.of("clear_region")
def _clear_region(d: Drawer) -> Call:
    x, views = d.array(d.shape(), d.pick(FLOATS)), []
    shape = x.shape
    region = Spec(shape, float32)
    if d.flag():
        views.append(("getitem", d.key(shape)))
        region = viewed(region, views[0][1])
    if d.flag():
        views.append(("transpose", tuple(range(region.ndim))[::-1]))
    order = sorted(range(len(shape)), reverse=d.flag())
    return Call((x, tuple(views), tuple(order)))
