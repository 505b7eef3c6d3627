"""The table of the primitives: what each reads, writes, aliases and makes.

Whoever runs primitives without knowing them looks here: the tape (which run as ops), a recorder of calls (which memory
a call needs, and how long), a device (what it must supply), the tests (what there is to try). A primitive without a row
cannot be defined (`basic.py`).

A row names the array parameters, which come first in every signature, with marks:

| mark | |
|---|---|
| `x` | is read |
| `x!` | is read and written in place |
| `x=` | is written without being read |
| `x[]` | a sequence of arrays, or None; the caller may fill it anew for the next call |
| `*x` | any number of arrays by position |

`static` names the parameters after them that may come by position. What a result may share memory with is said of the
first array, and depends on shapes and strides alone, never on values:

| alias | the result is |
|---|---|
| never | memory of its own, or `out` |
| always | a view |
| by layout | a view, or the array itself, where its strides allow it, else a copy |

Kinds:

| kind | |
|---|---|
| compute | makes arrays, or writes into those it is given |
| view | looks at the memory of an array in another way |
| query | tells the host about shapes, strides and memory: nothing that depends on values |
| check | raises where values are not what they must be, at once or when the host next waits |
| host | moves values between host and device, or waits |
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Any, Literal, NamedTuple, TypeAlias

from tensorgrad.backends.primitives import results as r
from tensorgrad.backends.primitives.results import Spec

__all__ = ["TABLE", "Row", "add_step", "define", "names"]

Kind: TypeAlias = Literal["compute", "view", "query", "check", "host"]
Alias: TypeAlias = Literal["never", "always", "by layout"]
# Where the memory comes from that a primitive works in when it is given `out`: none is needed, or it is asked of the
# backend, or the array library takes it for itself and nobody else can give it.
Scratch: TypeAlias = Literal["none", "backend", "library"]
# What the tape does with a primitive: an op of that name, the composition, the device's result as a constant into which
# no gradient flows, or nothing: it cannot be differentiated, or it is a question about arrays.
OnTape: TypeAlias = Literal["op", "composition", "constant", "nothing"]
# What a composition does with float16: it is computed in float32 (half.py), or as it is written, where it rounds once
# at most, has no floating arrays, or is a product, which a device accumulates as it likes.
Half: TypeAlias = Literal["float32", "as given"]
Result: TypeAlias = Callable[..., Spec | tuple[Spec, ...]]


class Row(NamedTuple):
    """One primitive.

    `basic`: every device must supply it; else `default` is its composition, or what a device without anything special
    does. `result`: None where nothing is made, or where only the values tell its shape (`nonzero`). `op`: the name of
    the op that the tape runs. `meet`: the arrays that are of one dtype. `indices`: those that are int64. `overlaps`:
    elements of the result may share memory. `several`: the result is a tuple.
    """

    name: str
    kind: Kind
    arrays: tuple[str, ...] = ()
    static: tuple[str, ...] = ()
    result: Result | None = None
    alias: Alias = "never"
    scratch: Scratch = "none"
    on_tape: OnTape = "nothing"
    op: str = ""
    half: Half = "as given"
    basic: bool = True
    several: bool = False
    overlaps: bool = False
    meet: frozenset[str] = frozenset()
    indices: frozenset[str] = frozenset()
    marks: Mapping[str, str] = MappingProxyType({})

    @property
    def default(self) -> Callable[..., Any] | None:
        """The composition, or None of a basic primitive."""
        return _DEFAULTS.get(self.name)

    def bind(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Iterator[tuple[str, Any]]:
        """(name, what was given) for each array parameter; one pair for each of a variadic one."""
        for place, name in enumerate(self.arrays):
            if "*" in self.marks[name]:
                yield from ((name, x) for x in args[place:])
            elif place < len(args):
                yield name, args[place]
            elif name in kwargs:
                yield name, kwargs[name]

    def read(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> list[Any]:
        """The arrays of a call whose values it reads."""
        return [x for name, given in self.bind(args, kwargs) if "=" not in self.marks[name] for x in _flat(given)]

    def written(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> list[Any]:
        """The arrays of a call that it writes, `out` apart."""
        marks = self.marks
        return [x for n, given in self.bind(args, kwargs) if "=" in marks[n] or "!" in marks[n] for x in _flat(given)]

    @property
    def takes_sequence(self) -> bool:
        """Whether the first parameter is a sequence of arrays."""
        return bool(self.arrays) and "[]" in self.marks[self.arrays[0]]

    @property
    def takes_out(self) -> bool:
        """Whether the primitive can write its result into `out=`."""
        return self.kind == "compute" and self.result is not None and self.name != "empty"


TABLE: dict[str, Row] = {}
_DEFAULTS: dict[str, Callable[..., Any]] = {}


def names(**wanted: Any) -> tuple[str, ...]:
    """The primitives whose rows have these values: `names(kind="view")`."""
    return tuple(n for n, row in TABLE.items() if all(getattr(row, key) == value for key, value in wanted.items()))


def define(name: str, composition: Callable[..., Any] | None) -> None:
    """Note the default of a primitive. Raises TypeError where the table has no row for it."""
    row = TABLE.get(name)
    if row is None:
        raise TypeError(
            f"primitive {name!r} has no row in backends/primitives/table.py: say there what it reads, writes and "
            "makes, or begin its name with an underscore if it is a piece of others"
        )
    if composition is not None:
        _DEFAULTS[name] = composition


def _flat(given: Any) -> Iterator[Any]:
    """The arrays in an argument."""
    if isinstance(given, (list, tuple)):
        for x in given:
            yield from _flat(x)
    elif hasattr(given, "shape"):
        yield given


def _row(name: str, kind: Kind, arrays: str = "", static: str = "", result: Result | None = None, **more: Any) -> None:
    marks = {}
    for word in arrays.split():
        plain = word.strip("*![]=")
        marks[plain] = word.replace(plain, "")
    more.setdefault("op", name)
    for key in ("meet", "indices"):
        more[key] = frozenset(more.get(key, "").split())
    TABLE[name] = Row(name, kind, tuple(marks), tuple(static.split()), result, marks=marks, **more)


def _rows(text: str, *row: Any, **more: Any) -> None:
    for name in text.split():
        _row(name, *row, **more)


# ---------------------------------------------------------------------- basic: elementwise
_rows(
    "negative absolute sign exp expm1 log log1p log2 log10 sqrt square reciprocal sin cos tan tanh floor ceil trunc "
    "rint invert",
    "compute", "x", "", r.like, on_tape="op",
)  # fmt: skip
_row("erf", "compute", "x", "", r.like, on_tape="op", scratch="backend")
_rows("isnan logical_not", "compute", "x", "", r.truth, on_tape="op")
_rows("isfinite isinf", "compute", "x", "", r.truth, on_tape="op", scratch="backend")
_rows(
    "add subtract multiply divide power floor_divide maximum minimum bitwise_and bitwise_or bitwise_xor "
    "left_shift right_shift",
    "compute", "x y", "", r.broadcast, on_tape="op", meet="x y",
)  # fmt: skip
_row("remainder", "compute", "x y", "", r.broadcast, on_tape="op", meet="x y", scratch="backend")
_rows(
    "equal not_equal less less_equal greater greater_equal logical_and logical_or logical_xor",
    "compute", "x y", "", r.broadcast_truth, on_tape="op", meet="x y",
)  # fmt: skip
_row("where", "compute", "condition x y", "", r.chosen, on_tape="op", meet="x y", scratch="backend")

# ---------------------------------------------------------------------- basic: reductions, scans, products
_rows("sum prod max min", "compute", "x", "", r.reduced, on_tape="op", scratch="backend")
_rows("any all", "compute", "x", "", r.reduced_truth, on_tape="op")
_rows("argmax argmin", "compute", "x", "", r.position, on_tape="op", scratch="library")
_row("cumsum", "compute", "x", "axis", r.like, on_tape="op", scratch="backend")
_row("matmul", "compute", "x y", "", r.product, on_tape="op", meet="x y", scratch="backend")

# ---------------------------------------------------------------------- basic: making, copying, viewing
_row("empty", "compute", "", "shape dtype", r.uninitialised, on_tape="constant")
_row("full", "compute", "", "shape value dtype", r.filled, on_tape="constant")
_row("arange", "compute", "", "start stop step dtype", r.counted, on_tape="constant", scratch="backend")
_row("copy", "compute", "x", "", r.like, on_tape="op")
_row("astype", "compute", "x", "dtype", r.converted, on_tape="op")
_row("copyto", "compute", "target= source", scratch="library")
_row("reshape", "view", "x", "shape", r.reshaped, alias="always", on_tape="op")
_row("transpose", "view", "x", "axes", r.transposed, alias="always", on_tape="op")
_row("broadcast_to", "view", "x", "shape", r.reshaped, alias="always", on_tape="op", overlaps=True)
_row("getitem", "view", "x", "key", r.viewed, alias="always", on_tape="op")
_row("diagonal", "view", "x", "place", r.diagonal, alias="always", on_tape="op")
_row("reinterpret", "view", "x", "dtype", r.reinterpreted, alias="always", on_tape="op")

# ---------------------------------------------------------------------- basic: joining, sorting, indexing
_row("concatenate", "compute", "arrays[]", "axis", r.joined, on_tape="op", meet="arrays")
_row("argsort", "compute", "x", "axis", r.positions, on_tape="op", scratch="library")
_row("nonzero", "compute", "x", several=True, scratch="library")
_row("take", "compute", "x indices", "axis", r.taken, on_tape="op", indices="indices", scratch="backend")
_row("take_index", "compute", "x *indices", "", r.taken_index, on_tape="op", indices="indices", scratch="backend")
_row(
    "take_along_axis", "compute", "x indices", "axis", r.taken_along, on_tape="op", indices="indices", scratch="library"
)
_row("put_index", "compute", "x! values *indices", meet="x values", indices="indices", scratch="backend")
_row("put_along_axis", "compute", "x! indices values", "axis", meet="x values", indices="indices", scratch="backend")

# ---------------------------------------------------------------------- basic: questions, checks, host
_rows("owns is_contiguous", "query", "x")
_row("is_view", "query", "view x")
_row("check_bounds", "check", "indices", "low high")
_row("asarray", "host", "", "data", on_tape="constant")
_row("to_numpy", "host", "x")

# ---------------------------------------------------------------------- layouts and broadcasting
_row("reshaped", "compute", "x", "shape", r.reshaped, alias="by layout", on_tape="op", op="reshape", basic=False)
_row("writable", "view", "x", "", r.like, alias="always", basic=False)
_row("unbroadcast", "compute", "g", "shape", r.unbroadcast, alias="by layout", on_tape="composition", basic=False)

_composite: dict[str, Any] = {"on_tape": "composition", "basic": False, "scratch": "backend", "half": "float32"}
_rounds_once: dict[str, Any] = {**_composite, "half": "as given"}
# ---------------------------------------------------------------------- activations
_row("relu", "compute", "x", "", r.like, **_rounds_once)
_rows("sigmoid silu gelu gelu_tanh softplus", "compute", "x", "", r.like, **_composite)
_row("leaky_relu", "compute", "x", "slope", r.like, **_composite)
_row("elu", "compute", "x", "alpha", r.like, **_composite)
_rows("softmax log_softmax", "compute", "x", "", r.like, **_composite)
_row("relu_backward", "compute", "g y", "", r.like, meet="g y", **_rounds_once)
_rows("tanh_backward sigmoid_backward", "compute", "g y", "", r.like, meet="g y", **_composite)
_rows("silu_backward gelu_backward gelu_tanh_backward", "compute", "g x", "", r.like, meet="g x", **_composite)
_row("leaky_relu_backward", "compute", "g x", "slope", r.like, meet="g x", **_composite)
_row("elu_backward", "compute", "g x", "alpha", r.like, meet="g x", **_composite)
_rows("softmax_backward log_softmax_backward", "compute", "g y", "", r.like, meet="g y", **_composite)
_guarded: dict[str, Any] = {**_rounds_once, "on_tape": "op"}
_row("multiply_unless_zero", "compute", "g slope", "", r.broadcast, meet="g slope", **_guarded)
_row("divide_unless_zero", "compute", "g y", "", r.broadcast, meet="g y", **_guarded)
_row("divide_backward", "compute", "g x y", "", r.like, meet="g x y", **_composite)
_row("multiply_both_unless_zero", "compute", "g a b", "", r.like, meet="g a b", **_composite | {"on_tape": "op"})

# ---------------------------------------------------------------------- linear
_row("linear", "compute", "x weight bias", "", r.linear, meet="x weight bias", **_rounds_once)
_row(
    "linear_act", "compute", "x weight bias", "activation negative_slope", r.linear, meet="x weight bias", **_composite
)
_row("act_backward", "compute", "g y", "activation negative_slope", r.like, meet="g y", **_composite)
_row(
    "act_backward_bias_grad", "compute", "g y", "activation negative_slope", r.with_bias_gradient, several=True,
    meet="g y", **_composite,
)  # fmt: skip

# ---------------------------------------------------------------------- reductions
_rows("mean var std logsumexp norm", "compute", "x", "", r.reduced, **_composite)
_rows("var_mean std_mean", "compute", "x", "", r.reduced_twice, several=True, **_composite)
_row("extreme_backward", "compute", "g x extreme", "", r.like_second, meet="g x extreme", **_composite)
_row("leave_one_out", "compute", "x", "", r.like, **_composite)

# ---------------------------------------------------------------------- losses
_row("softmax_cross_entropy", "compute", "logits labels", "", r.losses_and_like, several=True, **_composite)
_row(
    "softmax_cross_entropy_backward", "compute", "scale probabilities labels", "", r.like_second,
    meet="scale probabilities", **_composite,
)  # fmt: skip
_row("bce_with_logits", "compute", "x y", "", r.like, meet="x y", **_composite)
_row("bce_with_logits_backward", "compute", "x y", "", r.like, meet="x y", **_composite)
_row("pick_labels", "compute", "x labels", "", r.picked, **_rounds_once)
_row("one_hot_rows", "compute", "labels", "classes", r.one_hot, **_rounds_once)

# ---------------------------------------------------------------------- indexing
_written: dict[str, Any] = {"on_tape": "op", "basic": False, "scratch": "backend"}
_row("pad", "compute", "x", "", r.padded, on_tape="op", basic=False)
_row("scatter_index", "compute", "values *indices", "", r.scattered, indices="indices", **_written)
_row("scatter_diagonal", "compute", "values", "", r.scattered, on_tape="op", basic=False)
_row("update_index", "compute", "x values *indices", "", r.like, meet="x values", indices="indices", **_written)
_row("scatter_along_axis", "compute", "values indices", "", r.scattered, indices="indices", **_written)
_row("update_along_axis", "compute", "x values indices", "", r.like, meet="x values", indices="indices", **_written)
_row("clear_region", "compute", "x", "views order", r.like, **_written)
_row("wrap_indices", "compute", "indices", "size", r.like, basic=False, on_tape="composition", scratch="backend")

# ---------------------------------------------------------------------- checks
_row("check_range", "check", "x", "low high", basic=False)
_row("check_finite", "check", "x", basic=False)
_row("check_nonzero", "check", "x", basic=False)

# ---------------------------------------------------------------------- random numbers
_row("next_key", "compute", "state!", "blocks", r.key, basic=False)
_rows("random_bits", "compute", "key", "count", r.words32, **_rounds_once)
_rows("random_words64", "compute", "key", "count", r.words64, **_rounds_once)
_row("random_integers", "compute", "key", "shape low high", r.integers, **_rounds_once)
_rows("random_uniform random_normal", "compute", "key", "shape dtype", r.numbers, **_rounds_once)
_row("random_bernoulli", "compute", "key", "shape p dtype", r.coins, **_rounds_once)
_row("dropout", "compute", "x key", "p", r.twice, several=True, **_rounds_once)
_row("dropout_backward", "compute", "g mask key", "p", r.like, meet="g mask", **_rounds_once)
_row("random_blocks", "query", "", "count dtype", basic=False)

# ---------------------------------------------------------------------- optimizers
_of_gradients: dict[str, Any] = {"basic": False, "scratch": "backend"}
_row("total_norm", "compute", "grads[]", "norm_type", r.total, **_of_gradients)
_row("clip_grads_by_norm", "compute", "grads[]!", "max_norm norm_type", r.total, **_of_gradients)
_row("clip_grads_by_value", "compute", "grads[]!", "limit", **_of_gradients)


def add_step(name: str, state: Sequence[str]) -> None:
    """The row of a primitive that is made of an optimizer's rule, `state` being the lists that it keeps."""
    lists = " ".join(f"{kept}[]!" for kept in state)
    _row(name, "compute", f"params[]! grads[] {lists} lr step!", **_of_gradients)


# ---------------------------------------------------------------------- the device itself
_rows("is_writable strides", "query", "x", basic=False)
_row("can_reshape", "query", "x", "shape", basic=False)
_rows("device_count device_name", "query", basic=False)
_rows("scratch for_replay settle", "host", basic=False)
_row("feed", "host", "slot=", "value", basic=False)
_rows("to_dlpack dlpack_device cuda_array_interface", "host", "x", basic=False)
_rows("from_dlpack synchronize raise_pending begin_replay", "host", basic=False)
_rows("memory_allocated memory_reserved max_memory_allocated reset_peak_memory_stats empty_cache", "host", basic=False)
