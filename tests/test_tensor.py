"""Tensor itself: making one, its attributes, Python's protocols, how it reads. Its methods are tested elsewhere."""

from __future__ import annotations

import copy
import inspect
import pickle
from typing import Any

import numpy as np
import pytest

import tensorgrad as tg
from tensorgrad import nn


# ---------------------------------------------------------------------- creation
def test_filled() -> None:
    assert tg.zeros(2, 3).tolist() == [[0, 0, 0], [0, 0, 0]]
    assert tg.ones((2,)).tolist() == [1, 1]
    assert tg.full((2,), 7).dtype == tg.int64
    assert tg.full((2,), 7.0).dtype == tg.float32
    assert tg.full((2,), True).dtype == tg.bool
    assert tg.empty(2, 0).shape == (2, 0)
    assert tg.zeros(()).shape == ()
    like = tg.ones(2, 3, dtype=tg.int32)
    for made in (tg.zeros_like(like), tg.ones_like(like), tg.full_like(like, 5), tg.empty_like(like)):
        assert (made.shape, made.dtype) == ((2, 3), tg.int32)
    assert tg.full_like(like, 2.5, dtype=tg.float64).tolist() == [[2.5] * 3] * 2
    assert tg.zeros(2, requires_grad=True).requires_grad
    with pytest.raises(tg.ArgumentError, match=r"zeros: sizes must not be negative, got \(2, -1\)"):
        tg.zeros(2, -1)
    with pytest.raises(tg.DTypeError, match="integers"):
        tg.zeros(2.5)


@pytest.mark.parametrize("arguments", [(5,), (1, 5), (1, 10, 3), (0, 1, 0.25), (5, 0, -2), (3, 3), (0,), (2.0,)])
def test_arange(arguments: tuple[float, ...]) -> None:
    found = tg.arange(*arguments)
    expected = np.arange(*arguments)
    np.testing.assert_allclose(found.numpy(), expected)
    assert found.dtype == (tg.int64 if expected.dtype.kind == "i" else tg.float32)


def test_arange_the_wrong_way() -> None:
    for arguments in ((0, 5, -1), (5, 0), (0, 5, 0)):
        with pytest.raises(tg.ArgumentError, match="arange: step"):
            tg.arange(*arguments)


@pytest.mark.parametrize(
    ("start", "end", "steps"), [(0, 1, 5), (-3, 7, 11), (2, 2, 3), (1, 0, 4), (5, 9, 1), (0, 1, 0)]
)
def test_linspace(start: float, end: float, steps: int) -> None:
    found = tg.linspace(start, end, steps, dtype=tg.float64)
    np.testing.assert_allclose(found.numpy(), np.linspace(start, end, steps), rtol=0, atol=1e-14)
    if steps > 1:
        assert found[-1].item() == end
        assert found[0].item() == start


@pytest.mark.parametrize(("n", "m"), [(3, None), (2, 4), (4, 2), (0, None)])
def test_eye(n: int, m: int | None) -> None:
    np.testing.assert_array_equal(tg.eye(n, m).numpy(), np.eye(n, m))


def test_the_class_itself_makes_tensors() -> None:
    x = tg.Tensor([[1.0, 2.0]], requires_grad=True)
    assert isinstance(x, tg.Tensor)
    assert x.requires_grad
    assert x.shape == (1, 2)


def test_tensors_like_another() -> None:
    x = tg.ones(2, dtype=tg.int32)
    assert x.new_zeros(2, 3).tolist() == [[0] * 3] * 2
    assert x.new_ones((1,)).dtype == tg.int32
    assert x.new_full((2,), 7).tolist() == [7, 7]
    assert x.new_tensor([1.9]).tolist() == [1]
    assert x.new_empty(4).shape == (4,)
    assert x.new_zeros(1, dtype=tg.float64, requires_grad=True).requires_grad


def test_pytorchs_other_names() -> None:
    assert (tg.float, tg.double, tg.half) == (tg.float32, tg.float64, tg.float16)
    assert (tg.long, tg.int, tg.short) == (tg.int64, tg.int32, tg.int16)
    assert isinstance(tg.float32, tg.dtype)
    assert tg.is_tensor(tg.ones(1))
    assert not tg.is_tensor(np.ones(1))
    assert tg.tensor([1.0, 9.0]).clip(2, 3).equal(tg.clip(tg.tensor([1.0, 9.0]), 2, 3))
    assert tg.cuda.device_count() == 0 or tg.cuda.is_available()
    assert set(tg.__all__) <= set(dir(tg)) | {"checkpoint", "data", "nn", "optim", "train", "save", "load"}


NAMES = {
    "multiply": "mul",
    "subtract": "sub",
    "divide": "div",
    "true_divide": "div",
    "negative": "neg",
    "absolute": "abs",
    "swapdims": "transpose",
    "greater": "gt",
    "greater_equal": "ge",
    "less": "lt",
    "less_equal": "le",
    "not_equal": "ne",
    "clip": "clamp",
}


@pytest.mark.parametrize(("name", "usual"), NAMES.items())
def test_other_names_are_the_same_function(name: str, usual: str) -> None:
    assert getattr(tg, name) is getattr(tg, usual)
    assert getattr(tg.Tensor, name) is getattr(tg.Tensor, usual)
    assert name in tg.__all__


@pytest.mark.parametrize(
    ("name", "usual"),
    [(f"{a}_", f"{b}_") for a, b in NAMES.items() if a.startswith(("mul", "sub", "div", "true", "neg", "abs", "clip"))],
)
def test_other_names_that_write(name: str, usual: str) -> None:
    assert getattr(tg.Tensor, name) is getattr(tg.Tensor, usual)


def test_functions_that_were_methods_only() -> None:
    x = tg.tensor([[1, 2, 3], [4, 5, 6]])
    assert tg.t(x).tolist() == x.t().tolist() == [[1, 4], [2, 5], [3, 6]]
    assert tg.t(x[0]) is not x
    with pytest.raises(tg.ShapeError, match="t: expected at most 2 dimensions"):
        tg.t(tg.ones(1, 1, 1))
    assert tg.bitwise_left_shift(x[0], 2).tolist() == x[0].bitwise_left_shift(2).tolist() == [4, 8, 12]
    assert tg.bitwise_right_shift(x[1], 1).tolist() == x[1].bitwise_right_shift(1).tolist() == [2, 2, 3]
    assert tg.divide(x[1], 4, rounding_mode="floor").tolist() == [1, 1, 1]
    assert tg.subtract(x[1], x[0], alpha=2).tolist() == [2, 1, 0]
    assert tg.is_floating_point(tg.ones(1))
    assert not tg.is_floating_point(x)
    assert (x.byte().dtype, x.char().dtype) == (tg.uint8, tg.int8)
    y = tg.tensor([1.26, -2.0])
    assert y.round_(decimals=1).multiply_(10).tolist() == [13.0, -20.0]
    assert y.clamp_min_(-1).clamp_max_(5).clip_(0, 4).tolist() == [4.0, 0.0]
    z = tg.tensor([6])
    assert z.bitwise_left_shift_(1).bitwise_xor_(1).bitwise_right_shift_(2).tolist() == [3]


def test_memory_formats() -> None:
    x = tg.tensor([[1.0, 2.0], [3.0, 4.0]]).t()
    assert x.to(tg.float64).stride() == x.to(tg.float64, memory_format=tg.preserve_format).stride() == (1, 2)
    for made in (
        x.to(tg.float64, memory_format=tg.contiguous_format),
        x.double(memory_format=tg.contiguous_format),
        x.long(tg.contiguous_format),
        x.clone(memory_format=tg.preserve_format),
        x.contiguous(memory_format=tg.contiguous_format),
        tg.zeros_like(x, memory_format=tg.preserve_format),
        tg.empty_like(x, memory_format=tg.contiguous_format),
        tg.empty(2, 2, memory_format=tg.contiguous_format),
    ):
        assert made.stride() == (2, 1)
    assert x.float(memory_format=tg.contiguous_format) is x  # nothing is made
    assert x.cpu(memory_format=tg.preserve_format) is x
    assert repr(tg.contiguous_format) == "tensorgrad.contiguous_format"
    function: Any = tg
    y: Any = x
    calls: list[Any] = [
        lambda: y.double(memory_format="channels_last"),
        lambda: y.clone(memory_format=None),
        lambda: y.contiguous(memory_format=1),
        lambda: function.ones_like(x, memory_format="channels_last"),
        lambda: function.empty(2, memory_format="channels_last"),
    ]
    for call in calls:
        with pytest.raises(tg.DTypeError, match=r"memory_format must be tensorgrad\.contiguous_format or"):
            call()


# ---------------------------------------------------------------------- attributes
def test_sizes() -> None:
    x = tg.zeros(2, 3, 4, dtype=tg.float64)
    assert x.shape == x.size() == (2, 3, 4)
    assert x.size(-1) == 4
    assert x.stride() == (12, 4, 1)
    assert x.T.stride(0) == 1
    assert tg.numel(x) == 24
    assert not x.is_cuda
    for dim, of in ((5, x), (0, tg.ones(()))):
        with pytest.raises(tg.BoundsError, match=r"^size: "):
            of.size(dim)
    assert x.ndim == x.dim() == 3
    assert x.numel() == 24
    assert x.element_size() == 8
    assert x.nbytes == 192
    assert len(x) == 2
    assert x.is_floating_point()
    assert not x.long().is_floating_point()
    assert x.T.shape == (4, 3, 2)
    assert x.mT.shape == (2, 4, 3)
    assert x[0].t().shape == (4, 3)
    assert tg.zeros(0).numel() == 0
    assert tg.zeros(()).numel() == 1


def test_there_is_no_room_for_misspelt_attributes() -> None:
    x = tg.ones(2)
    with pytest.raises(AttributeError):
        x.require_grad = True  # type: ignore[attr-defined]


def test_data_can_be_set() -> None:
    x = tg.ones(2, requires_grad=True)
    y = x * 2
    x.data = tg.tensor([5.0, 6.0])
    assert x.tolist() == [5, 6]
    assert x.requires_grad
    assert y.tolist() == [2, 2]
    with pytest.raises(tg.DTypeError, match="data: expected a Tensor, got list"):
        x.data = [1.0]  # type: ignore[assignment]


def test_grad_fn_names_the_operation() -> None:
    x = tg.ones(2, requires_grad=True)
    assert x.grad_fn is None
    assert (x * 2).grad_fn.op.name == "multiply"


# ---------------------------------------------------------------------- Python's protocols
def test_iteration() -> None:
    x = tg.tensor([[1.0, 2.0], [3.0, 4.0]], requires_grad=True)
    rows = list(x)
    assert [r.tolist() for r in rows] == [[1, 2], [3, 4]]
    first, second = x
    (first * second).sum().backward()
    assert x.grad is not None
    assert x.grad.tolist() == [[3, 4], [1, 2]]
    for nothing in (iter, len):
        with pytest.raises(tg.ScalarError, match="0-d"):
            nothing(tg.tensor(1.0))


def test_equality_is_elementwise_and_tensors_are_hashed_by_identity() -> None:
    x, y = tg.ones(2), tg.ones(2)
    assert (x == y).tolist() == [True, True]
    assert (x != 0).all()
    assert len({x, y, x}) == 2
    assert x.equal(y)
    assert 1 in x
    assert 5 not in x


def test_what_is_no_operand_is_refused() -> None:
    x = tg.ones(2)
    refused: list[Any] = ["a", None, [1, 2], {}]
    for wrong in refused:
        with pytest.raises(TypeError):
            x + wrong
        with pytest.raises(TypeError):
            wrong + x


def test_shapes_that_do_not_broadcast_name_the_operation_and_the_shapes() -> None:
    with pytest.raises(tg.ShapeError, match=r"add: shapes \(2, 3\), \(2,\)"):
        tg.ones(2, 3) + tg.ones(2)


def test_copies() -> None:
    x = tg.tensor([1.0, 2.0], requires_grad=True)
    (x * 3).sum().backward()
    twin = copy.deepcopy(x)
    assert type(twin) is tg.Tensor
    assert twin.requires_grad
    assert twin.tolist() == [1, 2]
    assert x.grad is not None
    assert twin.grad is not None
    assert twin.grad.tolist() == [3, 3]
    with tg.no_grad():
        twin.add_(1)
        twin.grad.add_(1)
    assert x.tolist() == [1, 2]
    assert x.grad.tolist() == [3, 3]
    with pytest.raises(tg.GraphError, match=r"deepcopy: .*detach\(\)\.clone\(\)"):
        copy.deepcopy(x * 2)
    assert copy.deepcopy([x, x])[0] is not x
    both = copy.deepcopy([x, x])
    assert both[0] is both[1]


def test_clone_detach_and_contiguous() -> None:
    x = tg.arange(6, dtype=tg.float64).reshape(2, 3).requires_grad_()
    y = x.clone()
    assert not np.shares_memory(y.array, x.array)
    y.sum().backward()
    assert x.grad is not None
    assert x.grad.tolist() == [[1, 1, 1]] * 2
    t = x.detach().T
    assert not t.is_contiguous()
    assert t.contiguous().is_contiguous()
    assert x.contiguous() is x
    assert np.shares_memory(x.detach().array, x.array)


class _Weight(nn.Parameter):
    """A subclass with attributes, and a constructor that asks for other arguments."""

    def __new__(cls, size: int, name: str) -> _Weight:
        made = nn.Parameter.__new__(cls, tg.arange(size, dtype=tg.float64))
        assert isinstance(made, cls)
        made.name = name
        return made

    name: str


def _sent(x: Any) -> Any:
    """As it arrives in another process."""
    return pickle.loads(pickle.dumps(x))


def test_leaves_can_be_sent_to_another_process() -> None:
    x = tg.arange(6, dtype=tg.float32).reshape(2, 3).T.requires_grad_()
    x.sum().backward()
    there = _sent(x)
    assert type(there) is tg.Tensor
    assert (there.shape, there.dtype, there.device, there.requires_grad) == ((3, 2), tg.float32, x.device, True)
    assert there.tolist() == x.tolist()
    assert there.grad is None
    with tg.no_grad():
        there.add_(1)
    (there * there).sum().backward()
    assert there.grad is not None
    assert there.grad.tolist() == [[2, 8], [4, 10], [6, 12]]
    assert x.tolist() == [[0, 3], [1, 4], [2, 5]]
    with pytest.raises(tg.GraphError, match=r"reduce: only a leaf .*detach\(\)"):
        pickle.dumps(x * 2)


def test_a_parameter_of_a_subclass_survives_sending_and_copying() -> None:
    weight = _Weight(3, "first")
    for made in (_sent(weight), copy.deepcopy(weight), copy.copy(weight)):
        assert type(made) is _Weight
        assert made.name == "first"
        assert made.requires_grad
        assert made.tolist() == [0, 1, 2]
    assert not _sent(nn.Parameter(tg.ones(2), requires_grad=False)).requires_grad
    shallow, deep = copy.copy(weight), copy.deepcopy(weight)
    assert np.shares_memory(shallow.array, weight.array)
    assert not np.shares_memory(deep.array, weight.array)


# ---------------------------------------------------------------------- how it reads
@pytest.mark.parametrize(
    ("x", "text"),
    [
        (lambda: tg.tensor([1.0, 2.5]), "tensor([1. , 2.5])"),
        (lambda: tg.tensor(3), "tensor(3)"),
        (lambda: tg.tensor([True, False]), "tensor([ True, False])"),
        (lambda: tg.ones(2, dtype=tg.float64), "tensor([1., 1.], dtype=float64)"),
        (lambda: tg.ones(2, dtype=tg.int32), "tensor([1, 1], dtype=int32)"),
        (lambda: tg.ones(1, requires_grad=True), "tensor([1.], requires_grad=True)"),
        (lambda: tg.ones(1, requires_grad=True) * 2, "tensor([2.], grad_fn=<multiply>)"),
        (lambda: tg.zeros(0, 3), "tensor([], size=(0, 3))"),
        (lambda: tg.eye(2), "tensor([[1., 0.],\n        [0., 1.]])"),
    ],
)
def test_repr(x: object, text: str) -> None:
    assert repr(x()) == text  # type: ignore[operator]


def test_a_large_tensor_reads_in_short() -> None:
    text = repr(tg.zeros(100, 100))
    assert "..." in text
    assert len(text) < 1000


# ---------------------------------------------------------------------- the methods are the functions
def test_every_method_is_documented() -> None:
    undocumented = [
        name
        for name, member in inspect.getmembers(tg.Tensor)
        if not name.startswith("_") and callable(member) and not inspect.getdoc(member)
    ]
    assert undocumented == []


def test_the_functions_of_the_package_are_methods_too() -> None:
    both = (
        "exp log sum mean var std max min amax amin argmax argmin prod all any logsumexp norm cumsum matmul mm bmm "
        "dot outer reshape flatten squeeze unsqueeze transpose permute broadcast_to split chunk tril triu flip "
        "roll gather scatter_add index_select take_along_dim topk sort argsort softmax log_softmax relu sigmoid "
        "clamp where masked_fill maximum minimum pow abs neg sign rsqrt square reciprocal erf"
    ).split()
    assert [n for n in both if not (hasattr(tg, n) and hasattr(tg.Tensor, n))] == []


@pytest.mark.parametrize("dtype", [tg.float16, tg.float32, tg.float64])
def test_a_number_keeps_the_sign_of_its_zero(dtype: tg.dtype[Any]) -> None:
    x, chosen = tg.ones(2, dtype=dtype), tg.tensor([True, True])
    results = [
        tg.full((2,), -0.0, dtype=dtype),
        tg.full_like(x, -0.0),
        tg.where(chosen, -0.0, x),
        x.masked_fill(chosen, -0.0),
        x.clone().fill_(-0.0),
        x * -0.0,
    ]
    written = x.clone()
    written[:] = -0.0
    assert all(np.signbit(result.numpy()).all() for result in (*results, written))
    assert not np.signbit(tg.full((2,), 0.0, dtype=dtype).numpy()).any()
