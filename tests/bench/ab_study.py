"""The A/B statistics against drawn experiments whose truth is known.

    python -m tests.bench ab                the goals, in the table of all benchmarks
    python -m tests.bench.ab_study [FILE]   every table, as the page docs/reference/ab-study.md

What belongs here: the worlds that are asked about, the seeds, and how it is shown. What does not: estimating and
drawing (`tests/statistics`).
"""

from __future__ import annotations

import math
import sys
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from tests.bench.figures import Figure, Report, markdown_table
from tests.bench.lab import Lab
from tests.statistics import study
from tests.statistics.worlds import Effects, World

SEED = 20261122
EXPERIMENTS, QUICK = 10_000, 1_000
METRICS = ("ctr", "cvr", "cpa", "roas")
THREE = ("ctr", "cpa", "roas")
DAYS = (7, 14, 28)
USUAL, HEAVY = World(), World(arm_day_sd=0.35)
FEW, MANY = World(conversions=2, spend=60), World(conversions=200, spend=6000)
MAIN = {"usual": USUAL, "heavy over-dispersion": HEAVY}
VARIED = {
    "no over-dispersion": replace(USUAL, arm_day_sd=0.0),
    "heavy, gamma instead of log-normal": replace(HEAVY, shocks="gamma"),
    "shared shocks that last (AR 0.6)": replace(USUAL, shared_memory=0.6),
    "shared shocks of sd 0.40": replace(USUAL, shared_sd=0.40),
    "spend 60/40": replace(USUAL, share=0.4),
    "strong week (spend 0.6 to 1.4)": replace(USUAL, weekday=0.4),
    "conversion rate follows spend": replace(USUAL, follows_spend=0.5),
    "order values all equal": replace(USUAL, orders="equal"),
    "order values Pareto 2.5": replace(USUAL, orders="pareto"),
    "order values log-normal, sd 1.3": replace(USUAL, orders="very heavy"),
    "2 conversions a day": FEW,
    "30 conversions a day": World(conversions=30, spend=1000),
    "200 conversions a day": MANY,
}
DRIFTING = {
    "an arm's shocks last, AR 0.3": replace(USUAL, arm_day_memory=0.3),
    "AR 0.5": replace(USUAL, arm_day_memory=0.5),
    "AR 0.5, heavy": replace(HEAVY, arm_day_memory=0.5),
}


@dataclass
class Page:
    """The study: its goals as figures, and its tables as lines of markdown."""

    experiments: int
    figures: list[Figure] = field(default_factory=list)
    lines: list[str] = field(default_factory=list)
    cells: int = 0

    def error(self) -> float:
        """Standard error of a share of 5 %, in points."""
        return 100 * math.sqrt(0.05 * 0.95 / self.experiments)

    def seed(self) -> int:
        """A seed of its own for each cell."""
        self.cells += 1
        return SEED + self.cells

    def table(self, title: str, text: str, headings: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
        """Adds a section."""
        self.lines += ["", f"## {title}", "", text, "", *markdown_table(headings, rows)]

    def goal(
        self,
        what: str,
        value: float,
        goal: float | None = None,
        *,
        floor: bool = False,
        peers: str = "-",
        digits: int = 1,
    ) -> None:
        """Adds a figure, in percent; without `floor` the goal is a ceiling."""
        self.figures.append(Figure(f"A/B: {what}", value, "%", goal, floor, peers, digits=digits))


def ab(lab: Lab) -> Report:
    """The goals of the A/B statistics as a benchmark."""
    lab.say("ab: drawn experiments, some minutes")
    page = run(QUICK if lab.quick else EXPERIMENTS)
    note = (
        f"ab: {page.experiments:,} experiments in each of {page.cells} cells, seed {SEED}; a share of 5 % has a "
        f"standard error of {page.error():.2f} points. All tables: docs/reference/ab-study.md"
    )
    if lab.quick:
        note += "; with so few the lowest and highest of many cells leave the band by chance"
    return Report(figures=page.figures, notes=[note])


def run(experiments: int) -> Page:
    """The whole study."""
    page = Page(experiments)
    for part in (_false_positives, _every_day, _coverage_and_power, _wrong_arm, _other_worlds, _drift):
        part(page)
    return page


def _false_positives(page: Page) -> None:
    rows, cells, usual_z = [], [], 0.0
    for name, world in MAIN.items():
        for days in DAYS:
            found = study.fixed(page.seed(), page.experiments, days, world)
            naive = study.naive_fixed(page.seed(), page.experiments, days, world)
            cells += [found[metric].significant for metric in METRICS]
            if world is USUAL:
                usual_z = max(usual_z, naive["ctr"])
            shares = [found[metric].significant for metric in (*METRICS, "cpm")]
            rows.append((name, str(days), *_shown(shares), *_shown(naive.values())))
    page.table(
        "Identical arms, one look at the end: p < 0.05",
        "Goal 4 to 6 % for CTR, CVR, CPA and ROAS. The right three columns are what most tools compute: two "
        "proportions, two Poisson rates.",
        ("World", "Days", "CTR", "CVR", "CPA", "ROAS", "CPM", "CTR, z", "CVR, z", "CPA, z"),
        rows,
    )
    page.goal("false positives of identical arms, lowest of 24 cells", min(cells), 4.0, floor=True)
    page.goal("highest of 24 cells", max(cells), 6.0, peers=f"two-proportion z on CTR: {usual_z:.0f} %")


def _every_day(page: Page) -> None:
    rows, always, named, usual_z = [], [], [], 0.0
    for planned in (14, 28):
        for name, world in MAIN.items():
            for metric, one in study.daily(page.seed(), page.experiments, planned, world).items():
                always.append(one.always)
                named.append(one.right + one.wrong)
                if metric == "ctr" and world is USUAL:
                    usual_z = max(usual_z, one.naive)
                cells = (one.always, one.right + one.wrong, one.fixed_p, one.naive)
                rows.append((name, str(planned), metric.upper(), *_shown(cells)))
    page.table(
        "Identical arms, looked at every day from the 7th",
        "Share in which, on some day: the always-valid p was below 0.05 (goal: at most 5 %); the verdict named a "
        "winner, early or at the end; the p meant for one look was below 0.05; the z-test's was.",
        ("World", "Planned days", "Metric", "Always-valid p", "Verdict", "p for one look", "z"),
        rows,
    )
    peers = f"two-proportion z on CTR: {usual_z:.0f} %"
    page.goal("identical arms looked at daily, always-valid p, highest cell", max(always), 5.0, peers=peers)
    page.goal("identical arms looked at daily, a winner named, highest cell", max(named))


def _coverage_and_power(page: Page) -> None:
    rows, covered, power = [], [], 0.0
    for name, world in MAIN.items():
        for effect, effects in (("none", study.NOTHING), ("CVR +25 %", study.growth(25))):
            for days in DAYS:
                found = study.fixed(page.seed(), page.experiments, days, world, effects)
                cells = [found[metric].covered for metric in METRICS]
                covered += cells
                if world is USUAL and effect != "none" and days == 28:
                    power = found["cpa"].significant
                cells = cells + [found[metric].significant for metric in METRICS[1:]]
                rows.append((name, effect, str(days), *_shown(cells)))
    page.table(
        "95 % intervals that hold the truth, and power",
        "Goal 94 to 96 %. On the right the share with p < 0.05 (goal: 48 % for CPA, CVR +25 %, 28 days, usual world).",
        ("World", "Effect", "Days", "CTR", "CVR", "CPA", "ROAS", "CVR p", "CPA p", "ROAS p"),
        rows,
    )
    page.goal("coverage of 95 % intervals, lowest of 48 cells", min(covered), 94.0, floor=True)
    page.goal("highest of 48 cells", max(covered), 96.0)
    page.goal("power, CPA, CVR +25 %, 28 days, 7 conversions a day", power, 48.0, floor=True)


def _wrong_arm(page: Page) -> None:
    drawn = np.random.default_rng(SEED).normal(size=page.experiments) * 0.10
    small = {"2 %": study.better_ads(2), "5 %": study.better_ads(5)}
    large = {"10 %": study.better_ads(10), "25 %": study.better_ads(25), "drawn, sd 10 %": Effects(click_rate=drawn)}
    rows, wrong_small, wrong_large = [], [], []
    for name, world in {**MAIN, "2 conversions a day": FEW, "200 conversions a day": MANY}.items():
        for planned in (14, 28):
            for truth, effects in {**small, **large}.items():
                found = study.daily(page.seed(), page.experiments, planned, world, effects, THREE)
                wrong, right = [one.wrong for one in found.values()], [one.right for one in found.values()]
                (wrong_small if truth in small else wrong_large).extend(wrong)
                cells = (*_shown(wrong, 2), *_shown([*right, found["ctr"].alike]))
                rows.append((name, str(planned), truth, *cells))
    headings = [f"{metric.upper()} {what}" for what in ("wrong", "right") for metric in THREE]
    page.table(
        "The wrong arm called winner, by the verdict as a whole",
        "Looked at every day, the first verdict counts; minimum effect 10 %. Arm B is better in CTR by the stated "
        "effect, and so in CPA and ROAS; `drawn`: true differences from a normal law around 0. Goal: at most 1 % for "
        "effects from the minimum effect up, and for drawn ones. For smaller ones it is more (2 and 5 % below): the "
        "nearer the truth comes to zero, the nearer a 5 % test comes to naming either arm in 2.5 %, and the less the "
        "wrong arm costs.",
        ("World", "Planned days", "Truth", *headings, "CTR alike"),
        rows,
    )
    page.goal("wrong arm called winner, highest of 72 cells", max(wrong_large), 1.0, digits=2)
    page.goal("wrong arm, true differences of only 2 and 5 %, highest of 48 cells", max(wrong_small), digits=2)


def _other_worlds(page: Page) -> None:
    rows = []
    for name, world in VARIED.items():
        for days in DAYS:
            found = study.fixed(page.seed(), page.experiments, days, world)
            rows.append((name, str(days), *_shown(found[metric].significant for metric in (*METRICS, "cpm"))))
    page.table(
        "Identical arms in other worlds, one look: p < 0.05",
        "Each differs from the usual world in one thing. It leaves the band on the cautious side: CVR and CPA below "
        "the verdict's minimum of 30 conversions (2 a day for 7 days), CVR over 7 days whose clicks differ greatly "
        "(sd 0.40), CPM where no arm has noise of its own.",
        ("World", "Days", "CTR", "CVR", "CPA", "ROAS", "CPM"),
        rows,
    )


def _drift(page: Page) -> None:
    rows = []
    for name, world in DRIFTING.items():
        for planned in DAYS:
            once = study.fixed(page.seed(), page.experiments, planned, world)
            daily = study.daily(page.seed(), page.experiments, planned, world, metrics=THREE)
            cells = [once[metric].significant for metric in THREE]
            rows.append((name, str(planned), *_shown(cells + [one.right + one.wrong for one in daily.values()])))
    page.table(
        "Where it leaves the band: one arm has good weeks and bad weeks",
        "Identical arms, but a shock to one arm is still there in part on the next day, apart for price, click rate "
        "and conversion rate. Days are then not independent and p is too small, most for metrics with little counting "
        "noise. The verdict, though looked at every day, takes part of it back through its drift factor. No method can "
        "tell a lasting difference of delivery from one of the ads.",
        ("World", "Days", "CTR p", "CPA p", "ROAS p", "CTR verdict", "CPA verdict", "ROAS verdict"),
        rows,
    )


def _shown(shares: Iterable[float], digits: int = 1) -> list[str]:
    return ["-" if math.isnan(share) else f"{share:.{digits}f}" for share in shares]


def as_page(page: Page, seconds: float) -> str:
    """The study as docs/reference/ab-study.md."""
    lines = [
        "# How good the A/B statistics are",
        "",
        "Written by `python -m tests.bench.ab_study docs/reference/ab-study.md`; change it there. The formulas are in "
        "[ab-statistics.md](ab-statistics.md).",
        "",
        f"{page.experiments:,} drawn experiments in each of {page.cells} cells, seeds {SEED + 1} to "
        f"{SEED + page.cells}, {seconds:.0f} s of processor time. All figures are percent; a share of 5 % has a "
        f"standard error of {page.error():.2f} points.",
        "",
        "The usual world: about USD 200 and 7 conversions a day and arm; each arm has its own log-normal shock every "
        "day (sd 0.10, heavy: 0.35) to price, to click rate and to conversion rate, and both arms share one (sd 0.20) "
        "to each and to the budget; impressions are Poisson, clicks and conversions binomial, order values log-normal "
        "(sd 0.85), drawn one by one. None of it is what the estimator assumes, and nothing was fitted to an account "
        "of Meta's.",
        "",
        "| What | Figure | Goal | | Usual tools |",
        "| --- | ---: | ---: | ---: | --- |",
    ]
    for figure in page.figures:
        what, value, goal, _, peers, mark = figure.cells()
        lines.append(f"| {what.removeprefix('A/B: ')} | {value} | {goal} | {mark} | {peers} |")
    return "\n".join([*lines, *page.lines]) + "\n"


def main(arguments: Sequence[str]) -> int:
    """Writes the page to the file named, or to standard output."""
    began = time.process_time()
    page = run(EXPERIMENTS)
    text = as_page(page, time.process_time() - began)
    if arguments:
        Path(arguments[0]).write_text(text, encoding="utf-8")
    else:
        sys.stdout.write(text)
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
