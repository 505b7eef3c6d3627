"""The composite primitives of the optimizers: one call updates every parameter of a group in place; and clipping.

The steps are made of the rules in `optimizer_rules.py`. A device may override the launcher `_each_parameter` (see
`cpu/optimizer.py`) or `_apply_rule` as a whole (by kernels), for all rules at once.

Common to all steps:

- `params`, `grads` and each list of state have equal length; arrays with the same position have equal shapes,
  and all arrays of a call have the same floating dtype. Parameters and state are written in place, gradients
  are not;
- `lr` and `step` are 0-d float64 arrays of the device. `step` is advanced by one first, so it counts from 1
  in the formulas. Nothing is read back to the host and nothing branches on values, so a step can be replayed;
- what depends on `lr` or `step` is computed in float64 and rounded once to the parameters' dtype;
- with `maximize` the sign of the gradient is flipped before anything else; with `weight_decay` (and not
  `decoupled`) `weight_decay * p` is added to it next. In the formulas, g is the gradient after both;
- memory to work in is `scratch`, also that of norms and clipping.
"""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable, Sequence
from inspect import Parameter, Signature
from typing import Any, TypeAlias

from tensorgrad.backends.primitives.basic import Array, Primitives
from tensorgrad.backends.primitives.optimizer_rules import ADAGRAD, ADAM, RMSPROP, SGD, Rule, prepared_gradient
from tensorgrad.backends.primitives.table import add_step
from tensorgrad.dtypes import DType, bool_, float32, float64

__all__ = ["Arrays", "OptimizerPrimitives", "primitive_of", "rows_of"]

Arrays: TypeAlias = Sequence[Array]
Columns: TypeAlias = Sequence[Arrays | None]

_OF_THE_HOST = (bool, int, float, type(None))


def primitive_of(rule: Rule) -> Callable[..., None]:
    """NAME_step(params, grads, one list for each state or None, lr, step, /, *, options): `rule` as a primitive, with
    its row in the table."""
    add_step(rule.primitive, rule.lists)
    signature, count, names = _signature(rule), len(rule.state) + 4, frozenset(rule.options)

    def primitive(self: OptimizerPrimitives, *arrays: Any, **options: Any) -> None:
        if len(arrays) != count or options.keys() != names:
            signature.bind(self, *arrays, **options)  # a TypeError that says what is wrong
        *columns, lr, step = arrays
        self._apply_rule(rule, columns, lr, step, options)

    primitive.__name__ = rule.primitive
    primitive.__qualname__ = f"OptimizerPrimitives.{rule.primitive}"
    primitive.__doc__ = inspect.getdoc(rule.update)
    primitive.__signature__ = signature  # type: ignore[attr-defined]
    return primitive


def _signature(rule: Rule) -> Signature:
    of_state = ["Arrays | None" if name in rule.optional else "Arrays" for name in rule.state]
    columns = {"params": "Arrays", "grads": "Arrays", **dict(zip(rule.lists, of_state, strict=True))}
    arrays = {"self": Parameter.empty, **columns, "lr": "Array", "step": "Array"}
    kinds = {**dict.fromkeys(rule.numbers, "float"), **dict.fromkeys(rule.flags, "bool")}
    parameters = [Parameter(name, Parameter.POSITIONAL_ONLY, annotation=kind) for name, kind in arrays.items()]
    parameters += [Parameter(name, Parameter.KEYWORD_ONLY, annotation=kind) for name, kind in kinds.items()]
    return Signature(parameters, return_annotation="None")


class OptimizerPrimitives(Primitives, composes=True):
    """Mixin of `Backend`: the optimizer steps and gradient clipping, composed of basic primitives."""

    def clip_grads_by_norm(
        self,
        grads: Arrays,
        max_norm: float,
        norm_type: float,
        *,
        if_finite: bool = False,
        out: Array | None = None,
    ) -> Array:
        """Scale all gradients in place by min(1, max_norm / (norm + 1e-6)); return the norm they had.

        The norm is `total_norm`, a 0-d float64 array. One that is not finite makes the gradients so too, or with
        `if_finite` leaves them as they are.
        Pascanu, Mikolov & Bengio, "On the difficulty of training recurrent neural networks", 2013; PyTorch's
        `clip_grad_norm_`.
        """
        total = self.total_norm(grads, norm_type, out=out)
        scale = self.divide(max_norm, self.add(total, 1e-6))
        scale = self.minimum(scale, 1.0)
        if if_finite:
            finite = self.isfinite(total, out=self.scratch((), bool_))
            scale = self.where(finite, scale, self.full((), 1.0, float64))
        scales = {dtype: self._as(dtype, scale) for dtype in dict.fromkeys([g.dtype for g in grads])}
        for g in grads:
            self.multiply(g, scales[g.dtype], out=g)
        return total

    def clip_grads_by_value(self, grads: Arrays, limit: float) -> None:
        """Clamp every element of every gradient to [-limit, limit], in place; NaN stays."""
        for g in grads:
            self.maximum(g, -limit, out=g)
            self.minimum(g, limit, out=g)

    def total_norm(self, grads: Arrays, norm_type: float, *, out: Array | None = None) -> Array:
        """The norm of all arrays taken as one vector, a 0-d float64 array: zero where there are none.

        (sum |g|^norm_type)^(1/norm_type), or max |g| where `norm_type` is infinite.
        """
        join = self.maximum if math.isinf(norm_type) else self.add
        total = self.full((), 0.0, float64, out=out)
        for g in grads:
            if 0 not in g.shape:
                join(total, self._as(float64, self._norm_part(g, norm_type)), out=total)
        if norm_type == 2.0:
            return self.sqrt(total, out=total)
        return total if math.isinf(norm_type) else self.power(total, 1.0 / norm_type, out=total)

    def _norm_part(self, g: Array, norm_type: float) -> Array:
        """What one array has part in the norm, in the dtype in which it was added up."""
        wide = float32 if g.dtype.itemsize < 4 else g.dtype  # 257 squared is past float16
        t, part = self.scratch(g.shape, wide), self.scratch((), wide)
        g = g if g.dtype == wide else self.astype(g, wide, out=t)
        if norm_type == 2.0:
            return self.sum(self.square(g, out=t), out=part)
        size = self.absolute(g, out=t)
        if math.isinf(norm_type):
            return self.max(size, out=part)
        return self.sum(self.power(size, norm_type, out=t), out=part)

    def _as(self, dtype: DType, value: Any) -> Any:
        """A 0-d array in another dtype; what is no array stays as it is."""
        if type(value) in _OF_THE_HOST or value.dtype == dtype:
            return value
        return self.astype(value, dtype, out=self.scratch((), dtype))

    def _apply_rule(self, rule: Rule, columns: Columns, lr: Array, step: Array, options: dict[str, Any]) -> None:
        """What the primitive of `rule` does; `columns`: parameters, gradients, and state, or None where it is not."""
        assert columns[0] is not None
        dtype = columns[0][0].dtype
        self.add(step, 1.0, out=step)
        constants = self._constants(rule, dtype, lr, step, options)
        weight_decay = 0.0 if options.get("decoupled") else options["weight_decay"]
        self._each_parameter(rule, columns, weight_decay, options["maximize"], constants)

    def _constants(self, rule: Rule, dtype: DType, lr: Array, step: Array, options: dict[str, Any]) -> dict[str, Any]:
        """What the formula takes besides arrays, rounded to the dtype of the parameters."""
        return {name: self._as(dtype, value) for name, value in rule.constants(self, lr, step, options).items()}

    def _each_parameter(
        self, rule: Rule, columns: Columns, weight_decay: float, maximize: bool, constants: dict[str, Any]
    ) -> None:
        """Apply the formula of `rule` to every parameter."""
        for p, g, *state in rows_of(columns):
            t = self.scratch(p.shape, p.dtype)
            s = self.scratch(p.shape, p.dtype) if weight_decay or maximize else t
            rule.update(self, p, prepared_gradient(self, p, g, weight_decay, maximize, s), *state, t, **constants)

    sgd_step = primitive_of(SGD)
    adam_step = primitive_of(ADAM)
    rmsprop_step = primitive_of(RMSPROP)
    adagrad_step = primitive_of(ADAGRAD)


def rows_of(columns: Columns) -> list[tuple[Array, ...]]:
    assert columns[0] is not None
    absent = [None] * len(columns[0])
    return list(zip(*[absent if c is None else c for c in columns], strict=True))
