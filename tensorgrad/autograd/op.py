"""Op: a forward and its vector-Jacobian products, written once against a backend.

    @op(lambda B, g, _out, _x, y: B.multiply(g, y),
        lambda B, g, _out, x, _y: B.multiply(g, x), elementwise=True)
    def multiply(B, x, y):
        return B.multiply(x, y)

A vjp takes the backend, the gradient of the output, the output, the inputs, and the op's static arguments by keyword;
it returns the gradient of its own input. **A parameter whose name begins with an underscore is not kept** for the
backward pass: it arrives as a `Spec`, its shape and dtype. So the names say what an op costs in memory, and which later
in-place writes would make its gradient wrong.

Where one pass gives several gradients, `joint=` takes a single vjp: it gets the tuple `needs` (which inputs want a
gradient) after `B` and returns one gradient or None for each input.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any, NamedTuple

from tensorgrad.dtypes import DType

__all__ = ["OPS", "Op", "Spec", "op"]

Vjp = Callable[..., Any]
OPS: dict[str, Op] = {}


class Spec(NamedTuple):
    """What is left of an array that was not kept for the backward pass."""

    shape: tuple[int, ...]
    dtype: DType

    @property
    def ndim(self) -> int:
        return len(self.shape)


class Op:
    """One operation. See the module's text for how it is written.

    `elementwise`: inputs broadcast, so their gradients are summed back to their shapes by the tape.
    `view`: the result may share memory with the first input.
    `residuals`: the forward returns (output, residual, ...), and a vjp's `out` is that whole tuple. All inputs are kept,
    because a higher-order gradient runs the forward again on the tape.
    """

    __slots__ = (
        "_kept",
        "differentiable",
        "elementwise",
        "forward",
        "joint",
        "keeps",
        "name",
        "outputs",
        "residuals",
        "view",
        "vjps",
    )

    def __init__(
        self,
        forward: Callable[..., Any],
        vjps: tuple[Vjp, ...],
        joint: Vjp | None,
        *,
        elementwise: bool,
        view: bool,
        residuals: bool,
    ) -> None:
        self.name = forward.__name__
        self.forward = forward
        self.vjps = vjps
        self.joint = joint
        self.elementwise = elementwise
        self.view = view
        self.residuals = residuals
        self.keeps = [_kept_parameters(v, 2) for v in vjps] if joint is None else [_kept_parameters(joint, 3)]
        self.differentiable = bool(vjps) or joint is not None
        self.outputs = 1
        self._kept: dict[tuple[int, int], tuple[bool, tuple[bool, ...]]] = {}

    def kept(self, needs: int, count: int) -> tuple[bool, tuple[bool, ...]]:
        """Whether the output, and which of `count` inputs, will be read by the vjps of the inputs in the set `needs`."""
        try:
            return self._kept[needs, count]
        except KeyError:
            found = self._kept[needs, count] = self._find_kept(needs, count)
            return found

    def _find_kept(self, needs: int, count: int) -> tuple[bool, tuple[bool, ...]]:
        wanted = [k for i, k in enumerate(self.keeps) if self.joint is not None or needs >> i & 1]
        keep_out = self.residuals or any(names[0] for names in wanted)
        inputs = tuple(
            self.residuals or any(names[min(i + 1, len(names) - 1)] for names in wanted) for i in range(count)
        )
        return keep_out, inputs

    def __repr__(self) -> str:
        return f"Op({self.name})"


def _kept_parameters(vjp: Vjp, skip: int) -> list[bool]:
    """For (out, inputs...): whether the vjp reads it. The last entry stands for all of a variadic `*inputs`."""
    positional = [
        p
        for p in inspect.signature(vjp).parameters.values()
        if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD, p.VAR_POSITIONAL) and p.default is p.empty
    ]
    return [not p.name.startswith("_") for p in positional[skip:]]


def op(
    *vjps: Vjp,
    joint: Vjp | None = None,
    elementwise: bool = False,
    view: bool = False,
    residuals: bool = False,
    name: str | None = None,
) -> Callable[[Callable[..., Any]], Op]:
    """Make an Op of the decorated forward and register it under its name, which is also its primitive's name.

    Without vjps the op is not differentiable: its results never require grad.
    """

    def make(forward: Callable[..., Any]) -> Op:
        forward.__name__ = name or forward.__name__
        made = Op(forward, vjps, joint, elementwise=elementwise, view=view, residuals=residuals)
        if made.name in OPS:
            raise ValueError(f"op {made.name!r} is defined twice")
        OPS[made.name] = made
        return made

    return make
