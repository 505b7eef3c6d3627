"""Tensor: an array on a device, with a gradient. Its methods are the functions of `functional/`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from tensorgrad.autograd.backward import backward as _backward
from tensorgrad.autograd.tape import apply
from tensorgrad.autograd.variable import Variable, new_tensor, register_tensor_class
from tensorgrad.backends import DeviceLike
from tensorgrad.creation import tensor
from tensorgrad.errors import DTypeError, GraphError, ShapeError
from tensorgrad.functional import (
    activation,
    arithmetic,
    comparison,
    conversion,
    indexing,
    inplace,
    linalg,
    reduction,
    shape,
)
from tensorgrad.ops import shape as S
from tensorgrad.printing import tensor_repr
from tensorgrad.random import inplace as random

__all__ = ["Tensor"]


class _NamedAsBuiltins:
    """Methods whose names would hide the builtins from the annotations of `Tensor`."""

    __slots__ = ()
    float = conversion.float
    int = conversion.int
    bool = conversion.bool


class Tensor(Variable, _NamedAsBuiltins):
    """A multi-dimensional array of numbers on a device, which can record what is done with it.

    `Tensor(data)` is `tg.tensor(data)`: a copy of a number, nested sequence or array. Methods and operators are
    PyTorch's. Attributes: `shape`, `dtype`, `device`, `ndim`, `requires_grad`, `grad`, `is_leaf`, `data`, and `array`,
    the raw array of the device's backend.
    """

    __slots__ = ()
    __array_priority__ = 1000  # NumPy arrays leave `array + tensor` to us

    def __new__(
        cls, data: Any = (), dtype: object = None, device: DeviceLike = None, requires_grad: bool = False
    ) -> Tensor:
        return tensor(data, dtype=dtype, device=device, requires_grad=requires_grad)

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
        """The same memory without history, and without its writes being counted."""
        return new_tensor(self.array, self.device)

    @data.setter
    def data(self, value: Tensor) -> None:
        if not isinstance(value, Variable):
            raise DTypeError(f"data: expected a Tensor, got {type(value).__name__}")
        self.array, self.device = value.array, value.device
        self.version = [self.version[0] + 1, "data"]

    @property
    def grad_fn(self) -> Any:
        """The tape's node that made this tensor; None for a leaf."""
        return self.node

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
        return self.shape if dim is None else self.shape[dim]

    def dim(self) -> int:
        """The number of dimensions."""
        return self.ndim

    def numel(self) -> int:
        """The number of elements."""
        total = 1
        for n in self.shape:
            total *= n
        return total

    def element_size(self) -> int:
        """Bytes of one element."""
        return self.dtype.itemsize

    @property
    def nbytes(self) -> int:
        """Bytes of all elements."""
        return self.numel() * self.element_size()

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

    __hash__ = object.__hash__

    def __deepcopy__(self, memo: dict[int, Any]) -> Tensor:
        if self.node is not None:
            raise GraphError("deepcopy: only leaves can be copied deeply; use .detach().clone()")
        made: Tensor = object.__new__(type(self))
        fresh = new_tensor(self.device.backend.copy(self.array), self.device, self.needs_grad)
        for name in Variable.__slots__:
            if name != "__weakref__":
                setattr(made, name, getattr(fresh, name))
        memo[id(self)] = made
        if self.grad is not None:
            made.grad = self.grad.detach().clone()
        return made

    # ------------------------------------------------------------------ operators
    __add__ = arithmetic.add
    __radd__ = arithmetic.add
    __sub__ = arithmetic.sub
    __rsub__ = arithmetic.rsub
    __mul__ = arithmetic.mul
    __rmul__ = arithmetic.mul
    __truediv__ = arithmetic.div
    __rtruediv__ = arithmetic.rdiv
    __floordiv__ = arithmetic.floor_divide
    __rfloordiv__ = arithmetic.rfloor_divide
    __mod__ = arithmetic.remainder
    __rmod__ = arithmetic.rremainder
    __pow__ = arithmetic.pow
    __rpow__ = arithmetic.rpow
    __neg__ = arithmetic.neg
    __pos__ = arithmetic.positive
    __abs__ = arithmetic.abs
    __matmul__ = linalg.matmul
    __eq__ = comparison.eq  # type: ignore[assignment]
    __ne__ = comparison.ne  # type: ignore[assignment]
    __lt__ = comparison.lt
    __le__ = comparison.le
    __gt__ = comparison.gt
    __ge__ = comparison.ge
    __and__ = comparison.bitwise_and
    __rand__ = comparison.bitwise_and
    __or__ = comparison.bitwise_or
    __ror__ = comparison.bitwise_or
    __xor__ = comparison.bitwise_xor
    __rxor__ = comparison.bitwise_xor
    __invert__ = comparison.bitwise_not
    __lshift__ = comparison.bitwise_left_shift
    __rshift__ = comparison.bitwise_right_shift
    __getitem__ = indexing.getitem
    __setitem__ = inplace.setitem
    __iadd__ = inplace.add_
    __isub__ = inplace.sub_
    __imul__ = inplace.mul_
    __itruediv__ = inplace.div_
    __ifloordiv__ = inplace.floor_divide_
    __imod__ = inplace.remainder_
    __ipow__ = inplace.pow_

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

    # ------------------------------------------------------------------ shapes
    reshape = shape.reshape
    view = shape.view
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
    gather = indexing.gather
    scatter = indexing.scatter
    scatter_add = indexing.scatter_add
    index_select = indexing.index_select
    index_add = indexing.index_add
    take_along_dim = indexing.take_along_dim
    masked_select = indexing.masked_select
    nonzero = indexing.nonzero
    topk = indexing.topk
    sort = indexing.sort
    argsort = indexing.argsort

    # ------------------------------------------------------------------ activations
    relu = activation.relu
    sigmoid = activation.sigmoid
    softmax = activation.softmax
    log_softmax = activation.log_softmax

    # ------------------------------------------------------------------ in place
    add_ = inplace.add_
    sub_ = inplace.sub_
    mul_ = inplace.mul_
    div_ = inplace.div_
    pow_ = inplace.pow_
    neg_ = inplace.neg_
    abs_ = inplace.abs_
    exp_ = inplace.exp_
    log_ = inplace.log_
    sqrt_ = inplace.sqrt_
    tanh_ = inplace.tanh_
    clamp_ = inplace.clamp_
    masked_fill_ = inplace.masked_fill_
    scatter_add_ = inplace.scatter_add_
    fill_ = inplace.fill_
    zero_ = inplace.zero_
    copy_ = inplace.copy_
    uniform_ = random.uniform_
    normal_ = random.normal_
    bernoulli_ = random.bernoulli_

    # ------------------------------------------------------------------ conversion
    to = conversion.to
    cpu = conversion.cpu
    cuda = conversion.cuda
    type_as = conversion.type_as
    double = conversion.double
    half = conversion.half
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


register_tensor_class(Tensor)
