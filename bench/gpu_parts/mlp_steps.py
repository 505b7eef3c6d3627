"""Part 6: one training step of an MLP on CUDA against torch and JAX, at equal precision, after a check that all of them
compute the same.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor

from bench.comparison import Comparison
from bench.gpu_parts.setting import Finding, Setting
from bench.gpu_parts.step_cases import ALL, LIMITS, PRECISIONS, environment, find_case, memory_of
from bench.mlp.agreement import Difference
from bench.mlp.training import CHECKED_STEPS
from bench.report import table
from bench.steps import milliseconds
from bench.timing import Contender, Contest, Worker, WorkerError

__all__ = ["run"]

OURS = "tensorgrad"
FAMILIES = {
    "torch eager": ["torch", "torch-fused"],
    "torch.compile": ["torch.compile"],
    "JAX": ["JAX"],
}
# In tf32, the cases whose products are large enough for it to matter.
CASES = {"fp32": list(ALL), "tf32": ["wide", "big", "huge"]}
ON_GPU = ("huge",)  # the float64 reference would take minutes on the CPU
ROUNDS, TURN = 5, 0.12
FEW_ROUNDS, SHORT_TURN = 2, 0.002
RESERVE = 30.0  # seconds below which no further case is begun


class TolerantContest(Contest):
    """Whoever fails is left out, with the reason, and the others go on. What is not timed they do side by side."""

    def __init__(self, contenders: Sequence[Contender]) -> None:
        super().__init__(())
        self.workers.update({contender.name: Worker(contender) for contender in contenders})
        try:
            self.remake(contenders)
        except BaseException:
            self.close()
            raise

    def remake(self, contenders: Sequence[Contender]) -> None:
        known = {contender.name: contender for contender in contenders}
        self._side_by_side(lambda name: self.workers[name].make(known[name]))

    def check(self) -> dict[str, list[float]]:
        values: dict[str, list[float]] = {}
        self._side_by_side(lambda name: values.update({name: self.workers[name].ask(do="check")["values"]}))
        return values

    def _side_by_side(self, action: Callable[[str], None]) -> None:
        def tried(name: str) -> str:
            try:
                action(name)
            except WorkerError as error:
                return str(error)
            return ""

        names = self.names
        with ThreadPoolExecutor(max(1, len(names))) as pool:
            for name, reason in zip(names, pool.map(tried, names), strict=True):
                if reason:
                    self.leave_out(name, reason)


def run(setting: Setting, finding: Finding) -> None:
    cupy = setting.cupy()
    free = cupy.cuda.runtime.memGetInfo()[0]
    for precision in PRECISIONS:
        finding.raw[precision] = {}
        if setting.dry_run and precision == PRECISIONS[0]:
            finding.say("tensorgrad runs on the emulated device; torch and JAX, where they are installed, on the CPU.")
        compare_at(precision, setting, finding, free)


def compare_at(precision: str, setting: Setting, finding: Finding, free: int) -> None:
    """All cases at a precision, with one process for each contender."""
    names, results = CASES[precision], finding.raw[precision]
    comparisons: dict[str, Comparison] = {}
    with TolerantContest(contenders(names[0], precision, setting.dry_run)) as contest:
        note_absent(contest, precision, finding)
        for name in names:
            if setting.left() < RESERVE:
                finding.fail(f"{name} in {precision}: no time was left")
                continue
            need = memory_of(find_case(name, setting.dry_run)) * (len(contest.names) + 2)
            if need > free:
                finding.say(f"{name} in {precision} is left out: it may need {need >> 30} GiB, free are {free >> 30}.")
                continue
            contest.remake(contenders(name, precision, setting.dry_run))
            results[name] = {}
            if found := compare(contest, name, precision, setting, finding):
                comparisons[name] = found
                results[name] |= found.to_json(OURS)
                finding.save()
    if comparisons:
        finding.say(summary(comparisons, precision, setting.dry_run))


def contenders(case: str, precision: str, dry_run: bool) -> list[Contender]:
    place, base = environment(precision), {"case": case, "dry_run": dry_run}
    torch = "bench.gpu_parts.step_torch:make"
    return [
        Contender(OURS, "bench.gpu_parts.step_tensorgrad:make", base, place),
        Contender("torch", torch, base, place),
        Contender("torch-fused", torch, base | {"adam": "fused"}, place),
        Contender("torch.compile", torch, base | {"adam": "fused", "compiled": True}, place),
        Contender("JAX", "bench.gpu_parts.step_jax:make", base, place),
    ]


def note_absent(contest: Contest, precision: str, finding: Finding) -> None:
    finding.raw.setdefault("absent", {})[precision] = dict(contest.absent)
    if contest.absent:
        reasons = "; ".join(reason.strip().split("\n")[0][:200] for reason in contest.absent.values())
        finding.say(f"In {precision}, not among the contenders: {reasons}.")


def reference(case: str, setting: Setting) -> list[float]:
    """The check values in float64."""
    arguments = {"case": case, "on_gpu": case in ON_GPU, "dry_run": setting.dry_run}
    contender = Contender("reference", "bench.gpu_parts.step_reference:make", arguments)
    with Contest([contender]) as contest:
        return contest.check()["reference"]


def compare(
    contest: TolerantContest, name: str, precision: str, setting: Setting, finding: Finding
) -> Comparison | None:
    """Check who agrees with float64, leave the others out, and time the rest; None without tensorgrad."""
    true = finding.raw.setdefault("reference", {}).get(name) or reference(name, setting)
    finding.raw["reference"][name] = true
    agreement = finding.raw[precision][name]["agreement"] = {}
    for contender, values in contest.check().items():
        difference = Difference.between(values, true)
        agreement[contender] = {"losses": difference.losses, "moves": difference.moves}
        losses, moves = LIMITS[precision]
        if not (difference.losses <= losses and difference.moves <= moves):
            finding.fail(f"{contender}, {name} in {precision}, computes something else: it differs in {difference}")
            contest.leave_out(contender, str(difference))
    if OURS not in contest.names:
        finding.fail(f"{name} in {precision}: {OURS} cannot be timed: {contest.absent.get(OURS)}")
        return None
    rounds, turn = (FEW_ROUNDS, SHORT_TURN) if setting.dry_run else (ROUNDS, TURN)
    try:
        return contest.time(rounds, turn)
    except WorkerError as error:
        finding.fail(f"{name} in {precision}: {error}")
        return None


def summary(comparisons: dict[str, Comparison], precision: str, dry_run: bool) -> str:
    """Milliseconds of the fastest of each family, and tensorgrad's time over it."""
    rows = []
    for name, comparison in comparisons.items():
        row = [str(find_case(name, dry_run)), milliseconds(comparison.spread(OURS).median)]
        for family in FAMILIES.values():
            row += cells(comparison, [member for member in family if member in comparison.seconds], dry_run)
        rows.append(row)
    columns = [column for family in FAMILIES for column in (f"{family} ms", "ours / it")]
    losses, moves = LIMITS[precision]
    return (
        f"One step in {precision} (tf32 {'on' if precision == 'tf32' else 'off'} for everyone), median; ratios are "
        "formed round by round (below 1: tensorgrad is faster). Everyone's first "
        f"{CHECKED_STEPS} steps agree with float64 within {losses:.0e} (losses) and {moves:.0e} (parameter moves).\n\n"
        f"{table(['case', 'tensorgrad ms', *columns], rows)}"
    )


def cells(comparison: Comparison, members: list[str], dry_run: bool) -> list[str]:
    if not members:
        return ["-", "-"]
    fastest = comparison.fastest(members)
    times = comparison.spread(fastest)
    return [milliseconds(times.median), "-" if dry_run else f"{comparison.ratio(OURS, fastest).median:.2f}"]
