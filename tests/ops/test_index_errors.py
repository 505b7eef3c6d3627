"""Every error of indexing, gathers, scatters and sorts."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

import tensorgrad as tg
from tensorgrad.errors import (
    ArgumentError,
    BoundsError,
    DeviceError,
    DTypeError,
    ShapeError,
    TensorgradError,
)
from tensorgrad.functional.indexing import getitem, index_put, one_hot, setitem_result, write_item

X = tg.zeros(2, 3)
ERRORS: list[tuple[str, Callable[[], Any], type[TensorgradError], str]] = [
    ("int", lambda: X[:, 7], BoundsError, "getitem: index 7 is out of range for dimension 1 of size 3"),
    ("first-int", lambda: X[2], BoundsError, "getitem: index 2 is out of range for dimension 0 of size 2"),
    ("negative-int", lambda: X[-3], BoundsError, "index -3 is out of range for dimension 0 of size 2"),
    ("after-ellipsis", lambda: X[..., 3], BoundsError, "index 3 is out of range for dimension 1 of size 3"),
    ("of-empty", lambda: tg.zeros(0)[0], BoundsError, "index 0 is out of range for dimension 0 of size 0"),
    ("of-0d", lambda: tg.tensor(1.0)[0], BoundsError, r"too many indices, 1 for the 0 dims of shape \(\)"),
    ("too-many", lambda: X[0, 0, 0], BoundsError, r"getitem: too many indices, 3 for the 2 dims of shape \(2, 3\)"),
    ("two-ellipses", lambda: X[..., ...], BoundsError, "one Ellipsis"),
    (
        "tensor",
        lambda: X[:, tg.tensor([0, 1, 7])],
        BoundsError,
        r"getitem: indices into dimension 1 of size 3 must be in \[-3, 3\), got 7 at position 2",
    ),
    ("tensor-first", lambda: X[tg.tensor([[0], [-3]])], BoundsError, r"got -3 at position \(1, 0\)"),
    ("list", lambda: X[[0, 2]], BoundsError, r"must be in \[-2, 2\), got 2 at position 1"),
    ("step", lambda: X[::0], ArgumentError, "the step of a slice must not be zero"),
    ("float", lambda: X[1.0], DTypeError, "an index must be an int, slice, None, .* got float"),
    ("string", lambda: X["a"], DTypeError, "got str"),
    ("float-tensor", lambda: X[tg.tensor([1.0])], DTypeError, r"integers or bools, got float32; use .long\(\)"),
    ("mask-size", lambda: X[:, tg.tensor([True, False])], ShapeError, r"dims it stands for, \(3,\), got \(2,\)"),
    ("mask-dims", lambda: X[tg.zeros(2, 3, 1) > 0], BoundsError, "too many indices, 3"),
    ("together", lambda: X[[0, 1], [0, 1, 2]], ShapeError, r"index tensors.* must broadcast .* \(2,\), \(3,\)"),
    ("set-int", lambda: setitem_result(X, 2, 1.0), BoundsError, "setitem: index 2 is out of range for dimension 0"),
    (
        "set-shape",
        lambda: setitem_result(X, 0, tg.zeros(2)),
        ShapeError,
        r"setitem: a value of shape \(2,\) does not broadcast to the region of shape \(3,\)",
    ),
    ("set-shape-rows", lambda: setitem_result(X, [0, 1], tg.zeros(3, 3)), ShapeError, r"region of shape \(2, 3\)"),
    ("write-shape", lambda: write_item(X, ([0, 1],), tg.zeros(3, 3)), ShapeError, r"region of shape \(2, 3\)"),
    ("set-type", lambda: setitem_result(X, 0, "a"), DTypeError, "setitem: expected a Tensor or a number, got str"),
    ("put-key", lambda: index_put(X, [slice(0, 1)], X), DTypeError, "index_put: expected a tuple of index tensors"),  # type: ignore[list-item]
    ("put-shape", lambda: index_put(X, [tg.tensor([0])], tg.zeros(2, 3)), ShapeError, "index_put: values of shape"),
    ("gather-dim", lambda: tg.gather(X, 2, tg.zeros(2, 3).long()), BoundsError, "gather: dim .* got 2"),
    ("gather-float", lambda: tg.gather(X, 0, X), DTypeError, "gather: the index must be .* integers, got float32"),
    ("gather-ndim", lambda: tg.gather(X, 0, tg.tensor([0])), ShapeError, r"got index \(1,\) and input \(2, 3\)"),
    ("gather-size", lambda: tg.gather(X, 0, tg.zeros(1, 4).long()), ShapeError, r"no larger sizes except in dim 0"),
    (
        "gather-range",
        lambda: tg.gather(X, 1, tg.tensor([[0, 3]])),
        BoundsError,
        r"gather: indices into dimension 1 of size 3 must be in \[0, 3\), got 3 at position \(0, 1\)",
    ),
    ("gather-negative", lambda: tg.gather(X, 1, tg.tensor([[-1]])), BoundsError, "got -1"),
    (
        "scatter-dtype",
        lambda: tg.scatter(X, 0, tg.tensor([[0]]), tg.zeros(1, 1, dtype=tg.float64)),
        DTypeError,
        "scatter: src must have the dtype of the input, float32, got float64",
    ),
    (
        "scatter_add-size",
        lambda: tg.scatter_add(X, 0, tg.tensor([[0, 1]]), tg.zeros(1, 1)),
        ShapeError,
        r"scatter_add: src must be at least as large as the index, \(1, 2\), got \(1, 1\)",
    ),
    ("along-ndim", lambda: tg.take_along_dim(X, tg.tensor([0]), 0), ShapeError, "take_along_dim: indices must have"),
    ("along-shape", lambda: tg.take_along_dim(X, tg.zeros(1, 2).long(), 0), ShapeError, "shapes must broadcast"),
    ("select-2d", lambda: tg.index_select(X, 0, tg.tensor([[0]])), ShapeError, "index_select: the index must be 1-d"),
    ("select-range", lambda: tg.index_select(X, 0, tg.tensor([2])), BoundsError, r"must be in \[0, 2\), got 2"),
    ("select-dim", lambda: tg.index_select(X, -3, tg.tensor([0])), BoundsError, "index_select: dim"),
    (
        "index_add-shape",
        lambda: tg.index_add(X, 0, tg.tensor([0]), X),
        ShapeError,
        r"index_add: source must have shape \(1, 3\), got \(2, 3\)",
    ),
    (
        "index_add-dtype",
        lambda: tg.index_add(X, 0, tg.tensor([0, 1]), X.double()),
        DTypeError,
        "index_add: source must have the dtype of the input, float32, got float64",
    ),
    ("masked-dtype", lambda: tg.masked_select(X, X), DTypeError, "masked_select: the mask must be a bool tensor"),
    ("masked-shape", lambda: tg.masked_select(X, tg.zeros(2) > 0), ShapeError, "masked_select: the shapes must broad"),
    ("one_hot-range", lambda: one_hot(tg.tensor([0, 3]), 3), BoundsError, r"in \[0, 3\), got 3 at position 1"),
    ("one_hot-negative", lambda: one_hot(tg.tensor([-1])), BoundsError, "got -1"),
    ("one_hot-empty", lambda: one_hot(tg.zeros(0).long()), ArgumentError, "give num_classes"),
    ("one_hot-count", lambda: one_hot(tg.tensor([0]), 0), ArgumentError, "num_classes must be positive"),
    ("one_hot-float", lambda: one_hot(X, 3), DTypeError, "one_hot: the index must be a tensor of signed integers"),
    ("topk-k", lambda: tg.topk(X, 4), BoundsError, r"topk: k must be in \[0, 3\], the size of dim 1, got 4"),
    ("sort-dim", lambda: tg.sort(X, 2), BoundsError, "dim .* got 2"),
]


@pytest.mark.parametrize(("call", "error", "text"), [pytest.param(*e[1:], id=e[0]) for e in ERRORS])
def test_errors(call: Callable[[], Any], error: type[TensorgradError], text: str) -> None:
    with pytest.raises(error, match=text):
        call()


def test_an_index_on_another_device_is_refused() -> None:
    class Elsewhere:
        backend = tg.device("cpu").backend

        def __str__(self) -> str:
            return "elsewhere"

    index = tg.tensor([0])
    index.device = Elsewhere()  # type: ignore[assignment]
    with pytest.raises(DeviceError, match=r"the index is on elsewhere, the tensor on cpu; move it with \.to"):
        getitem(X, (slice(None), index))
    with pytest.raises(DeviceError, match=r"setitem: the value is on elsewhere"):
        setitem_result(X, 0, index)
