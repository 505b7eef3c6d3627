"""Composite primitives that reduce: means, norms and their kin, and the gradient of broadcasting."""

from __future__ import annotations

import math
from functools import lru_cache

from tensorgrad.backends.primitives.basic import Array, Axis, Primitives, Shape, delivered
from tensorgrad.dtypes import float16, float32

__all__ = ["ReducePrimitives", "reduced_count"]


class ReducePrimitives(Primitives, composes=True):
    """Default compositions out of basic primitives."""

    def unbroadcast(self, g: Array, shape: Shape, *, out: Array | None = None) -> Array:
        """Sum `g` over the dimensions that broadcasting added to or stretched in `shape`.

        Without `out` the result may be `g` itself or a view of a new array.
        """
        lead = g.ndim - len(shape)
        stretched = tuple(i + lead for i, n in enumerate(shape) if n == 1 and g.shape[i + lead] != 1)
        axes = (*range(lead), *stretched)
        return delivered(self, self.reshaped(self.sum(g, axis=axes), shape) if axes else g, out)

    def mean(self, x: Array, *, axis: Axis = None, keepdims: bool = False, out: Array | None = None) -> Array:
        """The sum over `axis` divided by the number of elements; nan of none. Float16 is computed in float32."""
        return self.divide(self.sum(x, axis=axis, keepdims=keepdims), reduced_count(x.shape, axis), out=out)

    def var(
        self,
        x: Array,
        *,
        axis: Axis = None,
        correction: float = 0,
        keepdims: bool = False,
        out: Array | None = None,
    ) -> Array:
        """sum((x - mean)^2) / max(n - correction, 0), in two passes: the squares of a large mean would drown it."""
        off = self.subtract(x, self.mean(x, axis=axis, keepdims=True))
        total = self.sum(self.square(off), axis=axis, keepdims=keepdims)
        left = reduced_count(x.shape, axis) - correction
        return self.divide(total, left if left > 0 else 0, out=out)

    def std(
        self,
        x: Array,
        *,
        axis: Axis = None,
        correction: float = 0,
        keepdims: bool = False,
        out: Array | None = None,
    ) -> Array:
        """The square root of `var`."""
        return self.sqrt(self.var(x, axis=axis, correction=correction, keepdims=keepdims), out=out)

    def var_mean(
        self,
        x: Array,
        *,
        axis: Axis = None,
        correction: float = 0,
        keepdims: bool = False,
        out: tuple[Array, Array] | None = None,
    ) -> tuple[Array, Array]:
        """(var, mean): with one pass less than both."""
        first, second = out or (None, None)
        centre = self.mean(x, axis=axis, keepdims=True)
        total = self.sum(self.square(self.subtract(x, centre)), axis=axis, keepdims=keepdims)
        left = reduced_count(x.shape, axis) - correction
        variance = self.divide(total, left if left > 0 else 0, out=first)
        return variance, delivered(self, centre if keepdims else self.reshaped(centre, variance.shape), second)

    def std_mean(
        self,
        x: Array,
        *,
        axis: Axis = None,
        correction: float = 0,
        keepdims: bool = False,
        out: tuple[Array, Array] | None = None,
    ) -> tuple[Array, Array]:
        """(std, mean): with one pass less than both."""
        first, second = out or (None, None)
        variance, centre = self.var_mean(x, axis=axis, correction=correction, keepdims=keepdims)
        return self.sqrt(variance, out=first), delivered(self, centre, second)

    def logsumexp(self, x: Array, *, axis: Axis = None, keepdims: bool = False, out: Array | None = None) -> Array:
        """log(sum(exp(x))) with the greatest element drawn out, so that nothing overflows; -inf of none. Float16 is
        computed in float32.
        """
        if reduced_count(x.shape, axis) == 0:
            return self.log(self.sum(x, axis=axis, keepdims=keepdims), out=out)
        top = self.max(x, axis=axis, keepdims=True)
        top = self.where(self.isfinite(top), top, self.full((), 0, x.dtype))
        rest = self.log(self.sum(self.exp(self.subtract(x, top)), axis=axis, keepdims=keepdims))
        return self.add(rest, top if keepdims else self.reshaped(top, rest.shape), out=out)

    def norm(
        self,
        x: Array,
        *,
        p: float = 2,
        axis: Axis = None,
        keepdims: bool = False,
        out: Array | None = None,
    ) -> Array:
        """sum(|x|^p)^(1 / p) for finite p, the count of nonzero elements for 0; of one element |x|, whose power need
        not be in range. Float16 is computed in float32.
        """
        if p == 0:
            return self.sum(self.astype(self.not_equal(x, 0), x.dtype), axis=axis, keepdims=keepdims, out=out)
        shape = x.shape
        if (1 in shape or not shape) and reduced_count(shape, axis) == 1:
            return self.sum(self.absolute(x), axis=axis, keepdims=keepdims, out=out)
        if p == 2:
            return self.sqrt(self.sum(self.square(x), axis=axis, keepdims=keepdims), out=out)
        total = self.sum(self.power(self.absolute(x), p), axis=axis, keepdims=keepdims)
        return self.power(total, 1 / p, out=out)

    def extreme_backward(self, g: Array, x: Array, extreme: Array, /, *, axis: Axis, out: Array | None = None) -> Array:
        """g in equal shares at the elements of `x` that are the extreme over `axis`, 0 elsewhere, whatever g.

        `g` and `extreme` broadcast against `x`, with size 1 along `axis`. Where an element is nan the extreme is, and
        all that are nan are shared between.
        """
        wins = self.logical_or(self.equal(x, extreme), self.isnan(x))
        wide = float32 if x.dtype == float16 else x.dtype
        count = self.sum(self.astype(wins, wide), axis=axis, keepdims=True)
        share = self.divide(g if wide == x.dtype else self.astype(g, wide), count)
        share = share if wide == x.dtype else self.astype(share, x.dtype)
        return self.where(wins, share, self.full((), 0, x.dtype), out=out)

    def leave_one_out(self, x: Array, /, *, out: Array | None = None) -> Array:
        """For each element the product of all others of its row: x (..., n), result (..., n).

        Halves are multiplied together, and the half as many rest products are those of either times the other half:
        about three products an element, none divided by, so that zeros are right and so are all derivatives.
        """
        return self._others(x, out)

    def _others(self, x: Array, out: Array | None) -> Array:
        n = x.shape[-1]
        if n <= 1:
            return self.full(x.shape, 1, x.dtype, out=out)
        if n % 2:
            one = self.full((*x.shape[:-1], 1), 1, x.dtype)
            even = self._others(self.concatenate([x, one], x.ndim - 1), None)
            return delivered(self, self.getitem(even, (Ellipsis, slice(n))), out)
        low, high = (self.getitem(x, (Ellipsis, half)) for half in (slice(n // 2), slice(n // 2, n)))
        rest = self._others(self.multiply(low, high), None)
        return self.concatenate([self.multiply(rest, high), self.multiply(rest, low)], x.ndim - 1, out=out)


@lru_cache(maxsize=1024)
def reduced_count(shape: Shape, axis: Axis) -> int:
    """How many elements of an array of `shape` are reduced into one over `axis`."""
    if axis is None:
        return math.prod(shape)
    return math.prod([shape[a] for a in ((axis,) if isinstance(axis, int) else axis)])
