"""What became of a day: is every account fresh, are the numbers right, was anybody alarmed for nothing?

What belongs here: looking. What does not: the day itself (`tests.soak.day`).
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

from tests.e2e.harness import account_ids, scalar, truth
from tests.soak.day import Day, now_of

GOAL_MINUTES, GOAL_SHARE = 20.0, 0.99
#: A pull takes a while, and the world goes on meanwhile.
_AROUND = timedelta(minutes=10)


@dataclass
class Verdict:
    """What was seen.

    Attributes:
        lines: For people.
        problems: What is not as it should be.
        fresh_share: Of all looks at accounts that deliver, how many would have shown a change within the goal.
    """

    lines: list[str] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    fresh_share: float = 1.0


def verdict(day: Day) -> Verdict:
    """Looks at a day that is over."""
    found = Verdict()
    minutes = sorted(lag.minutes for lag in day.lags)
    if minutes:
        found.fresh_share = sum(one <= GOAL_MINUTES for one in minutes) / len(minutes)
        worst = minutes[-1]
        found.lines.append(
            f"{len(minutes)} looks at accounts that deliver: {found.fresh_share:.1%} within {GOAL_MINUTES:.0f} "
            f"minutes, median {minutes[len(minutes) // 2]:.1f}, worst {worst:.1f}"
        )
    else:
        found.problems.append("no account was ever seen to deliver")
    found.lines.append(f"runs: {dict(Counter(day.runs))}")
    fired = day.bench.simulator.get("state?jobs=0")["faults_fired"]
    found.lines.append(f"faults fired: {fired}; messages: {len(day.told)}")
    found.lines += [f"  {at:%H:%M} {subject}" for at, subject in day.told]
    for account_id in account_ids(day.bench.simulator):
        _look_at(day, account_id, found)
    return found


def _look_at(day: Day, account_id: int, found: Verdict) -> None:
    warehouse = day.bench.warehouse
    zone = scalar(warehouse, "SELECT payload ->> 'timezone_name' FROM raw.accounts WHERE account_id = %s", account_id)
    local = now_of(day.bench).astimezone(ZoneInfo(zone))
    newest = scalar(
        warehouse,
        "SELECT max(day) FROM ops.slice WHERE account_id = %s AND report = 'ad_daily' AND build_id IS NOT NULL",
        account_id,
    )
    yesterday = local.date() - timedelta(days=1)
    # Reason: the daily runs come with the first full hour after midnight.
    if local.hour >= 2 and newest != yesterday:
        found.problems.append(f"act_{account_id}: the newest day in the marts is {newest}, and not {yesterday}")
    if newest is None:
        return
    pulled_at = scalar(
        warehouse,
        "SELECT pulled_at FROM ops.slice WHERE (account_id, report, day) = (%s, 'ad_daily', %s)",
        account_id,
        newest,
    )
    spent = scalar(
        warehouse, "SELECT coalesce(sum(spend), 0) FROM marts.fct_ad_day WHERE (account_id, day) = (%s, %s)",
        account_id, newest,
    )  # fmt: skip
    ends = [
        sum(
            (
                Decimal(row["spend"])
                for row in truth(day.bench.simulator, account_id, "ad_daily", newest, newest, at).values()
            ),
            Decimal(),
        )
        for at in (pulled_at - _AROUND, pulled_at + _AROUND)
    ]
    if not min(ends) <= spent <= max(ends):
        found.problems.append(f"act_{account_id} {newest}: {spent} in the marts, {ends[0]} to {ends[1]} at Meta")
