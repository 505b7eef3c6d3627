"""What stands in a placeholder's place: variables, dims, shapes, numbers, literals; now and then wrong ones."""

from __future__ import annotations

import random
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch

from tests.against_torch.fuzz.drawing import FLOATS, INTEGERS, array_of, literal

__all__ = ["Draw", "fill"]

Drawer = Callable[["Draw"], str]
DRAWERS: dict[str, Drawer] = {}
DTYPES = (*FLOATS, *FLOATS, *INTEGERS, "bool")
WRONG = 0.03  # how often an argument is one that no library should take


@dataclass
class Draw:
    """What one line is drawn from. `live`: the tensors there are, PyTorch's. `memo`: what the line has so far."""

    rng: random.Random
    live: dict[str, Any]
    memo: dict[str, Any] = field(default_factory=dict)

    def wrong(self) -> bool:
        return self.rng.random() < WRONG

    def pick(self, wanted: Callable[[Any], bool] = lambda _: True) -> str:
        """The name of a live tensor, one that is wanted if there is any; the line's `x` if it has none yet."""
        names = [n for n, t in self.live.items() if wanted(t)] if not self.wrong() else []
        name = self.rng.choice(names or list(self.live))
        self.memo.setdefault("x", self.live[name])
        return name

    @property
    def x(self) -> Any:
        if "x" not in self.memo:
            self.pick()
        return self.memo["x"]

    @property
    def shape(self) -> tuple[int, ...]:
        return tuple(self.x.shape)

    @property
    def dtype(self) -> str:
        return name_of(self.x)


def name_of(t: Any) -> str:
    return str(t.dtype).removeprefix("torch.")


def fill(template: str, draw: Draw) -> str:
    """The template with every placeholder replaced, from left to right."""
    return re.sub(r"\{(\w+)\}", lambda found: DRAWERS[found[1]](draw), template)


def drawer(function: Drawer) -> Drawer:
    DRAWERS[function.__name__.strip("_")] = function
    return function


# ---------------------------------------------------------------------- tensors
@drawer
def x(d: Draw) -> str:
    return d.pick()


@drawer
def x2(d: Draw) -> str:
    return d.pick()


@drawer
def f(d: Draw) -> str:
    return d.pick(lambda t: t.dtype.is_floating_point)


@drawer
def m(d: Draw) -> str:
    return d.pick(lambda t: t.ndim == 2)


@drawer
def i(d: Draw) -> str:
    if any(not t.dtype.is_floating_point for t in d.live.values()):
        return d.pick(lambda t: not t.dtype.is_floating_point)
    name = d.pick()
    return f"({name} > 0)" if d.rng.random() < 0.5 else f"{name}.long()"


@drawer
def y(d: Draw) -> str:
    """Another operand: a number or a tensor."""
    return num(d) if d.rng.random() < 0.35 else t(d)


@drawer
def t(d: Draw) -> str:
    """A tensor that broadcasts with x."""
    if d.rng.random() < 0.6:
        return d.pick(lambda other: broadcasts(tuple(other.shape), d.shape))
    return literal(array_of(d.rng, _broadcastable(d), d.rng.choice(DTYPES)))


def broadcasts(a: tuple[int, ...], b: tuple[int, ...]) -> bool:
    try:
        np.broadcast_shapes(a, b)
    except ValueError:
        return False
    return True


def _broadcastable(d: Draw) -> tuple[int, ...]:
    if d.wrong():
        return (*d.shape, 7)
    shape = [1 if d.rng.random() < 0.2 else n for n in d.shape]
    return tuple(shape[d.rng.randint(0, len(shape)) :] if d.rng.random() < 0.3 else shape)


@drawer
def same(d: Draw) -> str:
    """A tensor of the shape of x, mostly of its dtype."""
    if d.rng.random() < 0.4:
        return d.pick(lambda other: other.shape == d.x.shape)
    return _filled(d, d.shape)


def _filled(d: Draw, shape: tuple[int, ...]) -> str:
    dtype = d.rng.choice(DTYPES) if d.rng.random() < 0.1 else d.dtype
    if shape and d.wrong():
        shape = (*shape, 2)
    if np.prod(shape) > 200:
        return f"L.full({shape!r}, 0.5, dtype=L.{dtype})"
    return literal(array_of(d.rng, shape, dtype))


@drawer
def probs(d: Draw) -> str:
    """Numbers in [0, 1], in the shape and dtype of x."""
    if d.x.numel() > 200:
        return f"L.full({d.shape!r}, 0.25, dtype=L.{d.dtype})"
    values = np.array([d.rng.choice((0.0, 1.0, 0.5, 0.25, 0.9)) for _ in range(d.x.numel())])
    return literal(values.reshape(d.shape).astype(d.dtype))


@drawer
def num_tensor(d: Draw) -> str:
    """A 0-d tensor, mostly of the dtype of x."""
    dtype = d.dtype if d.rng.random() < 0.7 else d.rng.choice(DTYPES)
    return literal(array_of(d.rng, (1,) if d.wrong() else (), dtype))


@drawer
def mask(d: Draw) -> str:
    if d.rng.random() < 0.5 or d.x.numel() > 200:
        return f"({d.pick(lambda other: broadcasts(tuple(other.shape), d.shape))} > {num(d)})"
    return literal(array_of(d.rng, _broadcastable(d), "bool" if not d.wrong() else "uint8"))


@drawer
def bools(d: Draw) -> str:
    name = d.pick(lambda other: other.ndim < 3)
    return f"({name} > {num(d)})"


# ---------------------------------------------------------------------- dims and shapes
@drawer
def dim(d: Draw) -> str:
    n = len(d.shape)
    chosen = d.rng.choice((n, -n - 1, n + 3)) if d.wrong() else d.rng.randrange(-n, n) if n else d.rng.choice((0, -1))
    d.memo.setdefault("dim", chosen)
    return str(chosen)


dim2 = DRAWERS["dim2"] = dim


@drawer
def newdim(d: Draw) -> str:
    n = len(d.shape)
    return str(d.rng.choice((n + 1, -n - 2)) if d.wrong() else d.rng.randint(-n - 1, n))


@drawer
def dims(d: Draw) -> str:
    n = len(d.shape)
    if d.wrong():
        return d.rng.choice(("(0, 0)", "(5,)", "()", "(0, -1)"))
    chosen = tuple(j - n if d.rng.random() < 0.3 else j for j in d.rng.sample(range(n), d.rng.randint(min(n, 1), n)))
    return repr(list(chosen) if d.rng.random() < 0.3 else chosen)


@drawer
def perm(d: Draw) -> str:
    order = d.rng.sample(range(len(d.shape)), len(d.shape))
    return repr(tuple(order[:-1] if d.wrong() else order))


@drawer
def newshape(d: Draw) -> str:
    """A shape of as many elements as x."""
    count, sizes = d.x.numel(), []
    rest = count
    for _ in range(d.rng.randint(0, 2)):
        divisors = [k for k in range(1, 7) if rest and rest % k == 0] or [1]
        sizes.append(d.rng.choice(divisors))
        rest //= sizes[-1]
    sizes.append(rest)
    d.rng.shuffle(sizes)
    if d.rng.random() < 0.4 and count:
        sizes[d.rng.randrange(len(sizes))] = -1
    if d.wrong():
        sizes.append(3)
    return repr(tuple(sizes)) if d.rng.random() < 0.7 else ", ".join(map(str, sizes))


@drawer
def factors(d: Draw) -> str:
    n = _size(d)
    k = d.rng.choice([k for k in range(1, n + 1) if n % k == 0] or [1])
    return repr((k, d.rng.choice((n // k, -1)))) if not d.wrong() else "(2, 5)"


def _size(d: Draw) -> int:
    """The size of x along the line's dim."""
    along = d.memo.get("dim", 0)
    return d.shape[along] if -len(d.shape) <= along < len(d.shape) else 1


@drawer
def bigger(d: Draw) -> str:
    """A shape that x broadcasts to."""
    sizes = [d.rng.choice((n, 3)) if n == 1 else d.rng.choice((n, n, -1)) for n in d.shape]
    if d.wrong():
        sizes = [4, *sizes[1:]]
    return repr((*([2] if d.rng.random() < 0.3 else []), *sizes))


@drawer
def sizes(d: Draw) -> str:
    shape = tuple(d.rng.randint(0, 3) for _ in range(d.rng.randint(0, 3)))
    return repr((*shape, -1) if d.wrong() else shape)


@drawer
def reps(d: Draw) -> str:
    n = max(0, len(d.shape) + d.rng.choice((0, 0, 0, 1, -1)))
    return repr(tuple(d.rng.choice((0, 1, 1, 2, 2, 3)) for _ in range(n)))


@drawer
def pads(d: Draw) -> str:
    pairs = d.rng.randint(min(1, len(d.shape)), len(d.shape) + (1 if d.wrong() else 0))
    return repr(tuple(d.rng.choice((0, 1, 1, 2, -1)) for _ in range(2 * pairs)))


@drawer
def padmode(d: Draw) -> str:
    return d.rng.choice(('"constant"', '"reflect"', '"replicate"', '"circular"'))


# ---------------------------------------------------------------------- numbers and names
@drawer
def num(d: Draw) -> str:
    choices = ("0", "1", "2", "-1", "3", "0.5", "-1.5", "2.0", "0.0", "True", "1e-3", "7", "-0.3", "100")
    rare = ("inf", "nan", "-inf", "1e30", "300", "-0.0", "2**40", "False", "1e-40")
    return d.rng.choice(rare if d.rng.random() < 0.1 else choices)


@drawer
def positive(d: Draw) -> str:
    return d.rng.choice(("1", "0.5", "2.0", "1e-3", "100", "0", "-1" if d.wrong() else "1"))


@drawer
def small(d: Draw) -> str:
    return str(d.rng.choice((0, 1, 1, 2, -1, -2, 3)))


@drawer
def correction(d: Draw) -> str:
    return d.rng.choice(("0", "1", "1", "2", "0.5"))


@drawer
def bits(d: Draw) -> str:
    return str(d.rng.choice((0, 1, 2, 3)))


@drawer
def count(d: Draw) -> str:
    return str(-1 if d.wrong() else d.rng.choice((1, 2, 2, 3, 4, 0)))


@drawer
def fraction(d: Draw) -> str:
    return d.rng.choice(("0.0", "0.1", "0.5", "1.0"))


@drawer
def pos(d: Draw) -> str:
    n = _size(d)
    d.memo["pos"] = d.rng.randint(0, n) if not d.wrong() else n + 1
    return str(d.memo["pos"])


@drawer
def len_(d: Draw) -> str:
    return str(max(0, d.rng.randint(0, max(0, _size(d) - d.memo["pos"]))))


@drawer
def keep(d: Draw) -> str:
    return d.rng.choice(("True", "False"))


@drawer
def order(d: Draw) -> str:
    return d.rng.choice(("2", "1", "0", "inf", "-inf", "3", "0.5", "-1", '"fro"', "2.0"))


@drawer
def rounding(d: Draw) -> str:
    return d.rng.choice(('"floor"', '"trunc"', "None", '"floor"', '"trunc"', '"down"' if d.wrong() else "None"))


@drawer
def red(d: Draw) -> str:
    return '"average"' if d.wrong() else d.rng.choice(('"mean"', '"sum"', '"none"'))


@drawer
def dtype(d: Draw) -> str:
    return f"L.{d.rng.choice(DTYPES)}"


@drawer
def fdtype(d: Draw) -> str:
    return f"L.{d.rng.choice(FLOATS)}"


@drawer
def viewdtype(d: Draw) -> str:
    return f"L.{d.rng.choice(('int32', 'float32', 'uint8', 'int16', 'float16', 'int64'))}"


@drawer
def bound(d: Draw) -> str:
    return d.rng.choice(("0", "1", "5", "-3", "2.5", "4.0", "-7.9", "0.3"))


@drawer
def step(d: Draw) -> str:
    return d.rng.choice(("1", "2", "-1", "0.5", "0.3", "-0.7", "1.0", "3", "0" if d.wrong() else "1"))


@drawer
def nested(d: Draw) -> str:
    one, other = d.rng.choice((("1", "2"), ("1.5", "2"), ("True", "False"), ("True", "3"), ("0.5", "True")))
    forms = (one, f"[{one}, {other}]", f"[[{one}], [{other}]]", f"(({one}, {other}),)", "[]", "[[]]")
    return d.rng.choice((*forms, f"[{one}, [{other}]]")) if d.wrong() else d.rng.choice(forms)


# ---------------------------------------------------------------------- indices
def _integers(d: Draw, shape: tuple[int, ...], size: int, distinct_along: int | None = None) -> str:
    """Positions in a dim of `size`, some counted from the end where that is wrong."""
    low = -size if d.wrong() else 0
    if size == 0:
        shape = tuple(0 if j == 0 else n for j, n in enumerate(shape)) if shape else (0,)
    count = int(np.prod(shape))
    values = np.array([d.rng.randrange(low, max(size, 1)) for _ in range(count)], dtype="int64").reshape(shape)
    if distinct_along is not None and values.size:
        values = np.argsort(np.array([d.rng.random() for _ in range(count)]).reshape(shape), distinct_along)
    if d.wrong():
        values = values + size
    return literal(values.astype("int32") if d.wrong() else values)


@drawer
def gindex(d: Draw) -> str:
    """An index for gather: in no dim but the line's larger than x."""
    along = d.memo.get("dim", 0) % max(1, len(d.shape))
    shape = tuple(
        d.rng.randint(1, 3) if j == along else n if d.rng.random() < 0.7 else min(n, 1) for j, n in enumerate(d.shape)
    )
    return _integers(d, (*shape, 1) if d.wrong() else shape, _size(d) if d.shape else 1)


@drawer
def distinct(d: Draw) -> str:
    """An index for scatter that comes nowhere twice."""
    along = d.memo.get("dim", 0) % max(1, len(d.shape))
    return _integers(d, d.shape, _size(d) if d.shape else 1, along if d.shape else None)


@drawer
def src(d: Draw) -> str:
    """What is scattered: at least of the size of any index drawn for x."""
    return _filled(d, tuple(max(n, 3) for n in d.shape))  # () for a 0-d x


@drawer
def flat(d: Draw) -> str:
    return _integers(d, (3,), d.x.numel())


@drawer
def index(d: Draw) -> str:
    d.memo["index_length"] = n = d.rng.randint(0, 3) if d.shape else 1
    return _integers(d, (n,), _size(d))


@drawer
def index0(d: Draw) -> str:
    size = d.shape[0] if d.shape else 1
    return _integers(d, (d.rng.randint(1, max(1, min(size, 2))),), size, 0)


@drawer
def slices(d: Draw) -> str:
    """The source of index_add."""
    along = d.memo.get("dim", 0) % max(1, len(d.shape))
    return _filled(d, tuple(d.memo["index_length"] if j == along else n for j, n in enumerate(d.shape)))


@drawer
def counts(d: Draw) -> str:
    return literal(np.array([d.rng.randint(0, 3) for _ in range(_size(d))], dtype="int64"))


@drawer
def counts1(d: Draw) -> str:
    return literal(np.array([d.rng.randint(0, 3) for _ in range(d.rng.randint(0, 3))], dtype="int64"))


@drawer
def sections(d: Draw) -> str:
    n = d.shape[0] if d.shape else 1
    first = d.rng.randint(0, n)
    return repr([first, n - first]) if d.rng.random() < 0.5 else str(max(1, first))


@drawer
def key(d: Draw) -> str:
    """What stands between the brackets of x[...]; the shape of what it selects is remembered."""
    text = _key(d)
    d.memo["key"] = text
    return text


def _key(d: Draw) -> str:
    roll = d.rng.random()
    if roll < 0.1:
        return d.rng.choice(("...", "None", ":", "()", "..., None"))
    if roll < 0.2:
        return f"({d.pick(lambda other: other.shape == d.x.shape)} > {num(d)})"
    parts = [_part(d, n) for n in d.shape[: d.rng.randint(1, max(1, len(d.shape)))]]
    if d.rng.random() < 0.15:
        parts.insert(d.rng.randint(0, len(parts)), d.rng.choice(("None", "...")))
    if d.wrong():
        parts.append(d.rng.choice(("0", "'a'", "1.5", ":", "True")))
    return ", ".join(parts) or "..."


def _part(d: Draw, n: int) -> str:
    roll = d.rng.random()
    if roll < 0.3:
        return str(d.rng.randrange(-n, n) if n and not d.wrong() else n)
    if roll < 0.75:
        start, stop = (d.rng.choice(("", str(d.rng.randint(-n, n)))) for _ in range(2))
        return f"{start}:{stop}" + d.rng.choice(("", "", ":2", "::3"[1:] if n else ""))
    if roll < 0.85:
        return repr([d.rng.randrange(n) for _ in range(d.rng.randint(1, 2))]) if n else ":"
    if roll < 0.95:
        return _integers(d, d.rng.choice(((), (2,), (1,), (2, 1))), n) if n else ":"
    return literal(array_of(d.rng, (n,), "bool"))


@drawer
def value(d: Draw) -> str:
    """What is written to x[key]: a number, or a tensor that broadcasts to what is selected."""
    if d.rng.random() < 0.4:
        return num(d)
    try:
        selected = eval(f"x[{d.memo['key']}]", {"x": d.x, "L": torch, **d.live})
    except Exception:
        return num_tensor(d)
    shape = tuple(selected.shape)
    if d.rng.random() < 0.5:
        return d.pick(lambda other: len(other.shape) <= len(shape) and broadcasts(tuple(other.shape), shape))
    return _filled(d, tuple(1 if d.rng.random() < 0.2 else n for n in shape))


# ---------------------------------------------------------------------- operands of joins, products and losses
@drawer
def joined(d: Draw) -> str:
    """A tensor of x's rank, for cat."""
    if d.rng.random() < 0.5:
        return d.pick(lambda other: other.shape == d.x.shape)
    sizes = list(d.shape)
    if sizes:
        sizes[0] = d.rng.randint(0, 3)
    return literal(array_of(d.rng, tuple(sizes), d.rng.choice(DTYPES)))


@drawer
def factor(d: Draw) -> str:
    """A right factor for x @ it."""
    n = d.shape[-1] if d.shape else 1
    if d.rng.random() < 0.4:
        return d.pick(lambda other: other.ndim > 0 and other.dtype == d.x.dtype and other.shape[-2:][0] == n)
    rank = d.rng.choice((1, 2, 2, 3)) if len(d.shape) != 3 else 3
    shape = {1: (n,), 2: (n, 2), 3: (*d.shape[:1], n, 2)}[rank]
    return _filled(d, shape)


@drawer
def product(d: Draw) -> str:
    return literal(array_of(d.rng, d.rng.choice(((2,), (1, 2), ())), "float32"))


@drawer
def weight(d: Draw) -> str:
    return _filled(d, (2, d.shape[-1] if d.shape else 1))


@drawer
def bias(d: Draw) -> str:
    return _filled(d, (2,))


@drawer
def equation1(d: Draw) -> str:
    letters = "ijk"[: len(d.shape)]
    results = [letters, "", letters[::-1], letters[:1], letters[-1:]]
    if d.wrong():
        return '"ij->ji"'
    repeated = "ii->i" if len(letters) == 2 and d.shape[0] == d.shape[1] else ""
    return repr(repeated if repeated and d.rng.random() < 0.3 else f"{letters}->{d.rng.choice(results)}")


@drawer
def equation2(d: Draw) -> str:
    letters = "ijk"[: len(d.shape)]
    return repr(f"{letters},{letters}->{d.rng.choice(('', letters, letters[:1], letters[::-1]))}")


@drawer
def logits(d: Draw) -> str:
    fitting = [n for n, t in d.live.items() if t.dtype.is_floating_point and t.ndim in (1, 2) and t.shape[-1]]
    if fitting and d.rng.random() < 0.7:
        name = d.rng.choice(fitting)
        d.memo["x"] = d.live[name]
        return name
    values = array_of(d.rng, (d.rng.randint(1, 3), d.rng.randint(1, 4)), d.rng.choice(FLOATS))
    d.memo["x"] = torch.tensor(values)
    return literal(values)


@drawer
def labels(d: Draw) -> str:
    """Class indices for logits of the shape of x, now and then the ignored one."""
    classes, n = d.shape[-1], int(np.prod(d.shape[:-1]))
    values = [-100 if d.rng.random() < 0.1 else d.rng.randrange(classes + d.wrong()) for _ in range(n)]
    return literal(np.array(values, dtype="int64").reshape(d.shape[:-1]))


@drawer
def classweights(d: Draw) -> str:
    values = np.array([d.rng.choice((0.0, 1.0, 0.5, 2.0)) for _ in range(d.shape[-1])])
    return literal(values.astype(d.dtype))


softlabels = DRAWERS["softlabels"] = probs


@drawer
def labels1(d: Draw) -> str:
    return _integers(d, d.rng.choice(((), (2,), (2, 2), (0,))), 3)


@drawer
def classes(d: Draw) -> str:
    return d.rng.choice(("3", "4", "-1", "2"))
