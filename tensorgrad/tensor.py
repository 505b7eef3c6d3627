"""Tensor: an array on a device, with a gradient. Its methods are the functions of `functional/`."""

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
from tensorgrad.errors import BoundsError, DTypeError, GraphError, ShapeError
from tensorgrad.functional import (
    activation,
    arithmetic,
    comparison,
    conversion,
    diagonals,
    indexing,
    linalg,
    reduction,
    shape,
)
from tensorgrad.functional.dims import normalize_dim
from tensorgrad.functional.inplace import InPlace
from tensorgrad.functional.operators import Operators
from tensorgrad.ops import shape as S
from tensorgrad.printing import tensor_repr

__all__ = ["Tensor"]


class _NamedAsBuiltins:
    """Methods whose names would hide the builtins from the annotations of `Tensor`."""

    __slots__ = ()
    float = conversion.float
    int = conversion.int
    bool = conversion.bool


class Tensor(Variable, Operators, InPlace, _NamedAsBuiltins):
    """A multi-dimensional array of numbers on a device, which can record what is done with it.

    `Tensor(data)` copies a number, nested sequence or array, in the default floating dtype; `tg.tensor(data)`
    infers the dtype. Methods and operators are
    PyTorch's. Attributes: `shape`, `dtype`, `device`, `ndim`, `requires_grad`, `grad`, `is_leaf`, `data`, and `array`,
    the raw array of the device's backend.
    """

    __slots__ = ()
    __array_priority__ = 1000  # NumPy arrays leave `array + tensor` to us

    def __new__(
        cls, data: Any = (), dtype: object = None, device: DeviceLike = None, requires_grad: bool = False
    ) -> Tensor:
        kind = get_default_dtype() if dtype is None else dtype
        return creation.tensor(data, dtype=kind, device=device, requires_grad=requires_grad)

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

    numel = shape.numel

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

    def is_floating_point(self) -> bool:
        """Whether the dtype is a floating one."""
        return self.dtype.kind == "f"

    # ------------------------------------------------------------------ Python's protocols
    def __repr__(self) -> str:
        return tensor_repr(self)

    def __format__(self, spec: str) -> str:
        return format(self.item(), spec) if self.ndim == 0 else format(repr(self), spec)

    def __len__(self) -> int:
        if not self.shape:
            raise ShapeError("len: a 0-d tensor has no length")
        return self.shape[0]

    def __iter__(self) -> Iterator[Tensor]:
        if not self.shape:
            raise ShapeError("iter: a 0-d tensor cannot be iterated over; use .item()")
        return iter(shape.unbind(self))

    def __bool__(self) -> bool:
        if self.numel() != 1:
            raise ShapeError(f"bool: only one element has a truth value, got shape {self.shape}; use .any() or .all()")
        return bool(self.item())

    def __float__(self) -> float:
        return float(self.item())

    def __int__(self) -> int:
        return int(self.item())

    def __index__(self) -> int:
        if self.dtype.kind == "f" or self.ndim:
            raise DTypeError(f"index: expected a 0-d integer tensor, got shape {self.shape} of {self.dtype}")
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

    # ------------------------------------------------------------------ arithmetic
    add = arithmetic.add
    sub = subtract = arithmetic.sub
    mul = multiply = arithmetic.mul
    div = divide = true_divide = arithmetic.div
    floor_divide = arithmetic.floor_divide
    remainder = arithmetic.remainder
    pow = arithmetic.pow
    maximum = arithmetic.maximum
    minimum = arithmetic.minimum
    neg = negative = arithmetic.neg
    abs = absolute = arithmetic.abs
    sign = arithmetic.sign
    exp = arithmetic.exp
    expm1 = arithmetic.expm1
    log = arithmetic.log
    log1p = arithmetic.log1p
    log2 = arithmetic.log2
    log10 = arithmetic.log10
    sqrt = arithmetic.sqrt
    rsqrt = arithmetic.rsqrt
    square = arithmetic.square
    reciprocal = arithmetic.reciprocal
    sin = arithmetic.sin
    cos = arithmetic.cos
    tan = arithmetic.tan
    tanh = arithmetic.tanh
    erf = arithmetic.erf
    floor = arithmetic.floor
    ceil = arithmetic.ceil
    trunc = arithmetic.trunc
    round = arithmetic.round
    clamp = clip = arithmetic.clamp
    clamp_min = arithmetic.clamp_min
    clamp_max = arithmetic.clamp_max
    masked_fill = arithmetic.masked_fill

    def where(self, condition: Tensor, other: Any) -> Tensor:
        """This tensor where `condition` holds, `other` elsewhere."""
        return arithmetic.where(condition, self, other)

    # ------------------------------------------------------------------ comparison and logic
    eq = comparison.eq
    ne = comparison.ne
    lt = comparison.lt
    le = comparison.le
    gt = comparison.gt
    ge = comparison.ge
    logical_and = comparison.logical_and
    logical_or = comparison.logical_or
    logical_xor = comparison.logical_xor
    logical_not = comparison.logical_not
    bitwise_and = comparison.bitwise_and
    bitwise_or = comparison.bitwise_or
    bitwise_xor = comparison.bitwise_xor
    bitwise_not = comparison.bitwise_not
    isnan = comparison.isnan
    isinf = comparison.isinf
    isfinite = comparison.isfinite
    isclose = comparison.isclose
    allclose = comparison.allclose
    equal = comparison.equal

    # ------------------------------------------------------------------ reductions
    sum = reduction.sum
    mean = reduction.mean
    var = reduction.var
    std = reduction.std
    max = reduction.max
    min = reduction.min
    amax = reduction.amax
    amin = reduction.amin
    argmax = reduction.argmax
    argmin = reduction.argmin
    prod = reduction.prod
    all = reduction.all
    any = reduction.any
    logsumexp = reduction.logsumexp
    norm = reduction.norm
    cumsum = reduction.cumsum
    count_nonzero = reduction.count_nonzero

    # ------------------------------------------------------------------ products
    matmul = linalg.matmul
    mm = linalg.mm
    bmm = linalg.bmm
    mv = linalg.mv
    dot = linalg.dot
    outer = linalg.outer
    addmm = linalg.addmm

    # ------------------------------------------------------------------ shapes
    reshape = shape.reshape
    view = shape.view
    view_as = shape.view_as
    unflatten = shape.unflatten
    flatten = shape.flatten
    squeeze = shape.squeeze
    unsqueeze = shape.unsqueeze
    transpose = swapaxes = shape.transpose
    permute = shape.permute
    movedim = shape.movedim
    expand = shape.expand
    expand_as = shape.expand_as
    broadcast_to = shape.broadcast_to
    repeat = shape.repeat
    repeat_interleave = shape.repeat_interleave
    tile = shape.tile
    split = shape.split
    chunk = shape.chunk
    unbind = shape.unbind
    narrow = shape.narrow
    diagonal = diagonals.diagonal
    diag = diagonals.diag
    trace = diagonals.trace
    tril = shape.tril
    triu = shape.triu
    flip = shape.flip
    roll = shape.roll

    def t(self) -> Tensor:
        """The transpose of a matrix; a tensor of fewer dimensions as it is."""
        if self.ndim > 2:
            raise ShapeError(f"t: expected at most 2 dimensions, got shape {self.shape}; use .mT or .permute")
        return shape.transpose(self, 0, 1) if self.ndim == 2 else self

    # ------------------------------------------------------------------ indexing and sorting
    __getitem__ = indexing.getitem
    gather = indexing.gather
    scatter = indexing.scatter
    scatter_add = indexing.scatter_add
    index_select = indexing.index_select
    index_add = indexing.index_add
    take_along_dim = indexing.take_along_dim
    masked_select = indexing.masked_select
    nonzero = indexing.nonzero
    argwhere = indexing.argwhere
    index_put = indexing.index_put
    topk = indexing.topk
    sort = indexing.sort
    argsort = indexing.argsort

    # ------------------------------------------------------------------ activations
    relu = activation.relu
    sigmoid = activation.sigmoid
    softmax = activation.softmax
    log_softmax = activation.log_softmax

    # ------------------------------------------------------------------ conversion
    to = conversion.to
    cpu = conversion.cpu
    cuda = conversion.cuda
    type_as = conversion.type_as
    new_tensor = creation.new_data
    new_full = creation.new_full
    new_zeros = creation.new_zeros
    new_ones = creation.new_ones
    new_empty = creation.new_empty
    double = conversion.double
    half = conversion.half
    short = conversion.short
    long = conversion.long
    clone = conversion.clone
    contiguous = conversion.contiguous
    is_contiguous = conversion.is_contiguous
    detach = conversion.detach
    numpy = conversion.numpy
    item = conversion.item
    tolist = conversion.tolist
    __array__ = conversion.array_protocol
    __dlpack__ = conversion.dlpack
    __dlpack_device__ = conversion.dlpack_device
    __cuda_array_interface__ = property(conversion.cuda_array_interface)


register_tensor_class(Tensor)
