"""`python -m tests.mutations`: plants every bug, one at a time, and says who noticed. See `--help`."""

from __future__ import annotations

import argparse
import re
import sys
from collections import Counter
from concurrent.futures.process import BrokenProcessPool

from tests.mutations.crew import judge_all
from tests.mutations.first_survivors import ANSWERED, FORESEEN
from tests.mutations.mutant import Mutant
from tests.mutations.mutants_experiments import MUTANTS as EXPERIMENTS
from tests.mutations.mutants_facts import MUTANTS as FACTS
from tests.mutations.mutants_history import MUTANTS as HISTORY
from tests.mutations.mutants_marts import MUTANTS as MARTS
from tests.mutations.mutants_performance import MUTANTS as PERFORMANCE
from tests.mutations.mutants_shared import MUTANTS as SHARED
from tests.mutations.plant import check
from tests.mutations.suite import ROOT, Verdict

MUTANTS = [*SHARED, *MARTS, *PERFORMANCE, *HISTORY, *FACTS, *EXPERIMENTS]
PROJECT = ROOT / "dbt_project"
PAGE = ROOT / "docs" / "reference" / "mutation-check.md"
GOAL = 0.95
_NOTICED = re.compile(r"^\| (\S+) \|.*\| ([a-z ]+): `(.+)` \|$", re.MULTILINE)


def main() -> int:
    """Exit code 0 if enough were noticed, 1 if not, 2 if a bug cannot be planted."""
    parser = argparse.ArgumentParser(prog="python -m tests.mutations", description=__doc__)
    parser.add_argument("--list", action="store_true", help="list the bugs and stop")
    parser.add_argument("--only", action="append", default=[], metavar="NAME", help="only this one; may be repeated")
    parser.add_argument("--survivors", action="store_true", help="only the page's survivors and what it does not list")
    parser.add_argument("--no-pytest", action="store_true", help="dbt's own tests alone, which is quicker")
    parser.add_argument("--workers", type=int, default=2, metavar="N", help="bugs judged at once (default 2)")
    chosen = parser.parse_args()
    faults = check(MUTANTS, PROJECT)
    unknown = sorted(set(chosen.only) - {mutant.name for mutant in MUTANTS})
    faults += [f"there is no mutant {name}" for name in unknown]
    for fault in faults:
        print(fault, file=sys.stderr)
    if faults:
        return 2
    noticed = read_page(PAGE.read_text(encoding="utf-8")) if chosen.survivors else {}
    mutants = [
        mutant for mutant in MUTANTS if mutant.name not in noticed and (not chosen.only or mutant.name in chosen.only)
    ]
    if chosen.list:
        for mutant in mutants:
            print(f"{mutant.name:40} {mutant.file:55} {mutant.meaning}")
        return 0
    verdicts = run(mutants, workers=chosen.workers, with_pytest=not chosen.no_pytest)
    killed = sum(verdict.killed_by is not None for verdict in verdicts.values())
    print(f"{killed} of {len(mutants)} noticed.")
    if not (chosen.only or chosen.no_pytest):
        judged = noticed | {mutant.name: verdict for mutant, verdict in verdicts.items()}
        everyone = {mutant: judged[mutant.name] for mutant in MUTANTS if mutant.name in judged}
        PAGE.write_text(page(everyone), encoding="utf-8")
    return 0 if killed >= GOAL * len(mutants) else 1


def run(mutants: list[Mutant], *, workers: int, with_pytest: bool) -> dict[Mutant, Verdict]:
    """Judges each, and prints it."""
    verdicts = {}
    try:
        for mutant, verdict, seconds in judge_all(mutants, PROJECT, workers=workers, with_pytest=with_pytest):
            verdicts[mutant] = verdict
            who = f"{verdict.killed_by}: {verdict.test}" if verdict.killed_by else "SURVIVED"
            print(f"{mutant.name:40} {seconds:5.0f} s  {who}", flush=True)
    except BrokenProcessPool:  # Reason: whoever ends a process of ours takes away the rest, not what is judged.
        print("A process of the pool was ended; `--survivors` judges the rest.", file=sys.stderr)
    return verdicts


def read_page(text: str) -> dict[str, Verdict]:
    """Who noticed which bug, by the name of the bug; survivors are left out."""
    return {name: Verdict(kind, test) for name, kind, test in _NOTICED.findall(text)}


def page(verdicts: dict[Mutant, Verdict]) -> str:
    """The page of the documentation."""
    killed = sum(verdict.killed_by is not None for verdict in verdicts.values())
    kinds = Counter(verdict.killed_by or "nobody" for verdict in verdicts.values())
    told = ", ".join(f"{kind} {count}" for kind, count in kinds.most_common())
    unjudged = ", ".join(mutant.name for mutant in MUTANTS if mutant not in verdicts)
    lines = [
        "# Does the suite notice wrong SQL?",
        "",
        "`python -m tests.mutations` plants bugs into a copy of the dbt project, one at a time, and runs what a",
        "developer would run: dbt's unit tests of the changed models, the build of what hangs on them with its data",
        "tests, and the modules of `tests/dbt_project` that know the place. The first that fails is named. After tests",
        "were added, `--survivors` judges again what nobody noticed.",
        "",
        f"**{killed} of {len(MUTANTS)} noticed ({killed / len(MUTANTS):.1%}; goal {GOAL:.0%})**: {told}; "
        f"{len(MUTANTS) - len(verdicts)} not judged to the end{': ' if unjudged else ''}{unjudged}.",
        "",
        *first_survivors(),
        "| bug | where | what it would do | noticed by |",
        "|---|---|---|---|",
    ]
    for mutant, verdict in verdicts.items():
        who = f"{verdict.killed_by}: `{verdict.test}`" if verdict.killed_by else "**nobody**"
        lines.append(f"| {mutant.name} | `{mutant.file}` | {mutant.meaning} | {who} |")
    return "\n".join([*lines, ""])


def first_survivors() -> list[str]:
    """The paragraph about bugs that dbt's own tests let pass when they were first planted."""
    return [
        f"{len(ANSWERED)} passed dbt's own tests when they were first planted, and {len(FORESEEN)} would have, as",
        "reading the tests showed. For each a test was added or sharpened:",
        "",
        *(f"- {bug}: `{test}`" for bug, test in (ANSWERED | FORESEEN).items()),
        "",
    ]


if __name__ == "__main__":
    sys.exit(main())
