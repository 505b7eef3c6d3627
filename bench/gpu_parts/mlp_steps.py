"""One training step of an MLP on CUDA against torch and JAX, at equal precision, after a check that all of them compute
the same.
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

__all__ = ["TolerantContest", "run"]

OURS = "tensorgrad"
LIBRARIES = {"torch": "torch", "jax": "JAX"}  # by the module that must be there
FAMILIES = {
    "torch eager": ["torch", "torch-fused"],
    "torch.compile": ["torch.compile"],
    "JAX": ["JAX"],
}
# The most wanted first. In tf32, the cases whose products are large enough for it to matter.
CASES = {"fp32": ["mnist", "wide", "huge", "big", "tiny", "small"], "tf32": ["huge", "big"]}
SHARES = {"fp32": 0.68, "tf32": 1.0}  # of the time that is left at the start
ON_GPU = ("huge",)  # the float64 reference would take minutes on the CPU
ROUNDS, TURN = 5, 0.12
FEW_ROUNDS, SHORT_TURN = 2, 0.002
RESERVE = 20.0  # seconds below which no further case is begun
# Of a request other than timing: importing torch and compiling may take long, but must not take it all.
SHORTEST, LONGEST = 15.0, 90.0


class TolerantContest(Contest):
    """Whoever fails is left out, with the reason, and the others go on. What is not timed they do side by side. Nobody
    has anything to do before `remake`. `left` says how many seconds there are."""

    def __init__(self, contenders: Sequence[Contender], left: Callable[[], float]) -> None:
        super().__init__(())
        self.left = left
        self._resting: dict[str, Worker] = {}
        self.workers.update({contender.name: Worker(contender) for contender in contenders})

    def remake(self, contenders: Sequence[Contender]) -> None:
        """Everyone takes part in the next case who has not failed."""
        known = {contender.name: contender for contender in contenders}
        self.workers.update(self._resting)
        self._resting.clear()
        self._side_by_side(lambda name: self.workers[name].make(known[name]))

    def check(self) -> dict[str, list[float]]:
        values: dict[str, list[float]] = {}
        self._side_by_side(lambda name: values.update({name: self.workers[name].ask(do="check")["values"]}))
        return values

    def rest(self, name: str) -> None:
        """Leave somebody out of this case."""
        self._resting[name] = self.workers.pop(name)

    def close(self) -> None:
        self.workers.update(self._resting)
        super().close()

    def _side_by_side(self, action: Callable[[str], None]) -> None:
        limit = min(LONGEST, max(SHORTEST, self.left() - RESERVE))

        def tried(name: str) -> str:
            try:
                self.workers[name].reply_limit = limit
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
    free = setting.cupy().cuda.runtime.memGetInfo()[0]
    for precision in PRECISIONS:
        finding.raw[precision] = {}
        if setting.dry_run and precision == PRECISIONS[0]:
            finding.say("tensorgrad runs on the emulated device; torch and JAX, where they are installed, on the CPU.")
        compare_at(precision, setting, finding, free)


def compare_at(precision: str, setting: Setting, finding: Finding, free: int) -> None:
    """All cases at a precision, with one process for each contender."""
    names, comparisons = CASES[precision], dict[str, Comparison]()
    kept = (1 - SHARES[precision]) * setting.left()

    def left() -> float:
        return setting.left() - kept

    with TolerantContest(contenders(names[0], precision, setting.dry_run), left) as contest:
        for name in names:
            if OURS in contest.absent:
                finding.fail(f"{name} in {precision}: {OURS} no longer takes part: {contest.absent[OURS]}")
            elif left() < RESERVE:
                finding.fail(f"{name} in {precision}: no time was left")
            elif fits(contest, name, precision, setting, finding, free) and (
                found := compare(contest, name, precision, setting, finding)
            ):
                comparisons[name] = found
                finding.raw[precision][name] |= found.to_json(OURS)
                finding.say(summary(comparisons, precision, setting.dry_run), about=precision)


def fits(contest: Contest, name: str, precision: str, setting: Setting, finding: Finding, free: int) -> bool:
    """Whether the memory is enough for a case, so far as one can tell."""
    need = memory_of(find_case(name, setting.dry_run)) * (len(contest.names) + 2)
    if need > free:
        finding.say(f"{name} in {precision} is left out: it may need {need >> 30} GiB, free are {free >> 30}.")
    return need <= free


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
    missing, reasons = dict[str, None](), []
    for reason in contest.absent.values():
        first = reason.strip().split("\n")[0]
        if library := next((name for module, name in LIBRARIES.items() if f"No module named '{module}'" in first), ""):
            missing[library] = None
        else:
            reasons.append(first[:200])
    if missing:
        finding.say(f"{', '.join(missing)}: not installed.", about="not installed")
    if reasons:
        finding.say(f"In {precision}, not among the contenders: {'; '.join(reasons)}.", about=f"absent in {precision}")


def reference(case: str, setting: Setting, left: Callable[[], float]) -> list[float] | str:
    """The check values in float64, or why there are none."""
    arguments = {"case": case, "on_gpu": case in ON_GPU, "dry_run": setting.dry_run}
    contender = Contender("reference", "bench.gpu_parts.step_reference:make", arguments)
    with TolerantContest([contender], left) as contest:
        contest.remake([contender])
        return contest.check().get("reference") or contest.absent["reference"]


def compare(
    contest: TolerantContest, name: str, precision: str, setting: Setting, finding: Finding
) -> Comparison | None:
    """Check who agrees with float64, and time those who do; None without tensorgrad."""
    known = finding.raw.setdefault("reference", {})
    agreement = finding.raw[precision].setdefault(name, {}).setdefault("agreement", {})
    with ThreadPoolExecutor(1) as pool:
        true = pool.submit(lambda: known.get(name) or reference(name, setting, contest.left))
        contest.remake(contenders(name, precision, setting.dry_run))
        values, exact = contest.check(), true.result()
    if isinstance(exact, str):
        finding.fail(f"{name} in {precision}: {exact}")
        return None
    known[name] = exact
    losses, moves = LIMITS[precision]
    for contender, numbers in values.items():
        difference = Difference.between(numbers, exact)
        agreement[contender] = {"losses": difference.losses, "moves": difference.moves}
        if not (difference.losses <= losses and difference.moves <= moves):
            finding.fail(f"{contender}, {name} in {precision}, computes something else: it differs in {difference}")
            contest.rest(contender)
    note_absent(contest, precision, finding)
    return timed(contest, name, precision, setting, finding)


def timed(contest: TolerantContest, name: str, precision: str, setting: Setting, finding: Finding) -> Comparison | None:
    """The times of all who can be timed."""
    rounds, turn = (FEW_ROUNDS, SHORT_TURN) if setting.dry_run else (ROUNDS, TURN)
    while OURS in contest.names:
        try:
            return contest.time(rounds, turn)
        except WorkerError as error:
            finding.fail(f"{name} in {precision}: {error}")
            contest.leave_out(error.worker, str(error))
    finding.fail(f"{name} in {precision}: {OURS} cannot be timed: {contest.absent.get(OURS, 'it is wrong')}")
    return None


def summary(comparisons: dict[str, Comparison], precision: str, dry_run: bool) -> str:
    """Milliseconds of the fastest of each family that takes part, and tensorgrad's time over it."""
    rows, timed_ones = [], {name for comparison in comparisons.values() for name in comparison.seconds}
    families = {family: members for family, members in FAMILIES.items() if timed_ones & set(members)}
    for name, comparison in sorted(comparisons.items(), key=lambda item: list(ALL).index(item[0])):
        row = [str(find_case(name, dry_run)), milliseconds(comparison.spread(OURS).median)]
        for family in families.values():
            row += cells(comparison, [member for member in family if member in comparison.seconds], dry_run)
        rows.append(row)
    columns = [column for family in families for column in (f"{family} ms", "ours / it")]
    ratios = "; ratios are formed round by round (below 1: tensorgrad is faster)" if families else ""
    losses, moves = LIMITS[precision]
    return (
        f"One step in {precision} (tf32 {'on' if precision == 'tf32' else 'off'} for everyone), median{ratios}. "
        f"{'Everyone' if families else OURS}'s first {CHECKED_STEPS} steps agree with float64 within {losses:.0e} "
        f"(losses) and {moves:.0e} (parameter moves).\n\n{table(['case', f'{OURS} ms', *columns], rows)}"
    )


def cells(comparison: Comparison, members: list[str], dry_run: bool) -> list[str]:
    if not members:
        return ["-", "-"]
    fastest = comparison.fastest(members)
    times = comparison.spread(fastest)
    return [milliseconds(times.median), "-" if dry_run else f"{comparison.ratio(OURS, fastest).median:.2f}"]
