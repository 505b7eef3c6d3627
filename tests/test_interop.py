"""In and out: NumPy arrays and scalars, DLPack, Python numbers. Without copies where that is promised."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import tensorgrad as tg

DTYPES = [tg.float16, tg.float32, tg.float64, tg.uint8, tg.int8, tg.int16, tg.int32, tg.int64, tg.bool]
DTYPES += [tg.uint16, tg.uint32, tg.uint64]


# ---------------------------------------------------------------------- NumPy
@pytest.mark.parametrize("dtype", DTYPES)
def test_numpy_shares_the_memory(dtype: Any) -> None:
    x = tg.ones(2, 3, dtype=dtype)
    a = x.numpy()
    assert a.dtype == dtype
    a[0, 1] = 0
    assert x[0, 1].item() == 0
    x[1, 2] = 0
    assert a[1, 2] == 0


def test_from_numpy_shares_the_memory_whatever_its_strides() -> None:
    a = np.arange(12.0).reshape(3, 4)
    for view in (a, a.T, a[::2, 1:], a[:, ::-1], a[1], a[1:1], a[2, 3, ...]):
        x = tg.from_numpy(view)
        assert x.shape == view.shape
        assert np.shares_memory(x.numpy(), view) or view.size == 0
        assert np.array_equal(x.numpy(), view)
    tg.from_numpy(a)[0] = 7
    assert a[0].tolist() == [7, 7, 7, 7]


def test_as_tensor_shares_and_tensor_copies() -> None:
    a = np.zeros(3)
    assert np.shares_memory(tg.as_tensor(a).numpy(), a)
    assert not np.shares_memory(tg.tensor(a).numpy(), a)
    assert not np.shares_memory(tg.as_tensor(a, dtype=tg.float32).numpy(), a)
    x = tg.as_tensor(a)
    assert tg.as_tensor(x) is x
    assert not np.shares_memory(tg.tensor(x).numpy(), a)
    with pytest.raises(tg.DTypeError, match="from_numpy: expected a NumPy array, got list"):
        tg.from_numpy([1.0])  # type: ignore[arg-type]


def test_tensor_of_a_tensor_is_a_copy_without_history() -> None:
    x = tg.arange(6.0, requires_grad=True).reshape(2, 3)
    y = tg.tensor(x.T * 2)
    assert (y.tolist(), y.is_contiguous(), y.is_leaf, y.requires_grad) == ([[0, 6], [2, 8], [4, 10]], True, True, False)
    z = tg.tensor(x, dtype=tg.float64, requires_grad=True)
    assert (z.dtype, z.is_leaf, z.requires_grad, z.tolist()) == (tg.float64, True, True, x.tolist())
    with pytest.raises(tg.DTypeError, match="requires_grad"):
        tg.tensor(tg.arange(3), requires_grad=True)


def test_numpy_of_a_tensor_that_requires_grad() -> None:
    x = tg.ones(2, requires_grad=True)
    with pytest.raises(tg.GraphError, match=r"numpy: .*detach\(\)\.numpy\(\)"):
        x.numpy()
    with pytest.raises(tg.GraphError, match="requires grad"):
        np.asarray(x)
    assert np.shares_memory(x.detach().numpy(), x.numpy(force=True))


def test_numpy_functions_take_tensors() -> None:
    x = tg.tensor([[1.0, 2.0], [3.0, 4.0]])
    assert np.asarray(x).dtype == np.float32
    assert np.shares_memory(np.asarray(x), x.numpy())
    assert not np.shares_memory(np.array(x), x.numpy())
    assert np.asarray(x, dtype=np.float64).dtype == np.float64
    assert np.linalg.norm(x) == pytest.approx(30**0.5)
    np.testing.assert_array_equal(np.concatenate([x, x]), [[1, 2], [3, 4], [1, 2], [3, 4]])
    with pytest.raises(ValueError, match="copy"):
        np.asarray(x, dtype=np.float64, copy=False)


def test_functions_of_numpy_give_tensors_without_history() -> None:
    x, a = tg.tensor([[1.0, 4.0], [9.0, 16.0]]), np.array([[1.0, 4.0], [9.0, 16.0]], np.float32)
    calls: list[Any] = [
        np.exp,
        np.isnan,
        np.transpose,
        np.linalg.inv,
        lambda t: np.add(t, np.ones((2, 2))),
        lambda t: np.multiply(np.float64(2), t),
        lambda t: np.matmul(t, t),
        lambda t: np.add.reduce(t, axis=0),
        lambda t: np.add.reduce(t, axis=None),
        lambda t: np.reshape(t, (4, 1))[::-1],
        lambda t: np.cumsum(t, axis=1),
    ]
    for call in calls:
        found, expected = call(x), call(a)
        assert isinstance(found, tg.Tensor)
        assert (found.dtype, found.device, found.is_leaf, found.requires_grad) == (
            expected.dtype,
            x.device,
            True,
            False,
        )
        np.testing.assert_array_equal(found.numpy(), expected)
    fraction, whole = np.modf(x / 2)
    assert (fraction.tolist(), whole.tolist()) == ([[0.5, 0], [0.5, 0]], [[0, 2], [4, 8]])
    transposed: Any = np.transpose(x)
    assert np.shares_memory(transposed.numpy(), x.numpy())
    out = np.empty((2, 2), np.float32)
    assert np.sqrt(x, out=out) is out
    with pytest.raises(tg.GraphError, match="requires grad"):
        np.exp(x.requires_grad_())


def test_functions_of_numpy_give_arrays_where_tensors_cannot_hold_the_result() -> None:
    x = tg.tensor([1.0, 2.0])
    for found, expected in ((np.multiply(x, 1j), [1j, 2j]), (np.add(x, np.array([1, 2], object)), [2, 4])):
        assert type(found) is np.ndarray
        assert found.tolist() == expected


def test_tensors_meet_arrays_on_either_side() -> None:
    x, a = tg.tensor([1.0, 2.0], dtype=tg.float64, requires_grad=True), np.array([10.0, 20.0])
    for result in (x * a, a * x):
        assert isinstance(result, tg.Tensor)
        assert result.tolist() == [10, 40]
    (a - x).sum().backward()
    assert x.grad is not None
    assert x.grad.tolist() == [-1, -1]
    for result in (a + x, a / x, a > x, a == x, a**x):
        assert isinstance(result, tg.Tensor)


@pytest.mark.parametrize("scalar", [np.float64(2), np.float32(2), np.float16(2), np.int64(2), np.uint8(2)])
def test_numpy_scalars_are_numbers(scalar: Any) -> None:
    x = tg.tensor([1.0, 3.0], requires_grad=True)
    for result in (x * scalar, scalar * x, x + scalar, scalar + x, x / scalar, scalar / x, x**scalar, scalar - x):
        assert isinstance(result, tg.Tensor)
        assert result.dtype == tg.float32
        assert result.requires_grad
    assert (scalar - x).tolist() == [1, -1]
    assert (x > scalar).tolist() == [False, True]
    assert (scalar > x).tolist() == [True, False]


def test_sizes_and_dims_may_be_numpy_integers() -> None:
    n: Any = np.int64(3)
    dim: Any = np.int64(1)
    assert tg.zeros(n, 2).shape == (3, 2)
    assert type(tg.zeros(n, 2).shape[0]) is int
    assert tg.zeros(2, n).sum(dim).shape == (2,)
    assert tg.arange(n).tolist() == [0, 1, 2]
    assert tg.zeros(4, 2)[n].shape == (2,)


# ---------------------------------------------------------------------- DLPack
@pytest.mark.parametrize("dtype", DTYPES)
def test_dlpack_to_numpy_without_a_copy(dtype: Any) -> None:
    x = tg.ones(2, 3, dtype=dtype)
    a = np.from_dlpack(x)
    assert a.dtype == dtype
    assert np.shares_memory(a, x.numpy())


@pytest.mark.parametrize("dtype", DTYPES)
def test_dlpack_from_numpy_without_a_copy(dtype: Any) -> None:
    a = np.ones((2, 3), dtype)
    x = tg.from_dlpack(a)
    assert x.dtype == dtype
    assert np.shares_memory(x.numpy(), a)
    assert np.array_equal(tg.from_dlpack(a.T).numpy(), a.T)


def test_dlpack_between_tensors() -> None:
    x = tg.arange(6).reshape(2, 3)
    y = tg.from_dlpack(x.T)
    assert y.tolist() == [[0, 3], [1, 4], [2, 5]]
    assert np.shares_memory(x.numpy(), y.numpy())
    assert x.__dlpack_device__() == (1, 0)


def test_dlpack_of_a_tensor_that_requires_grad_is_an_error() -> None:
    with pytest.raises(tg.GraphError, match=r"__dlpack__: .*detach\(\)"):
        np.from_dlpack(tg.ones(2, requires_grad=True))


def test_what_has_no_dlpack_is_refused() -> None:
    for given, remedy in (([1, 2], r"tg\.tensor"), (3.0, r"tg\.tensor"), (memoryview(b"12"), r"tg\.tensor")):
        name = type(given).__name__
        with pytest.raises(
            tg.DTypeError, match=rf"from_dlpack: expected an array with `__dlpack__`.* got {name}; .*{remedy}"
        ):
            tg.from_dlpack(given)


def test_dtypes_that_tensors_lack_by_dlpack() -> None:
    complex_ = np.array([3 + 4j])
    with pytest.raises(tg.DTypeError, match=r"from_dlpack: expected numbers of .*complex128; take their real parts"):
        tg.from_dlpack(complex_)
    assert tg.from_dlpack(complex_.real).tolist() == [3]


def test_dtypes_that_numpy_lacks_by_dlpack() -> None:
    torch = pytest.importorskip("torch")
    for dtype in (torch.bfloat16, torch.float8_e5m2):
        x = torch.ones(2, dtype=dtype)
        with pytest.raises(
            tg.DTypeError, match=rf"from_dlpack: expected numbers .* got torch.Tensor of {dtype}.*convert it first"
        ):
            tg.from_dlpack(x)
        assert tg.from_dlpack(x.float()).tolist() == [1, 1]


def test_dlpack_with_torch() -> None:
    torch = pytest.importorskip("torch")
    x = tg.arange(6, dtype=tg.float32).reshape(2, 3)
    t = torch.from_dlpack(x)
    t[0, 0] = 50
    assert x[0, 0].item() == 50
    back = tg.from_dlpack(t.T)
    assert back.shape == (3, 2)
    back[2, 1] = -1
    assert x[1, 2].item() == -1


# ---------------------------------------------------------------------- what cannot be taken in
class Unreadable:
    """An array of another library that does not hand over its numbers."""

    dtype = "float99"

    def __init__(self, error: Exception, where: Exception | None = None) -> None:
        self.error, self.where = error, where

    def __array__(self, *args: Any, **kwargs: Any) -> Any:
        raise self.error

    def __dlpack__(self, **options: Any) -> Any:
        raise self.error

    def __dlpack_device__(self) -> tuple[int, int]:
        if self.where:
            raise self.where
        return 1, 0


@pytest.mark.parametrize("make", [tg.from_dlpack, tg.as_tensor, tg.tensor])
def test_the_dtype_is_blamed_where_the_library_blames_it(make: Any) -> None:
    errors = [TypeError("Got unsupported ScalarType BFloat16"), BufferError("no such dtype"), RuntimeError("bad dtype")]
    for error in errors:
        with pytest.raises(
            tg.DTypeError,
            match=rf"^{make.__name__}: expected numbers of dtype .* of float99 \({error}\); convert it first",
        ):
            make(Unreadable(error))


@pytest.mark.parametrize("make", [tg.from_dlpack, tg.as_tensor, tg.tensor])
def test_what_the_library_says_is_repeated_where_it_is_not_the_dtype(make: Any) -> None:
    nowhere = ValueError("Unknown device type meta")
    errors = [RuntimeError("too many dims"), BufferError("needs detach"), TypeError("sparse"), ValueError("65 dims")]
    for given, text in [(Unreadable(e), str(e)) for e in errors] + [(Unreadable(nowhere, nowhere), str(nowhere))]:
        with pytest.raises(
            tg.ArgumentError,
            match=rf"^{make.__name__}: .*Unreadable of float99 cannot be read \({text}\); make a NumPy",
        ):
            make(given)


@pytest.mark.parametrize("array", [np.ones(2, np.longdouble), np.ones(2, ">f4"), np.array(["a"]), np.array([None])])
def test_numpys_dtypes_that_dlpack_lacks(array: Any) -> None:
    with pytest.raises(
        tg.DTypeError, match=r"^from_dlpack: expected numbers of dtype .*, got numpy\.ndarray of .*; conv"
    ):
        tg.from_dlpack(array)


def test_data_of_python_and_numpy_are_not_asked_for_a_device(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[Any] = []
    monkeypatch.setattr("tensorgrad.host_data.foreign_array", lambda name, data: asked.append(data))
    for data in (np.ones(2), [1.0], (1.0,), 1, 1.5, True):
        tg.as_tensor(data)
        tg.tensor(data)
    assert asked == []
    tg.as_tensor(range(3))
    assert asked == [range(3)]  # everything else is


# ---------------------------------------------------------------------- tensors of other libraries, by mistake
def foreign(module: str, **protocols: Any) -> Any:
    """An object of a class `Tensor` in `module`."""
    return type("Tensor", (), {"__module__": module, "shape": (2,), "ndim": 1} | protocols)()


FOREIGN = [
    (foreign("torch", __array__=lambda self: np.ones(2), __dlpack__=None), r"torch\.Tensor", "as_tensor"),
    (foreign("library.tensors", __dlpack__=lambda self: None), r"library\.tensors\.Tensor", "from_dlpack"),
    (foreign("library"), r"library\.Tensor", "tensor"),
    (foreign("__main__"), "Tensor", "tensor"),
    (np.ones(2), r"numpy\.ndarray", "as_tensor"),
    ([1.0], "list", "tensor"),
]


@pytest.mark.parametrize(("given", "name", "maker"), FOREIGN, ids=[case[1].replace("\\", "") for case in FOREIGN])
def test_tensors_of_other_libraries_are_called_by_their_full_name(given: Any, name: str, maker: str) -> None:
    x, remedy = tg.ones(2), rf"; make one with tg\.{maker}\(\.\.\.\)$"
    calls: list[tuple[str, Any]] = [
        (rf"exp: expected a Tensor, got {name}", lambda: tg.exp(given)),
        (rf"zeros_like: expected a Tensor, got {name}", lambda: tg.zeros_like(given)),
        (rf"matmul: expected two Tensors, got Tensor and {name}", lambda: tg.matmul(x, given)),
        (rf"matmul: expected two Tensors, got {name} and Tensor", lambda: tg.matmul(given, x)),
        (rf"mse_loss: target must be a Tensor, got {name}", lambda: tg.nn.functional.mse_loss(x, given)),
        (rf"nll_loss: input must be a Tensor, got {name}", lambda: tg.nn.functional.nll_loss(given, x)),
        (rf"Linear: expected a Tensor, got {name}", lambda: tg.nn.Linear(2, 2)(given)),
        (rf"data: expected a Tensor, got {name}", lambda: setattr(x, "data", given)),
        (rf"relu: expected a Tensor, got {name}", lambda: tg.relu(given)),
        (rf"cat: expected tensors, got {name} at position 1", lambda: tg.cat([x, given])),
        (rf"Parameter: expected a Tensor, got {name}", lambda: tg.nn.Parameter(given)),
        (rf"backward: .* must be a Tensor, got {name}", lambda: x.requires_grad_().backward(given)),
        (rf"TensorDataset: argument 0 must be a Tensor, got {name}", lambda: tg.data.TensorDataset(given)),
    ]
    if not isinstance(given, np.ndarray):
        calls.append((rf"add: expected a Tensor or a number, got {name}", lambda: tg.add(x, given)))
    for message, call in calls:
        with pytest.raises(tg.DTypeError, match=message + remedy):
            call()


# ---------------------------------------------------------------------- Python
def test_item_and_tolist() -> None:
    assert tg.tensor([[1.5]]).item() == 1.5
    assert type(tg.tensor(2).item()) is int
    assert type(tg.tensor(2.0).item()) is float
    assert tg.tensor(True).item() is True
    assert tg.tensor([[1, 2], [3, 4]]).tolist() == [[1, 2], [3, 4]]
    assert tg.tensor(2.5).tolist() == 2.5
    assert tg.zeros(0, 3).tolist() == []
    for shape in ((2,), (0,)):
        with pytest.raises(tg.ShapeError, match=r"item: expected a tensor of one element, got shape .*tolist\(\)"):
            tg.ones(shape).item()


def test_python_numbers() -> None:
    x = tg.tensor(2.75)
    assert float(x) == 2.75
    assert int(x) == 2
    assert bool(x) is True
    assert not tg.zeros(1)
    assert f"{x:.1f}" == "2.8"
    assert [10, 20, 30][tg.tensor(1)] == 20
    assert list(range(tg.tensor(3))) == [0, 1, 2]
    with pytest.raises(tg.DTypeError, match="index"):
        [1, 2][tg.tensor(1.0)]
    with pytest.raises(tg.ShapeError, match=r"bool: .*any\(\)"):
        bool(tg.ones(2))


def test_nested_data() -> None:
    x = tg.tensor([tg.tensor(1.0), tg.tensor(2.0)])
    assert x.tolist() == [1, 2]
    assert tg.tensor([[1, 2], (3, 4)]).shape == (2, 2)
    assert tg.tensor([np.arange(3), np.arange(3)]).shape == (2, 3)
    assert tg.tensor(range(3)).tolist() == [0, 1, 2]
    with pytest.raises(tg.ShapeError, match="equal length"):
        tg.tensor([[1, 2], [3]])


# ---------------------------------------------------------------------- NumPy's reductions
@pytest.mark.parametrize("name", ["std", "var", "mean", "sum", "prod", "max", "min", "any", "all", "argmax", "cumsum"])
def test_reductions_of_numpy(name: str) -> None:
    x = tg.tensor([[1.0, 2.0], [3.0, 5.0]])
    function = getattr(np, name)
    found = function(x)
    assert isinstance(found, tg.Tensor)
    np.testing.assert_allclose(found.numpy(), function(x.numpy()), rtol=1e-6)
    if name not in ("max", "min"):  # PyTorch's have two results
        np.testing.assert_allclose(function(x, axis=0).numpy(), function(x.numpy(), axis=0), rtol=1e-6)


def test_deviations_of_numpy_have_its_arguments() -> None:
    x: Any = tg.tensor([[1.0, 2.0], [3.0, 5.0]], requires_grad=True)
    functions: list[Any] = [np.std, np.var]
    for function in functions:
        for options in ({"ddof": 1}, {"axis": 1, "keepdims": True}, {"axis": 0, "ddof": 1}, {"dtype": np.float64}):
            found, expected = function(x, **options), function(x.detach().numpy(), **options)
            np.testing.assert_allclose(found.detach().numpy(), expected, rtol=1e-6)
            assert found.dtype == expected.dtype
    functions[1](x).backward()
    np.testing.assert_allclose(x.grad.numpy(), 2 * (x.detach().numpy() - 2.75) / 4)
    with pytest.raises(tg.ArgumentError, match="std: out= is not taken"):
        np.std(x, out=np.zeros(()))
