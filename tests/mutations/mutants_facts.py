"""Bugs in the series of facts: hours, cells of breakdowns, windows, revisions, reconciliation, maturity, freshness."""

from __future__ import annotations

from tests.mutations.mutant import Mutant

_HOUR = "models/marts/core/fct_ad_hour.sql"
_BREAKDOWNS = "macros/breakdowns.sql"
_REVISION = "models/marts/core/fct_insight_revision.sql"
_BREAKDOWN_CHECK = "models/marts/quality/mart_reconciliation__breakdown.sql"
_FRESHNESS = "models/marts/quality/mart_data_freshness.sql"
_CURVE = "models/marts/maturity/mart_maturity_curve.sql"
_ADJUSTED = "macros/maturity_adjusted.sql"

MUTANTS = (
    Mutant(
        "hour-named-by-its-end",
        _HOUR,
        "then left(hour_of_day, 2)::smallint",
        "then ((left(hour_of_day, 2)::int + 1) % 24)::smallint",
        "everything happens an hour later, and the last hour of the day in the first",
    ),
    Mutant(
        "unreadable-hour-is-midnight",
        _HOUR,
        "else -1",
        "else 0",
        "a label that Meta changed fills the first hour",
    ),
    Mutant(
        "blank-cells-apart-from-unknown",
        _BREAKDOWNS,
        "coalesce(nullif({{ cell }}, ''), 'unknown')",
        "{{ cell }}",
        "one audience has two rows, of which one has no name",
    ),
    Mutant(
        "cells-in-the-declared-window",
        _BREAKDOWNS,
        "sum(conversions_default) as conversions_default,",
        "sum(conversions) as conversions_default,",
        "breakdowns have no conversions where another window is declared",
    ),
    Mutant(
        "breakdown-difference-upside-down",
        _BREAKDOWN_CHECK,
        "coalesce(report_sums.spend, 0) - coalesce(ad_sums.spend, 0) as spend_difference",
        "coalesce(ad_sums.spend, 0) - coalesce(report_sums.spend, 0) as spend_difference",
        "a breakdown that lacks money seems to have too much",
    ),
    Mutant(
        "empty-day-is-withheld",
        _BREAKDOWN_CHECK,
        "when row_count = 0 and ad_row_count > 0 then 'withheld'",
        "when row_count = 0 then 'withheld'",
        "each day without delivery raises a false alarm",
    ),
    Mutant(
        "failing-windows-ignored",
        "models/marts/quality/mart_reconciliation.sql",
        "            and failing_windows is null\n",
        "",
        "a day that fails in another window is called reconciled",
    ),
    Mutant(
        "values-by-window-never-compared",
        "models/marts/quality/mart_reconciliation__window.sql",
        "            or (is_value_comparable and value_difference <> 0)\n",
        "",
        "lost revenue in a window counts as reconciled",
    ),
    Mutant(
        "gap-too-long",
        _FRESHNESS,
        "coalesce(next_day - 1, newest_day_of_account) as last_missing",
        "coalesce(next_day, newest_day_of_account) as last_missing",
        "a day that is held is called missing",
    ),
    Mutant(
        "newest-day-of-everyone",
        _FRESHNESS,
        "max(slices.day) over (partition by slices.account_id)",
        "max(slices.day) over ()",
        "an account that ended long ago misses every day since",
    ),
    Mutant(
        "first-pull-is-the-latest",
        _REVISION,
        "order by revisions.pulled_at desc",
        "order by revisions.pulled_at asc",
        "the oldest numbers are marked as the current ones",
    ),
    Mutant(
        "change-between-reports",
        _REVISION,
        "window oldest_first as (partition by account_id, report, day order by pulled_at)",
        "window oldest_first as (partition by account_id, day order by pulled_at)",
        "the account's total is a restatement of the ads'",
    ),
    Mutant(
        "every-period-is-a-month",
        "models/marts/core/fct_reach_period.sql",
        "    and periods.day = (date_trunc('month', periods.day) + interval '1 month - 1 day')::date as",
        "    as",
        "the first week of a month passes for the month",
    ),
    Mutant(
        "value-of-the-conversion-by-window",
        "models/marts/attribution/mart_attribution_window_daily.sql",
        "filter (where actions.action_type = accounts.value_action)",
        "filter (where actions.action_type = accounts.conversion_action)",
        "the value of the conversion and not of the declared value action",
    ),
    Mutant(
        "unasked-windows-are-zero",
        "macros/declared_measures.sql",
        "    {%- if window != 'default' %}\n    and slices",
        "    {%- if false %}\n    and slices",
        "a window that was never pulled shows zero conversions",
    ),
    Mutant(
        "curve-of-the-first-pull",
        "models/intermediate/int_maturity_days.sql",
        "order by revisions.account_id asc, revisions.day asc, revisions.age asc, revisions.pulled_at desc",
        "order by revisions.account_id asc, revisions.day asc, revisions.age asc, revisions.pulled_at asc",
        "of two pulls on one day the staler one makes the curve",
    ),
    Mutant(
        "average-of-shares",
        "models/intermediate/int_maturity_shares.sql",
        "        sum(known) as known,\n",
        "        avg(known / nullif(final, 0)) * sum(final) as known,\n",
        "a day with one conversion weighs as much as one with a hundred",
    ),
    Mutant(
        "own-days-in-the-prior",
        _CURVE,
        "siblings.known - coalesce(own.share * own.conversions, 0)",
        "siblings.known",
        "an account is shrunk to itself, and its share is too large",
    ),
    Mutant(
        "curve-falls",
        _CURVE,
        "(max(rough_share) over younger + min(rough_share) over older) / 2 as even_share",
        "rough_share as even_share",
        "a day is less complete than it was the day before",
    ),
    Mutant(
        "curve-of-the-default-window",
        _ADJUSTED,
        "reported.conversion_window = {{ measure }}_curve.attribution_window",
        "{{ measure }}_curve.attribution_window = 'default'",
        "an account with another window is corrected by the wrong curve",
    ),
    Mutant(
        "adjusted-downwards",
        _ADJUSTED,
        "then {{ measure }} / {{ measure }}_share end",
        "then {{ measure }} * {{ measure }}_share end",
        "days that are still growing are made smaller",
    ),
)
