"""Cases of the shape functions. References are NumPy's functions of the same meaning."""

from __future__ import annotations

from typing import Any

import numpy as np

import tensorgrad as tg
from tensorgrad.functional.padding import pad
from tensorgrad.functional.repeating import meshgrid
from tensorgrad.functional.shape import expand_as, unflatten, view
from tests.ops.table import Case

NUMBERS = (tg.float32, tg.float64)
ALL = (tg.bool, tg.uint8, tg.int64, tg.float16, tg.float32, tg.float64)


def _numpy_pad(widths: Any, **options: Any) -> Any:
    return lambda x: np.pad(x, widths, **options)


RESHAPING = [
    Case("reshape", lambda x: tg.reshape(x, (3, 4)), lambda x: x.reshape(3, 4), [(2, 6)], dtypes=ALL),
    Case("reshape-left-over", lambda x: tg.reshape(x, 2, -1, 2), lambda x: x.reshape(2, 3, 2), [(3, 4)]),
    Case("reshape-to-0d", lambda x: tg.reshape(x, ()), lambda x: x.reshape(()), [(1, 1)]),
    Case("reshape-from-0d", lambda x: tg.reshape(x, (1, -1)), lambda x: x.reshape(1, 1), [()]),
    Case("reshape-empty", lambda x: tg.reshape(x, (0, 5)), lambda x: x.reshape(0, 5), [(2, 0)]),
    Case("reshape-empty-left-over", lambda x: tg.reshape(x, (3, -1)), lambda x: x.reshape(3, 0), [(3, 0)]),
    Case("view", lambda x: view(x.contiguous(), 4, -1), lambda x: x.reshape(4, 3), [(2, 6)]),
    Case("flatten", tg.flatten, np.ravel, [(2, 3, 2)], dtypes=ALL),
    Case("flatten-some", lambda x: tg.flatten(x, 1, -2), lambda x: x.reshape(2, 6, 2), [(2, 3, 2, 2)]),
    Case("flatten-0d", tg.flatten, np.ravel, [()]),
    Case("flatten-empty", lambda x: tg.flatten(x, 1), lambda x: x.reshape(2, 0), [(2, 0, 3)]),
    Case("unflatten", lambda x: unflatten(x, -1, (2, -1)), lambda x: x.reshape(3, 2, 2), [(3, 4)]),
    Case("t", tg.t, np.transpose, [(2, 3)], dtypes=ALL),
    Case("t-vector", tg.t, np.transpose, [(3,)]),
    Case("swapaxes", lambda x: tg.swapaxes(x, 0, -1), lambda x: np.swapaxes(x, 0, -1), [(2, 3, 4)], dtypes=ALL),
    Case("squeeze", tg.squeeze, np.squeeze, [(1, 3, 1, 2)]),
    Case("squeeze-dim", lambda x: tg.squeeze(x, -2), lambda x: np.squeeze(x, -2), [(1, 3, 1, 2)]),
    Case("squeeze-larger-dim", lambda x: tg.squeeze(x, 1), lambda x: x, [(1, 3)]),
    Case("squeeze-dims", lambda x: tg.squeeze(x, (0, -1)), lambda x: np.squeeze(x, (0, 2)), [(1, 3, 1)]),
    Case("squeeze-0d", lambda x: tg.squeeze(x, 0), lambda x: x, [()]),
    Case("unsqueeze", lambda x: tg.unsqueeze(x, 1), lambda x: np.expand_dims(x, 1), [(2, 3)], dtypes=ALL),
    Case("unsqueeze-end", lambda x: tg.unsqueeze(x, -1), lambda x: np.expand_dims(x, -1), [(2, 3)]),
    Case("unsqueeze-0d", lambda x: tg.unsqueeze(x, -1), lambda x: np.expand_dims(x, -1), [()]),
]

ORDER_OF_DIMS = [
    Case("transpose", lambda x: tg.transpose(x, 0, -1), lambda x: np.swapaxes(x, 0, 2), [(2, 3, 4)], dtypes=ALL),
    Case("transpose-0d", lambda x: tg.transpose(x, 0, -1), lambda x: x, [()]),
    Case("transpose-empty", lambda x: tg.transpose(x, 0, 1), np.transpose, [(0, 3)]),
    Case("t-1d", lambda x: tg.t(x), lambda x: x, [(3,)]),
    Case("permute", lambda x: tg.permute(x, (2, 0, -2)), lambda x: np.transpose(x, (2, 0, 1)), [(2, 3, 4)]),
    Case("permute-numbers", lambda x: x.permute(1, 0), np.transpose, [(2, 3)]),
    Case("movedim", lambda x: tg.movedim(x, 0, -1), lambda x: np.moveaxis(x, 0, -1), [(2, 3, 4)]),
    Case(
        "movedim-several",
        lambda x: tg.movedim(x, (0, 1), (-1, 0)),
        lambda x: np.moveaxis(x, (0, 1), (-1, 0)),
        [(2, 3, 4)],
    ),
]

STRETCHING = [
    Case("expand", lambda x: x.expand(4, -1, 3), lambda x: np.broadcast_to(x, (4, 2, 3)), [(2, 1)], dtypes=ALL),
    Case("expand-0d", lambda x: x.expand(2, 3), lambda x: np.broadcast_to(x, (2, 3)), [()]),
    Case("expand-to-nothing", lambda x: x.expand(0, 3), lambda x: np.broadcast_to(x, (0, 3)), [(1, 3)]),
    Case("expand-the-same", lambda x: x.expand((2, 3)), lambda x: x, [(2, 3)]),
    Case("expand_as", lambda x: expand_as(x, tg.zeros(3, 2)), lambda x: np.broadcast_to(x, (3, 2)), [(2,)]),
    Case("broadcast_to", lambda x: tg.broadcast_to(x, (3, 2)), lambda x: np.broadcast_to(x, (3, 2)), [(3, 1)]),
    Case("repeat", lambda x: x.repeat(2, 1, 3), lambda x: np.tile(x, (2, 1, 3)), [(2, 2)], dtypes=ALL),
    Case("repeat-never", lambda x: x.repeat(2, 0), lambda x: np.tile(x, (2, 0)), [(2, 3)]),
    Case("repeat-once", lambda x: x.repeat(1, 1), lambda x: x, [(2, 3)]),
    Case("repeat-0d", lambda x: x.repeat(3), lambda x: np.tile(x, 3), [()]),
    Case("repeat-0d-unchanged", lambda x: x.repeat(()), lambda x: x, [()]),
    Case("repeat-empty", lambda x: x.repeat(2, 2), lambda x: np.tile(x, (2, 2)), [(0, 3)]),
    Case("tile", lambda x: tg.tile(x, (3,)), lambda x: np.tile(x, 3), [(2, 2)]),
    Case(
        "repeat_interleave",
        lambda x: tg.repeat_interleave(x, 2),
        lambda x: np.repeat(x, 2),
        [(2, 3)],
        dtypes=ALL,
    ),
    Case(
        "repeat_interleave-dim",
        lambda x: tg.repeat_interleave(x, 3, -1),
        lambda x: np.repeat(x, 3, -1),
        [(2, 2)],
    ),
    Case("repeat_interleave-0d", lambda x: tg.repeat_interleave(x, 2), lambda x: np.repeat(x, 2), [()]),
    Case(
        "repeat_interleave-never",
        lambda x: tg.repeat_interleave(x, 0, 0),
        lambda x: np.repeat(x, 0, 0),
        [(2, 2)],
    ),
]

JOINING = [
    Case(
        "cat",
        lambda *t: tg.cat(t, -1),
        lambda *a: np.concatenate(a, -1),
        [(2, 1), (2, 3), (2, 0)],
        dtypes=ALL,
    ),
    Case("cat-one", lambda x: tg.cat([x]), lambda x: x, [(2, 3)]),
    Case("cat-twice-the-same", lambda x: tg.cat((x, x), 0), lambda x: np.concatenate((x, x), 0), [(2, 3)]),
    Case("cat-empty", lambda *t: tg.cat(t, 1), lambda *a: np.concatenate(a, 1), [(0, 2), (0, 3)]),
    Case("stack", lambda *t: tg.stack(t), lambda *a: np.stack(a), [(2, 3), (2, 3)], dtypes=ALL),
    Case("stack-end", lambda *t: tg.stack(t, -1), lambda *a: np.stack(a, -1), [(2, 3)] * 3),
    Case("stack-0d", lambda *t: tg.stack(t), lambda *a: np.stack(a), [(), ()]),
    Case("stack-empty", lambda *t: tg.stack(t, 1), lambda *a: np.stack(a, 1), [(2, 0), (2, 0)]),
    Case("split", lambda x: tg.split(x, 2), lambda x: (x[:2], x[2:4], x[4:]), [(5, 2)], dtypes=ALL),
    Case(
        "split-list",
        lambda x: tg.split(x, [1, 0, 3], -1),
        lambda x: (x[:, :1], x[:, 1:1], x[:, 1:]),
        [(2, 4)],
    ),
    Case("split-empty", lambda x: tg.split(x, 2), lambda x: (x,), [(0, 2)]),
    Case("chunk", lambda x: tg.chunk(x, 3, 1), lambda x: (x[:, :2], x[:, 2:4], x[:, 4:]), [(2, 5)]),
    Case("chunk-fewer", lambda x: tg.chunk(x, 4), lambda x: (x[:2], x[2:4], x[4:]), [(5,)]),
    Case("chunk-empty", lambda x: tg.chunk(x, 2), lambda x: (x, x), [(0, 2)]),
    Case("unbind", lambda x: tg.unbind(x, 1), lambda x: (x[:, 0], x[:, 1], x[:, 2]), [(2, 3)], dtypes=ALL),
    Case("unbind-to-0d", tg.unbind, lambda x: (x[0], x[1]), [(2,)]),
    Case("meshgrid", lambda *t: meshgrid(*t), lambda *a: np.meshgrid(*a, indexing="ij"), [(2,), (3,)]),
    Case(
        "meshgrid-xy",
        lambda *t: meshgrid(*t, indexing="xy"),
        lambda *a: np.meshgrid(*a, indexing="xy"),
        [(2,), (3,), (2,)],
    ),
]

MARGINS = [
    Case("pad", lambda x: pad(x, (1, 2)), _numpy_pad(((0, 0), (1, 2))), [(2, 3)], dtypes=ALL),
    Case(
        "pad-value",
        lambda x: pad(x, (1, 0, 0, 2), value=1.5),
        _numpy_pad(((0, 2), (1, 0)), constant_values=1.5),
        [(2, 3)],
    ),
    Case("pad-crop", lambda x: pad(x, (-1, 2, 1, -2)), lambda x: np.pad(x[:1, 1:], ((1, 0), (0, 2))), [(3, 4)]),
    Case("pad-nothing", lambda x: pad(x, ()), lambda x: x, [(2, 3)]),
    Case("pad-0d", lambda x: pad(x, ()), lambda x: x, [()]),
    Case("pad-empty", lambda x: pad(x, (1, 1)), _numpy_pad(((0, 0), (1, 1))), [(2, 0)]),
    Case(
        "pad-reflect",
        lambda x: pad(x, (2, 1, 0, 1), "reflect"),
        _numpy_pad(((0, 1), (2, 1)), mode="reflect"),
        [(2, 3)],
    ),
    Case(
        "pad-replicate",
        lambda x: pad(x, (4, 1, 0, 1), "replicate"),
        _numpy_pad(((0, 1), (4, 1)), mode="edge"),
        [(2, 3)],
    ),
    Case("pad-reflect-crop", lambda x: pad(x, (2, -1), "reflect"), lambda x: x[:, [2, 1, 0, 1, 2]], [(2, 4)]),
    Case("pad-reflect-cropped-away", lambda x: pad(x, (-5, 3), "reflect"), lambda x: x[:, [1, 0]], [(2, 4)]),
    Case("pad-replicate-crop", lambda x: pad(x, (-3, 2), "replicate"), lambda x: x[:, [3, 3, 3]], [(2, 4)]),
    Case("pad-circular-crop", lambda x: pad(x, (-1, 2), "circular"), lambda x: x[:, [1, 2, 3, 1, 2]], [(2, 4)]),
    Case("pad-circular-crop-both", lambda x: pad(x, (-1, -2), "circular"), lambda x: x[:, 1:2], [(2, 4)]),
    Case(
        "pad-circular",
        lambda x: pad(x, (3, 2), "circular"),
        _numpy_pad(((0, 0), (3, 2)), mode="wrap"),
        [(2, 3)],
    ),
    Case("pad-replicate-nothing", lambda x: pad(x, (0, 0), "replicate"), lambda x: x, [(2, 3)]),
]

TRIANGLES_AND_ORDER = [
    Case("tril", tg.tril, np.tril, [(3, 4)], dtypes=ALL),
    Case("tril-above", lambda x: tg.tril(x, 1), lambda x: np.tril(x, 1), [(2, 3, 4)]),
    Case("triu", tg.triu, np.triu, [(4, 3)], dtypes=ALL),
    Case("triu-below", lambda x: tg.triu(x, -1), lambda x: np.triu(x, -1), [(2, 4, 3)]),
    Case("tril-beyond", lambda x: tg.tril(x, -9), lambda x: np.tril(x, -9), [(3, 4)]),
    Case("triu-empty", tg.triu, np.triu, [(0, 3)]),
    Case("flip", lambda x: tg.flip(x, (0, -1)), lambda x: np.flip(x, (0, 2)), [(2, 3, 2)], dtypes=ALL),
    Case("flip-numbers", lambda x: x.flip(0), lambda x: np.flip(x, 0), [(3,)]),
    Case("flip-nothing", lambda x: tg.flip(x, ()), lambda x: x, [(2, 3)]),
    Case("flip-empty", lambda x: tg.flip(x, (0,)), lambda x: x, [(0, 3)]),
    Case("roll", lambda x: tg.roll(x, 1), lambda x: np.roll(x, 1), [(2, 3)], dtypes=ALL),
    Case("roll-dims", lambda x: tg.roll(x, (-1, 5), (0, 1)), lambda x: np.roll(x, (-1, 5), (0, 1)), [(2, 3)]),
    Case("roll-dim-twice", lambda x: tg.roll(x, (1, 1), (0, 0)), lambda x: np.roll(x, 2, 0), [(5,)]),
    Case("roll-all-round", lambda x: tg.roll(x, 3, 0), lambda x: x, [(3, 2)]),
    Case("roll-0d", lambda x: tg.roll(x, 2), lambda x: x, [()]),
    Case("roll-empty", lambda x: tg.roll(x, 2, 0), lambda x: x, [(0, 2)]),
]

CASES = [*RESHAPING, *ORDER_OF_DIMS, *STRETCHING, *JOINING, *MARGINS, *TRIANGLES_AND_ORDER]
