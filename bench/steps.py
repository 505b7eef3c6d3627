"""One training step of an MLP (forward, cross-entropy, backward, Adam; float32) against the peers installed.

    python -m bench.steps [--cases tiny,small] [--quick] [--compile] [--save]

Before a case is timed, every contender takes a few steps from the same weights on the same batches; one whose
losses or parameters differ from a float64 reference is reported and not timed.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from bench.comparison import Comparison
from bench.mlp.agreement import LOSS_TOLERANCE, MOVE_TOLERANCE, Difference
from bench.mlp.problem import CASES
from bench.mlp.training import CHECKED_STEPS
from bench.report import Report, add_save_option, table
from bench.timing import Contender, Contest

__all__: list[str] = []

OURS = "tensorgrad"
FAMILIES = {
    "NumPy": ["NumPy"],
    "torch": ["torch", "torch-foreach", "torch-fused"],
    "torch.compile": ["torch.compile"],
    "JAX": ["JAX"],
}
HEADERS = ["case", "tensorgrad ms", *(f"{family} ms" for family in FAMILIES)]
RATIO_HEADERS = ["tensorgrad over", *FAMILIES]
LEGEND = (
    "Median milliseconds a step (torch: the fastest of its three forms of Adam), then tensorgrad's time over "
    "each (below 1: tensorgrad is faster)."
)


def contenders(case: str, compiled: bool = False) -> list[Contender]:
    """Everyone who may take part; those not installed drop out when their workers start."""
    torch_step = "bench.mlp.torch_step:make"
    compiled_torch = Contender("torch.compile", torch_step, {"case": case, "adam": "fused", "compiled": True})
    return [
        Contender(OURS, "bench.mlp.tensorgrad_step:make", {"case": case}),
        Contender("NumPy", "bench.mlp.numpy_step:make", {"case": case}),
        Contender("torch", torch_step, {"case": case}),
        Contender("torch-foreach", torch_step, {"case": case, "adam": "foreach"}),
        Contender("torch-fused", torch_step, {"case": case, "adam": "fused"}),
        Contender("JAX", "bench.mlp.jax_step:make", {"case": case}),
        *([compiled_torch] if compiled else []),
    ]


def reference(case: str) -> list[float]:
    """The check values of the hand-written step in float64."""
    arguments = {"case": case, "dtype": "float64"}
    with Contest([Contender("reference", "bench.mlp.numpy_step:make", arguments)]) as contest:
        return contest.check()["reference"]


def leave_out_those_who_differ(contest: Contest, true: Sequence[float], report: Report) -> dict[str, str]:
    """Check all contenders, take those that compute something else out of the contest, and say who agrees."""
    differences = {name: Difference.between(values, true) for name, values in contest.check().items()}
    wrong = {name: str(difference) for name, difference in differences.items() if not difference.small}
    for name, difference in wrong.items():
        contest.leave_out(name, difference)
        report.say(f"{name} computes something else: it differs in {difference}. It is not timed.")
    if agreeing := [differences[name] for name in contest.names]:
        worst = Difference(max(d.losses for d in agreeing), max(d.moves for d in agreeing))
        limits = f"(allowed: {LOSS_TOLERANCE:.0e} and {MOVE_TOLERANCE:.0e})"
        names = ", ".join(contest.names)
        report.say(f"After {CHECKED_STEPS} steps {names} differ from float64 in {worst} at most {limits}.")
    return wrong


def time_case(case: str, options: argparse.Namespace, report: Report) -> Comparison | None:
    """Check and time one case; None if too few contenders are left to compare."""
    report.say(f"## {CASES[case]}")
    true = reference(case)
    with Contest(contenders(case, options.compile)) as contest:
        wrong = leave_out_those_who_differ(contest, true, report)
        report.raw[case] = {"disagreeing": wrong, "absent": contest.absent}
        if OURS not in contest.names:
            report.say(f"{OURS} is not among the contenders: {contest.absent.get(OURS)}")
            return None
        comparison = contest.time(options.rounds, options.turn)
    report.raw[case] |= comparison.to_json(OURS)
    report.say(detail(comparison))
    report.warn_if_busy(comparison.foreign_load)
    return comparison


def detail(comparison: Comparison) -> str:
    """Median and quartiles of each contender, and how many of it tensorgrad takes."""
    rows = []
    for name in comparison.seconds:
        time, ratio = comparison.spread(name), comparison.ratio(OURS, name)
        quartiles = f"{milliseconds(time.low)} - {milliseconds(time.high)}"
        spread = f"{ratio.low:.2f} - {ratio.high:.2f}"
        rows.append([name, milliseconds(time.median), quartiles, f"{ratio.median:.2f}", spread])
    return table(["contender", "ms a step", "quartiles", "tensorgrad / it", "quartiles"], rows)


def milliseconds(seconds: float) -> str:
    return f"{seconds * 1e3:.3g}"


def members(comparison: Comparison, family: str) -> list[str]:
    return [name for name in FAMILIES[family] if name in comparison.seconds]


def time_cell(comparison: Comparison, family: str) -> str:
    names = members(comparison, family)
    return milliseconds(comparison.spread(comparison.fastest(names)).median) if names else "-"


def ratio_cell(comparison: Comparison, family: str) -> str:
    names = members(comparison, family)
    return f"{comparison.ratio(OURS, comparison.fastest(names)).median:.2f}" if names else "-"


def summary(results: dict[str, Comparison]) -> str:
    """Two tables with a row a case: the fastest of each family, and the ratios to it."""
    times, ratios = [], []
    for case, result in results.items():
        ours = milliseconds(result.spread(OURS).median)
        times.append([str(CASES[case]), ours, *(time_cell(result, family) for family in FAMILIES)])
        ratios.append([case, *(ratio_cell(result, family) for family in FAMILIES)])
    return f"{table(HEADERS, times)}\n\n{table(RATIO_HEADERS, ratios)}"


def parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench.steps", description=__doc__.split("\n")[0])
    parser.add_argument("--cases", type=case_list, default=list(CASES), metavar="A,B", help=", ".join(CASES))
    parser.add_argument("--rounds", type=int, default=15, help="turns of each contender (default 15)")
    parser.add_argument("--turn", type=float, default=0.3, help="seconds a turn (default 0.3)")
    parser.add_argument("--quick", action="store_true", help="smoke run: the tiny case, three short rounds")
    parser.add_argument("--compile", action="store_true", help="torch.compile too (needs a C++ compiler)")
    add_save_option(parser)
    options = parser.parse_args(arguments)
    if options.quick:
        options.cases, options.rounds, options.turn = ["tiny"], 3, 0.02
    return options


def case_list(text: str) -> list[str]:
    names = text.split(",")
    if unknown := [name for name in names if name not in CASES]:
        raise argparse.ArgumentTypeError(f"no case {', '.join(unknown)}; there are {', '.join(CASES)}")
    return names


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the chosen cases; the exit code is 1 where a contender disagreed or tensorgrad could not run."""
    options = parse(arguments)
    report = Report("steps", "One training step")
    timed = {case: time_case(case, options, report) for case in options.cases}
    results = {case: result for case, result in timed.items() if result is not None}
    report.say(f"## Summary\n\n{LEGEND}")
    report.say(summary(results))
    report.save(options.save)
    agreed = not any(report.raw[case]["disagreeing"] for case in options.cases)
    return 0 if agreed and len(results) == len(timed) else 1


if __name__ == "__main__":
    sys.exit(main())
