"""Building the marts: everything from scratch, against the 28 days that a daily pull changes.

What belongs here: rows made by the database itself, and the seconds of the dbt build that a tick runs. What does not:
pulling (`tests.bench.throughput`); whether the numbers are right (`tests/dbt_project`).
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import date, timedelta

from rich.console import Console

from orchestration.progress import Display
from orchestration.transform import TICK, dbt_environment, run_dbt
from tests.bench.figures import Figure, Report
from tests.bench.lab import Lab
from tests.bench.machine import load
from warehouse.connect import Warehouse
from warehouse.tables import ACCOUNT_DAILY, AD_DAILY

LAST = date(2026, 11, 19)
RESTATED_DAYS = 28
GOAL = 10.0
WINDOWS = "{1d_click,7d_click,28d_click,1d_view,1d_ev}"

_ADS = """
    INSERT INTO raw.insights_ad_daily (
        account_id, day, campaign_id, adset_id, ad_id, account_currency, attribution_setting,
        impressions, reach, clicks, inline_link_clicks, frequency, spend, payload
    )
    SELECT
        account, day, ad / 50, ad / 10, ad, 'EUR', '7d_click_1d_view',
        1000 + n, 800, 30 + n, 20, 1.25, (1000 + n) / 100.0,
        jsonb_build_object(
            'campaign_name', 'Campaign ' || ad / 50, 'adset_name', 'Ad set ' || ad / 10, 'ad_name', 'Ad ' || ad,
            'account_name', 'Account ' || account, 'objective', 'OUTCOME_SALES',
            'actions', (SELECT jsonb_agg(jsonb_build_object(
                'action_type', type, 'value', (n + 4)::text, '1d_click', (n + 1)::text, '7d_click', (n + 3)::text,
                '28d_click', (n + 4)::text
            )) FROM unnest(ARRAY['link_click', 'landing_page_view', 'omni_purchase', 'purchase', 'page_engagement'])
                AS type),
            'action_values', (SELECT jsonb_agg(jsonb_build_object(
                'action_type', type, 'value', (n * 10 + 40)::text, '1d_click', (n * 10 + 10)::text,
                '7d_click', (n * 10 + 30)::text, '28d_click', (n * 10 + 40)::text
            )) FROM unnest(ARRAY['omni_purchase', 'purchase']) AS type)
        )
    FROM (
        SELECT account, %(day)s::date AS day, ad, (ad * 7 + extract(doy FROM %(day)s::date)::int) %% 5 AS n
        FROM generate_series(1, %(accounts)s) AS account CROSS JOIN generate_series(1, %(ads)s) AS ad
    ) AS made
"""
_TOTALS = """
    INSERT INTO raw.insights_account_daily (
        account_id, day, account_currency, attribution_setting, impressions, reach, clicks, inline_link_clicks,
        frequency, spend, payload
    )
    SELECT
        account_id, day, 'EUR', '7d_click_1d_view', sum(impressions), 1, sum(clicks), sum(inline_link_clicks), 1,
        sum(spend),
        jsonb_build_object(
            'actions', (
                SELECT jsonb_agg(jsonb_build_object(
                    'action_type', type, 'value', sum(impressions - 996), '1d_click', sum(impressions - 999),
                    '7d_click', sum(impressions - 997), '28d_click', sum(impressions - 996)
                )) FROM unnest(ARRAY['link_click', 'omni_purchase']) AS type
            ),
            'action_values', jsonb_build_array(jsonb_build_object(
                'action_type', 'omni_purchase', 'value', sum((impressions - 1000) * 10 + 40),
                '1d_click', sum((impressions - 1000) * 10 + 10), '7d_click', sum((impressions - 1000) * 10 + 30),
                '28d_click', sum((impressions - 1000) * 10 + 40)
            ))
        )
    FROM raw.insights_ad_daily WHERE day = %(day)s GROUP BY account_id, day
"""
_SLICES = """
    INSERT INTO ops.slice (
        account_id, report, day, run_id, source, api_version, attribution_windows, pulled_at, committed_at, row_count,
        duplicate_count
    )
    SELECT account, report, %(day)s, gen_random_uuid(), 'api', 'v26.0', %(windows)s, %(last)s::date + 1, now(),
        CASE report WHEN 'ad_daily' THEN %(ads)s ELSE 1 END, 0
    FROM generate_series(1, %(accounts)s) AS account CROSS JOIN unnest(ARRAY['ad_daily', 'account_daily']) AS report
"""
_REVISIONS = """
    INSERT INTO raw.insight_revision (
        account_id, report, day, pulled_at, run_id, source, row_count, impressions, clicks, inline_link_clicks, spend,
        action_totals, value_totals
    )
    SELECT
        account_id, 'ad_daily', day, day + age + time '06:00', gen_random_uuid(), 'api', %(ads)s, 1, 1, 1, 1,
        jsonb_build_object('omni_purchase', jsonb_build_object(
            'value', 1000 - 20 * (28 - age), '1d_click', 500, '7d_click', 900 - 18 * (28 - age),
            '28d_click', 1000 - 20 * (28 - age)
        )),
        jsonb_build_object('omni_purchase', jsonb_build_object(
            'value', 30000 - 600 * (28 - age), '1d_click', 15000, '7d_click', 27000 - 540 * (28 - age),
            '28d_click', 30000 - 600 * (28 - age)
        ))
    FROM raw.insights_account_daily CROSS JOIN generate_series(1, 28) AS age
    WHERE day = %(day)s AND day + age <= %(last)s::date + 1
"""
_OBJECTS = (
    """
    INSERT INTO ops.client_account (account_id, client_id, client_name, conversion_action, value_action,
        conversion_window)
    SELECT account, 'client-' || account % 5, 'Client ' || account % 5, 'omni_purchase', 'omni_purchase', '7d_click'
    FROM generate_series(1, %(accounts)s) AS account
    """,
    """
    INSERT INTO raw.accounts (account_id, id, name, status, payload, pulled_at, run_id)
    SELECT account, account, 'Account ' || account, 'ACTIVE', '{"currency": "EUR", "timezone_name": "Europe/Berlin"}',
        now(), gen_random_uuid()
    FROM generate_series(1, %(accounts)s) AS account
    """,
    *(
        f"""
        INSERT INTO raw.{kind}
            (account_id, id, name, status, effective_status, updated_time, payload, pulled_at, run_id)
        SELECT account, id, '{noun} ' || id, 'ACTIVE', 'ACTIVE', '2024-01-01',
            jsonb_build_object('created_time', '2024-01-01T00:00:00+0000') || {parents},
            '2024-01-02', gen_random_uuid()
        FROM generate_series(1, %(accounts)s) AS account
        CROSS JOIN (SELECT DISTINCT ad / {per} AS id FROM generate_series(1, %(ads)s) AS ad) AS made
        """
        for kind, noun, per, parents in (
            ("campaigns", "Campaign", 50, "jsonb_build_object('daily_budget', '5000')"),
            ("adsets", "Ad set", 10, "jsonb_build_object('campaign_id', (id / 5)::text)"),
            ("ads", "Ad", 1, "jsonb_build_object('campaign_id', (id / 50)::text, 'adset_id', (id / 10)::text)"),
        )
    ),
)
_DUE = "UPDATE ops.slice SET build_id = CASE WHEN day > %s THEN NULL ELSE 1 END"


@dataclass(frozen=True)
class Size:
    """How much there is to build: accounts, ads of each, days of each ad."""

    accounts: int
    ads: int
    days: int

    @property
    def ad_days(self) -> int:
        """Rows of the finest fact."""
        return self.accounts * self.ads * self.days


def marts(lab: Lab) -> Report:
    """Seconds of a full build and of one of 28 days, with the data tests that a tick runs, and their ratio."""
    size = Size(5, 200, 100) if lab.quick else Size(10, 250, 400)
    with lab.database() as url, Warehouse(url) as warehouse:
        lab.say(f"marts: making {size.ad_days:,} ad-days")
        fill(warehouse, size)
        display = Display(Console(file=(lab.folder / "marts.log").open("w")))
        environment = dbt_environment(warehouse.parameters, lab.folder / "marts")

        def build(since: date, *options: str) -> float:
            with warehouse.connection() as connection:
                connection.execute(_DUE, [since - timedelta(days=1)])
                connection.execute("TRUNCATE ops.build_scope")
                connection.execute(
                    "INSERT INTO ops.build_scope SELECT DISTINCT account_id, day FROM ops.slice WHERE build_id IS NULL"
                )
            began = time.monotonic()
            run_dbt(environment, display, extra=options)
            return time.monotonic() - began

        lab.say("marts: everything from scratch")
        full = build(date.min + timedelta(days=1), "--full-refresh")
        recent = LAST - timedelta(days=RESTATED_DAYS - 1)
        few = [build(recent, *TICK) for _ in range(1 if lab.quick else lab.rounds)]
    part = sorted(few)[len(few) // 2]
    share = RESTATED_DAYS / size.days
    return Report(
        [
            Figure(f"marts of {size.ad_days:,} ad-days from scratch", full, "s"),
            Figure(f"the same, {RESTATED_DAYS} days of every account", part, "s", digits=1,
                   spread=(min(few), max(few)) if len(few) > 1 else None),
            Figure("the second is so many times faster", full / part, goal=GOAL, digits=1),
        ],
        [
            f"marts: {size.accounts} accounts x {size.ads} ads x {size.days} days, {size.accounts * size.days:,} "
            f"account days; the 28 days are {share:.0%} of them; both with all data tests; load average {load()}"
        ],
    )  # fmt: skip


def fill(warehouse: Warehouse, size: Size) -> None:
    """Ads, account totals, slices and revisions, made by the server."""
    days = [LAST - timedelta(days=n) for n in range(size.days)]
    values = {"accounts": size.accounts, "ads": size.ads, "windows": WINDOWS, "last": LAST}
    with warehouse.connection() as connection:
        for table in (AD_DAILY, ACCOUNT_DAILY):
            warehouse.storage.prepare_days(connection, table, days)
        for statement in _OBJECTS:
            connection.execute(statement.replace("% 5", "%% 5").encode(), values)
        for day in days:
            for statement in (_ADS, _TOTALS, _SLICES, _REVISIONS):
                connection.execute(statement.encode(), {**values, "day": day})
        connection.execute("ANALYZE")
