"""Division of integers: by 0 it is an error, since they have no infinity to answer with."""

from __future__ import annotations

from tensorgrad.autograd.op import Op, op
from tensorgrad.backends import Backend
from tensorgrad.backends.primitives import Array
from tensorgrad.backends.primitives.check import is_zero
from tensorgrad.ops import elementwise as E
from tensorgrad.ops import rounding as Q

_HINT = "; integers have no infinity: divide floats, or leave the zeros out, as in x // tg.where(y == 0, 1, y)"


def _check_divisor(B: Backend, name: str, x: Array, y: Array) -> None:
    """DivisionByZeroError where an element of a result is divided by 0, the number or one of an array: late where the
    device's checks are."""
    if 0 in getattr(x, "shape", ()):
        return
    what = f"{name}: the divisor of integers"
    if isinstance(y, int):
        raise is_zero(what, "", _HINT)
    B.check_nonzero(y, what=what, hint=_HINT)


def _checked(divide: Op, name: str) -> Op:
    compute = divide.forward

    def forward(B: Backend, x: Array, y: Array) -> Array:
        if type(y) is not int or y == 0:
            _check_divisor(B, name, x, y)
        return compute(B, x, y)

    return op(name=f"integer_{divide.name}", elementwise=True)(forward)


floor_divide, remainder, trunc_divide = (
    _checked(divide, name)
    for divide, name in ((Q.floor_divide, "floor_divide"), (E.remainder, "remainder"), (Q.trunc_divide, "div"))
)
