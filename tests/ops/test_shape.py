"""Shapes: what shares memory and what does not, and every error. Values and gradients are in cases_shape.py."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

import tensorgrad as tg
from tensorgrad.errors import ArgumentError, BoundsError, DTypeError, ShapeError, TensorgradError
from tensorgrad.functional.padding import pad
from tensorgrad.functional.repeating import meshgrid
from tensorgrad.functional.shape import unflatten, view, view_as

X = tg.zeros(2, 3)


# ---------------------------------------------------------------------- memory
VIEWS: dict[str, Callable[[tg.Tensor], tg.Tensor]] = {
    "reshape": lambda x: x.reshape(3, 2),
    "view": lambda x: x.view(-1),
    "view_as": lambda x: view_as(x, tg.zeros(6)),
    "flatten": lambda x: x.flatten(),
    "squeeze": lambda x: x.squeeze(),
    "unsqueeze": lambda x: x.unsqueeze(0),
    "transpose": lambda x: x.transpose(0, 1),
    "permute": lambda x: x.permute(1, 0),
    "movedim": lambda x: tg.movedim(x, 0, 1),
    "split": lambda x: x.split(1)[0],
    "chunk": lambda x: x.chunk(2)[0],
    "unbind": lambda x: x.unbind()[0],
}

COPIES: dict[str, Callable[[tg.Tensor], tg.Tensor]] = {
    "reshape": lambda x: x.transpose(0, 1).reshape(6),
    "repeat": lambda x: x.repeat(1, 1),
    "repeat_interleave": lambda x: x.repeat_interleave(1, 0),
    "tile": lambda x: x.tile(()),
    "cat": lambda x: tg.cat([x]),
    "stack": lambda x: tg.stack([x]),
    "pad": lambda x: pad(x, ()),
    "pad-mode": lambda x: pad(x, (0, 0), "reflect"),
    "tril": lambda x: x.tril(9),
    "triu": lambda x: x.triu(-9),
    "flip": lambda x: x.flip(()),
    "roll": lambda x: x.roll(0, 0),
    "roll-flat": lambda x: x.roll(6),
}


@pytest.mark.parametrize("name", VIEWS)
def test_views_show_writes_to_their_input(name: str) -> None:
    x = tg.zeros(2, 3)
    seen = VIEWS[name](x)
    x.fill_(1)
    assert seen.numpy().all()


@pytest.mark.parametrize("name", VIEWS)
def test_writes_to_views_reach_the_gradient(name: str) -> None:
    leaf = tg.ones(2, 3, requires_grad=True)
    x = leaf * 1
    VIEWS[name](x).mul_(3)
    x.sum().backward()
    assert leaf.grad is not None
    expected = tg.ones(2, 3)
    VIEWS[name](expected).fill_(3)
    assert leaf.grad.tolist() == expected.tolist()


@pytest.mark.parametrize("name", COPIES)
def test_copies_do_not(name: str) -> None:
    x = tg.zeros(2, 3)
    copy = COPIES[name](x)
    x.fill_(1)
    assert not copy.numpy().any()


def test_expanded_memory_is_shared_and_cannot_be_written() -> None:
    x = tg.zeros(1, 3)
    wide = x.expand(2, 3)
    x.fill_(1)
    assert wide.tolist() == [[1.0] * 3] * 2
    with pytest.raises(tg.GraphError, match="several elements of an expanded tensor share memory"):
        wide.add_(2)


def test_dtypes_are_promoted_where_tensors_are_joined() -> None:
    ints, floats = tg.tensor([1, 2]), tg.tensor([0.5, 1.5], requires_grad=True)
    for joined in (tg.cat([ints, floats]), tg.stack([ints, floats])):
        assert joined.dtype == tg.float32
        assert joined.flatten().tolist() == [1.0, 2.0, 0.5, 1.5]
        assert tg.autograd.grad(joined.sum(), floats)[0].tolist() == [1.0, 1.0]


def test_sizes_may_be_tensors_and_lists() -> None:
    assert X.reshape([3, tg.tensor(2)]).shape == (3, 2)
    assert X.expand([4, 2, 3]).shape == (4, 2, 3)


# ---------------------------------------------------------------------- errors
ERRORS: list[tuple[str, Callable[[], Any], type[TensorgradError], str]] = [
    (
        "reshape",
        lambda: X.reshape(4, 2),
        ShapeError,
        r"reshape: cannot bring shape \(2, 3\) \(6 elements\) to \(4, 2\) \(8 elements\)",
    ),
    ("reshape-rest", lambda: X.reshape(4, -1), ShapeError, r"to \(4, -1\) \(a multiple of 4 elements\)"),
    ("reshape-two", lambda: X.reshape(-1, -1), ShapeError, "except one that may be -1"),
    ("reshape-negative", lambda: X.reshape(-2, -3), ShapeError, "must not be negative"),
    ("reshape-any", lambda: tg.zeros(0, 2).reshape(0, -1), ShapeError, r"-1 in \(0, -1\) could be any size"),
    ("reshape-float", lambda: X.reshape(2.0, 3), DTypeError, "reshape: expected a whole number"),
    ("view-copy", lambda: view(X.transpose(0, 1), 6), ShapeError, r"view: .* without a copy.*use reshape\(\)"),
    ("view-size", lambda: view(X, 7), ShapeError, r"view: cannot bring shape \(2, 3\)"),
    ("flatten-dim", lambda: tg.flatten(X, 2), BoundsError, "flatten: dim .* got 2"),
    ("flatten-order", lambda: tg.flatten(X, 1, 0), ArgumentError, "start_dim must not come after end_dim, got 1 and 0"),
    (
        "unflatten",
        lambda: unflatten(X, 1, (2, 2)),
        ShapeError,
        r"dim 1 of shape \(2, 3\) cannot be divided into \(2, 2\)",
    ),
    ("unflatten-rest", lambda: unflatten(X, 1, (2, -1)), ShapeError, "cannot be divided"),
    ("squeeze", lambda: tg.squeeze(X, 5), BoundsError, "squeeze: dim .* got 5"),
    ("squeeze-twice", lambda: tg.squeeze(X, (0, -2)), ArgumentError, "squeeze: each dimension"),
    ("unsqueeze", lambda: tg.unsqueeze(X, -4), BoundsError, "unsqueeze: dim .* got -4"),
    ("transpose", lambda: tg.transpose(X, 0, 2), BoundsError, "transpose: dim .* 2 dimensions, got 2"),
    ("permute-few", lambda: tg.permute(X, (0,)), ArgumentError, "permute: expected each of the 2 dims"),
    ("permute-twice", lambda: tg.permute(X, (0, 0)), ArgumentError, "permute: each dimension"),
    ("movedim", lambda: tg.movedim(X, (0, 1), 0), ArgumentError, "movedim: expected as many"),
    ("expand", lambda: X.expand(2, 4), ShapeError, "expand: dim 1 of shape .* has size 3, only size 1 stretches to 4"),
    ("expand-few", lambda: X.expand(3), ShapeError, r"expand: shape \(2, 3\) cannot become \(3,\); give at least 2"),
    ("expand-new", lambda: X.expand(-1, 2, 3), ShapeError, "-1 only for a dim that is there to be kept"),
    ("expand_as", lambda: X.expand_as(tg.zeros(2)), ShapeError, "expand_as: shape"),
    ("broadcast_to", lambda: tg.broadcast_to(X, (3, 3)), ShapeError, "broadcast_to: dim 0"),
    ("repeat", lambda: X.repeat(2), ShapeError, r"repeat: expected at least 2 repeats .* got \(2,\)"),
    ("repeat-negative", lambda: X.repeat(2, -1), ArgumentError, "repeat: repeats must not be negative"),
    ("tile", lambda: X.tile(-1), ArgumentError, "tile: repeats must not be negative"),
    ("interleave", lambda: tg.repeat_interleave(X, -1), ArgumentError, "repeat_interleave: repeats must be"),
    ("interleave-dim", lambda: tg.repeat_interleave(X, 2, 2), BoundsError, "repeat_interleave: dim"),
    ("cat-nothing", lambda: tg.cat([]), ArgumentError, "cat: expected a non-empty list"),
    ("cat-tensor", lambda: tg.cat(X), ArgumentError, "cat: expected a non-empty list or tuple"),  # type: ignore[arg-type]
    ("cat-type", lambda: tg.cat([X, 1]), DTypeError, "cat: expected tensors, got int at position 1"),  # type: ignore[list-item]
    ("cat-0d", lambda: tg.cat([tg.tensor(1.0)]), ShapeError, r"0-d tensors .* use stack\(\)"),
    (
        "cat-sizes",
        lambda: tg.cat([X, X, tg.zeros(2, 4)]),
        ShapeError,
        r"that of dim 0 must be equal, got \(2, 3\) and, at position 2, \(2, 4\)",
    ),
    ("cat-dim", lambda: tg.cat([X], 2), BoundsError, "cat: dim"),
    ("stack-sizes", lambda: tg.stack([X, tg.zeros(3)]), ShapeError, r"got \(2, 3\) at position 0 and \(3,\) at"),
    ("stack-dim", lambda: tg.stack([X], 3), BoundsError, "stack: dim .* got 3"),
    ("split-size", lambda: tg.split(X, 0), ArgumentError, "split: the size of a piece must be positive, got 0"),
    ("split-sum", lambda: tg.split(X, [1, 2]), ShapeError, r"sections must add up to 2, .* got \(1, 2\)"),
    ("split-0d", lambda: tg.split(tg.tensor(1.0), 1), ShapeError, "split: a 0-d tensor has no dim"),
    ("chunk", lambda: tg.chunk(X, 0), ArgumentError, "chunk: the number of chunks must be positive, got 0"),
    ("unbind", lambda: tg.unbind(X, -3), BoundsError, "unbind: dim"),
    ("pad-odd", lambda: pad(X, (1,)), ArgumentError, r"pad: expected two widths a dim for at most 2 dims, got \(1,\)"),
    ("pad-many", lambda: pad(X, (1,) * 6), ArgumentError, "for at most 2 dims"),
    ("pad-crop", lambda: pad(X, (-2, -2)), ArgumentError, r"\(-2, -2\) crop more than dim 1 of size 3 has"),
    ("pad-mode", lambda: pad(X, (1, 1), "edge"), ArgumentError, "pad: mode must be .* got 'edge'"),
    ("pad-value", lambda: pad(X, (1, 1), "reflect", 1.0), ArgumentError, "value is for"),
    (
        "pad-reflect",
        lambda: pad(X, (3, 0), "reflect"),
        ArgumentError,
        r"dim 1 \(size 3\) must be at most 2 and leave at least 1 of it, got \(3, 0\)",
    ),
    ("pad-circular", lambda: pad(X, (0, 4), "circular"), ArgumentError, r"must be at most 3 "),
    ("pad-empty", lambda: pad(tg.zeros(2, 0), (1, 0), "replicate"), ArgumentError, r"\(size 0\) must be at most 0"),
    ("pad-negative", lambda: pad(X, (-1, -2), "replicate"), ArgumentError, r"got \(-1, -2\)"),
    ("tril", lambda: tg.tril(tg.zeros(3)), ShapeError, r"tril: expected at least 2 dims, got shape \(3,\)"),
    ("triu", lambda: tg.triu(tg.zeros(3)), ShapeError, "triu: expected at least 2 dims"),
    ("flip", lambda: tg.flip(X, (2,)), BoundsError, "flip: dim"),
    ("flip-twice", lambda: tg.flip(X, (1, -1)), ArgumentError, "flip: each dimension"),
    ("roll", lambda: tg.roll(X, (1, 2), 0), ArgumentError, r"roll: .* got shifts \(1, 2\) and dims \(0,\)"),
    ("roll-flat", lambda: tg.roll(X, (1, 2)), ArgumentError, "roll: expected a shift for every dim"),
    ("roll-dim", lambda: tg.roll(X, 1, 2), BoundsError, "roll: dim"),
    ("meshgrid", lambda: meshgrid(X), ShapeError, r"meshgrid: expected 1-d tensors, got shapes \(2, 3\)"),
    ("meshgrid-way", lambda: meshgrid(X[0], indexing="yx"), ArgumentError, "meshgrid: indexing must be"),
]


@pytest.mark.parametrize(("call", "error", "text"), [pytest.param(*e[1:], id=e[0]) for e in ERRORS])
def test_errors(call: Callable[[], Any], error: type[TensorgradError], text: str) -> None:
    with pytest.raises(error, match=text):
        call()
