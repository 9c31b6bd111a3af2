"""What a report asks beside the cards it shows.

What belongs here: SQL, with the fragments and tags of dashboards. What does not: who asks
(`dashboards.reports.asking`), what the answers mean (`dashboards.reports.summary`).

Money, currency, days and accounts are decided by the fragments of `shared.yml` alone, as on every dashboard: the same
filters give the same numbers.
"""

from __future__ import annotations

ACCOUNTS = """
with ${chosen}
select
    account_id,
    account_name,
    client_name,
    currency,
    reporting_currency,
    time_zone,
    account_id in (select account_id from accounts) as is_shown,
    (select currency from shown) as shown_currency
from asked
order by account_name, account_id
"""

PERIOD = """
with ${chosen},
${two_periods}
select * from two_periods
order by day desc
limit 1
"""
"""The row of the chosen days, as the cards of the executive overview have it."""

CAMPAIGNS = """
with ${chosen},
${campaign_days}
select
    account_id,
    max(account_name) as account_name,
    campaign_id,
    max(campaign_name) as campaign_name,
    ${sum_spend} as spend,
    ${sum_revenue} as revenue,
    sum(conversions) as conversions,
    bool_and(is_money_known) as is_money_known
from campaign_days
where is_chosen
group by account_id, campaign_id
"""

DAYS = """
with ${chosen}
select account_id, day, attribution_setting, is_mature, is_reconciled, data_as_of
from marts.mart_performance_daily__account
where
    ${asked_in_days}
"""

CUSTOM = """
with ${chosen}
select
    metric,
    max(label) as label,
    max(format) as format,
    bool_or(is_lower_better) as is_lower_better,
    numerator,
    denominator,
    multiplier,
    currency,
    sum(numerator_value) as numerator_value,
    sum(denominator_value) as denominator_value
from marts.mart_custom_metric_daily
where
    ${in_days}
group by metric, numerator, denominator, multiplier, currency
order by metric, currency
"""

BUDGETS = """
with ${chosen}
select distinct on (account_id)
    account_name,
    day,
    pacing_status,
    monthly_budget,
    spend_to_date,
    pacing_ratio,
    projected_month_spend,
    currency
from marts.mart_budget_pacing
where
    ${asked_in_days}
order by account_id, day desc
"""

# A verdict rests on final days alone, and a day is final after 28. So a test that is over was decided 28 days after the
# last of its days; one that runs is told as long as what is known so far decides it.
TESTS = """
with ${chosen}
select distinct on (tests.account_id, tests.experiment_id)
    tests.experiment_name,
    tests.account_name,
    tests.kind,
    tests.verdict,
    tests.primary_metric,
    tests.is_complete,
    results.arm_name,
    results.control_name,
    results.arm_id = tests.winner_arm_id as is_arm_better,
    results.effect,
    case when tests.is_complete then results.effect_low else results.effect_always_low end as effect_low,
    case when tests.is_complete then results.effect_high else results.effect_always_high end as effect_high
from marts.mart_ab_test as tests
inner join marts.mart_ab_test_result as results
    on
        tests.account_id = results.account_id
        and tests.experiment_id = results.experiment_id
        and results.is_primary
where
    tests.account_id in (select account_id from asked)
    and tests.verdict in ('winner', 'cheaper', 'no difference')
    and tests.last_day + 28 >= (select first_day from days)
    and (tests.last_day + 28 <= (select last_day from days) or not tests.is_complete)
order by
    tests.account_id,
    tests.experiment_id,
    (results.arm_id = tests.winner_arm_id) desc nulls last,
    abs(results.log_effect) desc nulls last
"""

ALERTS = """
with ${chosen}
select severity, account_name, title, opened_at, is_open
from marts.mart_ops_alert
where
    account_id in (select account_id from asked)
    and opened_at >= (select first_day from days)
    and opened_at < (select last_day + 1 from days)
order by is_open desc, severity, opened_at
"""

FATIGUE = """
with ${chosen}
select creative_name, account_name, trailing_spend, currency, as_of_day
from marts.mart_creative_fatigue
where
    account_id in (select account_id from asked)
    and verdict = 'fatigued'
    and trailing_spend > 0
    and as_of_day >= (select first_day from days)
order by trailing_spend desc, creative_name
"""
