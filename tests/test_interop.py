"""In and out: NumPy arrays and scalars, DLPack, Python numbers. Without copies where that is promised."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.lib.stride_tricks import as_strided

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


# ---------------------------------------------------------------------- layouts that not everybody takes
BASE = np.arange(24.0).reshape(4, 6)
UNALIGNED = np.frombuffer(bytearray(b"\0" + BASE.tobytes()), np.float64, 24, 1).reshape(4, 6)
FIELDS = np.zeros((3, 2), [("flag", "i1"), ("value", "f8")])
BACKWARDS = [BASE[::-1], BASE[:, ::-1], BASE[::-2, ::-3], BASE[::-1].T, BASE[2:0:-1, 5], BASE[:1][::-1]]
BACKWARDS.append(as_strided(BASE, (0, 3), (-48, 8)))


def handed_over(x: tg.Tensor) -> np.ndarray[Any, Any]:
    """What a consumer of DLPack sees."""
    return np.from_dlpack(x)


@pytest.mark.parametrize("array", [*BACKWARDS, UNALIGNED, UNALIGNED.T[1:]])
def test_dlpack_copies_what_not_every_library_takes(array: Any) -> None:
    x = tg.from_numpy(array)
    assert np.shares_memory(x.numpy(), array) or not array.size
    found = handed_over(x)
    assert min(found.strides, default=0) >= 0
    assert found.flags.aligned
    assert np.array_equal(found, array)
    assert not np.shares_memory(found, array)
    for options in ({}, {"copy": None}, {"max_version": (1, 0)}, {"max_version": (1, 0), "copy": True}):
        assert x.__dlpack__(**options) is not None
    with pytest.raises(BufferError, match=r"__dlpack__: memory with negative strides or at odd .* copy=False .*clone"):
        x.__dlpack__(copy=False)
    assert handed_over(x.clone()).tolist() == array.tolist()


def test_pytorch_takes_tensors_with_negative_strides() -> None:
    torch = pytest.importorskip("torch")
    for array in BACKWARDS:
        assert torch.from_dlpack(tg.from_numpy(array)).tolist() == array.tolist()
        with pytest.raises(BufferError):
            torch.from_dlpack(tg.from_numpy(array), copy=False)


def test_dlpack_shares_all_other_layouts() -> None:
    for array in (BASE, BASE.T, BASE[::2, 1::3], BASE[:, 2], BASE[1, 1, ...], BASE[:0]):
        x = tg.from_numpy(array)
        for found in (handed_over(x), np.from_dlpack(x, copy=False)):
            assert np.shares_memory(found, array) or not array.size
            assert (found.strides == array.strides) or not array.size
    expanded = tg.ones(3).expand(2, 3)
    assert np.shares_memory(handed_over(expanded), expanded.numpy())


def test_elements_that_lie_a_fraction_of_one_apart() -> None:
    FIELDS["value"] = [[1, 2], [3, 4], [5, 6]]
    field = FIELDS["value"]
    with pytest.raises(
        tg.errors.ArgumentError, match=r"from_numpy: strides must be multiples of the 8 bytes .*\(18, 9\)"
    ):
        tg.from_numpy(field)
    for x in (tg.as_tensor(field), tg.tensor(field), tg.as_tensor(field.T).T):
        assert x.tolist() == [[1, 2], [3, 4], [5, 6]]
        assert (x * x).sum().item() == 91
        assert x.reshape(-1).tolist() == [1, 2, 3, 4, 5, 6]
        assert handed_over(x).tolist() == x.tolist()
    assert tg.as_tensor(field).stride() == (2, 1)


OVERLAPPING = [
    as_strided(np.arange(6.0), (4, 3), (8, 8)),
    as_strided(np.arange(6.0), (3, 2), (8, 0)),
    as_strided(np.arange(6.0), (3,), (0,)),
    as_strided(np.arange(6.0)[5:], (3, 3), (-8, -8)),
    as_strided(np.arange(12.0), (2, 3, 2), (32, 16, 16)),
]


@pytest.mark.parametrize("array", OVERLAPPING, ids=lambda a: str(a.strides))
def test_elements_that_share_memory_are_read_and_not_written(array: Any) -> None:
    before = array.copy()
    for x in (tg.from_numpy(array), tg.as_tensor(array)):
        assert np.shares_memory(x.numpy(), array)
        assert np.array_equal((x * 2).numpy(), 2 * before)
        assert np.array_equal(handed_over(x), before)
        writes: list[Any] = [
            lambda x=x: x.add_(1),
            lambda x=x: x.copy_(tg.zeros_like(x)),
            lambda x=x: x.__setitem__(0, 7.0),
            lambda x=x: x[0].zero_(),
        ]
        for write in writes:
            with pytest.raises(tg.GraphError, match=r"the memory of this tensor is read-only.*clone"):
                write()
    assert np.array_equal(array, before)
    assert tg.tensor(array).add_(1).numpy().tolist() == (before + 1).tolist()


@pytest.mark.parametrize(
    "array", [BASE.T, BASE[:, ::-1], BASE[::2, ::3], np.ones((2, 3, 4))[:, 1:2].transpose(2, 0, 1)]
)
def test_elements_that_do_not_share_memory_are_written(array: Any) -> None:
    array, before = np.array(array, order="K", copy=True), array.copy()
    view = array[::-1]
    tg.from_numpy(view).add_(1)
    assert np.array_equal(array, before + 1)


def test_memory_that_may_not_be_written(tmp_path: Path) -> None:
    path = tmp_path / "numbers"
    np.arange(6, dtype=np.float32).tofile(path)
    frozen = np.arange(6, dtype=np.float32)
    frozen.flags.writeable = False
    for array in (frozen, np.memmap(path, np.float32, "r"), np.frombuffer(path.read_bytes(), np.float32)):
        x = tg.from_numpy(array)
        assert (x + 1).tolist() == [1, 2, 3, 4, 5, 6]
        assert not handed_over(x).flags.writeable
        assert not x.numpy().flags.writeable
        writes: list[Any] = [lambda x=x: x.add_(1), lambda x=x: x.zero_(), lambda x=x: x.__setitem__(0, 1.0)]
        for write in writes:
            with pytest.raises(tg.GraphError, match="the memory of this tensor is read-only"):
                write()
        parameter = tg.nn.Parameter(x)
        with pytest.raises(tg.GraphError, match=r"SGD: parameter 0 of group 0 has read-only memory.*clone"):
            tg.optim.SGD([parameter], lr=0.1)
        with pytest.raises(BufferError):
            x.__dlpack__()  # the protocol's first version cannot say that it must not be written
    written = np.memmap(path, np.float32, "r+")
    tg.from_numpy(written).add_(1)
    written.flush()
    assert np.fromfile(path, np.float32).tolist() == [1, 2, 3, 4, 5, 6]
    tg.from_numpy(np.memmap(path, np.float32, "c")).add_(1)  # a copy of its own, by the mode's definition
    assert np.fromfile(path, np.float32).tolist() == [1, 2, 3, 4, 5, 6]


# ---------------------------------------------------------------------- arrays that are not what they seem
MASKED = np.ma.array([1.0, 2.0, 3.0], mask=[False, True, False])


def test_what_a_mask_hides_does_not_become_a_number() -> None:
    x = tg.zeros(3)
    calls: list[Any] = [
        lambda: tg.tensor(MASKED),
        lambda: tg.as_tensor(MASKED),
        lambda: tg.from_numpy(MASKED),
        lambda: tg.from_dlpack(MASKED),
        lambda: tg.tensor([MASKED, MASKED]),
        lambda: tg.tensor([[MASKED], [MASKED]]),
        lambda: x.new_tensor(MASKED),
        lambda: x + MASKED,
        lambda: tg.where(x > 0, x, MASKED),
        lambda: x.__setitem__(slice(None), MASKED),
    ]
    for call in calls:
        with pytest.raises(tg.errors.ArgumentError, match=r"1 elements of the array are masked; .*\.filled\(value\)"):
            call()
    assert x.tolist() == [0, 0, 0]
    assert tg.tensor(MASKED.filled(0)).tolist() == [1, 0, 3]
    assert tg.tensor(np.ma.array([1.0, 2.0])).tolist() == [1, 2]
    assert (x + np.ma.array([1.0, 2.0, 3.0])).tolist() == [1, 2, 3]


STRANGE: dict[str, tuple[Any, str]] = {
    "longdouble": (np.ones(2, np.longdouble), "convert it"),
    "complex": (np.ones(2, np.complex64), "real parts"),
    "text": (np.array(["a"]), "got text"),
    "wide text": (np.array(["a"], np.dtypes.StringDType()), "got text"),
    "bytes": (np.array([b"a"]), "got bytes"),
    "objects": (np.array([1, None]), "got a ndarray of objects"),
    "records": (np.zeros(2, [("a", "f4")]), "got records"),
    "raw": (np.zeros(2, "V4"), "got records"),
    "dates": (np.array(["2020"], "M8[Y]"), "got dates"),
    "durations": (np.array([1], "m8[s]"), "got durations"),
    "other order": (np.ones(2, np.dtype(np.float32).newbyteorder()), "convert it"),
}


@pytest.mark.parametrize("name", [n for n in STRANGE if n != "longdouble" or np.longdouble(0).itemsize > 8])
def test_arrays_that_tensors_cannot_hold(name: str) -> None:
    array, remedy = STRANGE[name]
    with pytest.raises(tg.DTypeError, match=f"^from_numpy: expected numbers.*{remedy}"):
        tg.from_numpy(array)
    for make in (tg.tensor, tg.as_tensor):
        with pytest.raises(tg.DTypeError, match=rf"^{make.__name__}: expected numbers.*{remedy.replace('it', 'with')}"):
            make(array)
    with pytest.raises(tg.DTypeError, match=r"^from_dlpack: expected numbers"):
        tg.from_dlpack(array)


def test_operands_in_the_other_order_of_bytes_and_of_dtypes_that_tensors_lack() -> None:
    x = tg.ones(2)
    for kind in ("f4", "f8", "i8", "u2"):
        array = np.array([1, 2], np.dtype(kind).newbyteorder())
        native = array.astype(kind)
        for call in (lambda a: x + a, lambda a: tg.where(x > 0, a, x), lambda a: tg.maximum(x, a)):
            assert (call(array).dtype, call(array).tolist()) == (call(native).dtype, call(native).tolist())
            assert call(array).dtype.isnative
        assert tg.as_tensor(array, dtype=tg.float32).tolist() == [1, 2]
    if np.longdouble(0).itemsize > 8:
        for call in (lambda a: x + a, lambda a: tg.where(x > 0, a, x), lambda a: x.__setitem__(slice(None), a)):
            with pytest.raises(
                tg.DTypeError, match=r"expected numbers, got a NumPy array of .*; convert it with \.astype"
            ):
                call(np.ones(2, np.longdouble))


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
