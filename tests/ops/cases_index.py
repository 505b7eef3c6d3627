"""Cases of indexing, gathers, scatters and sorts. References are NumPy's indexing and sorting, element by element
where NumPy has no function of the kind."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

import tensorgrad as tg
from tensorgrad.functional.indexing import index_put, one_hot, setitem_result
from tests.ops.table import Case

ALL = (tg.bool, tg.uint8, tg.int64, tg.float16, tg.float32, tg.float64)
NUMBERS = (tg.int64, tg.float16, tg.float32, tg.float64)
Array = Any


def below(size: int) -> Callable[..., Array]:
    """Draws indices in [0, size), duplicates among them."""
    return lambda rng, shape: rng.integers(0, size, shape)


def within(size: int) -> Callable[..., Array]:
    """Draws indices in [-size, size)."""
    return lambda rng, shape: rng.integers(-size, size, shape)


def once(size: int, dim: int) -> Callable[..., Array]:
    """Draws indices in [0, size) of which none comes twice along `dim`."""

    def draw(rng: np.random.Generator, shape: tuple[int, ...]) -> Array:
        full = (*shape[:dim], size, *shape[dim + 1 :])
        order = np.argsort(rng.random(full), axis=dim)
        return np.take(order, np.arange(shape[dim]), axis=dim)

    return draw


def mask(rng: np.random.Generator, shape: tuple[int, ...]) -> Array:
    return rng.random(shape) < 0.5


def on_indices(x: Array, dim: int, index: Array, src: Array | None, absorb: Callable[..., Array]) -> Array:
    """scatter, one element after the other."""
    out = x.copy()
    for at in np.ndindex(index.shape):
        to = (*at[:dim], index[at], *at[dim + 1 :])
        out[to] = absorb(out[to], src if src is None or src.ndim == 0 else src[at])
    return out


def added_slices(x: Array, index: Array, values: Array) -> Array:
    """The slices at `index` less `values`, one after the other, in the dtype of x."""
    result = x.copy()
    for i, v in zip(index, values, strict=True):
        result[i] -= v
    return result


def gathered(x: Array, dim: int, index: Array) -> Array:
    out = np.empty(index.shape, x.dtype)
    for at in np.ndindex(index.shape):
        out[at] = x[(*at[:dim], index[at], *at[dim + 1 :])]
    return out


def assigned(x: Array, key: Any, value: Any) -> Array:
    out = np.array(x)
    out[key] = value
    return out


def added_at(x: Array, key: Any, value: Array) -> Array:
    out = x.copy()
    np.add.at(out, key, value)
    return out


def getting(name: str, key: Any, shape: tuple[int, ...], **options: Any) -> Case:
    return Case(f"getitem-{name}", lambda x: x[key], lambda x: x[key], [shape], **options)


def setting(name: str, key: Any, shape: tuple[int, ...], value: tuple[int, ...], **options: Any) -> Case:
    return Case(
        f"setitem-{name}",
        lambda x, v: setitem_result(x, key, v),
        lambda x, v: assigned(x, key, v),
        [shape, value],
        **options,
    )


GET = [
    getting("int", 1, (3, 2), dtypes=ALL),
    getting("negative-int", -1, (3,)),
    getting("slice", slice(1, 3), (4, 2)),
    getting("step", slice(None, None, -2), (5, 2)),
    getting("column", (slice(None), 0), (3, 2)),
    getting("none-and-ellipsis", (None, ..., 1, None), (2, 3, 2)),
    getting("everything", ..., (2, 3)),
    getting("nothing-of-0d", (), ()),
    getting("new-dim-of-0d", None, ()),
    getting("empty-slice", slice(2, 2), (3, 2)),
    getting("of-empty", (slice(None), slice(0, 2)), (0, 3)),
    getting("list", [0, 2, -1, 0], (3, 2), dtypes=ALL),
    getting("empty-list", [], (3, 2)),
    getting("two-lists", ([0, 1, 0], [1, 1, 1]), (2, 3)),
    getting("list-and-slice", (slice(1, None), [0, 0, 2]), (3, 3)),
    getting("apart", ([0, 1], slice(None), [1, 0]), (2, 3, 2)),
    getting("true", True, (2, 3)),
    getting("false", False, (2, 3)),
    Case(
        "getitem-tensor",
        lambda x, i: x[i],
        lambda x, i: x[i],
        [(4, 3), (2, 3)],
        sample=("normal", within(4)),
        dtypes=ALL,
    ),
    Case("getitem-0d-tensor", lambda x, i: x[i], lambda x, i: x[i], [(4, 3), ()], sample=("normal", below(4))),
    Case(
        "getitem-tensors",
        lambda x, i, j: x[i, j],
        lambda x, i, j: x[i, j],
        [(4, 3, 2), (2, 1), (3,)],
        sample=("normal", within(4), within(3)),
    ),
    Case(
        "getitem-int-then-tensor",
        lambda x, i: x[0, :, i],
        lambda x, i: x[0][:, i],
        [(2, 3, 4), (2,)],
        sample=("normal", below(4)),
    ),
    Case("getitem-mask", lambda x, m: x[m], lambda x, m: x[m], [(3, 4), (3, 4)], sample=("normal", mask)),
    Case(
        "getitem-mask-of-some-dims",
        lambda x, m: x[:, m],
        lambda x, m: x[:, m],
        [(2, 3, 2), (3, 2)],
        sample=("normal", mask),
        dtypes=ALL,
    ),
]

SET = [
    setting("int", 1, (3, 2), (2,), dtypes=NUMBERS),
    setting("slice-stretched", slice(1, None), (3, 2), (1,)),
    setting("step", (..., slice(None, None, -2)), (2, 3), (2, 2)),
    setting("everything", ..., (2, 3), (1, 2, 3)),
    setting("0d", (), (), ()),
    setting("list", [2, 0], (3, 2), (2, 2)),
    setting("list-of-column", (slice(None), [1, 0]), (3, 2), (2,)),
    Case(
        "setitem-int-slice-list",
        lambda x, v: setitem_result(x, (1, slice(1, None), [2, 0]), v),
        lambda x, v: np.stack([x[0], assigned(x[1], (slice(1, None), [2, 0]), v)]),
        [(2, 3, 3), (2, 2)],
    ),
    setting("apart", ([0, 1], slice(None), [1, 0]), (2, 3, 2), (2, 3)),
    setting("true", True, (2,), (1, 2)),
    setting("empty", slice(0, 0), (3, 2), (0, 2)),
    Case(
        "setitem-mask",
        lambda x, m, v: setitem_result(x, m, v),
        lambda x, m, v: assigned(x, m, v),
        [(3, 4), (3, 4), ()],
        sample=("normal", mask, "normal"),
    ),
    Case(
        "setitem-mask-of-rows",
        lambda x, m, v: setitem_result(x, m, v),
        lambda x, m, v: assigned(x, m, v),
        [(3, 4), (3,), (4,)],
        sample=("normal", mask, "normal"),
    ),
    Case(
        "index_put",
        lambda x, i, v: index_put(x, (i,), v),
        lambda x, i, v: assigned(x, i, v),
        [(5, 2), (3,), (3, 2)],
        sample=("normal", once(5, 0), "normal"),
    ),
    Case(
        "index_put-accumulate",
        lambda x, i, j, v: index_put(x, (i, j), v, accumulate=True),
        lambda x, i, j, v: added_at(x, (i, j), v),
        [(3, 2), (4, 1), (2,), (2,)],
        sample=("normal", within(3), within(2), "normal"),
    ),
]

ALONG_A_DIM = [
    Case(
        "gather",
        lambda x, i: tg.gather(x, 1, i),
        lambda x, i: gathered(x, 1, i),
        [(3, 4), (2, 6)],
        sample=("normal", below(4)),
        dtypes=ALL,
    ),
    Case(
        "gather-first-dim",
        lambda x, i: tg.gather(x, -2, i),
        lambda x, i: gathered(x, 0, i),
        [(3, 4), (5, 3)],
        sample=("normal", below(3)),
    ),
    Case("gather-0d", lambda x, i: tg.gather(x, 0, i), lambda x, i: x, [(), ()], sample=("normal", below(1))),
    Case(
        "gather-empty",
        lambda x, i: tg.gather(x, 1, i),
        lambda x, i: gathered(x, 1, i),
        [(3, 4), (3, 0)],
        sample=("normal", below(4)),
    ),
    Case(
        "gather-smaller",
        lambda x, i: tg.gather(x, 1, i),
        lambda x, i: gathered(x, 1, i),
        [(3, 4, 5), (2, 3, 1)],
        sample=("normal", below(4)),
    ),
    Case(
        "gather-0d-many",
        lambda x, i: tg.gather(x, 0, i),
        lambda x, i: np.repeat(x, 3),
        [(), (3,)],
        sample=("normal", below(1)),
    ),
    Case("gather-by-0d", lambda x, i: tg.gather(x, 0, i), lambda x, i: x[i], [(3,), ()], sample=("normal", below(3))),
    Case(
        "gather-nothing",
        lambda x, i: tg.gather(x, 0, i),
        lambda x, i: x[0, :0],
        [(2, 3), (0,)],
        sample=("normal", below(1)),
    ),
    Case(
        "scatter-0d-many",
        lambda x, i, v: tg.scatter_add(x, 0, i, v),
        lambda x, i, v: x + v.sum(),
        [(), (3,), (3,)],
        sample=("normal", below(1), "normal"),
    ),
    Case(
        "scatter-by-0d",
        lambda x, i, v: tg.scatter_add(x, 0, i, v),
        lambda x, i, v: x + np.eye(3, dtype=x.dtype)[i] * v,
        [(3,), (), ()],
        sample=("normal", below(3), "normal"),
    ),
    Case(
        "take_along_dim-negative",
        lambda x, i: tg.take_along_dim(x, i, 1),
        lambda x, i: np.take_along_axis(x, i, 1),
        [(3, 4), (3, 2)],
        sample=("normal", within(4)),
    ),
    Case(
        "take_along_dim-negative-flat",
        lambda x, i: tg.take_along_dim(x, i),
        lambda x, i: np.take_along_axis(x, i, None),
        [(3, 4), (5,)],
        sample=("normal", within(12)),
    ),
    Case(
        "repeat_interleave-tensor",
        lambda x, n: x.repeat_interleave(n, 1),
        lambda x, n: np.repeat(x, n, 1),
        [(2, 4), (4,)],
        sample=("normal", below(3)),
    ),
    Case(
        "repeat_interleave-flat",
        lambda x, n: tg.repeat_interleave(x, n),
        lambda x, n: np.repeat(x, n),
        [(2, 2), (4,)],
        sample=("normal", below(3)),
    ),
    Case(
        "repeat_interleave-places",
        lambda n: tg.repeat_interleave(n),
        lambda n: np.repeat(np.arange(4), n),
        [(4,)],
        sample=below(4),
        gradient=False,
        second=False,
        dtypes=[tg.int64],
    ),
    Case(
        "index_add-subtracts",
        lambda x, i, v: tg.index_add(x, 0, i, v, alpha=-1),
        added_slices,
        [(3, 2), (4,), (4, 2)],
        sample=("normal", below(3), "normal"),
        dtypes=(tg.uint8, tg.int8, tg.int64, tg.float32, tg.float64),
    ),
    Case(
        "scatter",
        lambda x, i, v: tg.scatter(x, 1, i, v),
        lambda x, i, v: on_indices(x, 1, i, v, lambda old, new: new),
        [(3, 5), (2, 3), (3, 4)],
        sample=("normal", once(5, 1), "normal"),
        dtypes=NUMBERS,
    ),
    Case(
        "scatter-number",
        lambda x, i: tg.scatter(x, 0, i, 2.5),
        lambda x, i: on_indices(x, 0, i, np.asarray(2.5), lambda old, new: new),
        [(3, 4), (2, 4)],
        sample=("normal", below(3)),
    ),
    Case(
        "scatter-0d",
        lambda x, i, v: tg.scatter(x, 0, i, v),
        lambda x, i, v: v,
        [(), (), ()],
        sample=("normal", below(1), "normal"),
    ),
    Case(
        "scatter_add",
        lambda x, i, v: tg.scatter_add(x, 1, i, v),
        lambda x, i, v: on_indices(x, 1, i, v, lambda old, new: old + new),
        [(3, 4), (2, 6), (2, 7)],
        sample=("normal", below(4), "normal"),
        dtypes=NUMBERS,
    ),
    Case(
        "scatter_add-first-dim",
        lambda x, i, v: tg.scatter_add(x, 0, i, v),
        lambda x, i, v: on_indices(x, 0, i, v, lambda old, new: old + new),
        [(3, 4, 2), (5, 3, 2), (5, 3, 2)],
        sample=("normal", below(3), "normal"),
    ),
    Case(
        "scatter_add-0d",
        lambda x, i, v: tg.scatter_add(x, -1, i, v),
        lambda x, i, v: x + v,
        [(), (), ()],
        sample=("normal", below(1), "normal"),
    ),
    Case(
        "take_along_dim",
        lambda x, i: tg.take_along_dim(x, i, 1),
        lambda x, i: np.take_along_axis(x, i, 1),
        [(1, 4, 2), (3, 2, 1)],
        sample=("normal", below(4)),
    ),
    Case(
        "take_along_dim-flat",
        lambda x, i: tg.take_along_dim(x, i),
        lambda x, i: np.ravel(x)[np.ravel(i)],
        [(2, 4), (3, 2)],
        sample=("normal", below(8)),
    ),
    Case(
        "index_select",
        lambda x, i: tg.index_select(x, -1, i),
        lambda x, i: np.take(x, i, -1),
        [(2, 3), (5,)],
        sample=("normal", below(3)),
        dtypes=ALL,
    ),
    Case(
        "index_select-0d-index",
        lambda x, i: tg.index_select(x, 0, i),
        lambda x, i: x[i][None],
        [(2, 3), ()],
        sample=("normal", below(2)),
    ),
    Case(
        "index_select-0d",
        lambda x, i: tg.index_select(x, 0, i),
        lambda x, i: x,
        [(), (1,)],
        sample=("normal", below(1)),
    ),
    Case(
        "index_add",
        lambda x, i, v: tg.index_add(x, 0, i, v),
        lambda x, i, v: added_at(x, i, v),
        [(3, 2), (5,), (5, 2)],
        sample=("normal", below(3), "normal"),
        dtypes=NUMBERS,
    ),
    Case(
        "index_add-alpha",
        lambda x, i, v: tg.index_add(x, 1, i, v, alpha=-2),
        lambda x, i, v: added_at(x, (slice(None), i), -2 * v),
        [(3, 2, 2), (4,), (3, 4, 2)],
        sample=("normal", below(2), "normal"),
    ),
    Case(
        "index_add-0d",
        lambda x, i, v: tg.index_add(x, 0, i, v),
        lambda x, i, v: x + v,
        [(), (1,), ()],
        sample=("normal", below(1), "normal"),
    ),
]

BY_CONDITION = [
    Case(
        "masked_select",
        tg.masked_select,
        lambda x, m: x[m],
        [(3, 4), (3, 4)],
        sample=("normal", mask),
        dtypes=ALL,
    ),
    Case(
        "masked_select-broadcast",
        tg.masked_select,
        lambda x, m: np.broadcast_to(x, (3, 4))[np.broadcast_to(m, (3, 4))],
        [(4,), (3, 1)],
        sample=("normal", mask),
    ),
    Case(
        "masked_select-0d",
        tg.masked_select,
        lambda x, m: x[m],
        [(), ()],
        sample=("normal", lambda rng, shape: np.asarray(True)),
    ),
    Case(
        "nonzero",
        tg.nonzero,
        lambda x: np.argwhere(x),
        [(3, 4)],
        dtypes=ALL,
        result_dtype=tg.int64,
        gradient=False,
    ),
    Case(
        "nonzero-tuple",
        lambda x: tg.nonzero(x, as_tuple=True),
        np.nonzero,
        [(3, 4)],
        dtypes=(tg.int32, tg.bool),
        result_dtype=tg.int64,
        gradient=False,
    ),
    Case("argwhere", tg.argwhere, np.argwhere, [(3, 4)], dtypes=ALL, result_dtype=tg.int64, gradient=False),
    Case("nonzero-0d", tg.nonzero, lambda x: np.zeros((1, 0), int), [()], sample="nonzero", gradient=False),
    Case(
        "one_hot",
        lambda i: one_hot(i, 5),
        lambda i: np.eye(5, dtype=np.int64)[i],
        [(2, 3)],
        sample=below(5),
        dtypes=(tg.int64,),
    ),
    Case(
        "one_hot-counted",
        one_hot,
        lambda i: np.eye(i.max() + 1, dtype=np.int64)[i],
        [(7,)],
        sample=below(4),
        dtypes=(tg.int64,),
    ),
    Case(
        "one_hot-0d",
        lambda i: one_hot(i, 2),
        lambda i: np.eye(2, dtype=np.int64)[i],
        [()],
        sample=below(2),
        dtypes=(tg.int64,),
    ),
]


def ordered(x: Array, dim: int, descending: bool, k: int | None = None) -> tuple[Array, Array]:
    order = np.argsort(-x if descending else x, dim, kind="stable")
    order = np.take(order, np.arange(x.shape[dim] if k is None else k), dim)
    return np.take_along_axis(x, order, dim), order


ORDER = [
    Case("sort", tg.sort, lambda x: ordered(x, -1, False), [(3, 5)], "distinct", (tg.int64, *NUMBERS[1:])),
    Case(
        "sort-descending",
        lambda x: tg.sort(x, 0, descending=True),
        lambda x: ordered(x, 0, True),
        [(5, 3)],
        "distinct",
        (tg.int64, *NUMBERS[1:]),
    ),
    Case(
        "sort-ties",
        lambda x: tg.sort(x, 0, True),
        lambda x: ordered(x, 0, True),
        [(20,)],
        sample=lambda rng, shape: rng.integers(0, 4, shape),
        dtypes=(tg.int64,),
    ),
    Case("sort-0d", tg.sort, lambda x: (x, np.asarray(0)), [()]),
    Case("sort-empty", tg.sort, lambda x: (x, np.zeros((2, 0), int)), [(2, 0)]),
    Case(
        "argsort",
        lambda x: tg.argsort(x, 0),
        lambda x: np.argsort(x, 0),
        [(4, 3)],
        "distinct",
        gradient=False,
    ),
    Case("topk", lambda x: tg.topk(x, 2), lambda x: ordered(x, 1, True, 2), [(3, 5)], "distinct", NUMBERS),
    Case(
        "topk-smallest",
        lambda x: tg.topk(x, 3, 0, largest=False),
        lambda x: ordered(x, 0, False, 3),
        [(5, 2)],
        "distinct",
    ),
    Case("topk-none", lambda x: tg.topk(x, 0), lambda x: ordered(x, 1, True, 0), [(3, 5)], "distinct"),
    Case("topk-0d", lambda x: tg.topk(x, 1), lambda x: (x, np.asarray(0)), [()]),
]

CASES = [*GET, *SET, *ALONG_A_DIM, *BY_CONDITION, *ORDER]
