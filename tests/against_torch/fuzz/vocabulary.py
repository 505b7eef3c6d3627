"""What programs are made of: templates of lines, in groups. `arguments.py` says what stands in a placeholder's place.

`L` is the library, `F` its `nn.functional`. A line that begins with `!` writes, or binds no name of its own.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

__all__ = ["ELSEWHERE", "GROUPS", "LONG_GROUPS", "Group", "names_in"]


@dataclass(frozen=True)
class Group:
    """Templates that are drawn with equal chance, and how often the group is."""

    name: str
    weight: float
    templates: tuple[str, ...]


def _lines(text: str) -> list[str]:
    return [line.strip() for line in text.strip().splitlines()]


def _each(names: str, *forms: str) -> list[str]:
    """Every form with every name in the place of NAME."""
    return [form.replace("NAME", name) for name in names.split() for form in forms]


UNARY = _each(
    "abs absolute ceil cos erf exp expm1 floor isfinite isinf isnan log log10 log1p log2 logical_not neg negative "
    "reciprocal relu round rsqrt sigmoid sign sin sqrt square tan tanh trunc bitwise_not clone",
    "L.NAME({x})",
    "{x}.NAME()",
) + _lines("""
    -{x}
    ~{x}
    abs({x})
    +{x}
    {x}.detach()
    L.from_numpy({x}.detach().numpy())
    L.bernoulli(({x} > 0).float())
    L.round({f}, decimals={small})
    {x}.round(decimals={small})
    {x}.positive()
""")

BINARY = _each(
    "add sub mul div pow remainder floor_divide maximum minimum multiply subtract divide",
    "L.NAME({x}, {t})",
    "{x}.NAME({y})",
) + _lines("""
    {x} + {y}
    {x} - {y}
    {x} * {y}
    {x} / {y}
    {x} ** {y}
    {x} % {y}
    {x} // {y}
    {num} + {x}
    {num} - {x}
    {num} * {x}
    {num} / {x}
    {num} ** {x}
    {num} % {x}
    {num} // {x}
    L.add({x}, {y}, alpha={num})
    L.sub({x}, {y}, alpha={num})
    {x}.sub({y}, alpha={num})
    L.div({x}, {y}, rounding_mode={rounding})
    {x}.div({y}, rounding_mode={rounding})
    {x}.true_divide({y})
    L.pow({num}, {x})
    L.pow({x}, {num})
    {x} ** {small}
    L.pow(input={x}, exponent={num})
    L.mul(input={x}, other={t})
    {x}.clamp({num}, {num})
    {x}.clamp(min={num})
    {x}.clamp(max={num})
    L.clamp({x}, {t}, {t})
    {x}.clip({num}, {num})
    L.clip({x}, min={num})
    {x}.clamp_min({num})
    {x}.clamp_max({num})
    L.clamp_min({x}, {num})
    L.clamp_max({x}, {t})
    L.where({bools}, {x}, {t})
    L.where({bools}, {x}, {num})
    L.where({bools}, {num}, {x})
    L.where({bools}, {num}, {num})
    {x}.where({bools}, {t})
    {x}.where({bools}, {num})
    L.result_type({x}, {y})
""")

COMPARISONS = (
    _each("eq ge gt le lt ne greater greater_equal less less_equal not_equal", "L.NAME({x}, {y})", "{x}.NAME({y})")
    + _each("logical_and logical_or logical_xor", "L.NAME({x}, {t})", "{x}.NAME({t})")
    + _each("bitwise_and bitwise_or bitwise_xor", "L.NAME({i}, {y})", "{i}.NAME({y})")
    + _lines("""
    {x} < {y}
    {x} >= {y}
    {x} == {y}
    {x} != {y}
    {num} > {x}
    {i} & {y}
    {i} | {y}
    {i} ^ {y}
    {i} << {bits}
    {i} >> {bits}
    L.bitwise_left_shift({i}, {bits})
    L.bitwise_right_shift({i}, {bits})
    {small} | {i}
    {small} & {i}
    L.isclose({x}, {same})
    L.isclose({x}, {t}, rtol={num}, atol={num})
    {x}.isclose({same}, equal_nan=True)
    L.allclose({x}, {same})
    {x}.allclose({same}, atol={num})
    L.equal({x}, {same})
    {x}.equal({x})
""")
)

REDUCTIONS = (
    _each(
        "sum prod mean amax amin any all logsumexp",
        "L.NAME({x}, {dim})",
        "{x}.NAME({dim}, {keep})",
        "L.NAME({x}, dim={dims}, keepdim={keep})",
    )
    + _each("sum prod mean amax amin any all max min argmax argmin", "{x}.NAME()", "L.NAME({x})")
    + _each("max min argmax argmin", "L.NAME({x}, {dim})", "{x}.NAME({dim}, {keep})", "{x}.NAME(dim={dim})")
    + _each("max min", "L.NAME({x}, {t})")
    + _each(
        "var std var_mean std_mean",
        "L.NAME({f})",
        "L.NAME({f}, {dim})",
        "L.NAME({f}, dim={dims}, keepdim={keep}, correction={correction})",
        "L.NAME({f}, {dim}, unbiased={keep})",
    )
    + _each("var std", "{x}.NAME()", "{f}.NAME({dim})", "{f}.NAME({dims}, correction=0)", "{f}.NAME(unbiased={keep})")
    + _each("sum prod mean", "{x}.NAME(dtype={dtype})", "L.NAME({x}, {dim}, dtype={dtype})")
    + _lines("""
    L.cumsum({x}, {dim})
    {x}.cumsum({dim})
    {x}.cumsum(dim={dim}, dtype={dtype})
    L.count_nonzero({x})
    L.count_nonzero({x}, {dim})
    {x}.count_nonzero(dim={dims})
    L.norm({f})
    L.norm({f}, {order})
    L.norm({f}, {order}, {dim})
    {f}.norm(p={order}, dim={dims}, keepdim={keep})
    {f}.norm()
    {f}.norm(dim={dim})
    {f}.norm({order}, {dim}, {keep}, {fdtype})
    {m}.norm("nuc")
    L.std({f}, 0).sum()
    {x}.sum(axis={dim}, keepdims={keep})
    {x}.max(axis={dim})
    L.trace({m})
    {m}.trace()
""")
)

SHAPES = _lines("""
    {x}.reshape({newshape})
    L.reshape({x}, {newshape})
    {x}.view({newshape})
    {x}.view(-1)
    {x}.reshape(-1)
    {x}.view({viewdtype})
    {x}.view_as({same})
    {x}.reshape_as({same})
    L.select({x}, {dim}, {pos})
    {x}.select({dim}, {pos})
    L.tensor_split({x}, {count}, {dim})
    {x}.tensor_split({count}, {dim})
    {x}.flatten()
    L.flatten({x}, {dim})
    L.flatten({x}, {dim}, {dim2})
    L.unflatten({x}, {dim}, {factors})
    {x}.unflatten({dim}, {factors})
    L.squeeze({x})
    {x}.squeeze({dim})
    L.squeeze({x}, {dims})
    {x}.unsqueeze({newdim})
    L.unsqueeze({x}, {newdim})
    {x}.T
    {m}.t()
    L.t({m})
    {x}.mT
    L.transpose({x}, {dim}, {dim2})
    {x}.transpose({dim}, {dim2})
    {x}.swapaxes({dim}, {dim2})
    L.swapaxes({x}, {dim}, {dim2})
    L.swapdims({x}, {dim}, {dim2})
    {x}.swapdims({dim}, {dim2})
    {x}.permute({perm})
    L.permute({x}, {perm})
    {x}.permute(dims={perm})
    L.movedim({x}, {dim}, {dim2})
    {x}.movedim({dim}, {dim2})
    {x}.expand({bigger})
    L.broadcast_to({x}, {bigger})
    {x}.broadcast_to({bigger})
    {x}.expand_as({t})
    {x}.flip({dim})
    L.flip({x}, {dims})
    {x}.flip(dims={dims})
    {x}.roll({small}, {dim})
    L.roll({x}, {small})
    L.roll({x}, ({small}, {small}), ({dim}, {dim2}))
    {x}.narrow({dim}, {pos}, {len})
    L.narrow({x}, {dim}, {pos}, {len})
    {x}.chunk({count}, {dim})
    L.chunk({x}, {count}, dim={dim})
    {x}.split({count}, {dim})
    L.split({x}, {sections}, {dim})
    {x}.unbind({dim})
    L.unbind({x})
    {x}.contiguous()
    L.diagonal({x})
    {x}.diagonal({small}, {dim}, {dim2})
    L.diagonal({x}, offset={small})
    L.diag({x}, {small})
    {x}.diag()
    L.tril({x}, {small})
    {x}.triu({small})
    {x}.tril()
    L.triu({x}, diagonal={small})
    L.meshgrid({x}, {x2}, indexing="xy")
    L.meshgrid({x}, {x2}, indexing="ij")
    list({x})
    len({x})
    {x}.ndim
    {x}.dim()
    {x}.shape
    {x}.size({dim})
    {x}.numel()
    L.numel({x})
    {x}.dtype
    {x}.is_contiguous()
    {x}.is_floating_point()
    {x}.element_size()
    {x}.nbytes
    {x}.data
    {x}.requires_grad
    {x}.tolist()
    {x}.item()
    bool({x})
    int({x})
    float({x})
    {x}.numpy()
    {x}.detach().numpy()
""")

INDEXING = _lines("""
    {x}[{key}]
    {x}[{key}]
    {x}[{key}]
    {x}[{key}]
    L.gather({x}, {dim}, {gindex})
    {x}.gather({dim}, {gindex})
    {x}.gather(dim={dim}, index={gindex})
    L.take_along_dim({x}, {gindex}, {dim})
    L.take_along_dim({x}, {flat})
    L.index_select({x}, {dim}, {index})
    {x}.index_select({dim}, {index})
    L.index_add({x}, {dim}, {index}, {slices})
    {x}.index_add({dim}, {index}, {slices}, alpha={num})
    L.index_put({x}, ({index0},), {num_tensor})
    {x}.index_put(({index0},), {num_tensor}, accumulate=True)
    L.scatter({x}, {dim}, {distinct}, {num})
    {x}.scatter({dim}, {distinct}, {src})
    L.scatter_add({x}, {dim}, {gindex}, {src})
    {x}.scatter_add({dim}, {gindex}, {src})
    L.masked_select({x}, {mask})
    {x}.masked_select({mask})
    L.masked_fill({x}, {mask}, {num})
    {x}.masked_fill({mask}, {num})
    {x}.masked_fill({mask}, {num_tensor})
    L.nonzero({x})
    {x}.nonzero()
    {x}.nonzero(as_tuple=True)
    L.argwhere({x})
    L.where({x} > 0)
    F.one_hot({labels1}, {classes})
    F.one_hot({labels1})
    {x}.repeat_interleave({count})
    L.repeat_interleave({x}, {count}, {dim})
    {x}.repeat_interleave({counts}, dim={dim})
    L.repeat_interleave({counts1})
    {x}.repeat_interleave({count}, dim={dim}, output_size={count})
    {x}.tile({reps})
    L.tile({x}, {reps})
    {x}.repeat({reps})
""")

WRITES = (
    _each(
        "add_ sub_ mul_ div_ pow_ remainder_ floor_divide_ subtract_ multiply_ divide_ true_divide_",
        "!{x}.NAME({y})",
        "!{x}.NAME({num})",
    )
    + _each("bitwise_and_ bitwise_or_ bitwise_xor_", "!{x}.NAME({y})")
    + _each("bitwise_left_shift_ bitwise_right_shift_", "!{x}.NAME({bits})")
    + _each("abs_ absolute_ exp_ log_ neg_ negative_ relu_ round_ sigmoid_ sqrt_ tanh_ zero_ detach_", "!{x}.NAME()")
    + _lines("""
    !{x} += {y}
    !{x} -= {y}
    !{x} *= {y}
    !{x} /= {y}
    !{x} **= {small}
    !{x}[{key}] = {value}
    !{x}[{key}] = {value}
    !{x}[{key}] = {value}
    !{x}[{key}] = {value}
    !{x}[{key}] += {num}
    !{x}[{key}].mul_({num})
    !{x}[{key}].zero_()
    !{x}.fill_({num})
    !{x}.fill_({num_tensor})
    !{x}.copy_({t})
    !{x}.add_({y}, alpha={num})
    !{x}.div_({num}, rounding_mode={rounding})
    !{x}.clamp_({num}, {num})
    !{x}.clamp_(min={num})
    !{x}.clip_({num}, {num})
    !{x}.clamp_min_({num})
    !{x}.clamp_max_({num})
    !{x}.masked_fill_({mask}, {num})
    !{x}.index_add_({dim}, {index}, {slices})
    !{x}.index_put_(({index0},), {num_tensor})
    !{x}.scatter_({dim}, {distinct}, {num})
    !{x}.scatter_add_({dim}, {gindex}, {src})
    !{m}.t().mul_({num})
    !{x}.view(-1).add_({num})
    !{x}.diagonal({small}, {dim}, {dim2}).fill_({num})
    !{x}.unsqueeze(0).sub_({num})
    !{x}.transpose({dim}, {dim2}).copy_({num_tensor})
    !{x}.data.mul_({num})
    !{x}.detach().add_({num})
    !{x}.T.relu_()
    !{x}.narrow({dim}, {pos}, {len}).exp_()
    !{x}.chunk({count}, {dim})[0].zero_()
    !{x}.unbind({dim})[0].mul_({num})
    !{x}.split({count}, {dim})[-1].neg_()
    !with L.no_grad(): {x}.mul_({num})
    !with L.no_grad(): {x}[{key}] = {num}
    !{f}.register_hook(lambda q: q * 2)
    !{f}.retain_grad()
""")
)

JOINS = _lines("""
    L.cat([{x}, {joined}], {dim})
    L.cat(({x}, {joined}, {x}), dim={dim})
    L.cat([{x}, L.tensor([])], {dim})
    L.concat([{x}, {joined}])
    L.stack([{x}, {same}], {newdim})
    L.stack(({x}, {x}), dim={newdim})
    L.stack([{x}, {t}])
    L.hstack([{x}, {same}])
    L.vstack([{x}, {same}])
    F.pad({x}, {pads})
    F.pad({x}, {pads}, value={num})
    F.pad({x}, {pads}, mode={padmode})
""")

SORTS = _lines("""
    L.sort({x})
    {x}.sort({dim}, {keep})
    L.sort({x}, dim={dim}, descending={keep}, stable=True)
    L.argsort({x}, dim={dim}, stable=True)
    {x}.argsort(descending={keep}, stable=True)
    {x}.argsort({dim})
    L.topk({x}, {count})
    {x}.topk({count}, {dim}, largest={keep})
""")

LINALG = _lines("""
    {x} @ {factor}
    L.matmul({x}, {factor})
    {x}.matmul({factor})
    L.mm({m}, {factor})
    {m}.mm({m}.t())
    L.bmm({x}, {factor})
    L.mv({m}, {factor})
    {m}.mv({factor})
    L.dot({x}, {same})
    {x}.dot({x})
    L.outer({x}, {x2})
    {x}.outer({x2})
    L.addmm({product}, {m}, {factor}, beta={num}, alpha={num})
    {product}.addmm({m}, {factor})
    L.einsum({equation1}, {x})
    L.einsum({equation2}, {x}, {same})
    L.einsum("...i,...i->...", {x}, {same})
    F.linear({x}, {weight})
    F.linear({x}, {weight}, {bias})
""")

ACTIVATIONS = _each(
    "gelu silu logsigmoid softplus elu leaky_relu relu sigmoid tanh", "F.NAME({x})", "F.NAME({f})"
) + _lines("""
    F.gelu({f}, approximate="tanh")
    F.gelu({f}, approximate="none")
    F.softplus({f}, beta={num}, threshold={num})
    F.softplus({f}, {num})
    F.elu({f}, alpha={num})
    F.elu({f}, {num})
    F.leaky_relu({f}, {num})
    F.leaky_relu({f}, negative_slope={num})
    F.softmax({f}, {dim})
    F.softmax({x}, dim={dim}, dtype={fdtype})
    L.softmax({f}, {dim})
    {f}.softmax({dim})
    F.log_softmax({f}, {dim})
    L.log_softmax({f}, dim={dim})
    {x}.log_softmax({dim}, {fdtype})
    F.dropout({f}, 0.0)
    F.dropout({f}, 1.0)
    F.dropout({f}, {num}, False)
    L.dropout({f}, 0.0, True)
""")

LOSSES = _lines("""
    F.mse_loss({f}, {same})
    F.mse_loss({f}, {same}, reduction={red})
    F.l1_loss({f}, {same}, reduction={red})
    F.smooth_l1_loss({f}, {same}, reduction={red})
    F.smooth_l1_loss({f}, {same}, beta={positive})
    F.huber_loss({f}, {same}, reduction={red}, delta={num})
    F.kl_div({f}, {same}, reduction={red})
    F.kl_div({f}, {probs}, reduction={red})
    F.kl_div({f}, {same}, reduction={red}, log_target=True)
    F.binary_cross_entropy({f}.sigmoid(), {probs}, reduction={red})
    F.binary_cross_entropy({probs}, {probs}, {same})
    F.binary_cross_entropy_with_logits({f}, {probs}, reduction={red})
    F.binary_cross_entropy_with_logits({f}, {probs}, {same}, pos_weight={probs})
    F.cross_entropy({logits}, {labels})
    F.cross_entropy({logits}, {labels}, {classweights}, reduction={red})
    F.cross_entropy({logits}, {labels}, ignore_index={small}, reduction={red})
    F.cross_entropy({logits}, {labels}, label_smoothing={fraction})
    F.cross_entropy({logits}, {softlabels}, reduction={red})
    F.nll_loss({logits}, {labels}, reduction={red})
    F.nll_loss({logits}, {labels}, {classweights})
    F.nll_loss(F.log_softmax({logits}, -1), {labels}, ignore_index={small})
""")

CREATIONS = (
    _each("zeros ones", "L.NAME({sizes})", "L.NAME({sizes}, dtype={dtype})", "{x}.new_NAME({sizes})")
    + _each("zeros_like ones_like", "L.NAME({x})", "L.NAME({x}, dtype={dtype})")
    + _lines("""
    L.empty({sizes}).zero_()
    L.empty_like({x}).zero_()
    {x}.new_empty({sizes}).zero_()
    L.full({sizes}, {num})
    L.full({sizes}, {num}, dtype={dtype})
    L.full_like({x}, {num})
    L.full_like({x}, {num}, dtype={dtype})
    {x}.new_full({sizes}, {num})
    {x}.new_tensor({nested})
    L.tensor({nested})
    L.tensor({nested}, dtype={dtype})
    L.as_tensor({nested})
    L.as_tensor({x}, dtype={dtype})
    L.arange({bound})
    L.arange({bound}, {bound})
    L.arange({bound}, {bound}, {step})
    L.arange({bound}, {bound}, {step}, dtype={dtype})
    L.linspace({bound}, {bound}, {count})
    L.linspace({bound}, {bound}, steps={count}, dtype={dtype})
    L.linspace({num_tensor}, {bound}, {count})
    L.eye({count})
    L.eye({count}, {small}, dtype={dtype})
    L.tensor({num})
    L.is_tensor({x})
    L.promote_types({dtype}, {dtype})
""")
)

CONVERSIONS = _lines("""
    {x}.to({dtype})
    {x}.to({x2})
    {x}.to(dtype={dtype}, copy={keep})
    {x}.to("cpu", {dtype})
    {x}.type_as({x2})
    {x}.float()
    {x}.double()
    {x}.half()
    {x}.int()
    {x}.long()
    {x}.short()
    {x}.byte()
    {x}.char()
    {x}.bool()
    {x}.cpu()
    {x}.clone().requires_grad_()
""")

GROUPS = (
    Group("unary", 10, tuple(UNARY)),
    Group("binary", 16, tuple(BINARY)),
    Group("comparisons", 6, tuple(COMPARISONS)),
    Group("reductions", 16, tuple(REDUCTIONS)),
    Group("shapes", 16, tuple(SHAPES)),
    Group("indexing", 12, tuple(INDEXING)),
    Group("writes", 16, tuple(WRITES)),
    Group("joins", 5, tuple(JOINS)),
    Group("sorts", 3, tuple(SORTS)),
    Group("linalg", 6, tuple(LINALG)),
    Group("activations", 8, tuple(ACTIVATIONS)),
    Group("losses", 8, tuple(LOSSES)),
    Group("creations", 5, tuple(CREATIONS)),
    Group("conversions", 5, tuple(CONVERSIONS)),
)
LONG_GROUPS = ("unary", "reductions", "activations", "losses", "joins", "sorts")  # none makes a product of sizes

# Public functions that programs do not call, and why.
ELSEWHERE = {
    **dict.fromkeys(
        "bernoulli_ normal normal_ rand rand_like randint randint_like randn randn_like randperm uniform_ manual_seed "
        "get_rng_state set_rng_state".split(),
        "random numbers are not PyTorch's",
    ),
    **dict.fromkeys(
        "cuda device get_default_device set_default_device set_strict_device get_default_dtype set_default_dtype "
        "enable_grad inference_mode is_grad_enabled".split(),
        "a setting of the process, or of the thread",
    ),
    **dict.fromkeys("load save from_dlpack".split(), "files and other libraries"),
    "backward": "the programs' endings call it",
    "linear_act": "PyTorch has no such function",
    "stride": "layouts may differ where both are contiguous or neither is",
}


def names_in(template: str) -> list[str]:
    """The public names that a template uses."""
    return re.findall(r"[LF\])}]\.([A-Za-z_]\w*)", template)
