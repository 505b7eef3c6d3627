"""Programs drawn at random, each line with the tensors before it in view."""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import Any

import numpy as np

from tests.against_torch.fuzz.arguments import DTYPES, Draw, fill
from tests.against_torch.fuzz.drawing import FLOATS, Leaf, array_of
from tests.against_torch.fuzz.lines import Line
from tests.against_torch.fuzz.running import Run
from tests.against_torch.fuzz.vocabulary import GROUPS, LONG_GROUPS, Group

__all__ = ["generated"]

LARGEST = 200_000  # elements: lines draw no larger tensors


def generated(seed: int) -> Run:
    """The program of a seed, as far as it ran."""
    rng = random.Random(seed)
    run = Run()
    long = rng.random() < 0.06
    for line in _leaves(rng, long):
        if not run.step(line):
            return run
    groups = [g for g in GROUPS if g.name in LONG_GROUPS] if long else list(GROUPS)
    for _ in range(rng.randint(1, 3) if long else rng.randint(2, 9)):
        if not run.step(_drawn(rng, run, groups)):
            return run
    for line in _endings(rng, run):
        if not run.step(line) or line not in run.kept:
            return run
    return run


def _drawn(rng: random.Random, run: Run, groups: Sequence[Group]) -> Line:
    group = rng.choices(groups, [g.weight for g in groups])[0]
    template = rng.choice(group.templates)
    text = fill(template, Draw(rng, {n: t for n, t in run.tensors.items() if t.numel() <= LARGEST}))
    if text.startswith("!"):
        return Line(text[1:], None, template)
    name = f"v{len(run.lines)}"
    return Line(f"{name} = {text}", name, template)


def _leaves(rng: random.Random, long: bool) -> list[Line]:
    leaves = []
    sizes = [rng.choice((1, 2, 3, 4)) for _ in range(2)]
    for k in range(rng.randint(1, 3)):
        dtype = rng.choice(FLOATS) if k == 0 or rng.random() < 0.5 else rng.choice(DTYPES)
        name = f"v{k}"
        leaf = _long_leaf(rng, name, dtype) if long and k == 0 else _leaf(rng, name, dtype, sizes)
        leaves.append(Line(leaf.line, name, "leaf", leaf))
    return leaves


def _leaf(rng: random.Random, name: str, dtype: str, sizes: list[int]) -> Leaf:
    rank = rng.choices((0, 1, 2, 3), (1, 3, 5, 2))[0]
    shape = tuple(rng.choice((*sizes, *sizes, *sizes, 1)) if rng.random() > 0.01 else 0 for _ in range(rank))
    layout = rng.choice(("", "", "", "transposed", "strided", "expanded"))
    grad = dtype in FLOATS and rng.random() < 0.6
    values = array_of(rng, shape, dtype)
    if layout == "expanded" and values.ndim and values.size:
        values = np.broadcast_to(values[:1], shape)
    return Leaf(name, values, layout, grad)


def _long_leaf(rng: random.Random, name: str, dtype: str) -> Leaf:
    n = rng.choice((1000, 4000, 20000, 70000))
    shape = rng.choice(((n,), (n, 2), (2, n), (2, n // 4, 3), (n // 50, 50)))
    mean = rng.choice((0, 0, 1, 1000)) if dtype != "float16" else rng.choice((0, 1))
    recipe = f"np.random.default_rng({rng.randrange(100)}).normal({mean}, 1, {shape})"
    values = eval(recipe, {"np": np}).astype(dtype)
    return Leaf(name, values, "", rng.random() < 0.6, recipe)


def _endings(rng: random.Random, run: Run) -> list[Line]:
    """Gradients of what the program made with respect to its leaves, of first or of second order."""
    leaves = {id(t): n for n, t in reversed(run.tensors.items()) if _is_leaf(t)}  # one name each
    sources = sorted(leaves.values())
    results = [n for n, t in run.tensors.items() if t.requires_grad and _is_leaf(t) is False]
    if not sources or not results:
        return []
    chosen = results if rng.random() < 0.4 else [results[-1]]
    loss = Line(f"loss = weighted([{', '.join(chosen)}])", "loss", "loss")
    into = f"[{', '.join(sources)}], allow_unused=True"
    ending = rng.random()
    if ending < 0.3:
        gradients = ", ".join(f"{name}.grad" for name in sources)
        return [loss, Line("loss.backward()", None, "backward"), Line(f"g = [{gradients}]", "g", "gradient")]
    if ending < 0.55:
        return [loss, Line(f"g = L.autograd.grad(loss, {into})", "g", "gradient")]
    return [
        loss,
        Line(f"g = L.autograd.grad(loss, {into}, create_graph=True)", "g", "gradient, create_graph"),
        Line(f"h = L.autograd.grad(weighted(g), {into})", "h", "second gradient"),
    ]


def _is_leaf(t: Any) -> bool | None:
    """None where PyTorch refuses to say: of one of several views after a write to another."""
    try:
        return bool(t.requires_grad and t.is_leaf)
    except RuntimeError:
        return None
