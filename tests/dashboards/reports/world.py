"""Marts whose numbers look like a shop's, for reports that people would read.

What belongs here: the fake marts with sums that hang together, and the order of a whole report on them. What
does not: what a report says of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import psycopg

from dashboards.answerer import Answerer
from dashboards.answering import Space
from dashboards.library import Library
from dashboards.queries import Calendar
from dashboards.reports.asking import Asker, by_account_id
from dashboards.reports.model import Order
from dashboards.reports.periods import period_of
from tests.dashboards import fake_marts

NOW = datetime(2026, 6, 10, 9, tzinfo=UTC)
ORDER = Order(
    "weekly",
    "Weekly report",
    "Acme Outdoor",
    period_of("last_week", NOW.date()),
    accounts=("1001", "1002"),
    custom_metrics=("cost_per_click",),
    words="Hello,\n\nhere is your week.",
    zone=ZoneInfo("Europe/Berlin"),
    attachments=("pdf", "xlsx", "csv"),
    link="https://ads.example/acme",
)
NAMES: Sequence[tuple[int, str]] = (
    (10011, "Summer sale | Broad"),
    (10012, "夏セール・新規顧客向け"),
    (10020, "Retargeting | Cart"),
    (10021, 'Prospecting | "Lookalike" 1 %'),
    (10022, '=HYPERLINK("https://evil.invalid","Brand")'),
    (10030, "US | Launch"),
    (10031, "US | Evergreen"),
    (10032, "US | Clearance"),
)
_STATEMENTS = (
    """
    UPDATE marts.mart_performance_daily__campaign SET
        spend = round((40 + mod(campaign_id, 10) * 35 + mod(account_id, 10) * 20)::numeric
            * (1 + 0.15 * sin(extract(epoch from day) / 86400)::numeric)
            * (CASE WHEN day >= %(grown)s AND campaign_id = 10011 THEN 1.9 ELSE 1 END), 2),
        attribution_setting = '7d_click, 1d_view'
    """,
    """
    UPDATE marts.mart_performance_daily__campaign SET
        impressions = (spend * 120)::bigint,
        link_clicks = (spend * 1.8)::bigint,
        conversions = (spend * 0.06 * (CASE WHEN day >= %(grown)s AND campaign_id = 10020 THEN 1.6 ELSE 1 END))::int
    """,
    """
    UPDATE marts.mart_performance_daily__campaign SET
        conversion_value = conversions * (38 + mod(campaign_id, 10) * 6),
        spend_converted = CASE currency WHEN 'EUR' THEN spend ELSE round(spend * 0.9, 2) END
    """,
    """
    UPDATE marts.mart_performance_daily__campaign SET
        conversion_value_converted = CASE currency WHEN 'EUR' THEN conversion_value ELSE conversion_value * 0.9 END
    """,
    """
    UPDATE marts.mart_performance_daily__account AS accounts SET
        attribution_setting = '7d_click, 1d_view',
        spend = sums.spend
    FROM (
        SELECT account_id, day, sum(spend) AS spend FROM marts.mart_performance_daily__campaign GROUP BY 1, 2
    ) AS sums
    WHERE sums.account_id = accounts.account_id AND sums.day = accounts.day
    """,
    "DELETE FROM marts.mart_performance_daily__campaign WHERE campaign_id = 10032 AND day < %(grown)s",
    """
    UPDATE marts.mart_budget_pacing SET
        monthly_budget = 12000, spend_to_date = 4100, expected_spend = 2800, pacing_ratio = 1.464,
        projected_month_spend = 16200, pacing_status = CASE account_id WHEN 1001 THEN 'over' ELSE 'on_track' END
    """,
    "TRUNCATE marts.mart_ops_alert, marts.mart_ab_test, marts.mart_ab_test_result, marts.mart_creative_fatigue",
    """
    INSERT INTO marts.mart_ops_alert (
        account_id, alert_id, account_name, kind, severity, title, opened_at, resolved_at, is_open
    ) VALUES
        (1001, 1, 'Shop 1', 'checks_failed', 'warning', 'Checks of ad_daily fail', %(noon)s, NULL, true),
        (1002, 2, 'Shop 2', 'account_stale', 'warning', 'No new data for 30 hours', %(noon)s, %(noon)s, false)
    """,
    """
    INSERT INTO marts.mart_ab_test (
        account_id, experiment_id, account_name, kind, experiment_name, primary_metric, verdict, is_complete, last_day,
        winner_arm_id
    ) VALUES
        (1001, 'page', 'Shop 1', 'randomised split test of Meta', 'New landing page', 'cpa', 'winner', true,
            '2026-05-06', 'new'),
        (1002, 'hook', 'Shop 2', 'observational comparison: Meta decides who sees which ad', 'Short hook', 'ctr',
            'no difference', true, '2026-05-06', NULL),
        (1002, 'later', 'Shop 2', 'randomised split test of Meta', 'Decided later', 'ctr', 'winner', true,
            '2026-05-20', 'b')
    """,
    """
    INSERT INTO marts.mart_ab_test_result (
        account_id, experiment_id, metric, arm_id, arm_name, control_name, is_primary, effect, effect_low, effect_high,
        log_effect
    ) VALUES
        (1001, 'page', 'cpa', 'new', 'New page', 'Old page', true, -0.12, -0.2, -0.04, -0.128),
        (1001, 'page', 'ctr', 'new', 'New page', 'Old page', false, 0.5, 0.4, 0.6, 0.4),
        (1002, 'hook', 'ctr', 'b', 'Short', 'Long', true, 0.01, -0.02, 0.04, 0.01),
        (1002, 'later', 'ctr', 'b', 'B', 'A', true, 0.3, 0.2, 0.4, 0.26)
    """,
    """
    INSERT INTO marts.mart_creative_fatigue (
        account_id, creative_key, creative_name, account_name, currency, as_of_day, verdict, trailing_spend
    ) VALUES (1002, 'a', 'Beach video 15 s', 'Shop 2', 'EUR', %(last)s, 'fatigued', 412.5)
    """,
    """
    INSERT INTO marts.mart_custom_metric_daily (
        account_id, day, campaign_id, metric, label, format, is_lower_better, numerator, denominator, multiplier,
        currency, numerator_value, denominator_value
    )
    SELECT account_id, day, campaign_id, 'cost_per_click', 'Cost per click', 'money', true, 'spend', 'link_clicks', 1,
        currency, spend, link_clicks
    FROM marts.mart_performance_daily__campaign
    """,
)  # fmt: skip


def make(url: str) -> None:
    """Makes the marts in a migrated database; their last day is the one before `NOW`."""
    fake_marts.make(url, NOW.date())
    values = {"grown": date(2026, 6, 1), "noon": datetime(2026, 6, 3, 12, tzinfo=UTC), "last": date(2026, 6, 9)}
    with psycopg.connect(url) as connection:
        for table in ("mart_performance_daily__campaign", "dim_campaign"):
            for number, name in NAMES:
                connection.execute(
                    f"UPDATE marts.{table} SET campaign_name = %s WHERE campaign_id = %s", [name, number]
                )
        for statement in _STATEMENTS:
            connection.execute(statement, values if "%(" in statement else None)


def asker(order: Order, space: Space, library: Library, answerer: Answerer) -> Asker:
    """Asks as of `NOW`."""
    return Asker(order, space, by_account_id(library), answerer, Calendar.at(NOW, space.zone, "monday"))
