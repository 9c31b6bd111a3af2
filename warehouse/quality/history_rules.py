"""What must hold between days: completeness, freshness, volume, fields, windows, attribution settings.

What belongs here: rules that compare a day with others. What does not: what can be seen in one slice
(`warehouse.quality.row_rules`).

Each query sees `slice` (the batch: what `warehouse.quality.measure` found per account and day), the session's
tables `quality_account` (a row per account that the report is expected of), `quality_history` (what each pull left in
`raw.insight_revision`, eight weeks further back) and `quality_field`, and `ops`.
`{report}` and the like are filled in by `QueryRule`.
"""

from __future__ import annotations

from warehouse.quality.row_rules import PULL_AGAIN
from warehouse.quality.rules import QueryRule, Rule
from warehouse.tables import InsightTable

STALE_AFTER_DAYS = 3
"""Days behind the account's yesterday after which missing data is an error; one day less and it warns."""

# Reason: on the log scale a fall to half weighs as much as a doubling. The floor of 0.15 is the spread that even a
# steady account has between weeks; without it three equal weeks would make any change infinitely unlikely.
_VOLUME = """
    , past AS (
        SELECT
            slice.account_id,
            slice.day,
            ln(1 + greatest(slice.{present}, 0)) AS present,
            ln(1 + greatest(held.{past}, 0)) AS earlier
        FROM slice
        JOIN quality_history AS held
            ON
                held.account_id = slice.account_id
                AND held.weekday = extract(DOW FROM slice.day)
                AND held.day BETWEEN slice.day - 56 AND slice.day - 7
        WHERE slice.slice_rows >= 0 AND held.report = '{report}'
    ),
    median AS (
        SELECT
            account_id,
            day,
            present,
            percentile_cont(0.5) WITHIN GROUP (ORDER BY earlier) AS usual
        FROM past
        GROUP BY account_id, day, present
        HAVING count(earlier) >= 4
    ),
    spread AS (
        SELECT
            past.account_id,
            past.day,
            median.present,
            median.usual,
            1.4826 * percentile_cont(0.5) WITHIN GROUP (ORDER BY abs(past.earlier - median.usual)) AS deviation
        FROM past
        JOIN median ON median.account_id = past.account_id AND median.day = past.day
        GROUP BY past.account_id, past.day, median.present, median.usual
    )
    SELECT
        account_id,
        count(*) AS unexpected_count,
        array_agg(day ORDER BY day) AS days,
        string_agg(
            day || ' has ' || round((exp(present) - 1)::numeric, {digits}) || ', usually about '
            || round((exp(usual) - 1)::numeric, {digits}),
            '; ' ORDER BY abs(present - usual) DESC
        ) AS observed
    FROM spread
    WHERE
        abs(present - usual) > greatest(ln(2.5), 4 * greatest(deviation, 0.15))
        AND greatest(present, usual) > ln(1 + {least})
    GROUP BY account_id
"""

_GAPS = """
    SELECT
        expected.account_id,
        count(*) AS unexpected_count,
        array_agg(expected.day ORDER BY expected.day) AS days,
        NULL AS observed
    FROM (
        SELECT account.account_id, step.day::date AS day
        FROM quality_account AS account
        CROSS JOIN LATERAL generate_series(
            greatest(account.first_day, account.since), least(account.last_day, account.until), INTERVAL '1 day'
        ) AS step (day)
        WHERE account.report = '{report}' AND account.first_day IS NOT NULL
    ) AS expected
    LEFT JOIN slice
        ON slice.account_id = expected.account_id AND slice.day = expected.day AND slice.slice_rows >= 0
    WHERE slice.account_id IS NULL
    GROUP BY expected.account_id
"""

_NEVER_PULLED = """
    SELECT account_id, 1 AS unexpected_count, ARRAY[]::date[] AS days, NULL AS observed
    FROM quality_account
    WHERE report = '{report}' AND first_day IS NULL AND NOT is_import
"""

_STALE = """
    SELECT
        account_id,
        yesterday - last_day AS unexpected_count,
        ARRAY[last_day] AS days,
        (yesterday - last_day) || ' days behind, last pulled '
        || to_char(last_pull, 'YYYY-MM-DD HH24"h"MI') || ' UTC' AS observed
    FROM quality_account
    WHERE
        report = '{report}' AND NOT is_import AND until >= yesterday
        AND yesterday - last_day {bounds}
"""

_NEW_FIELDS = """
    , known AS (
        SELECT item, min(first_seen_at) AS first_seen_at
        FROM ops.quality_seen
        WHERE report = '{report}' AND kind = 'field'
        GROUP BY item
    ),
    begun AS (SELECT min(first_seen_at) AS first_seen_at FROM known)
    SELECT
        field.account_id,
        count(DISTINCT field.field) AS unexpected_count,
        array_agg(DISTINCT field.day) AS days,
        string_agg(DISTINCT field.field, ', ') AS observed
    FROM quality_field AS field
    JOIN known ON known.item = field.field
    JOIN begun ON known.first_seen_at > begun.first_seen_at
    JOIN quality_account AS account ON account.account_id = field.account_id AND account.report = '{report}'
    WHERE field.report = '{report}' AND known.first_seen_at > account.checked_at - INTERVAL '7 days'
    GROUP BY field.account_id
"""

# Reason: lists are left out by Meta where nothing happened, so one thin day without a field proves nothing: it takes
# twenty rows, or a week.
_VANISHED_FIELDS = """
    , newest AS (
        SELECT account_id, max(day) AS day FROM slice WHERE stored_rows > 0 GROUP BY account_id
    ),
    gone AS (
        SELECT
            seen.account_id,
            seen.item,
            seen.last_day,
            sum(slice.looked_at) AS rows_without,
            max(slice.day) AS day
        FROM ops.quality_seen AS seen
        JOIN newest ON newest.account_id = seen.account_id AND newest.day > seen.last_day
        JOIN slice ON slice.account_id = seen.account_id AND slice.day > seen.last_day
        WHERE
            seen.report = '{report}' AND seen.kind = 'field' AND seen.is_constant
            AND newest.day - seen.last_day <= 14
        GROUP BY seen.account_id, seen.item, seen.last_day
    )
    SELECT
        account_id,
        count(*) AS unexpected_count,
        array_agg(DISTINCT last_day + 1) AS days,
        string_agg(item || ' (last on ' || last_day || ')', ', ' ORDER BY item) AS observed
    FROM gone
    WHERE rows_without >= 20 OR day - last_day >= 7
    GROUP BY account_id
"""

_SETTINGS = """
    SELECT
        account_id,
        count(*) AS unexpected_count,
        array_agg(DISTINCT last_day) AS days,
        string_agg('ad set ' || adset_id || ': ' || settings, '; ' ORDER BY adset_id) AS observed
    FROM (
        SELECT
            raw.account_id,
            raw.adset_id,
            max(raw.day) AS last_day,
            string_agg(DISTINCT raw.attribution_setting, ' and ') AS settings
        FROM {table} AS raw
        JOIN quality_account AS account ON account.account_id = raw.account_id AND account.report = '{report}'
        WHERE
            raw.day BETWEEN account.since AND account.until
            AND raw.account_id = ANY(ARRAY(SELECT DISTINCT slice.account_id FROM slice))
        GROUP BY raw.account_id, raw.adset_id
        HAVING min(raw.attribution_setting) <> max(raw.attribution_setting)
    ) AS changed
    GROUP BY account_id
"""

# Reason: Meta leaves out a window with nothing in it, so absence means something only where the account's usual share
# of conversions in that window makes it all but impossible (ten expected: fewer than 1 in 20,000 days by chance).
# `1d_ev` counts engaged views of videos alone: an account without videos never has it.
_WINDOWS = """
    , counted AS (
        SELECT
            slice.account_id,
            slice.day,
            asked.name AS attribution_window,
            (held.action_totals -> account.conversion_action ->> 'value')::numeric AS conversions,
            coalesce((held.action_totals -> account.conversion_action ->> asked.name)::numeric, 0) AS in_window,
            jsonb_path_exists(held.action_totals, ('$.*."' || asked.name || '"')::jsonpath) AS is_present
        FROM slice
        JOIN quality_account AS account ON account.account_id = slice.account_id AND account.report = '{report}'
        JOIN quality_history AS held ON held.account_id = slice.account_id AND held.day = slice.day
        CROSS JOIN unnest(held.attribution_windows) AS asked (name)
        WHERE held.report = '{report}' AND held.action_totals -> account.conversion_action ? 'value'
    ),
    judged AS (
        SELECT
            *,
            sum(in_window) OVER whole / nullif(sum(conversions) OVER whole, 0) AS share,
            sum(conversions) OVER whole AS all_conversions,
            bool_or(is_present) OVER whole AS is_ever_present
        FROM counted
        WINDOW whole AS (PARTITION BY account_id, attribution_window)
    )
    SELECT
        account_id,
        count(*) AS unexpected_count,
        array_agg(DISTINCT day) AS days,
        string_agg(DISTINCT attribution_window, ', ') AS observed
    FROM judged
    WHERE
        NOT is_present
        AND (
            share * conversions >= 10
            OR (NOT is_ever_present AND all_conversions >= 50 AND attribution_window <> '1d_ev')
        )
    GROUP BY account_id
"""


def rules_for(table: InsightTable) -> list[Rule]:
    """The rules of a report, preset or declared."""
    report = {"report": table.name}
    rules: list[Rule] = [
        QueryRule(
            "pulled_at_all",
            "error",
            "Every report of the account's plan has been pulled.",
            "The report was never pulled for this account.",
            "run `meta-ads pull`; what fails there names the reason",
            query=_NEVER_PULLED,
            bindings=report,
        ),
        QueryRule(
            "days_complete",
            "error",
            "No day is missing between the first and the last one held.",
            "{count} days are missing: {days}.",
            f"{PULL_AGAIN.removesuffix(')')}; a plain `meta-ads pull` fills gaps too)",
            query=_GAPS,
            bindings=report,
        ),
        QueryRule(
            "not_stale",
            "error",
            f"The newest day held is at most {STALE_AFTER_DAYS} days older than the account's yesterday.",
            "The newest day is {days}: {observed}.",
            "run `meta-ads pull`; if it ran, look at its errors and at the schedule",
            query=_STALE,
            bindings=report | {"bounds": f"> {STALE_AFTER_DAYS}"},
        ),
        QueryRule(
            "fresh",
            "warn",
            "The newest day held is the account's yesterday, or the day before while the pull is under way.",
            "The newest day is {days}: {observed}.",
            "run `meta-ads pull`, or wait for the next scheduled one",
            query=_STALE,
            bindings=report | {"bounds": f"BETWEEN 2 AND {STALE_AFTER_DAYS}"},
        ),
        QueryRule(
            "no_new_fields",
            "warn",
            "Meta sends the fields that it sent before.",
            "New fields, first seen within the last 7 days: {observed}.",
            "nothing is lost, they are kept in `payload`; read Meta's changelog for what they mean",
            query=_NEW_FIELDS,
            bindings=report,
        ),
        QueryRule(
            "no_vanished_fields",
            "warn",
            "Fields that every row had are still there.",
            "Fields that every row had are gone: {observed}.",
            "read Meta's changelog: the field may have been renamed, or need a permission",
            query=_VANISHED_FIELDS,
            bindings=report,
        ),
    ]
    if not table.period:
        # Reason: the periods of a day are always as many, and the calendar month's spend starts anew each month.
        rules.append(_volume(table, "usual_rows", "rows", "stored_rows", "row_count", "0", "10"))
        rules.append(_volume(table, "usual_spend", "spend", "spend", "spend", "2", "10"))
    if table.breakdowns or table.period:
        return rules
    rules.append(
        QueryRule(
            "windows_present",
            "warn",
            "Every attribution window that was asked for is there on days with conversions.",
            "No row of {days} has the windows {observed}, although there were conversions.",
            PULL_AGAIN,
            query=_WINDOWS,
            bindings=report,
        )
    )
    if "adset_id" in table.level_ids:
        rules.append(
            QueryRule(
                "attribution_setting_stable",
                "warn",
                "An ad set keeps its attribution setting.",
                "{count} ad sets changed their attribution setting: {observed}.",
                "do not compare conversions from before and after the change",
                query=_SETTINGS,
                bindings=report | {"table": table.qualified_name},
            )
        )
    return rules


def _volume(table: InsightTable, name: str, noun: str, present: str, past: str, digits: str, least: str) -> QueryRule:
    bindings = {"report": table.name, "present": present, "past": past, "digits": digits, "least": least}
    return QueryRule(
        name,
        "warn",
        f"A day's {noun} are like those of the same weekday in the eight weeks before (robust z on the log scale "
        "below 4, or less than 2.5 times more or less).",
        f"Unusual {noun} on {{count}} days: {{observed}}.",
        "look at the account's change history; if nothing explains it, pull the days again",
        query=_VOLUME,
        bindings=bindings,
    )
