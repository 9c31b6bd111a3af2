"""Twenty accounts at the development tier: no call while blocked, and no time lost beside what the quota dictates.

What belongs here: goal 4, and what the quota dictates. What does not: pacing itself (`ingestion.budget`).

Both clocks run faster than real time. What a call really takes then counts so many times over, so the speed is such
that the quota, and not this machine, sets the pace: see the note that is printed with the figures.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tests.bench.figures import Figure, Report
from tests.bench.lab import Lab
from tests.bench.machine import load
from tests.bench.workload import days, world
from tests.e2e.harness import NOW

ACCOUNTS, ADS, DAYS, PAGE = 20, 20, 100, 10
SPEED = 20.0
# The score of an account in development access, as documented: 60 points, gone after 300 s; a call costs 1, a write 3.
POINTS, DECAY_SECONDS = 60.0, 300.0
# Insights calls in an hour, as documented: a base and a part for each active ad.
HOURLY_BASE, HOURLY_PER_AD = 600, 400
REPORTS = ("ad_daily", "campaign_daily")


def dictated_seconds(calls: int, active_ads: int) -> float:
    """The least time in which so many reads of one account can be made without a refusal.

    The score lets a full tank through at once and then as much as drains; the hourly quota lets its number through
    and then nothing until the first call is an hour old.
    """
    by_score = max(0.0, calls - POINTS) * DECAY_SECONDS / POINTS
    hourly = HOURLY_BASE + HOURLY_PER_AD * active_ads
    return max(by_score, (calls - 1) // hourly * 3600.0)


def quota(lab: Lab) -> Report:
    """A pull of twenty accounts by small pages."""
    accounts, length = (5, 60) if lab.quick else (ACCOUNTS, DAYS)
    options = ("--tier", "development", "--job-seconds", "5")
    with lab.simulator(*options, size=world(ADS, 160, accounts), speed=SPEED) as simulator, lab.database() as url:
        lab.say(f"quota: {accounts} accounts, {SPEED:.0f} simulated seconds a second")
        pull = lab.client(
            road="platform",
            graph_url=simulator.url,
            warehouse_url=url,
            home=str(lab.folder / "home"),
            speed=SPEED,
            now=simulator.get("state?jobs=0")["now"],
            reports=REPORTS,
            entities=False,
            accounts_at_once=accounts,
            page_size=PAGE,
            largest_page=PAGE,
            **days(length),
        )
        state = simulator.get("state?jobs=0")
        active = fewest_active_ads(simulator.world(), state["accounts"])
    return _report(pull, state, active, accounts)


def fewest_active_ads(world: Any, ids: list[str]) -> int:
    """Of the account with the fewest: the smallest hourly quota."""
    return min(world.active_ads(account, NOW) for account in ids)


def _report(pull: Mapping[str, Any], state: Mapping[str, Any], active: int, accounts: int) -> Report:
    calls = {account: count for account, count in state["calls_by_account"].items() if account != "-"}
    refusals = sum(
        count for code, count in state["errors"].items() if code.split("/")[0] in {"4", "17", "613", "80004"}
    )
    blocked = sum(state["calls_while_blocked"].values())
    dictated = max(dictated_seconds(count, active) for count in calls.values())
    taken = pull["scaled_seconds"]
    real = pull["wall"]
    most = max(calls.values())
    return Report(
        [
            Figure(
                f"{accounts} accounts at the development tier, time beside what the quota dictates",
                taken / dictated if dictated else 0.0,
                "times",
                goal=1.15,
                more_is_better=False,
                peers="runs die",
                digits=3,
            ),
            Figure("the same, calls while blocked", blocked, goal=0, more_is_better=False),
            Figure("the same, calls that Meta refused (throttled)", refusals, goal=0, more_is_better=False),
        ],
        [
            f"quota: {min(calls.values())} to {most} calls an account ({sum(calls.values()):,} in all, "
            f"{pull['rows']:,} rows by pages of {PAGE}, pull {pull['status']}); {taken:,.0f} s simulated in "
            f"{real:.0f} s real, where {dictated:,.0f} s are dictated: ({most} calls - {POINTS:.0f}) x "
            f"{DECAY_SECONDS / POINTS:.0f} s, the hourly quota of {HOURLY_BASE} + {HOURLY_PER_AD} x {active} calls "
            "not being reached",
            f"quota: {sum(calls.values()) / real:.0f} calls a second were really made, on clocks {SPEED:.0f} times as "
            f"fast; load average {load()}",
        ],
    )
