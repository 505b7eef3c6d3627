"""Tensor: an array on a device, with a gradient. Its methods are functions of `functional/`, whose files say which."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import Any

import numpy as np

from tensorgrad import creation
from tensorgrad.autograd.backward import backward as _backward
from tensorgrad.autograd.tape import apply
from tensorgrad.autograd.variable import Variable, clock, new_tensor, register_tensor_class
from tensorgrad.backends import DeviceLike
from tensorgrad.dtypes import SUPPORTED, get_default_dtype, how_to_make_one, type_name
from tensorgrad.errors import BoundsError, DTypeError, GraphError, ScalarError, ShapeError
from tensorgrad.functional import choosing, comparison, joining, shape
from tensorgrad.functional.activation import ActivationMethods
from tensorgrad.functional.arithmetic import ArithmeticMethods
from tensorgrad.functional.choosing import ChoosingMethods
from tensorgrad.functional.comparison import ComparisonMethods
from tensorgrad.functional.conversion import ConversionMethods
from tensorgrad.functional.diagonals import DiagonalMethods
from tensorgrad.functional.dims import normalize_dim
from tensorgrad.functional.gathering import GatheringMethods
from tensorgrad.functional.indexing import IndexingMethods
from tensorgrad.functional.inplace import InPlace
from tensorgrad.functional.joining import JoiningMethods
from tensorgrad.functional.linalg import ProductMethods
from tensorgrad.functional.operators import Operators
from tensorgrad.functional.reduction import ReductionMethods
from tensorgrad.functional.repeating import RepeatingMethods
from tensorgrad.functional.rounding import RoundingMethods
from tensorgrad.functional.shape import ShapeMethods
from tensorgrad.functional.sorting import SortingMethods
from tensorgrad.ops import shape as S
from tensorgrad.printing import tensor_repr

__all__ = ["Tensor"]


class Tensor(
    Variable,
    Operators,
    InPlace,
    ArithmeticMethods,
    RoundingMethods,
    ComparisonMethods,
    ChoosingMethods,
    ReductionMethods,
    ProductMethods,
    ShapeMethods,
    RepeatingMethods,
    JoiningMethods,
    DiagonalMethods,
    IndexingMethods,
    GatheringMethods,
    SortingMethods,
    ActivationMethods,
    ConversionMethods,
):
    """A multi-dimensional array of numbers on a device, which can record what is done with it.

    `Tensor([1, 2])` copies a nested sequence or array in the default floating dtype, and a Tensor in its own;
    `tg.tensor(data)` infers the dtype, and takes numbers as well. Integers are sizes, as in PyTorch: `Tensor(2, 3)` has
    that shape, and what values the memory held. Methods and operators are PyTorch's. Attributes: `shape`, `dtype`,
    `device`, `ndim`, `requires_grad`, `grad`, `is_leaf`, `data`, and `array`, the raw array of the device's backend.
    """

    __slots__ = ()
    __array_priority__ = 1000  # NumPy arrays leave `array + tensor` to us

    def __new__(
        cls, *data: Any, dtype: object = None, device: DeviceLike = None, requires_grad: bool = False
    ) -> Tensor:
        if all(isinstance(n, (int, np.integer)) and not isinstance(n, bool) for n in data):
            return creation.empty(data or (0,), dtype=dtype, device=device, requires_grad=requires_grad)
        if len(data) > 1 or isinstance(data[0], (bool, float, np.generic)):
            got = ", ".join(map(repr, data))
            raise DTypeError(f"Tensor: expected sizes, one sequence or one array, got {got}; use tg.tensor for numbers")
        if dtype is None:
            dtype = data[0].dtype if isinstance(data[0], Variable) else get_default_dtype()
        return creation.tensor(data[0], dtype=dtype, device=device, requires_grad=requires_grad)

    # ------------------------------------------------------------------ the tape
    def backward(
        self,
        gradient: Tensor | None = None,
        retain_graph: bool | None = None,
        create_graph: bool = False,
        inputs: Any = None,
    ) -> None:
        """Add the gradient of this tensor to `.grad` of every leaf it depends on; see `tg.autograd.backward`."""
        _backward([self], [gradient], retain_graph, create_graph, inputs)

    def requires_grad_(self, requires_grad: bool = True) -> Tensor:
        """Set `requires_grad` and return the tensor."""
        self.requires_grad = requires_grad
        return self

    @property
    def data(self) -> Tensor:
        """The same memory without history, and without its writes being counted.

        Setting it gives a leaf the memory of another tensor, also of another shape; what was recorded keeps the old
        values. GraphError for a tensor that is not a leaf.
        """
        return new_tensor(self.array, self.device)

    @data.setter
    def data(self, value: Tensor) -> None:
        if not isinstance(value, Variable):
            raise DTypeError(f"data: expected a Tensor, got {type_name(value)}; {how_to_make_one(value)}")
        if not self.is_leaf:
            raise GraphError("data: only a leaf can get other memory; write into this tensor with copy_()")
        reshaped = [clock()] if value.shape != self.shape else self.version[2:]
        self.array, self.device, self.base = value.array, value.device, None
        self.version = [self.version[0] + 1, "data", *reshaped]

    @property
    def grad_fn(self) -> Any:
        """The tape's node that made this tensor; None for a leaf."""
        return None if self.is_leaf else self.node

    @property
    def T(self) -> Tensor:
        """The dimensions in reverse order."""
        return apply(S.transpose, self)

    @property
    def mT(self) -> Tensor:
        """The last two dimensions exchanged."""
        return shape.transpose(self, -2, -1)

    # ------------------------------------------------------------------ sizes
    def size(self, dim: int | None = None) -> Any:
        """The shape, or the size of one dimension."""
        if dim is None:
            return self.shape
        if not self.shape:
            raise BoundsError(f"size: a 0-d tensor has no dimension {dim}")
        return self.shape[normalize_dim("size", dim, self.ndim)]

    def stride(self, dim: int | None = None) -> Any:
        """How many elements of the memory lie between neighbours along each dimension, or along one."""
        strides = self.device.backend.strides(self.array)
        return strides if dim is None else strides[normalize_dim("stride", dim, self.ndim)]

    def dim(self) -> int:
        """The number of dimensions."""
        return self.ndim

    def element_size(self) -> int:
        """Bytes of one element."""
        return self.dtype.itemsize

    @property
    def nbytes(self) -> int:
        """Bytes of all elements."""
        return self.numel() * self.element_size()

    @property
    def is_cuda(self) -> bool:
        """Whether the tensor is on a CUDA device."""
        return self.device.type == "cuda"

    # ------------------------------------------------------------------ Python's protocols
    def __repr__(self) -> str:
        return tensor_repr(self)

    def __format__(self, spec: str) -> str:
        return format(self.item(), spec) if self.ndim == 0 else format(repr(self), spec)

    def __len__(self) -> int:
        if not self.shape:
            raise ScalarError("len: a 0-d tensor has no length")
        return self.shape[0]

    def __iter__(self) -> Iterator[Tensor]:
        if not self.shape:
            raise ScalarError("iter: a 0-d tensor cannot be iterated over; use .item()")
        return iter(joining.unbind(self))

    def __bool__(self) -> bool:
        if self.numel() != 1:
            raise ShapeError(f"bool: only one element has a truth value, got shape {self.shape}; use .any() or .all()")
        return bool(self.item())

    def __float__(self) -> float:
        return float(self.item())

    def __int__(self) -> int:
        return int(self.item())

    def __index__(self) -> int:
        if self.dtype.kind == "f" or self.numel() != 1:
            raise DTypeError(f"index: expected an integer tensor of 1 element, got shape {self.shape} of {self.dtype}")
        return int(self.item())

    def __contains__(self, value: Any) -> bool:
        return bool(comparison.eq(self, value).any())

    def __deepcopy__(self, memo: dict[int, Any]) -> Tensor:
        if not self.is_leaf:
            raise GraphError("deepcopy: only leaves can be copied deeply; use .detach().clone()")
        made: Tensor = copy.copy(self)
        made.array, made.version = self.device.backend.copy(self.array), [0, ""]
        made.base = made.grad = made.hooks = None
        memo[id(self)] = made
        if self.grad is not None:
            made.grad = self.grad.detach().clone()
        if hasattr(self, "__dict__"):
            made.__dict__.update(copy.deepcopy(self.__dict__, memo))
        return made

    def __array_wrap__(self, array: np.ndarray[Any, Any], context: Any = None, return_scalar: bool = False) -> Any:
        """What NumPy's functions of CPU tensors return: a Tensor without history on the memory of their result.

        Where tensors do not have its dtype (complex numbers, objects) it stays the array it is.
        """
        return new_tensor(self.device.backend.asarray(array), self.device) if array.dtype in SUPPORTED else array

    # ------------------------------------------------------------------ methods that are no functions
    def where(self, condition: Tensor, other: Any) -> Tensor:
        """This tensor where `condition` holds, `other` elsewhere."""
        return choosing.where(condition, self, other)

    new_tensor = creation.new_data
    new_full = creation.new_full
    new_zeros = creation.new_zeros
    new_ones = creation.new_ones
    new_empty = creation.new_empty


register_tensor_class(Tensor)
