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
gradient) after `B` and returns one gradient or None for each input. What it reads is kept whatever is needed, unless
`reads=` says for each input, by the names of the vjp's parameters, what its gradient alone reads.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal, NamedTuple

from tensorgrad.dtypes import DType

__all__ = ["OPS", "Op", "Spec", "op"]

Vjp = Any  # a Python function; see the module's text
OPS: dict[str, Op] = {}
_TAKES_MORE_POSITIONAL = 0x04  # inspect.CO_VARARGS


class Spec(NamedTuple):
    """What is left of an array that was not kept for the backward pass."""

    shape: tuple[int, ...]
    dtype: DType

    @property
    def ndim(self) -> int:
        return len(self.shape)


Residuals = Literal["constant", "differentiable"] | None
View = Literal["always", "maybe"] | None
# Whether the output is kept; the inputs that are; those dropped that the tape knows; those dropped that it does not;
# whether nothing at all is kept, and all inputs are known.
Keeping = tuple[bool, tuple[int, ...], tuple[int, ...], tuple[int, ...], bool]


class Op:
    """One operation. See the module's text for how it is written.

    `elementwise`: inputs broadcast, so their gradients are summed back to their shapes by the tape.
    `view`: the result shares memory with the first input "always", or "maybe", which the backend is asked.
    `residuals`: the forward returns (output, residual, ...), and a vjp's `out` is the tuple of the residuals, without
    the output. "constant" ones do not depend on what is differentiated. For "differentiable" ones a higher-order
    gradient runs the forward again on the tape, so all inputs stay in memory.
    """

    __slots__ = (
        "at_once",
        "differentiable",
        "elementwise",
        "forward",
        "joint",
        "keeps",
        "name",
        "outputs",
        "plans",
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
        reads: tuple[str, ...] | None = None,
        elementwise: bool,
        view: View,
        residuals: Residuals,
    ) -> None:
        self.name = forward.__name__
        self.forward = forward
        self.vjps = vjps
        self.joint = joint
        self.elementwise = elementwise
        self.view = view
        self.residuals = residuals
        self.keeps = [_kept_parameters(v, 2) for v in vjps] if joint is None else _kept_jointly(joint, reads)
        self.at_once = joint is not None and reads is None
        self.differentiable = bool(vjps) or joint is not None
        self.outputs = 1
        self.plans: dict[tuple[int, int], Keeping] = {}

    def keeping(self, needs: int, tensors: int) -> Keeping:
        """What to keep where the inputs in the set `needs` want a gradient and those in `tensors` are Tensors.

        The answer is kept in `plans`, where the tape looks first.
        """
        found = self.plans[needs, tensors] = self._keeping(needs, tensors)
        return found

    def _keeping(self, needs: int, tensors: int) -> Keeping:
        wanted = [k for i, k in enumerate(self.keeps) if self.at_once or needs >> i & 1]
        kept, known, unknown = [], [], []
        for i in range(tensors.bit_length()):
            if not tensors >> i & 1:
                continue
            if any(names[min(i + 1, len(names) - 1)] for names in wanted):
                kept.append(i)
            elif needs >> i & 1:
                known.append(i)
            else:
                unknown.append(i)
        keep_out = self.residuals is not None or any(names[0] for names in wanted)
        nothing = not (keep_out or kept or unknown) and tensors == needs == (1 << tensors.bit_length()) - 1
        return keep_out, tuple(kept), tuple(known), tuple(unknown), nothing

    def __repr__(self) -> str:
        return f"Op({self.name})"


def _kept_parameters(vjp: Vjp, skip: int) -> list[bool]:
    """For (out, inputs...): whether the vjp reads it. The last entry stands for all of a variadic `*inputs`."""
    # Read off the code object: `inspect` would take a tenth of the time in which the package is imported.
    code = vjp.__code__
    names = [*code.co_varnames[skip : code.co_argcount - len(vjp.__defaults__ or ())]]
    if code.co_flags & _TAKES_MORE_POSITIONAL:
        names.append(code.co_varnames[code.co_argcount + code.co_kwonlyargcount])
    return [not name.startswith("_") for name in names]


def _kept_jointly(vjp: Vjp, reads: tuple[str, ...] | None) -> list[list[bool]]:
    """For each input's gradient, or once for all of them: `_kept_parameters`."""
    if reads is None:
        return [_kept_parameters(vjp, 3)]
    names = vjp.__code__.co_varnames[3 : vjp.__code__.co_argcount]
    unknown = {name for line in reads for name in line.split()} - set(names)
    if unknown:
        raise ValueError(f"reads: {vjp.__name__} has no parameter {', '.join(sorted(unknown))}")
    return [[name in line.split() for name in names] for line in reads]


def op(
    *vjps: Vjp,
    joint: Vjp | None = None,
    reads: tuple[str, ...] | None = None,
    elementwise: bool = False,
    view: View = None,
    residuals: Residuals = None,
    name: str | None = None,
) -> Callable[[Callable[..., Any]], Op]:
    """Make an Op of the decorated forward and register it under its name, which is also its primitive's name.

    Without vjps the op is not differentiable: its results never require grad.
    """

    def make(forward: Callable[..., Any]) -> Op:
        forward.__name__ = name or forward.__name__
        made = Op(forward, vjps, joint, reads=reads, elementwise=elementwise, view=view, residuals=residuals)
        if made.name in OPS:
            raise ValueError(f"op {made.name!r} is defined twice")
        OPS[made.name] = made
        return made

    return make
