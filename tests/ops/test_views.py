"""Views in every layout: what is written into one is in the tensor it was made from, and in its gradient.

tests/cuda/test_views.py runs all of this on the CUDA device.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import tensorgrad as tg

View = Callable[[Any], Any]  # of a Tensor of shape (3, 4, 4), and of a NumPy array
LAYOUTS: dict[str, tuple[tuple[int, ...], View]] = {
    "plain": ((3, 4, 4), lambda x: x),
    "transposed": ((4, 4, 3), lambda x: x.transpose(2, 1, 0) if isinstance(x, np.ndarray) else x.permute(2, 1, 0)),
    "gaps": ((3, 4, 8), lambda x: x[..., 1::2]),
    "backwards": ((3, 4, 4), lambda x: x[:, ::-1]),
    "row gaps": ((6, 4, 4), lambda x: x[1::2]),
}
VIEWS: dict[str, tuple[View, View]] = {
    "diagonal": (lambda x: x.diagonal(), lambda x: np.diagonal(x)),
    "diagonal above": (lambda x: tg.diagonal(x, 2, 1, 2), lambda x: np.diagonal(x, 2, 1, 2)),
    "diagonal below": (lambda x: x.diagonal(-1, dim1=-1, dim2=0), lambda x: np.diagonal(x, -1, 2, 0)),
    "diagonal of diagonals": (lambda x: x.diagonal(0, 1, 2).diagonal(), lambda x: np.diagonal(x, 0, 1, 2).diagonal()),
    "diagonal of a transpose": (lambda x: x.mT.diagonal(1), lambda x: x.transpose(0, 2, 1).diagonal(1)),
    "part of a diagonal": (lambda x: x.diagonal(0, 1, 2)[1:, ::2], lambda x: x.diagonal(0, 1, 2)[1:, ::2]),
    "einsum": (lambda x: tg.einsum("iji->ij", x[:, :, :3]), lambda x: x[:, :, :3].diagonal(0, 0, 2).T),
    "select": (lambda x: x.select(1, -1), lambda x: x[:, -1]),
    "0-d index": (lambda x: x[:, tg.tensor(-2)], lambda x: x[:, -2]),
    "two 0-d indices": (lambda x: x[tg.tensor(1), :, tg.tensor(0)], lambda x: x[1, :, 0]),
    "tensor_split": (lambda x: x.tensor_split(3, 1)[0], lambda x: x[:, :2]),
    "tensor_split places": (lambda x: tg.tensor_split(x, [1, -1], 2)[1], lambda x: x[:, :, 1:-1]),
    "unbind": (lambda x: x.unbind(2)[1], lambda x: x[:, :, 1]),
    "swapaxes": (lambda x: tg.swapaxes(x, 0, 2), lambda x: x.swapaxes(0, 2)),
    "t": (lambda x: tg.t(x[0]), lambda x: x[0].T),
    "unflatten": (lambda x: tg.unflatten(x, 1, (2, -1)), lambda x: x.reshape(3, 2, 2, 4)),
}


def _host(x: tg.Tensor) -> Any:
    return x.detach().cpu().numpy()


def _places(layout: str, name: str) -> Any:
    """Where in the buffer of the layout the view looks: an array of bools."""
    shape, look = LAYOUTS[layout]
    seen = np.zeros(shape, bool)
    region = VIEWS[name][1](look(seen))
    numbers = VIEWS[name][1](look(np.arange(seen.size).reshape(shape)))
    assert numbers.shape == region.shape
    seen.reshape(-1)[numbers] = True
    return seen


@pytest.mark.parametrize(("layout", "name"), [*itertools.product(LAYOUTS, VIEWS)])
def test_writes_reach_the_tensor(layout: str, name: str) -> None:
    shape, look = LAYOUTS[layout]
    x = tg.zeros(shape)
    VIEWS[name][0](look(x)).fill_(5)
    np.testing.assert_array_equal(_host(x), np.where(_places(layout, name), 5, 0))


@pytest.mark.parametrize(("layout", "name"), [*itertools.product(LAYOUTS, VIEWS)])
def test_gradients_of_what_was_written(layout: str, name: str) -> None:
    """(2 x)^2 where nothing was written, (3 * 2 x)^2 where the view looks."""
    shape, look = LAYOUTS[layout]
    values = np.random.default_rng(0).standard_normal(shape)
    leaf = tg.tensor(values, requires_grad=True)
    x = leaf * 2
    seen = VIEWS[name][0](look(x))
    seen.mul_(3)
    np.testing.assert_allclose(_host(seen), VIEWS[name][1](look(np.where(_places(layout, name), 6, 2) * values)))
    (x * x).sum().backward()
    assert leaf.grad is not None
    factor = np.where(_places(layout, name), 36, 4)
    np.testing.assert_allclose(_host(leaf.grad), 2 * factor * values)


@pytest.mark.parametrize("layout", LAYOUTS)
def test_gradients_of_values_that_were_copied_in(layout: str) -> None:
    shape, look = LAYOUTS[layout]
    leaf, v = tg.ones(shape, requires_grad=True), tg.tensor([2.0, 3.0, 4.0], requires_grad=True)
    x = leaf * 1
    look(x).diagonal(1, 1, 2).copy_(v)
    (x * x).sum().backward()
    assert leaf.grad is not None
    assert v.grad is not None
    np.testing.assert_allclose(_host(v.grad), 3 * 2 * np.array([2.0, 3.0, 4.0]))
    kept = np.ones(shape)
    numbers = np.diagonal(look(np.arange(kept.size).reshape(shape)), 1, 1, 2)
    kept.reshape(-1)[numbers] = 0
    np.testing.assert_allclose(_host(leaf.grad), 2 * kept)


def test_the_diagonal_of_a_transpose_is_zeroed() -> None:
    m = tg.ones(2, 2)
    m.t().diagonal().zero_()
    assert m.tolist() == [[0, 1], [1, 0]]
    x = tg.zeros(3, 3)
    x.diagonal(0, 1, 0).fill_(5)
    assert x.sum().item() == 15


def test_second_order_through_a_diagonal() -> None:
    x = tg.tensor([[1.0, 2.0], [3.0, 4.0]], requires_grad=True)
    (first,) = tg.autograd.grad((x.t().diagonal() ** 3).sum(), x, create_graph=True)
    assert first.tolist() == [[3, 0], [0, 48]]
    (second,) = tg.autograd.grad((first * first).sum(), x)
    assert second.tolist() == [[36, 0], [0, 2304]]


def test_a_write_through_a_view_is_seen_by_the_version() -> None:
    x = tg.ones(2, 2, requires_grad=True) * 1
    y = x * x
    x.t().diagonal().zero_()
    with pytest.raises(tg.GraphError, match="changed in place"):
        y.sum().backward()


# ---------------------------------------------------------------------- the bytes as another dtype
@pytest.mark.parametrize("dtype", ["int32", "int16", "uint8", "float16", "int64", "float64", "bool"])
def test_view_of_a_dtype(dtype: str) -> None:
    values = np.array([[1.0, -2.5, 0.0, 3e8], [0.1, 1e-3, np.inf, -0.0]], np.float32)
    if dtype == "bool":
        values = (values > 0).view(np.uint8)
    x = tg.tensor(values)
    seen = x.view(getattr(tg, dtype))
    expected = values.view(dtype)
    assert seen.dtype == expected.dtype
    np.testing.assert_array_equal(_host(seen).view(np.uint8), expected.view(np.uint8))
    assert x.view(dtype=getattr(tg, dtype)).shape == expected.shape
    x.zero_()
    assert not _host(seen).view(np.uint8).any()
    seen.view(tg.uint8).fill_(1)
    assert _host(x).view(np.uint8).all()


def test_views_of_dtypes_in_other_layouts() -> None:
    x = tg.tensor(np.arange(12, dtype=np.float32).reshape(3, 4))
    np.testing.assert_array_equal(_host(x.t().view(tg.int32)), _host(x).T.view(np.int32))
    np.testing.assert_array_equal(_host(x[::2, :2].view(tg.int64)), _host(x)[::2, :2].view(np.int64))
    wrongs: list[tuple[Callable[[], Any], str]] = [
        (lambda: x.t().view(tg.int16), "last dim's elements must lie side by side, got a stride of 4"),
        (lambda: x[:, ::2].view(tg.float64), "side by side"),
        (lambda: x[:, :3].view(tg.float64), "not made of whole float64"),
        (lambda: x.reshape(2, 6)[:, :5].reshape(10)[:5].view(tg.float64), "not made of whole float64"),
        (lambda: x[:, 1:3].view(tg.float64), "does not begin where a float64 can"),
        (lambda: tg.tensor(1.0).view(tg.int16), "a 0-d tensor of float32 cannot be read as int16"),
    ]
    for wrong, text in wrongs:
        with pytest.raises((tg.ShapeError, tg.ArgumentError), match=text):
            wrong()


def test_a_view_of_a_dtype_has_no_gradient() -> None:
    leaf = tg.ones(4, requires_grad=True)
    x = leaf * 1
    seen = x.view(tg.int32)
    assert not seen.requires_grad
    with pytest.raises(tg.GraphError, match="under no_grad"):
        seen.zero_()
    plain = tg.ones(4)
    with pytest.raises(tg.GraphError, match="cannot take values that require grad"):
        plain.view(tg.float16).copy_(tg.ones(8, dtype=tg.float16, requires_grad=True))
    y = x * x
    with tg.no_grad():
        seen.zero_()
    with pytest.raises(tg.GraphError, match="changed in place"):  # its writes are counted
        y.sum().backward()


# ---------------------------------------------------------------------- indices
def test_ranges_and_numbers_in_tensors_are_indices() -> None:
    x = tg.tensor(np.arange(24.0).reshape(4, 6))
    assert x[range(2)].tolist() == x[:2].tolist()
    assert x[:, range(4, -1, -2)].tolist() == x[:, [4, 2, 0]].tolist()
    assert x[range(0)].shape == (0, 6)
    x[range(1, 3), 0] = 9
    assert x[:, 0].tolist() == [0, 9, 9, 18]
    assert ["a", "b", "c"][tg.tensor([1])] == "b"
    assert ["a", "b", "c"][tg.tensor([[-1]])] == "c"
    assert list(range(tg.tensor([2]))) == [0, 1]
    for wrong in (tg.tensor([0, 1]), tg.tensor([]).long(), tg.tensor([1.0])):
        with pytest.raises(tg.DTypeError, match="index: expected an integer tensor of 1 element"):
            ["a", "b", "c"][wrong]


def test_uint8_masks_warn() -> None:
    x = tg.tensor(np.arange(6.0).reshape(2, 3))
    rows, columns = tg.tensor([0, 1], dtype=tg.uint8), tg.tensor([2, 0, 1], dtype=tg.uint8)
    whole = tg.tensor([[0, 1, 0], [1, 1, 0]], dtype=tg.uint8)
    with pytest.warns(UserWarning, match=r"uint8 index is taken for a mask.*\.bool\(\)") as found:
        assert x[rows].tolist() == [[3, 4, 5]]
    assert found[0].filename == __file__
    with pytest.warns(UserWarning, match="setitem: a uint8 index"):
        x[:, columns] = 7
    with pytest.warns(UserWarning, match="mask"):
        assert x[whole].tolist() == [1, 7, 4]
    with pytest.warns(UserWarning, match="mask"), pytest.raises(tg.ShapeError, match="a mask must have the sizes"):
        x[columns]


@pytest.mark.parametrize(
    ("key", "text"),
    [
        ((slice(0, 1.5),), "bounds of a slice must be whole numbers or None, got 1.5"),
        ((slice("a"),), "bounds of a slice"),
        (([slice(0, 1)],), "slices, None and Ellipsis stand in a tuple"),
        (([None],), "must be of integers or bools"),
        ((["a"],), "must be of integers or bools"),
    ],
)
def test_keys_that_are_none(key: Any, text: str) -> None:
    with pytest.raises(tg.DTypeError, match=text):
        tg.zeros(2, 2)[key]
    with pytest.raises(tg.ShapeError, match="as long everywhere"):
        tg.zeros(2, 2)[[[0, 1], [0]]]


# ---------------------------------------------------------------------- names
@pytest.mark.parametrize(
    ("named", "plain"),
    [
        (lambda x: x.flip(dims=(0, 1)), lambda x: x.flip(0, 1)),
        (lambda x: tg.flip(x, dims=[1]), lambda x: x.flip(1)),
        (lambda x: x.permute(dims=(1, 0)), lambda x: x.permute(1, 0)),
        (lambda x: x.reshape(shape=(3, 2)), lambda x: x.reshape(3, 2)),
        (lambda x: x.view(size=(3, 2)), lambda x: x.view(3, 2)),
        (lambda x: x.expand(size=(2, 2, 3)), lambda x: x.expand(2, 2, 3)),
        (lambda x: tg.broadcast_to(x, size=(2, 2, 3)), lambda x: x.broadcast_to(2, 2, 3)),
        (lambda x: x.repeat(repeats=(2, 1)), lambda x: x.repeat(2, 1)),
        (lambda x: x.tile(dims=(2,)), lambda x: x.tile(2)),
        (lambda x: x.transpose(dim0=0, dim1=1), lambda x: x.t()),
        (lambda x: x.swapaxes(axis0=0, axis1=1), lambda x: x.t()),
        (lambda x: x[:1].squeeze(dim=0), lambda x: x[0]),
        (lambda x: x[:1, None].squeeze(0, 1), lambda x: x[0]),
        (lambda x: x.split(split_size=1, dim=1)[1], lambda x: x[:, 1:2]),
        (lambda x: tg.split(tensor=x, split_size_or_sections=[1, 2], dim=1)[1], lambda x: x[:, 1:]),
        (lambda x: tg.tensor_split(x, sections=2)[0], lambda x: x[:1]),
        (lambda x: tg.tensor_split(x, indices=(1,), dim=1)[1], lambda x: x[:, 1:]),
        (lambda x: x.reshape_as(tg.zeros(6)), lambda x: x.reshape(6)),
        (lambda x: x.repeat_interleave(repeats=2, dim=1, output_size=6), lambda x: x.repeat_interleave(2, 1)),
        (lambda x: tg.repeat_interleave(repeats=x[0].long()), lambda x: tg.tensor([1, 2, 2])),
        (lambda x: x.scatter(0, tg.tensor([[1]]), value=7), lambda x: x.scatter(0, tg.tensor([[1]]), 7)),
    ],
)
def test_keywords(named: Callable[[Any], Any], plain: Callable[[Any], Any]) -> None:
    x = tg.tensor([[0.0, 1.0, 2.0], [3.0, 4.0, 5.0]])
    assert named(x).tolist() == plain(x).tolist()


@pytest.mark.parametrize(
    ("call", "text"),
    [
        (lambda x: x.flip(0, dims=(0,)), "flip: expected dims, by position or as dims=, got both"),
        (lambda x: x.permute(), "permute: expected dims, by position or as dims=, got neither"),
        (lambda x: x.view(), "view: expected size, .* got neither"),
        (lambda x: x.view(3, 2, dtype=tg.int32), "view: expected dtype, .* got both"),
        (lambda x: x.scatter(0, tg.tensor([[1]])), "scatter: expected either src or value"),
        (lambda x: tg.tensor_split(x, 2, sections=2), "tensor_split: expected either indices or"),
        (lambda x: x.repeat_interleave(tg.tensor([1, 2]), 0, output_size=4), "output_size must be 3"),
        (lambda x: x.repeat_interleave(tg.tensor([1, -2]), 0), "repeats must be at least 0, got -2"),
        (lambda x: x.repeat_interleave(tg.tensor([1, 2, 3]), 0), "expected one of repeats, or 2 in a row"),
        (lambda x: tg.tensor(1.0).roll(0, 0), "roll: a 0-d tensor has no dims"),
        (lambda x: x.gather(0, tg.tensor([[0]]), sparse_grad=True), "gather: sparse gradients are not supported"),
        (lambda x: tg.tensor(1.0).gather(0, tg.tensor([1])), "gather: indices into dimension 0 of size 1"),
        (lambda x: tg.take_along_dim(x, tg.tensor([[-4]]), 1), r"take_along_dim: .* must be in \[-3, 3\), got -4"),
        (lambda x: x.index_put((tg.tensor([0]),), tg.tensor(1)), "index_put: values must have the dtype of the input"),
        (lambda x: tg.meshgrid(x[0], x[0].long()), "meshgrid: all tensors must have one dtype"),
        (lambda x: tg.meshgrid(), "meshgrid: expected at least one tensor"),
        (lambda x: tg.addmm(x.long(), x[:, :2], x), "addmm: all must have one dtype"),
        (lambda x: x.index_add(0, tg.tensor([0]), x[:1], alpha="a"), "index_add: alpha: expected a number"),
        (lambda x: tg.einsum(x, x), "einsum: the equation must be a string, got Tensor"),
        (lambda x: x.topk(1, 0, 1), "topk: largest must be True or False, got 1"),
        (lambda x: x.sort(0, 1), "argsort: descending must be True or False, got 1"),
        (lambda x: x.unflatten(0, 2), "unflatten: expected a sequence of sizes"),
        (lambda x: x.tril(True), "tril: expected a whole number, got True"),
        (lambda x: x.transpose(0, 1.0), "transpose: dim must be an integer"),
        (lambda x: x.select(0, 2), "select: index 2 is out of range for dimension 0 of size 2"),
        (lambda x: x.reshape(True, 6), "reshape: expected a whole number, got True"),
    ],
)
def test_arguments_that_are_none(call: Callable[[Any], Any], text: str) -> None:
    x = tg.tensor([[0.0, 1.0, 2.0], [3.0, 4.0, 5.0]])
    x.reshape(1, 6)  # known by now, and True is found as 1
    with pytest.raises(tg.TensorgradError, match=text):
        x.device.backend.to_numpy(call(x).array)  # on CUDA indices are checked by then


def test_a_dim_in_a_tensor_is_read_anew() -> None:
    x, dim = tg.zeros(2, 3, 4), tg.tensor(0)
    assert x.transpose(dim, 2).shape == (4, 3, 2)  # type: ignore[arg-type]
    dim.fill_(1)
    assert x.transpose(dim, 2).shape == (2, 4, 3)  # type: ignore[arg-type]


# ---------------------------------------------------------------------- writes to what was expanded
WRITES: dict[str, tuple[tuple[int, ...], Any, Any]] = {
    "one element": ((1,), lambda x: x.expand(2).narrow(0, 0, 1).add_(1), [1]),
    "a stretched size of one": ((1,), lambda x: tg.meshgrid(x, x, indexing="ij")[1].add_(1), [1]),
    "no element": ((1, 2), lambda x: x.expand(3, 2)[3:].add_(1), [[0, 0]]),
    "no element, by key": ((1, 2), lambda x: x.expand(3, 2).__setitem__(slice(0, 0), 1), [[0, 0]]),
    "a row": ((1, 2), lambda x: x.expand(3, 2)[1].add_(1), [[1, 1]]),
    "a row, by key": ((1, 2), lambda x: x.expand(3, 2).__setitem__(2, tg.tensor([1, 2])), [[1, 2]]),
    "a turned row": ((2,), lambda x: x.expand(3, 2)[:1].t().copy_(tg.tensor([[1], [2]])), [1, 2]),
    "all, filled": ((1, 2), lambda x: x.expand(3, 2).fill_(4), [[4, 4]]),
    "all of a column, filled": ((2,), lambda x: x.expand(3, 2)[:, 1].fill_(4), [0, 4]),
    "all, zeroed": ((2,), lambda x: x.add_(1).expand(3, 2).zero_(), [0, 0]),
    "all, filled with a tensor": ((2, 1), lambda x: x.expand(2, 3).t().fill_(tg.tensor(4)), [[4], [4]]),
    "a diagonal": ((3,), lambda x: x.expand(3, 3).diagonal().add_(tg.tensor([1, 2, 3])), [1, 2, 3]),
    "a diagonal, filled": ((2, 1), lambda x: x.expand(2, 2, 1).diagonal(0, -3, 1).fill_(0.5), [[0.5], [0.5]]),
}


@pytest.mark.parametrize("name", WRITES)
def test_what_has_no_element_twice_may_be_written(name: str) -> None:
    shape, write, expected = WRITES[name]
    x = tg.zeros(*shape)
    write(x)
    assert x.tolist() == expected


REFUSED: dict[str, Any] = {
    "add_": lambda x: x.expand(3, 2).add_(1),
    "exp_": lambda x: x.expand(3, 2).exp_(),
    "copy_": lambda x: x.expand(3, 2).copy_(tg.ones(3, 2)),
    "setitem": lambda x: x.expand(3, 2).__setitem__((slice(None), 0), tg.ones(3)),
    "uniform_": lambda x: x.expand(3, 2)[1:].uniform_(),
    "index_add_": lambda x: x.expand(3, 2).index_add_(0, tg.tensor([0]), tg.ones(1, 2)),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_has_elements_twice_may_not(name: str) -> None:
    x = tg.zeros(2)
    with pytest.raises(tg.GraphError, match=f"^{name}: several elements of an expanded tensor share memory"):
        REFUSED[name](x)
    assert x.tolist() == [0, 0]


def test_writes_through_expanded_views_are_on_the_tape() -> None:
    w = tg.tensor([1.0, 2.0, 3.0], requires_grad=True)
    y = w * 1
    wide = y.expand(3, 3)
    wide[1, 1:].mul_(5)
    wide.diagonal().mul_(tg.tensor([2.0, 3.0, 4.0]))
    (wide * tg.tensor([1.0, 10.0, 100.0])).sum().backward()
    assert y.tolist() == [2, 30, 60]
    assert w.grad is not None
    assert w.grad.tolist() == [3 * 2, 30 * 15, 300 * 20]


def test_what_fills_an_expanded_tensor_is_on_the_tape() -> None:
    w, v = tg.tensor([1.0, 2.0], requires_grad=True), tg.tensor(3.0, requires_grad=True)
    y = w * 1
    wide = y.expand(3, 2)
    wide[:, 1].fill_(v)
    assert wide.tolist() == [[1, 3]] * 3
    (y * tg.tensor([1.0, 10.0])).sum().backward()
    assert w.grad is not None
    assert w.grad.tolist() == [1, 0]
    assert v.grad is not None
    assert v.grad.item() == 10


# ---------------------------------------------------------------------- what is contiguous
IN_ORDER: dict[str, Any] = {
    "cast of a stretched one": lambda x: x[:1].expand(2, 3, 4).double(),
    "half of a stretched one": lambda x: x[:, :1].expand(2, 3, 4).half() + 1,
    "mixed with a stretched one": lambda x: x[:1].expand(2, 3, 4).int() + x,
    "softmax": lambda x: x.mT.softmax(1),
    "log_softmax": lambda x: x.mT.log_softmax(0),
    "softmax of half": lambda x: tg.nn.functional.softmax(x.mT, 1, dtype=tg.float16),
    "logsigmoid": lambda x: tg.nn.functional.logsigmoid(x.mT),
    "masked_fill": lambda x: x.mT.masked_fill(x.mT > 3, 0),
    "power of a number": lambda x: 2**x.mT,
    "one_hot": lambda x: tg.nn.functional.one_hot(x.mT.long()),
    "amax": lambda x: x.permute(2, 1, 0).amax(1, keepdim=True),
    "amin": lambda x: x.permute(2, 1, 0).amin(1),
    "any": lambda x: (x > 3).permute(2, 1, 0).any(1),
    "all": lambda x: (x > 3).permute(2, 1, 0).all(1),
    "gather": lambda x: x.gather(1, tg.zeros(4, 3, 2).long().permute(2, 1, 0)),
    "two indices": lambda x: x[:, tg.tensor([[0, 1]]), tg.tensor([[0], [1]])],
    "loss": lambda x: tg.nn.functional.huber_loss(x.mT, x.mT + 1, reduction="none"),
    "einsum": lambda x: tg.einsum("abc,abc->cba", x.permute(2, 1, 0), x.permute(2, 1, 0)),
}


@pytest.mark.parametrize("name", IN_ORDER)
def test_results_are_contiguous(name: str) -> None:
    assert IN_ORDER[name](tg.arange(24.0).reshape(2, 3, 4)).is_contiguous()


def test_flattening_one_dim_gives_the_tensor_back() -> None:
    x = tg.ones(3, requires_grad=True)
    assert x.flatten() is x
    assert x.expand(2, 3).flatten(1, 1).shape == (2, 3)
    assert tg.autograd.grad((x * 2).sum(), x.flatten())[0].tolist() == [2, 2, 2]
    assert tg.tensor(1.0).flatten().shape == (1,)
