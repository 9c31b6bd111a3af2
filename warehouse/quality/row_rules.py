r"""What must hold in every row and every slice of a report.

What belongs here: rules that need nothing but the slice. What does not: comparisons with other days
(`warehouse.quality.history_rules`).

A negative spend is Meta's way of taking back what it charged, so it warns and does not fail. Breakdown cells carry
estimated reach, so what is impossible in a total only warns there.
"""

from __future__ import annotations

from collections.abc import Sequence

from warehouse.quality.model import Severity
from warehouse.quality.rules import ColumnRule, RowRule, Rule
from warehouse.tables import InsightTable

PULL_AGAIN = "pull these days again (`meta-ads pull --account ... --since ... --until ... --again`)"
REPORT_DEFECT = f"{PULL_AGAIN}; if it stays, report it as a defect"

# Reason: a path in strict mode fails on an element without the key or on what is no list, `double()` on what is no
# number, and `@?` then returns NULL. Not within a filter, where an error is only "unknown". That is three times as fast
# as unnesting the array, which a million rows feel.
_VALUE = "strict $.{field}[*].value.double() ? (@ < -1e300)"
_TYPE = "strict $.{field}[*].action_type ? (@ == 1)"
# Reason: in lax mode a member is looked up in each element of a list, and nothing is found in plain texts.
_LISTS = "lax $.*.value.double() ? (@ < -1e300)"
_WINDOW = 'lax $.{field}[*]."{window}".double() ? (@ < -1e300)'


def rules_for(table: InsightTable, windows: Sequence[str] = ()) -> list[Rule]:
    """The rules of a report, preset or declared.

    Args:
        table: The report's table.
        windows: Attribution windows that its slices were pulled with, as `warehouse.provenance` lets them be named.
    """
    return [*_identity(table), *_ranges(table), *_actions(windows), *_slice()]


def _identity(table: InsightTable) -> list[Rule]:
    key = table.primary_key
    ids = [name for name in key if name.endswith("_id")]
    key_predicate = f"NOT (ROW({', '.join(f'r.{name}' for name in key)}) IS NOT NULL)" + "".join(
        f" OR r.{name} = 0" for name in ids
    )
    if table.period:
        day_predicate = (
            "r.payload ->> 'date_stop' IS DISTINCT FROM r.day::text"
            " OR r.payload ->> 'date_start' IS DISTINCT FROM r.date_start::text OR r.date_start > r.day"
        )
    else:
        day_predicate = (
            "r.payload ->> 'date_start' IS DISTINCT FROM r.day::text OR r.payload ->> 'date_stop' <> r.day::text"
        )
    return [
        RowRule(
            "key_complete",
            "error",
            "Every row has the whole key of its report, and no id is 0.",
            "{count} rows lack a part of their key ({days}).",
            REPORT_DEFECT,
            predicate=key_predicate,
        ),
        ColumnRule(
            "key_unique",
            "error",
            "No two rows have the same key.",
            "{count} rows repeat another one's key ({days}).",
            f"{PULL_AGAIN}, and restore the table's primary key",
            kind="at_most",
            column="repeated_keys",
            limit=0,
        ),
        RowRule(
            "account_is_the_slices",
            "error",
            "The row as Meta sent it names the account that it is stored under.",
            "{count} rows are another account's ({days}).",
            REPORT_DEFECT,
            predicate="r.payload ->> 'account_id' IS DISTINCT FROM r.account_id::text",
            shows="'Meta names account ' || coalesce(r.payload ->> 'account_id', 'none')",
        ),
        RowRule(
            "day_is_the_slices",
            "error",
            "The row as Meta sent it names the day (or the period) that it is stored under.",
            "{count} rows are of another day ({days}).",
            REPORT_DEFECT,
            predicate=day_predicate,
            shows="'Meta names ' || concat_ws(' to ', r.payload ->> 'date_start', r.payload ->> 'date_stop')",
        ),
        RowRule(
            "currency_is_the_accounts",
            "error",
            "Money is in the account's currency, the same on all days.",
            "{count} rows name another currency than the account's, or none ({days}): {observed}.",
            "at Meta a new currency makes a new account: look at it in Ads Manager, then pull the account's entities",
            predicate="r.account_currency IS NULL OR r.account_currency <> a.currency",
            shows="coalesce(r.account_currency, 'no currency') || ' instead of ' || coalesce(a.currency, 'any')",
        ),
    ]


def _ranges(table: InsightTable) -> list[Rule]:
    softer: Severity = "warn" if table.breakdowns else "error"
    return [
        RowRule(
            "counts_not_negative",
            "error",
            "Impressions, reach and clicks are not negative.",
            "{count} rows have a negative count ({days}).",
            REPORT_DEFECT,
            predicate="least(r.impressions, r.reach, r.clicks, r.inline_link_clicks) < 0",
            shows="concat_ws(', ', 'impressions ' || r.impressions, 'reach ' || r.reach, 'clicks ' || r.clicks,"
            " 'link clicks ' || r.inline_link_clicks)",
        ),
        RowRule(
            "spend_not_negative",
            "warn",
            "Spend is not negative.",
            "{count} rows have a negative spend ({days}): Meta took back what it had charged.",
            "compare with the account's billing in Ads Manager; a correction is right as it stands",
            predicate="r.spend < 0",
            shows="'spend ' || r.spend",
        ),
        RowRule(
            "reach_within_impressions",
            softer,
            "Nobody is reached without an impression: reach is at most impressions.",
            "{count} rows have more reach than impressions ({days}).",
            REPORT_DEFECT,
            predicate="r.reach > r.impressions",
            shows="'reach ' || r.reach || ', impressions ' || r.impressions",
        ),
        RowRule(
            "link_clicks_within_clicks",
            "warn",
            "Link clicks are clicks: inline_link_clicks is at most clicks.",
            "{count} rows have more link clicks than clicks ({days}).",
            REPORT_DEFECT,
            predicate="r.inline_link_clicks > r.clicks",
            shows="'link clicks ' || r.inline_link_clicks || ', clicks ' || r.clicks",
        ),
        RowRule(
            "frequency_is_impressions_by_reach",
            "warn",
            "Frequency is impressions divided by reach, to one per cent.",
            "{count} rows have a frequency that their impressions and reach do not give ({days}).",
            "do not use this report's reach until the days are pulled again",
            predicate="abs(r.frequency * r.reach - r.impressions) > greatest(1, 0.01 * r.impressions)",
            shows="'frequency ' || r.frequency || ', impressions ' || r.impressions || ', reach ' || r.reach",
        ),
    ]


def _actions(windows: Sequence[str]) -> list[Rule]:
    numbers, others = [], [f"(r.payload @? '{_LISTS}') IS NULL"]
    for field in ("actions", "action_values"):
        broken = " OR ".join(
            f"(r.payload @? '{path.format(field=field)}') IS DISTINCT FROM false" for path in (_VALUE, _TYPE)
        )
        numbers.append(f"(r.payload ? '{field}' AND ({broken}))")
        others += [f"(r.payload @? '{_WINDOW.format(field=field, window=window)}') IS NULL" for window in windows]
    return [
        RowRule(
            "actions_are_numbers",
            "error",
            "Actions and their values are lists; each entry names its type and has a number.",
            "{count} rows have actions without type or number ({days}).",
            REPORT_DEFECT,
            predicate=" OR ".join(numbers),
            is_sampled=True,
        ),
        RowRule(
            "windows_are_numbers",
            "error",
            "What Meta attributes by window, and what any list of a row counts, is a number too.",
            "{count} rows have a window or a list entry that is no number ({days}).",
            REPORT_DEFECT,
            predicate=" OR ".join(others),
            is_sampled=True,
        ),
    ]


def _slice() -> list[Rule]:
    return [
        ColumnRule(
            "rows_are_the_slices",
            "error",
            "A day holds as many rows as its last pull wrote.",
            "{count} days hold another number of rows than their last pull wrote: {observed}.",
            PULL_AGAIN,
            kind="equals",
            column="stored_rows",
            limit="slice_rows",
        ),
        ColumnRule(
            "no_duplicates_dropped",
            "warn",
            "Meta sent every row once.",
            "Meta sent {count} rows with a key that another row of the day had; the last one was kept ({days}).",
            "compare the day with Ads Manager; the report may lack a breakdown among its columns",
            kind="at_most",
            column="duplicate_count",
            limit=0,
        ),
        ColumnRule(
            "pulled_from_the_api",
            "warn",
            "The day came from the API.",
            "{days} came from an Ads Manager export: no attribution windows, and perhaps ids made from names.",
            "nothing, if that is what you want; `meta-ads pull` over these days replaces them with the API's",
            kind="at_most",
            column="imported_slices",
            limit=0,
        ),
    ]
