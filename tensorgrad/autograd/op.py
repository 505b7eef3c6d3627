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

With `outputs=2` or more the forward returns a tuple of so many arrays, which share no memory, and there is a joint vjp:

    def vjp(B, needs, g, out, _x):
        d = None if g[0] is None else B.multiply(g[0], out[1])
        ...

    @op(joint=vjp, outputs=2)
    def sin_cos(B, x):
        return B.sin(x), B.cos(x)

`g` is then a tuple: a gradient for each output, or None for one that nobody used, so that its part can be left out;
never are all None. `out` is the tuple of the outputs, in which a `Spec` stands for one that is not kept; `reads=` may
name one of them, as "out[1]". An output of integers or bools has no gradient.

Where a forward or a vjp is composed of several primitives, `wide=True` has both computed in float32 for float16 arrays;
`wide="vjps"` the vjps alone, where the forward is one primitive. The texts know nothing of it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal

from tensorgrad.backends.primitives import Spec

__all__ = ["OPS", "Op", "Spec", "op", "select"]

Vjp = Any  # a Python function; see the module's text
OPS: dict[str, Op] = {}
_TAKES_MORE_POSITIONAL = 0x04  # inspect.CO_VARARGS


Residuals = Literal["constant", "differentiable"] | None
View = Literal["always", "maybe"] | None
Wide = bool | Literal["vjps"]
# The outputs that are kept; the inputs that are; those dropped that the tape knows; those dropped that it does not;
# whether nothing at all is kept, and all inputs are known; whether anything is read, if only a number.
Keeping = tuple[tuple[int, ...], tuple[int, ...], tuple[int, ...], tuple[int, ...], bool, bool]
# What one vjp reads: which outputs, and for each input whether it does. The last stands for all of variadic ones.
Reading = tuple[tuple[int, ...], list[bool]]


class Op:
    """One operation. See the module's text for how it is written.

    `elementwise`: inputs broadcast, so their gradients are summed back to their shapes by the tape.
    `view`: the result shares memory with the first input "always", or "maybe", which the backend is asked.
    `outputs`: how many.
    `lends_output`: where the output is kept, whoever writes into it has the node given a copy first; else the gradient
    would be an error. For what people write into as often as into its input.
    `residuals`: the forward returns (output, residual, ...), with several outputs (output, output, ..., residual, ...),
    and a vjp's `out` is the tuple of the residuals, without the outputs. An output that the vjp reads is a residual
    too. "constant" ones do not depend on what is differentiated. For "differentiable" ones a higher-order gradient
    runs the forward again on the tape, so all inputs stay in memory.
    """

    __slots__ = (
        "at_once",
        "composed",
        "differentiable",
        "elementwise",
        "forward",
        "joint",
        "keepings",
        "lends_output",
        "name",
        "outputs",
        "reads",
        "residuals",
        "returns_tuple",
        "selector",
        "view",
        "vjps",
        "wide",
    )

    def __init__(
        self,
        forward: Callable[..., Any],
        vjps: tuple[Vjp, ...],
        joint: Vjp | None,
        *,
        name: str | None = None,
        reads: tuple[str, ...] | None = None,
        elementwise: bool = False,
        view: View = None,
        residuals: Residuals = None,
        outputs: int = 1,
        lends_output: bool = False,
        wide: Wide = False,
    ) -> None:
        self.name = name or forward.__name__
        self.forward = forward
        self.vjps = vjps
        self.joint = joint
        self.wide = bool(wide)
        self.composed = wide is True
        self.elementwise = elementwise
        self.view = view
        self.residuals = residuals
        self.outputs = outputs
        self.lends_output = lends_output
        self.returns_tuple = outputs > 1 or residuals is not None
        self.at_once = joint is not None and reads is None
        self.differentiable = bool(vjps) or joint is not None
        if outputs > 1:
            self._check_several()
        self.reads = (
            [_reading(v, 2, outputs) for v in vjps] if joint is None else _reading_jointly(joint, reads, outputs)
        )
        self.selector = Op(forward, (), select, name=self.name) if outputs > 1 else None
        self.keepings: dict[int, Keeping] = {}

    def _check_several(self) -> None:
        if self.vjps:
            raise ValueError(f"op {self.name}: several outputs have one vjp, joint=, which is run once for all")
        if self.elementwise:
            raise ValueError(f"op {self.name}: elementwise= is for vjps of one input each; a joint one sums by itself")
        if self.view is not None:
            raise ValueError(f"op {self.name}: a view must be the only output: its history is made by running it again")

    def keeping(self, signature: int) -> Keeping:
        """What to keep for inputs of this `signature`: a number with a digit in base 4 for each input, the first one
        last, after a leading 1. A digit is 0 for a constant, 1 for a Tensor, 3 for one that wants a gradient.

        The answer is kept in `keepings`, where the tape looks first.
        """
        found = self.keepings[signature] = self._keeping(signature)
        return found

    def _keeping(self, signature: int) -> Keeping:
        digits = [signature >> i & 3 for i in range(0, signature.bit_length() - 1, 2)]
        wanted = self.reads
        if not self.at_once:
            wanted = [r for r, digit in zip(self.reads, digits, strict=False) if digit == 3]
        kept, known, unknown, number = [], [], [], False
        for i, digit in enumerate(digits):
            read = any(inputs[min(i, len(inputs) - 1)] for _, inputs in wanted)
            if digit == 0:
                number = number or read
            elif read:
                kept.append(i)
            elif digit == 3:
                known.append(i)
            else:
                unknown.append(i)
        outs = tuple(sorted({k for outs, _ in wanted for k in outs}))
        nothing = not (outs or kept) and len(known) == len(digits) and self.residuals is None
        return outs, tuple(kept), tuple(known), tuple(unknown), nothing, bool(number or outs or kept)

    def __repr__(self) -> str:
        return f"Op({self.name})"


def select(_B: Any, _needs: tuple[bool, ...], g: Any, _out: Any, _x: Any, index: int) -> tuple[Any]:
    """The vjp of one output of a node with several, for which the tape makes a node of its own.

    The sweep knows it: it gathers `g` there with the gradients of the other outputs.
    """
    return (g,)


def _reading(vjp: Vjp, skip: int, outputs: int) -> Reading:
    """What the vjp reads, by the names of its parameters after the first `skip`: out, inputs..."""
    # Read off the code object: `inspect` would take a tenth of the time in which the package is imported.
    code = vjp.__code__
    names = [*code.co_varnames[skip : code.co_argcount - len(vjp.__defaults__ or ())]]
    if code.co_flags & _TAKES_MORE_POSITIONAL:
        names.append(code.co_varnames[code.co_argcount + code.co_kwonlyargcount])
    out, *inputs = [not name.startswith("_") for name in names]
    return tuple(range(outputs)) if out else (), inputs or [out]


def _reading_jointly(vjp: Vjp, reads: tuple[str, ...] | None, outputs: int) -> list[Reading]:
    """For each input's gradient, or once for all of them: `_reading`."""
    if reads is None:
        return [_reading(vjp, 3, outputs)]
    out, *inputs = vjp.__code__.co_varnames[3 : vjp.__code__.co_argcount]
    single = [f"{out}[{k}]" for k in range(outputs)]
    lines = [line.split() for line in reads]
    unknown = {name for line in lines for name in line} - {out, *single, *inputs}
    if unknown:
        raise ValueError(f"reads: {vjp.__name__} has no parameter {', '.join(sorted(unknown))}")
    return [
        (tuple([k for k, name in enumerate(single) if out in line or name in line]), [n in line for n in inputs])
        for line in lines
    ]


def op(
    *vjps: Vjp,
    joint: Vjp | None = None,
    reads: tuple[str, ...] | None = None,
    elementwise: bool = False,
    view: View = None,
    residuals: Residuals = None,
    outputs: int = 1,
    lends_output: bool = False,
    wide: Wide = False,
    name: str | None = None,
) -> Callable[[Callable[..., Any]], Op]:
    """Make an Op of the decorated forward and register it under its name, which is also its primitive's name.

    Without vjps the op is not differentiable: its results never require grad.
    """

    def make(forward: Callable[..., Any]) -> Op:
        forward.__name__ = name or forward.__name__
        made = Op(
            forward,
            vjps,
            joint,
            reads=reads,
            elementwise=elementwise,
            view=view,
            residuals=residuals,
            outputs=outputs,
            lends_output=lends_output,
            wide=wide,
        )
        if made.name in OPS:
            raise ValueError(f"op {made.name!r} is defined twice")
        OPS[made.name] = made
        return made

    return make
