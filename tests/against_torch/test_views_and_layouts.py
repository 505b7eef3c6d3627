"""What is a view of its input, and what is contiguous: as in PyTorch, for inputs in every layout."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

import tensorgrad as tg
from tests.against_torch.layouts import LAYOUTS, Function, flat, functional, laid_out

torch = pytest.importorskip("torch")

VIEWS: dict[str, Function] = {
    "diagonal": lambda L, x: x.diagonal(),
    "diagonal above": lambda L, x: x.diagonal(1),
    "diagonal below": lambda L, x: x.diagonal(-1),
    "diagonal outside": lambda L, x: x.diagonal(9),
    "diagonal dims": lambda L, x: x.diagonal(0, 2, 0),
    "diagonal named": lambda L, x: L.diagonal(x, offset=-1, dim1=-1, dim2=1),
    "permute": lambda L, x: x.permute(2, 0, 1),
    "mT": lambda L, x: x.mT,
    "t": lambda L, x: L.t(x[0]),
    "movedim": lambda L, x: x.movedim(0, 2),
    "swapaxes": lambda L, x: L.swapaxes(x, 0, 1),
    "select": lambda L, x: x.select(1, -1),
    "narrow": lambda L, x: x.narrow(1, 0, 2),
    "split": lambda L, x: x.split(1, 2),
    "split sections": lambda L, x: x.split([1, 2], 1),
    "chunk": lambda L, x: x.chunk(2, 1),
    "tensor_split": lambda L, x: x.tensor_split(2, 1),
    "tensor_split indices": lambda L, x: L.tensor_split(x, [1, 3], 2),
    "unbind": lambda L, x: x.unbind(1),
    "squeeze": lambda L, x: x[:, :1].squeeze(),
    "squeeze dim": lambda L, x: x[:, :1].squeeze(1),
    "squeeze dims": lambda L, x: x[:1, :1].squeeze(0, 1),
    "squeeze nothing": lambda L, x: x.squeeze(0),
    "unsqueeze": lambda L, x: x.unsqueeze(-1),
    "flatten": lambda L, x: x.flatten(),
    "flatten last": lambda L, x: x.flatten(1, 2),
    "flatten first": lambda L, x: x.flatten(0, 1),
    "flatten one": lambda L, x: x.flatten(1, 1),
    "unflatten": lambda L, x: L.unflatten(x, -1, (2, -1)),
    "reshape": lambda L, x: x.reshape(6, 4),
    "reshape last": lambda L, x: x.reshape(2, 12),
    "reshape same": lambda L, x: x.reshape(2, 3, 4),
    "reshape_as": lambda L, x: x.reshape_as(L.zeros(2, 12)),
    "view": lambda L, x: x.view(6, 4),
    "view split": lambda L, x: x.view(2, 3, 2, 2),
    "view same": lambda L, x: x.view(2, 3, 4),
    "view_as": lambda L, x: x.view_as(L.zeros(2, 12)),
    "view dtype": lambda L, x: x.view(L.int32),
    "view narrower": lambda L, x: x.view(L.int16),
    "view wider": lambda L, x: x.view(dtype=L.float64),
    "view of bytes": lambda L, x: x.view(L.uint8),
    "view own dtype": lambda L, x: x.view(L.float32),
    "expand": lambda L, x: x.expand(5, 2, 3, 4),
    "expand_as": lambda L, x: x.expand_as(L.zeros(5, 2, 3, 4)),
    "expand to the same": lambda L, x: x.expand(2, -1, 4),
    "broadcast_to": lambda L, x: L.broadcast_to(x, (5, 2, 3, 4)),
    "slices": lambda L, x: x[:, 1:, ::2],
    "none": lambda L, x: x[:, None, 1],
    "ellipsis": lambda L, x: x[..., 0],
    "everything": lambda L, x: x[...],
    "empty tuple": lambda L, x: x[()],
    "0-d index": lambda L, x: x[L.tensor(1)],
    "0-d index behind": lambda L, x: x[:, L.tensor(-1)],
    "0-d array": lambda L, x: x[np.array(1)],
    "einsum diagonal": lambda L, x: L.einsum("iij->ji", x[:, :2]),
    "einsum permuted": lambda L, x: L.einsum("ijk->kji", x),
    "detach": lambda L, x: x.detach(),
    "contiguous": lambda L, x: x.contiguous(),
}
COPIES: dict[str, Function] = {
    "list": lambda L, x: x[[0, 1]],
    "range": lambda L, x: x[range(2)],
    "mask": lambda L, x: x[:, L.tensor([True, False, True])],
    "true": lambda L, x: x[True],
    "false": lambda L, x: x[False],
    "0-d mask": lambda L, x: x[L.tensor(True)],
    "clone": lambda L, x: x.clone(),
    "cat": lambda L, x: L.cat([x, x]),
    "cat last": lambda L, x: L.cat([x, x], 2),
    "cat one": lambda L, x: L.cat([x]),
    "cat nothing": lambda L, x: L.cat([L.tensor([]), x], 1),
    "stack": lambda L, x: L.stack([x, x]),
    "stack last": lambda L, x: L.stack([x, x], -1),
    "vstack": lambda L, x: L.vstack([x, x]),
    "hstack": lambda L, x: L.hstack([x, x]),
    "cumsum": lambda L, x: x.cumsum(0),
    "cumsum last": lambda L, x: x.cumsum(2),
    "flip": lambda L, x: x.flip(dims=(0, 1)),
    "roll": lambda L, x: x.roll(1, 0),
    "roll all": lambda L, x: x.roll(3),
    "roll dims": lambda L, x: x.roll((1, 2), (0, 1)),
    "tril": lambda L, x: x.tril(),
    "triu": lambda L, x: x.triu(1),
    "repeat": lambda L, x: x.repeat(1, 2, 1),
    "tile": lambda L, x: x.tile(2),
    "repeat_interleave": lambda L, x: x.repeat_interleave(2, 1),
    "repeat_interleave tensor": lambda L, x: x.repeat_interleave(L.tensor([2, 0, 1]), 1),
    "gather": lambda L, x: x.gather(1, L.zeros(2, 1, 4).long()),
    "gather less": lambda L, x: x.gather(1, L.ones(1, 2, 3).long()),
    "take_along_dim": lambda L, x: L.take_along_dim(x, L.tensor([[[-1], [0], [2]]]), 2),
    "index_select": lambda L, x: x.index_select(2, L.tensor([0, 2])),
    "masked_select": lambda L, x: x.masked_select(x > 3),
    "scatter": lambda L, x: x.scatter(1, L.zeros(2, 1, 4).long(), value=7.0),
    "scatter_add": lambda L, x: x.scatter_add(1, L.zeros(2, 1, 4).long(), x),
    "index_add": lambda L, x: x.index_add(1, L.tensor([0, 0, 1]), x, alpha=-1),
    "index_put": lambda L, x: x.index_put((L.tensor([0]),), L.tensor(1.0)),
    "sort": lambda L, x: L.sort(x, stable=True, dim=1, descending=True),
    "argsort": lambda L, x: (x + L.arange(4.0)).argsort(),
    "topk": lambda L, x: (x + L.arange(4.0)).topk(2, 2),
    "nonzero": lambda L, x: x.nonzero(),
    "nonzero tuple": lambda L, x: x.nonzero(as_tuple=True),
    "diag": lambda L, x: x[0].diag(),
    "diag of a vector": lambda L, x: x[0, 0].diag(1),
    "outer": lambda L, x: L.outer(x[0, 0], x[0, 1]),
    "matmul": lambda L, x: x @ x.mT,
    "pad": lambda L, x: functional(L).pad(x, (-1, 2)),
    "pad reflect": lambda L, x: functional(L).pad(x, (2, -1), "reflect"),
    "pad replicate": lambda L, x: functional(L).pad(x, (-2, 3), "replicate"),
    "pad circular": lambda L, x: functional(L).pad(x, (-1, 2), "circular"),
    "elementwise": lambda L, x: L.exp(x / 100) + x,
    "meshgrid": lambda L, x: L.meshgrid(x[0, 0], x[0, 1], indexing="xy"),
}


def _outcome(function: Function, library: Any, layout: str) -> tuple[Any, Any]:
    x = laid_out(library, layout)
    try:
        return x, list(flat(function(library, x)))
    except (RuntimeError, ValueError, TypeError, IndexError) as error:
        return x, error


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("name", [*VIEWS, *COPIES])
def test_memory_is_shared_and_laid_out_as_in_pytorch(name: str, layout: str) -> None:
    function = VIEWS.get(name) or COPIES[name]
    (x, ours), (y, theirs) = _outcome(function, tg, layout), _outcome(function, torch, layout)
    if isinstance(theirs, Exception):
        assert isinstance(ours, tg.TensorgradError), f"PyTorch: {theirs}"
        return
    assert isinstance(ours, list), ours
    assert len(ours) == len(theirs)
    for a, b in zip(ours, theirs, strict=True):
        assert a.shape == tuple(b.shape)
        assert f"torch.{a.dtype}" == str(b.dtype)
        np.testing.assert_allclose(a.numpy(), b.numpy(), rtol=1e-5)
        if math.prod(a.shape):
            shared = b.untyped_storage().data_ptr() == y.untyped_storage().data_ptr()
            assert np.may_share_memory(a.array, x.array) == shared
        assert a.is_contiguous() or not b.is_contiguous()


@pytest.mark.parametrize("name", ["cat", "cat last", "stack", "stack last", "cumsum", "tril", "roll", "topk", "pad"])
def test_contiguous_results_are_viewedflat(name: str) -> None:
    for layout in LAYOUTS:
        for result in flat(COPIES[name](tg, laid_out(tg, layout))):
            assert result.view(-1).tolist() == result.flatten().tolist()
