"""Bugs in days, weeks and months: boundaries, the period before, converted money, the funnel, creatives."""

from __future__ import annotations

from tests.mutations.mutant import Mutant

_PERIOD = "macros/performance_period.sql"
_COLUMNS = "macros/performance_columns.sql"
_DAILY = "macros/performance_daily.sql"
_FUNNEL = "models/marts/funnel/mart_funnel_daily.sql"
_CREATIVE = "macros/creative_daily.sql"

MUTANTS = (
    Mutant(
        "weeks-from-sunday",
        "macros/slice_replace.sql",
        "date_trunc('{{ unit }}', {{ day }}::timestamp)::date",
        "{% if unit == 'week' %}date_trunc('week', ({{ day }} + 1)::timestamp)::date - 1"
        "{% else %}date_trunc('{{ unit }}', {{ day }}::timestamp)::date{% endif %}",
        "weeks are not ISO weeks, and differ from everybody else's",
    ),
    Mutant(
        "month-of-thirty-days",
        "macros/slice_replace.sql",
        "{{ count }} * interval '1 {{ unit }}'",
        "{{ count }} * interval '{{ 30 if unit == 'month' else 7 }} days'",
        "the 31st belongs to no month, and February reaches into March",
    ),
    Mutant(
        "week-after-lost",
        _DAILY,
        "{{ in_build_scope(alias='summed', shifts=[0, 7]) }}",
        "{{ in_build_scope(alias='summed') }}",
        "a re-pull removes the day a week later",
    ),
    Mutant(
        "compared-with-yesterday",
        _DAILY,
        "range between interval '7 days' preceding and interval '7 days' preceding",
        "range between interval '1 day' preceding and interval '1 day' preceding",
        "a Monday is compared with a Sunday",
    ),
    Mutant(
        "one-day-more-before",
        _PERIOD,
        "and days.day < framed.previous_period_start + framed.comparison_days",
        "and days.day <= framed.previous_period_start + framed.comparison_days",
        "three days are compared with four",
    ),
    Mutant(
        "running-week-against-whole-week",
        _PERIOD,
        "else least(pulled.days_with_data, pulled.period_start - pulled.previous_period_start)",
        "else pulled.period_start - pulled.previous_period_start",
        "every running week looks like a collapse",
    ),
    Mutant(
        "gap-before-ignored",
        _PERIOD,
        "pulled.days_with_data = pulled.days_without_gap and previous.days_without_gap >= compared.days, false",
        "pulled.days_with_data = pulled.days_without_gap and previous.days_without_gap > 0, false",
        "days that were never pulled look like growth",
    ),
    Mutant(
        "people-of-overlapping-periods",
        _PERIOD,
        "            and framed.period_end = people.period_end\n",
        "",
        "28 days that begin with the week are taken for the week",
    ),
    Mutant(
        "one-final-day-makes-a-final-week",
        _PERIOD,
        "bool_and(is_mature) filter (where not is_previous) as is_mature",
        "bool_or(is_mature) filter (where not is_previous) as is_mature",
        "numbers that will still grow are called final",
    ),
    Mutant(
        "days-without-a-rate-left-out",
        _PERIOD,
        "count(spend_converted) filter (where not is_previous) = count(spend) filter (where not is_previous)",
        "count(spend_converted) filter (where not is_previous) > 0",
        "converted spend of a week is that of the days with a rate",
    ),
    Mutant(
        "rate-of-another-currency",
        _COLUMNS,
        "        and rates.currency = {{ of }}.currency\n",
        "",
        "yen are converted at the rate of euros",
    ),
    Mutant(
        "oldest-rate",
        _COLUMNS,
        "order by rates.day desc",
        "order by rates.day asc",
        "money is converted at the rate of a week ago",
    ),
    Mutant(
        "rate-of-the-future",
        _COLUMNS,
        "between {{ of }}.day - 7 and {{ of }}.day",
        "between {{ of }}.day - 7 and {{ of }}.day + 7",
        "a day's money changes when later rates arrive",
    ),
    Mutant(
        "change-of-the-new-value",
        _COLUMNS,
        "{{ of }}.{{ measure }}_previous, {{ of }}.{{ measure }}_previous",
        "{{ of }}.{{ measure }}_previous, {{ of }}.{{ measure }}",
        "a doubling is shown as 50 %",
    ),
    Mutant(
        "purchases-of-all-types-added",
        _FUNNEL,
        "            sum(actions) filter (where action_type = 'omni_purchase'),\n"
        "            sum(actions) filter (where action_type = 'purchase'),\n",
        "            sum(actions) filter (where action_type in ('omni_purchase', 'purchase')),\n",
        "the funnel ends with twice the purchases",
    ),
    Mutant(
        "funnel-over-all-windows",
        _FUNNEL,
        "        attribution_window = 'default'\n        and action_type in (",
        "        action_type in (",
        "one purchase counts once for each window",
    ),
    Mutant(
        "creative-of-today",
        _CREATIVE,
        "coalesce(held.creative_id, current_ads.creative_id)",
        "current_ads.creative_id",
        "what an exchanged creative earned is credited to the new one",
    ),
    Mutant(
        "trailing-week-of-eight-days",
        _CREATIVE,
        "range between interval '6 days' preceding",
        "range between interval '7 days' preceding",
        "seven days are eight",
    ),
    Mutant(
        "fatigue-without-the-peers",
        "models/marts/creative/mart_creative_fatigue.sql",
        "daily.impressions * coalesce(daily.peer_ctr_index, 1) as exposure",
        "daily.impressions as exposure",
        "in the quiet season every creative is worn out",
    ),
    Mutant(
        "metrics-of-other-accounts",
        "models/marts/custom/mart_custom_metric_daily.sql",
        "on metrics.account_id = numerators.account_id and metrics.numerator",
        "on metrics.numerator",
        "one client's own metric is computed for another",
    ),
)
