"""Experiments with known day sums, ordinary and ugly, loaded through the platform's own loader.

What belongs here: drawing and loading them. What does not: what is expected of them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import uuid4

import numpy as np
import orjson

from tests.dbt_project.world import declare, entity
from warehouse.connect import Warehouse
from warehouse.loader import replace_slice
from warehouse.provenance import Provenance
from warehouse.tables import PRESETS

FIRST = date(2026, 8, 1)  # a Saturday
NUMBERS = ("spend", "impressions", "link_clicks", "conversions", "conversion_value")
#: Account -> when its days were pulled. Everything of the first is mature, of the second what is 28 days old by then.
PULLED = {701: datetime(2026, 11, 3, 6, tzinfo=UTC), 702: datetime(2026, 9, 15, 6, tzinfo=UTC)}

Sums = dict[str, list[float]]


@dataclass
class Case:
    """An experiment and what each of its arms did, day by day from FIRST; the first arm is the control."""

    name: str
    arms: list[Sums]
    account: int = 701
    metric: str = "cpa"
    minimum_effect: float = 0.1
    planned_days: int | None = None
    ads: list[int] = field(default_factory=list)

    @property
    def days(self) -> int:
        return len(self.arms[0]["spend"])


def draw(
    rng: np.random.Generator, days: int, effect: float = 1.0, conversions: float = 7.0, shared: np.ndarray | None = None
) -> Sums:
    """An arm: money, impressions, clicks and conversions that vary more than counting, with days shared by the arms."""
    shock = shared if shared is not None else np.ones(days)
    spend = np.round(200 * shock * rng.lognormal(0, 0.1, days), 2)
    impressions = rng.poisson(spend * 100)
    clicks = np.minimum(rng.poisson(impressions * 0.012 * rng.lognormal(0, 0.1, days)), impressions)
    bought = rng.poisson(conversions * effect * shock * rng.lognormal(0, 0.1, days))
    value = [round(float(rng.lognormal(4, 0.8, n).sum()), 2) for n in bought]
    columns = (spend, impressions, clicks, bought, value)
    return dict(zip(NUMBERS, ([float(x) for x in column] for column in columns), strict=True))


def cases(seed: int = 11) -> list[Case]:
    """Ordinary experiments of several lengths, volumes and metrics, and one of every ugly kind."""
    rng = np.random.default_rng(seed)
    found = []
    for number in range(18):
        days = int(rng.choice([7, 10, 14, 21, 28, 35]))
        shared = rng.lognormal(0, 0.3, days)
        volume = float(rng.choice([0.4, 3, 7, 40]))
        effects = rng.choice([0.6, 1.0, 1.0, 1.3, 2.0], int(rng.integers(1, 4)))
        arms = [draw(rng, days, 1.0, volume, shared), *(draw(rng, days, float(e), volume, shared) for e in effects)]
        metric = str(rng.choice(["ctr", "cvr", "cpa", "roas", "cpm"]))
        planned = [days, days, 40, None][number % 4]  # nothing is pulled after day 35
        found.append(Case(f"drawn {number}", arms, 701, metric, float(rng.choice([0, 0.05, 0.1, 0.3])), planned))
    for number in range(4):
        shared = rng.lognormal(0, 0.2, 31)
        arms = [draw(rng, 31, effect, 9, shared) for effect in (1.0, 1.6)]
        found.append(Case(f"immature {number}", arms, 702, "cpa", 0.1, 31 if number % 2 else None))
    return found + lucky() + ugly(rng)


def lucky() -> list[Case]:
    """Significant, and yet no winner: too noisy to rule out that the arm is worse by the minimum effect.

    The seeds were found by search: (|theta| + delta) / se lies between the two-sided 99 and 99.5 percent points.
    """
    found = []
    for seed in (98, 144):
        rng = np.random.default_rng(seed)
        shared = rng.lognormal(0, 0.3, 14)
        arms = [draw(rng, 14, effect, 3, shared) for effect in (1.0, 1.5)]
        found.append(Case(f"lucky {seed}", arms, minimum_effect=0.05, planned_days=14))
    return found


def ugly(rng: np.random.Generator) -> list[Case]:
    """What must give NULLs with a reason, and never an error."""

    def case(name: str, days: int, spoil: Callable[[Sums, Sums], None] | None = None, **changes: Any) -> Case:
        control, arm = draw(rng, days), draw(rng, days)
        if spoil:
            spoil(control, arm)
        return Case(name, [control, arm], planned_days=days, **changes)

    def zero(*names: str) -> Callable[[Sums, Sums], None]:
        return lambda _, arm: arm.update({name: [0.0] * len(arm["spend"]) for name in names})

    def all_on_one_day(_: Sums, arm: Sums) -> None:
        arm["conversions"] = [0.0, 80.0, *[0.0] * (len(arm["spend"]) - 2)]

    def corrected(_: Sums, arm: Sums) -> None:
        arm["conversions"][2], arm["conversion_value"][2] = -3.0, -150.0

    def overcorrected(_: Sums, arm: Sums) -> None:
        arm["conversions"][0], arm["conversion_value"][0] = -1000.0, -1e6

    def pauses(control: Sums, arm: Sums) -> None:
        for sums, days in ((control, (3, 9)), (arm, (4, 9, 10))):
            for day in days:
                for name in NUMBERS:
                    sums[name][day] = 0.0

    def same(control: Sums, arm: Sums) -> None:
        arm.update({name: list(values) for name, values in control.items()})

    def one_huge_day(control: Sums, arm: Sums) -> None:
        control["conversion_value"][5] = 4e7
        arm["spend"][6] = 9e5

    def steady(control: Sums, arm: Sums) -> None:
        for sums, bought in ((control, 10.0), (arm, 13.0)):
            values = (100.0, 10_000.0, 120.0, bought, 500.0)
            sums.update({name: [x] * len(sums["spend"]) for name, x in zip(NUMBERS, values, strict=True)})

    def more_conversions_than_clicks(_: Sums, arm: Sums) -> None:
        arm["link_clicks"] = [float(max(1, int(x) // 2)) for x in arm["conversions"]]

    def two_days_of_delivery(control: Sums, arm: Sums) -> None:
        for sums in (control, arm):
            for name in NUMBERS:
                sums[name] = [x if day in (1, 2) else 0.0 for day, x in enumerate(sums[name])]

    nothing = tuple(name for name in NUMBERS if name not in ("impressions", "spend"))
    return [
        case("single day", 1),
        case("two days", 2),
        case("six days", 6, metric="ctr"),
        case("no weekend", 5, metric="ctr"),
        case("arm without conversions", 14, zero("conversions", "conversion_value")),
        case("arm with nothing but impressions", 14, zero("spend", *nothing), metric="ctr"),
        case("arm never shown", 14, zero(*NUMBERS)),
        case("all conversions on one day", 14, all_on_one_day),
        case("negative correction", 14, corrected, metric="roas"),
        case("negative sum", 14, overcorrected, metric="roas"),
        case("pauses", 21, pauses),
        case("identical arms", 14, same, metric="ctr"),
        case("one huge day", 14, one_huge_day, metric="roas"),
        case("steady", 14, steady),
        case("more conversions than clicks", 14, more_conversions_than_clicks, metric="cvr"),
        case("two days of delivery", 14, two_days_of_delivery, metric="roas"),
    ]


def load(warehouse: Warehouse, wanted: list[Case]) -> None:
    """Loads the cases: an ad per arm, all of them in the account's one campaign and ad set."""
    for account in sorted({case.account for case in wanted}):
        entity(warehouse, "accounts", account, account, f"Lab {account}", currency="EUR", timezone_name="Etc/UTC")
        declare(warehouse, account, "omni_purchase", "omni_purchase", "7d_click")
        members = [case for case in wanted if case.account == account]
        ads = iter(range(account * 1000, account * 1000 + 999))
        for number, case in enumerate(members):
            case.ads = [next(ads) for _ in case.arms]
            for ad in case.ads:
                entity(warehouse, "ads", account, ad, f"Ad {ad}", adset_id="1100", campaign_id="1000")
            _declare_experiment(warehouse, case, f"case-{number}")
        for offset in range(max(case.days for case in members)):
            _commit_day(warehouse, account, FIRST + timedelta(days=offset), offset, members)


def experiment(warehouse: Warehouse, account: int, identifier: str, **columns: Any) -> None:
    """A row of `ops.experiment`."""
    row = {
        "account_id": account,
        "experiment_id": identifier,
        "client_id": "acme",
        "name": identifier,
        "metric": "cpa",
        "minimum_effect": 0.1,
        "since": FIRST,
        "place": "clients.yml:1",
    } | columns
    names, holes = ", ".join(row), ", ".join(["%s"] * len(row))
    with warehouse.connection() as connection:
        connection.execute(f"INSERT INTO ops.experiment ({names}) VALUES ({holes})".encode(), list(row.values()))


def arm(
    warehouse: Warehouse,
    account: int,
    identifier: str,
    position: int,
    objects: list[dict[str, str]],
    level: str = "ad",
    arm_account: int | None = None,
) -> None:
    """A row of `ops.experiment_arm`; the first is the control."""
    with warehouse.connection() as connection:
        connection.execute(
            "INSERT INTO ops.experiment_arm VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s)",
            [
                account,
                identifier,
                f"arm-{position}",
                position,
                f"Arm {position}",
                position == 1,
                arm_account or account,
                level,
                orjson.dumps(objects).decode(),
            ],
        )


def _declare_experiment(warehouse: Warehouse, case: Case, identifier: str) -> None:
    until = None if case.planned_days is None else FIRST + timedelta(days=case.planned_days - 1)
    experiment(
        warehouse,
        case.account,
        identifier,
        name=case.name,
        metric=case.metric,
        minimum_effect=case.minimum_effect,
        until=until,
    )
    for position, ad in enumerate(case.ads, 1):
        arm(warehouse, case.account, identifier, position, [{"id": str(ad)}])


def _commit_day(warehouse: Warehouse, account: int, day: date, offset: int, members: list[Case]) -> None:
    rows = [
        _row(account, day, ad, {name: sums[name][offset] for name in NUMBERS})
        for case in members
        if offset < case.days
        for ad, sums in zip(case.ads, case.arms, strict=True)
        if any(sums[name][offset] for name in NUMBERS)
    ]
    origin = Provenance(uuid4(), "api", "v26.0", ("7d_click",), PULLED[account])
    replace_slice(warehouse, PRESETS["ad_daily"], account, day, [orjson.dumps(row) for row in rows], origin)


def _row(account: int, day: date, ad: int, sums: dict[str, float]) -> dict[str, Any]:
    actions = [{"action_type": "link_click", "value": str(int(sums["link_clicks"]))}]
    actions += [{"action_type": "omni_purchase", "value": "99", "7d_click": str(int(sums["conversions"]))}]
    values = [{"action_type": "omni_purchase", "value": "9", "7d_click": f"{sums['conversion_value']:.2f}"}]
    return {
        "account_id": str(account),
        "account_currency": "EUR",
        "campaign_id": "1000",
        "campaign_name": "Campaign",
        "adset_id": "1100",
        "adset_name": "Ad set",
        "ad_id": str(ad),
        "ad_name": f"Ad {ad}",
        "attribution_setting": "7d_click",
        "impressions": str(int(sums["impressions"])),
        "spend": f"{sums['spend']:.2f}",
        "actions": actions,
        "action_values": values,
        "date_start": day.isoformat(),
        "date_stop": day.isoformat(),
    }
