"""What is meant to differ from PyTorch, each with its reason: the names and reasons that docs/differences.md has."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch

from tests.against_torch.fuzz.lines import Finding
from tests.against_torch.fuzz.worlds import tensors_of

__all__ = ["DIFFERENCES", "Difference", "known"]

Judge = Callable[[Finding, Any], bool]


@dataclass(frozen=True)
class Difference:
    """`covers(finding, run)`: whether the finding is of this kind; None for what programs do not draw. `example`: the
    shortest program that shows it, a line each."""

    name: str
    reason: str
    covers: Judge | None = None
    example: tuple[str, ...] = ()


def _answers(*messages: str, template: str = "") -> Judge:
    """We answer where PyTorch raises an error with one of these messages (regular expressions), in such lines."""
    pattern = re.compile("|".join(messages), re.DOTALL)

    def covers(finding: Finding, run: Any) -> bool:
        said = finding.mismatch.kind == "answered" and pattern.search(str(finding.error)) is not None
        return said and re.search(template, finding.line.template) is not None

    return covers


def _refuses(message: str, template: str = "") -> Judge:
    """We raise an error with this message where PyTorch answers, in lines of such templates."""

    def covers(finding: Finding, run: Any) -> bool:
        said = finding.mismatch.kind == "refused" and re.search(message, finding.mismatch.detail, re.DOTALL)
        return bool(said) and re.search(template, finding.line.template) is not None

    return covers


def _gives(kinds: str, template: str, detail: str = "") -> Judge:
    """Our result differs in one of these ways, in lines of such templates."""

    def covers(finding: Finding, run: Any) -> bool:
        return (
            finding.mismatch.kind in kinds.split(", ")
            and re.search(template, finding.line.template) is not None
            and re.search(detail, finding.mismatch.detail) is not None
        )

    return covers


def _either(*judges: Judge) -> Judge:
    return lambda finding, run: any(judge(finding, run) for judge in judges)


def _ties(finding: Finding, run: Any) -> bool:
    """Positions differ, and the tensor that was sorted has equals."""
    if finding.mismatch.kind != "value" or not re.search(r"topk|sort", finding.line.template):
        return False
    names = [n for n in run.tensors if re.search(rf"\b{re.escape(n)}(?!\w|\[)", finding.line.text.partition("=")[2])]
    return any(len(torch.unique(run.tensors[n].detach().nan_to_num(7.77))) < run.tensors[n].numel() for n in names)


def _empty(finding: Finding, run: Any) -> bool:
    """We refuse, or have computed in another dtype, what has no elements."""
    if finding.mismatch.kind not in ("refused", "dtype", "effect: requires_grad"):
        return False
    answer = tensors_of(run.other.names.get(finding.line.name or ""))
    touched = [t for n, t in run.tensors.items() if n in finding.line.text]
    return any(t.numel() == 0 for _, t in answer) or (
        finding.line.name is None and any(t.numel() == 0 for t in touched)
    )


def _beyond_float16(finding: Finding, run: Any) -> bool:
    number = re.search(r"1e30|2\*\*40|1e-40|\binf", finding.line.text.partition("=")[2] or finding.line.text)
    return "special" in finding.mismatch.kind and "of float16" in finding.mismatch.detail and number is not None


def _through_data(finding: Finding, run: Any) -> bool:
    return "gradient" in finding.line.template and any(".data" in line.text for line in run.lines)


def _at_a_kink(finding: Finding, run: Any) -> bool:
    second = finding.line.template == "second gradient" and finding.mismatch.kind == "accuracy"
    return second and any("F.elu(" in line.text for line in run.lines)


def _through_nuclear_norm(finding: Finding, run: Any) -> bool:
    found = "gradient" in finding.line.template and finding.mismatch.kind in ("accuracy", "special")
    return found and any('"nuc"' in line.text for line in run.lines)


def _several_of_one(finding: Finding, run: Any) -> bool:
    """PyTorch's results of one nonzero(as_tuple=True) are views of one tensor."""
    sharing = re.search(r"and (v\d+)\[\d+\]: PyTorch's share memory: True", finding.mismatch.detail)
    return sharing is not None and any(
        line.name == sharing[1] and re.search(r"nonzero\(as_tuple|L\.where\(", line.text) for line in run.lines
    )


def _of_binary_cross_entropy(finding: Finding, run: Any) -> bool:
    second = finding.line.template == "second gradient" and finding.mismatch.kind in ("accuracy", "special")
    return second and any("F.binary_cross_entropy(" in line.text for line in run.lines)


def _gradient_through(line: str, detail: str = "") -> Judge:
    """Gradients that are not finite in one of the two, of programs with such a line."""

    def covers(finding: Finding, run: Any) -> bool:
        found = finding.mismatch.kind == "special" and "gradient" in finding.line.template
        return (
            found
            and re.search(detail, finding.mismatch.detail) is not None
            and any(re.search(line, k.text) for k in run.lines)
        )

    return covers


def _ranges(finding: Finding, run: Any) -> bool:
    """A range of integers whose ends or step are not."""
    made = re.search(r"L\.(arange|linspace)\(.*dtype=L\.(u?int|bool)", finding.line.text)
    return made is not None and finding.mismatch.kind in ("value", "shape", "answered", "refused")


LOSSES = r"F\.\w*(loss|entropy|div)\w*"
_ZEROS = r"tensor\([-\[\]0., na]*(, (dtype|size|grad_fn)=[^;]*)?\)"
_CONSTANT = rf"ours None; PyTorch {_ZEROS}$|ours {_ZEROS}; PyTorch None"
DIFFERENCES: tuple[Difference, ...] = (
    # ------------------------------------------------------------------ what is taken
    Difference(
        "Every dtype that means something",
        "One implementation serves every dtype; PyTorch has no kernel for half precision, integers or bools in places.",
        _answers(
            "not implemented for",
            "does not support bool input",
            "[Ii]ntegral inputs not supported",
            "Boolean inputs not supported",
            "Expected a floating point or complex tensor as input",
            "could not infer output dtype.*Got: (Long|Int|Short|Char|Byte|Bool)$",
            "topk does not support bool",
        ),
        example=("x = F.gelu(L.tensor([1, 2]))",),
    ),
    Difference(
        "Arithmetic of bools, and any alpha",
        "`+`, `-` and alpha= count a bool as 0 or 1, as Python does; a fractional alpha makes integers floating.",
        _answers(
            "Subtraction, the `-` operator",
            "The `\\+` operator, on a bool",
            "Boolean alpha only supported",
            "argument alpha must not be a floating point number",
        ),
        example=("x = L.tensor([2, 3]) - L.tensor([True, False])",),
    ),
    Difference(
        "Assigned values are converted",
        "x[index] = values and index_put convert the values to x's dtype, as x[0] = value does in PyTorch too.",
        _answers("Index put requires the source and destination dtypes match"),
        example=(
            "x = L.zeros(2)",
            "x[[0]] = L.tensor([1, 2], dtype=L.int32)[:1]",
        ),
    ),
    Difference(
        "Numbers for tensors",
        "maximum and minimum take Python numbers, prod several dims, reshape a single size.",
        _answers(
            r"(maximum|minimum)\(\): argument 'other'.*must be Tensor",
            r"prod\(\): argument 'dim' must be int, not (tuple|list)",
            r"prod\(\) received an invalid combination",
            r"reshape\(\): argument 'shape' .*must be tuple of ints, not int",
            r"reshape\(\) takes 2 positional arguments",
        ),
        example=("x = L.tensor([1.0, 3.0]).maximum(2.0)",),
    ),
    Difference(
        "Index dtypes",
        "An index may have any signed integer dtype.",
        _answers(
            "dtype of indices should be Long", "only applicable to index tensor of type LongTensor", "dtype int64"
        ),
        example=("x = F.one_hot(L.tensor([0, 1], dtype=L.int32))",),
    ),
    Difference(
        "More gradients",
        "The weight of a loss and the divisor of remainder are differentiable like every other argument.",
        _answers(
            "is not differentiable with respect to argument",
            "derivative for aten::(remainder|floor_divide)_? is not implemented",
        ),
        example=(
            "x = L.tensor([0.5]).requires_grad_()",
            "y = F.binary_cross_entropy(L.tensor([0.5]), L.tensor([1.0]), x)",
        ),
    ),
    Difference(
        "Numbers beyond float16",
        "A Python number beside a float16 tensor has float16's range: greater ones are infinite, smaller ones 0.",
        _either(
            _answers("value cannot be converted to type (c10|at)::Half without overflow"),
            _beyond_float16,
        ),
        example=("x = L.tensor([1.0], dtype=L.float16).clamp(max=1e30)",),
    ),
    Difference(
        "norm(dtype=) may narrow",
        "dtype= converts the input first, whatever it is, as that of sum does.",
        _answers("should be convertible without narrowing"),
        example=("x = L.tensor([3.0, 4.0]).norm(2, 0, False, L.float16)",),
    ),
    Difference(
        "Reductions to integers have no history",
        "sum(dtype=int64) of a tensor that requires grad is a plain integer tensor; PyTorch refuses some such dtypes.",
        _answers("Autograd not support dtype"),
        example=(
            "x = L.tensor([1.0]).requires_grad_()",
            "y = x.sum(dtype=L.uint8)",
        ),
    ),
    Difference(
        "Gradients between dtypes",
        "A gradient is converted to the dtype of its tensor; PyTorch lacks the conversion in a few backward formulas.",
        _answers(r"Found dtype \w+ but expected \w+"),
        example=(
            "x = L.tensor([1.0], dtype=L.float64).requires_grad_()",
            'y = F.huber_loss(x, L.tensor([3]), reduction="sum")',
            "g = L.autograd.grad(y, [x], create_graph=True)",
            "h = L.autograd.grad(g[0].sum(), [x], allow_unused=True)",
        ),
    ),
    Difference(
        "Weights and bounds broadcast",
        "The weight of a binary cross-entropy and the bounds of clamp may have more dims than the input; PyTorch fails "
        "in one of the two directions.",
        _answers("doesn't match the broadcast shape"),
        example=("x = F.binary_cross_entropy(L.tensor([0.5]), L.tensor([1.0]), L.ones(2, 2))",),
    ),
    Difference(
        "Faults of PyTorch",
        "An internal assertion of PyTorch's is nobody's rule, nor is memory that it did not write.",
        _either(
            _answers("INTERNAL ASSERT FAILED"),
            _refuses("pad: with mode='circular' widths", "pad"),
        ),
        example=(
            "x = L.tensor([1.0]).requires_grad_()",
            "y = L.pow(True, x)",
            "g = L.autograd.grad(y.sum(), [x])",
        ),
    ),
    Difference(
        "Norms over several dims",
        'p="fro" is 2 and takes any dims.',
        _answers("linalg.matrix_norm: dim must be a 2-tuple"),
        example=('x = L.ones(1, 2, 3).norm("fro", (0, 1, 2))',),
    ),
    Difference(
        "Modes of pad",
        "Every mode of pad takes tensors of any rank and padding for any number of dims; one side may crop what the "
        "other adds.",
        _answers(
            "Padding size .*is not supported",
            "length must be non-negative",
            "Only 2D, 3D, 4D, 5D padding",
            "Expected 2D or 3D",
        ),
        example=('x = F.pad(L.tensor([1.0, 2.0]), (1, 1), mode="circular")',),
    ),
    Difference(
        "0-d tensors as of one dim",
        "What takes a dim takes -1 and 0 of a 0-d tensor; PyTorch refuses that in a few functions.",
        _answers(r"range of \[-1, 0\], but got 1", "tensor has no dimensions", r"output with shape \[\] doesn't match"),
        example=("x = L.take_along_dim(L.tensor(1.0), L.tensor(0), 0)",),
    ),
    # ------------------------------------------------------------------ memory and history
    Difference(
        "Layout of results",
        "A result may be contiguous where PyTorch keeps its argument's order of axes; the other way round never, but "
        "for views of such.",
        _either(
            _answers("view size is not compatible"),
            _gives("result", "is_contiguous", "ours True"),
            _gives("aliasing", r"contiguous|reshape|flatten|to\(|view", "False"),
            _gives("layout", r"\.t\(|L\.t\(|\.T|\.mT|permute|swap|transpose|select|movedim|\[|diagonal|narrow"),
        ),
        example=(
            "x = L.tensor([[1.0, 2.0], [3.0, 4.0]])",
            "y = L.argwhere(x)",
            "z = y.view(-1)",
        ),
    ),
    Difference(
        "Tuples of positions",
        "The tensors of nonzero(as_tuple=True) have memory of their own; PyTorch's are columns of one.",
        _several_of_one,
        example=("v1 = L.tensor([[1, 0], [0, 1]]).nonzero(as_tuple=True)", "v2 = v1[0].view(-1)"),
    ),
    Difference(
        "Writes into one of several views",
        "Views of chunk, split and unbind are derived again after a write like any others, so they may be written.",
        _answers("modified inplace. This view is the output of a function that returns multiple views"),
        example=(
            "x = L.tensor([1.0, 2.0]).requires_grad_()",
            "y = x * 2",
            "y.unbind(0)[0].mul_(3)",
        ),
    ),
    Difference(
        "Fewer stale values",
        "An in-place operation copies what its own gradient needs, so some gradients exist that PyTorch refuses.",
        _answers("modified by an inplace operation", "has been detached in-place"),
        example=(
            "x = L.tensor([1.0]).requires_grad_()",
            "y = x * 2",
            "y.exp_()",
            "y.mul_(3)",
            "g = L.autograd.grad(y.sum(), [x])",
        ),
    ),
    Difference(
        "Overlapping copies",
        "A tensor may be copied or assigned to one that shares memory with it: it is read before it is written.",
        _answers("some elements of the input tensor and the written-to tensor refer to a single memory location"),
        example=(
            "x = L.tensor([1.0, 2.0, 3.0])",
            "x[1:].copy_(x[:-1])",
        ),
    ),
    Difference(
        "Writes to expanded tensors",
        "Writing where several elements share memory is an error for every in-place operation but fill_ and "
        "zero_; PyTorch warns in a few.",
        _either(
            _refuses("several elements of an expanded tensor share memory", r"index_put_|masked_fill_|\]"),
            _refuses("elements may share it|only broadcast"),
            _answers("more than one element of the written-to tensor refers to a single", template="fill_|zero_"),
        ),
        example=(
            "x = L.tensor([1.0]).expand((2,))",
            "x[[0]] = 2.0",
        ),
    ),
    Difference(
        "Stale values in second derivatives",
        "With create_graph=True a gradient's formula runs on the arguments of the operation again, so these may not "
        "have been written, even where PyTorch has kept something else.",
        _refuses("needs a value that was changed in place", "second gradient|gradient.*create"),
        example=(
            "x = L.tensor([1.0, 2.0]).requires_grad_()",
            "y = x * 1",
            "z = F.cross_entropy(y, L.tensor(0))",
            "y.add_(1)",
            "g = L.autograd.grad(z, [x], create_graph=True)",
        ),
    ),
    Difference(
        "What losses keep",
        "kl_div and l1_loss keep their arguments, where PyTorch keeps something made of them: so these may not be "
        "written.",
        _refuses(r"(kl_div|l1_loss)\w* needs a value that was changed in place"),
        example=(
            "x = L.tensor([0.5]).requires_grad_()",
            "y = x * 1",
            "z = F.kl_div(y, L.tensor([0.5]), log_target=True)",
            "y.mul_(2)",
            "g = L.autograd.grad(z.sum(), [x])",
        ),
    ),
    Difference(
        "Other dtypes of one memory",
        "view(dtype) of a tensor that requires grad is a view of it: it may not be written where the tensor may not. "
        "Sizes and strides of dims that say nothing are not asked for.",
        _either(
            _refuses("a view of a leaf that requires grad|a view made under no_grad"),
            _answers("self.stride", "self.size"),
        ),
        example=(
            "x = L.tensor([1.0]).requires_grad_()",
            "y = x.view(L.int32)",
            "y.zero_()",
        ),
    ),
    Difference(
        "Hooks see no None",
        "A hook is called with gradients only; PyTorch calls it with None where a gradient is not defined.",
        _answers("'NoneType' and 'int'"),
        example=(
            "x = L.tensor([1.0, 2.0]).requires_grad_()",
            "y = L.unbind(x)",
            "y[0].register_hook(lambda q: q * 2)",
            "g = L.autograd.grad(y[1], [x])",
        ),
    ),
    Difference(
        "Histories of constant gradients",
        "With create_graph=True a gradient that is constant may have a history in one and none in the other; its own "
        "gradient is then None here and zeros there, or the other way round.",
        _either(
            _gives("requires_grad", "gradient"),
            _gives("result", "gradient", _CONSTANT),
            _refuses("'int' object is not iterable|does not require grad", "second gradient"),
            _answers("'int' object is not iterable", "does not require grad"),
        ),
        example=(
            "x = L.tensor([1.0]).requires_grad_()",
            "y = F.relu(x)",
            "g = L.autograd.grad(y.sum(), [x], create_graph=True)",
        ),
    ),
    Difference(
        "Writes through .data",
        "Backward sees what was written through x.data where it has kept x's memory; which memory that is may differ.",
        _through_data,
        example=(
            "x = L.tensor([1.0]).requires_grad_()",
            "y = x.prod()",
            "y.data.mul_(3)",
            "g = L.autograd.grad(y, [x])",
        ),
    ),
    # ------------------------------------------------------------------ arguments
    Difference(
        "Arguments are checked where nothing is to be done",
        "An index, dim, shape or dtype that would be wrong is an error for tensors without elements too.",
        _empty,
        example=("x = L.zeros((0,)).roll(1, 6)",),
    ),
    Difference(
        "Indices that are not used",
        "An index out of range is an error, also where nothing is selected by it, and in take_along_dim, which wraps "
        "around in PyTorch. There an index counts from the end without a dim too.",
        _either(
            _refuses(r"BoundsError: (setitem|index_put|index_add|getitem)"),
            _refuses("BoundsError: (gather|take_along_dim)", "take_along_dim"),
            _answers("index -\\d+ is out of bounds", template="take_along_dim"),
        ),
        example=("x = L.take_along_dim(L.tensor([[1.0, 2.0]]), L.tensor([[3]]), 1)",),
    ),
    Difference(
        "Factors of einsum",
        "Those that are summed over a common letter have one dtype; PyTorch promotes some.",
        _refuses("einsum: .*must have one dtype", "einsum"),
        example=('x = L.einsum("i,i->", L.tensor([1.0]), L.tensor([2]))',),
    ),
    Difference(
        "Transposing a number",
        "mT wants two dims at least; PyTorch warns of a 0-d tensor.",
        _refuses("transpose: dim must be", "mT"),
        example=("x = L.tensor(1.0).mT",),
    ),
    Difference(
        "Which of several mistakes is told",
        "Where a call has two mistakes, PyTorch's error may be about the other one.",
        _gives(
            "error class",
            "",
            "a leaf that requires grad|argument 'dim' must be int, not|must have one dtype|elements of an expanded"
            "|ragged data|bool tensors have no product|does not support item assignment",
        ),
        example=("x = L.tensor(1.0).requires_grad_()", "x[0, 0] = 1.0"),
    ),
    Difference(
        "The bias of linear",
        "It is (out_features,) and of the weight's dtype; PyTorch adds anything that broadcasts, in some cases.",
        _refuses("linear: bias must be", "linear"),
        example=("x = F.linear(L.ones(2, 3), L.ones(4, 3), L.ones(2, 4))",),
    ),
    Difference(
        "Losses do not broadcast",
        "(N, 1) against (N,) is nearly always a mistake: PyTorch warns, here it is an error unless broadcast=True.",
        _refuses("must have one shape", LOSSES),
        example=("x = F.smooth_l1_loss(L.tensor([[1.0], [2.0]]), L.tensor([1.0, 2.0]))",),
    ),
    # ------------------------------------------------------------------ values
    Difference(
        "Dtypes of losses",
        "The losses of integers are floating, those of two dtypes have the promoted one.",
        _either(
            _gives("dtype", LOSSES),
            _gives("dtype", "softmax|dropout", r"u?int\d+$"),
            _answers("result type .* can't be cast", template=LOSSES),
        ),
        example=('x = F.l1_loss(L.tensor([1]), L.tensor([3]), reduction="none")',),
    ),
    Difference(
        "Bounds outside an unsigned dtype",
        "clamp with a bound that the dtype cannot hold does nothing or saturates; PyTorch wraps the bound.",
        _either(_gives("value, effect: value", "clamp|clip"), _answers("without overflow", template="clamp|clip")),
        example=("x = L.tensor([1], dtype=L.uint8).clamp_min(-1)",),
    ),
    Difference(
        "sign of nan",
        "It is nan, as in NumPy and the array API standard; a nan that turns into PyTorch's 0 is a fault nobody finds.",
        _gives("special", "sign", "ours [^;]*nan"),
        example=("x = L.tensor([nan]).sign()",),
    ),
    Difference(
        "Ranges of integers",
        "arange and linspace compute in float64 and truncate, and linspace is not of bools; PyTorch truncates the "
        "ends and the step before.",
        _ranges,
        example=("x = L.arange(4.0, 0.3, -0.7, dtype=L.int32)",),
    ),
    Difference(
        "Which of inf and nan",
        "A derivative that is not finite may be infinite in one and nan in the other, and that of what is nan any "
        "number.",
        _either(
            _gives("special", "gradient", r"ours np\.float\d+\((nan|-?inf)\); PyTorch np\.float\d+\((nan|-?inf)\)"),
            _gradient_through("kl_div", "ours [^;]*nan"),
        ),
        example=(
            "x = L.tensor([0.0, -inf, -100.0]).requires_grad_()",
            "y = x * L.tensor([[-0.47], [0.57]]) + L.tensor([[-0.2], [1.87]])",
            "g = L.autograd.grad(y.prod(), [x])",
        ),
    ),
    Difference(
        "Zero gradients stay zero",
        "A gradient that is zero (of floor, of what was not chosen) is 0 before an infinite slope too, and not nan.",
        _gives("special", "gradient", r"ours np\.float\d+\((?!nan)[^;]*; PyTorch np\.float\d+\(nan\)"),
        example=(
            "x = L.tensor([0.0]).requires_grad_()",
            "y = x.sqrt()",
            "z = y.floor()",
            "g = L.autograd.grad(z.sum(), [x])",
        ),
    ),
    Difference(
        "Gradients of norms and absolute values at nan",
        "They are nan; PyTorch's are 0 in places, as its sign of nan is.",
        _gradient_through(r"norm\(|abs|l1_loss|elu", "nan"),
        example=(
            "x = L.tensor([[nan]], dtype=L.float64).requires_grad_()",
            "y = x.norm(-inf)",
            "g = L.autograd.grad(y, [x])",
        ),
    ),
    Difference(
        "Products of bools",
        "Matrix products of bools are refused, empty ones too.",
        _refuses("bool tensors have no product|products of bools are not defined"),
        example=("x = F.linear(L.zeros(0).bool(), L.zeros(2, 0).bool())",),
    ),
    Difference(
        "Products by zero",
        "addmm with alpha=0 multiplies by it; PyTorch leaves out the product, infinities and nans included.",
        _gives("special, effect: special", "addmm", "ours [^;]*nan"),
        example=("x = L.addmm(L.ones(1, 1), L.tensor([[inf]]), L.ones(1, 1), alpha=0)",),
    ),
    Difference(
        "Integer exponents at their limit",
        "The slope of x ** n is n * x ** (n - 1), also where n - 1 wraps around in n's dtype.",
        _either(
            _gradient_through(r"(\*\*|pow).*(2147483648|9223372036854775808|-32768|-128)"),
            _gradient_through(r"= L\.tensor\(-(2147483648|9223372036854775808|32768|128), dtype"),
        ),
        example=(
            "x = L.tensor([0.5]).requires_grad_()",
            "y = x ** L.tensor([-2147483648], dtype=L.int32)",
            "g = L.autograd.grad(y.sum(), [x])",
        ),
    ),
    Difference(
        "Second derivatives at a kink",
        "They are the limit from one side, not always from PyTorch's: that of elu at 0 is alpha.",
        _at_a_kink,
        example=(
            "x = L.tensor([0.0]).requires_grad_()",
            "y = F.elu(x)",
            "g = L.autograd.grad(y, [x], create_graph=True)",
            "h = L.autograd.grad(g[0].sum(), [x])",
        ),
    ),
    Difference(
        "Nuclear norms",
        "They take every floating dtype, want finite numbers, and have a first derivative only, which is not defined "
        "where singular values are 0.",
        _either(
            _answers("Low precision dtypes not supported"),
            _refuses("singular values of numbers that are nan or infinite|to_numpy: this primitive has no op"),
            _gives("error class", "norm", "singular values of numbers that are nan or infinite"),
            _through_nuclear_norm,
        ),
        example=('x = L.ones(2, 2, dtype=L.float16).norm("nuc")',),
    ),
    Difference(
        "Variances of one element",
        "They are nan, and so are all their derivatives; some of PyTorch's second ones are 0.",
        _gradient_through(r"(var|std)\w*\(", "ours [^;]*nan"),
        example=(
            "x = L.tensor([0.5]).requires_grad_()",
            "y = x.var() + x.exp().sum()",
            "g = L.autograd.grad(y, [x], create_graph=True)",
            "h = L.autograd.grad(g[0].sum(), [x])",
        ),
    ),
    Difference(
        "Second derivatives of binary cross-entropy",
        "They are those of the formula; PyTorch's have 1e-12 in the denominator.",
        _of_binary_cross_entropy,
        example=(
            "x = L.tensor([0.5], dtype=L.float64).requires_grad_()",
            "y = F.binary_cross_entropy(x, L.tensor([1.0], dtype=L.float64))",
            "g = L.autograd.grad(y, [x], create_graph=True)",
            "h = L.autograd.grad(g[0].sum(), [x])",
        ),
    ),
    Difference(
        "Remainders by the smallest numbers",
        "x % y is right where x / y overflows; PyTorch's may be nan.",
        _gives("special, effect: special", "remainder|%", r"ours [^;]*; PyTorch [^;]*nan"),
        example=(
            "y = L.full((2, 4), 5e-324, dtype=L.float64)",
            "x = L.remainder(L.full((2, 4), 3.0, dtype=L.float64), y)",
        ),
    ),
    Difference(
        "Which of equals",
        "Where elements are equal, sort without stable=True and topk may name other positions.",
        _ties,
        example=(
            "x = L.tensor([0.0, 1.0, 0.5, 0.5])",
            "y = L.topk(x, 2)",
        ),
    ),
    Difference(
        "Signs of zeros",
        "A zero that is the outcome of a sum, a loss, a gradient or of a choice between equals may have either sign.",
        _gives(
            "zero sign, effect: zero sign",
            rf"gradient|{LOSSES}|sum|logsigmoid|relu|dropout|elu|norm|@|mm|mv|einsum|mean|softplus|silu|alpha|clamp"
            r"|clip|max|min|sort|topk|linear|matmul|dot",
        ),
        example=("x = F.logsigmoid(L.tensor(inf))",),
    ),
    Difference(
        "Infinities in means, losses, gelu and silu",
        "The result is the limit where there is one; PyTorch's formulas subtract infinities, or multiply them by 0, "
        "and give nan.",
        _gives(
            "special, effect: special",
            r"(std|var)_mean|gelu|silu|entropy|mse_loss|nll_loss|smooth_l1|huber|kl_div",
            "ours (?![^;]*nan)[^;]*; PyTorch [^;]*nan",
        ),
        example=("x = L.var_mean(L.tensor([0.0, -inf, 0.0]), 0)",),
    ),
    Difference(
        "Digits of gelu",
        "gelu of float64 keeps its digits far below 0, where PyTorch's (and that of tanh) loses up to all of them.",
        _gives("accuracy, effect: accuracy", "gelu", "of float64"),
        example=("x = F.gelu(L.tensor([-4.07], dtype=L.float64))",),
    ),
    Difference(
        "Exponents that are numbers",
        "A Python number beside a tensor is rounded to the tensor's dtype; PyTorch raises to it in float64.",
        _gives("accuracy, effect: accuracy", r"pow\w*\(|\*\*"),
        example=("x = L.tensor([1e-38]) ** -0.3",),
    ),
    Difference(
        "Dropout of everything",
        "dropout with p=1 is 0, of nan and infinities too; PyTorch multiplies by 0.",
        _gives("special", "dropout", r"ours [^;]*0\.0"),
        example=("x = F.dropout(L.tensor([nan]), 1.0)",),
    ),
    # ------------------------------------------------------------------ what programs do not draw
    Difference(
        "Random numbers",
        "One counter-based generator (Philox4x32-10) gives the same numbers on every device; they are not PyTorch's.",
    ),
    Difference(
        "Late errors on CUDA",
        "What a check finds on the device is raised at the next wait, with the CPU's message; no optimizer step that "
        "follows changes anything until then. PyTorch's assertions leave the device unusable.",
    ),
    Difference(
        "Subnormal numbers on CUDA",
        "float32 values below 1.2e-38 are 0 there: CuPy compiles every kernel so.",
    ),
    Difference(
        "A device that is not there",
        'device="cuda" warns once and runs on the CPU where CUDA cannot be used at all; TENSORGRAD_STRICT_DEVICE=1 '
        "makes it PyTorch's error.",
    ),
    Difference(
        "A failed backward",
        "Nothing is added to any .grad where backward raises an error; in PyTorch some leaves have their part already.",
    ),
    Difference(
        "Files",
        "save and load read and write safetensors; there is no pickle, which runs code.",
    ),
    Difference(
        "dtypes are NumPy's",
        "x.dtype is a numpy.dtype, uint16 to uint64 take part in everything; there is no complex or quantized one.",
    ),
    Difference(
        "Options of losses are keywords",
        "reduction= and what follows it are given by name; the deprecated size_average= and reduce= are not there.",
    ),
    Difference(
        "Two classes for one error",
        "An error is caught under Python's natural class (ValueError, TypeError, IndexError) and under PyTorch's.",
    ),
)


def known(finding: Finding, run: Any) -> Difference | None:
    return next((d for d in DIFFERENCES if d.covers is not None and d.covers(finding, run)), None)
