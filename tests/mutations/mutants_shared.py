"""Bugs in macros and functions that several models share."""

from __future__ import annotations

from tests.mutations.mutant import Mutant

_STAGE = "macros/stage_insights.sql"
_MEASURES = "macros/declared_measures.sql"
_REPLACE = "macros/slice_replace.sql"
_OBJECTS = "macros/objects_in_insights.sql"
_DELETED = "where ({{ key }}) in ({{ replaced }});"

MUTANTS = (
    Mutant(
        "slice-join-without-account",
        _STAGE,
        "on insights.account_id = slices.account_id and insights.day = slices.day",
        "on insights.day = slices.day",
        "every row once for each account that has the day",
    ),
    Mutant(
        "slice-filter-lost",
        _STAGE,
        "    where report = '{{ report }}'\n",
        "",
        "every row once for each report of its day",
    ),
    Mutant(
        "uncommitted-slices-seen",
        _STAGE,
        "inner join slices",
        "left join slices",
        "rows of a slice that was never committed are shown",
    ),
    Mutant(
        "action-types-counted-twice",
        _MEASURES,
        "filter (where element ->> 'action_type' = accounts.conversion_action) as conversions\n",
        "filter (where element ->> 'action_type' like '%' || replace(accounts.conversion_action, 'omni_', ''))"
        " as conversions\n",
        "purchase and omni_purchase, which overlap, are added",
    ),
    Mutant(
        "window-of-the-account-always",
        _MEASURES,
        "case accounts.conversion_window when 'default' then 'value' else accounts.conversion_window end",
        "'value'",
        "conversions of Meta's default window where the client declared another",
    ),
    Mutant(
        "value-of-the-wrong-action",
        _MEASURES,
        "filter (where element ->> 'action_type' = accounts.value_action) as conversion_value\n",
        "filter (where element ->> 'action_type' = accounts.conversion_action) as conversion_value\n",
        "the value of the conversion and not of the declared value action",
    ),
    Mutant(
        "link-clicks-of-one-day",
        _MEASURES,
        "coalesce(counted.link_clicks::bigint, insights.inline_link_clicks)",
        "coalesce(insights.inline_link_clicks, counted.link_clicks::bigint)",
        "link clicks differ from Ads Manager's",
    ),
    Mutant(
        "total-is-the-largest-part",
        _MEASURES,
        "(select sum((element ->> 'value')::numeric) from {{ elements(array) }})",
        "(select max((element ->> 'value')::numeric) from {{ elements(array) }})",
        "outbound clicks and video plays of one element alone",
    ),
    Mutant(
        "silence-of-a-file-is-zero",
        _MEASURES,
        "    and insights.source = 'api'\n",
        "",
        "an exported file without a purchases column says zero purchases",
    ),
    Mutant(
        "silence-of-an-unasked-window-is-zero",
        _MEASURES,
        "or insights.attribution_windows ? accounts.conversion_window)",
        "or true)",
        "a window that was not pulled says zero conversions",
    ),
    Mutant(
        "mature-a-day-late",
        "macros/maturity.sql",
        ">= {{ var('maturity_days') }}",
        "> {{ var('maturity_days') }}",
        "off by one: a day is final after 29 days",
    ),
    Mutant(
        "mature-by-the-passing-of-time",
        "macros/maturity.sql",
        "({{ pulled_at }} at time zone",
        "(now() at time zone",
        "an old pull counts as final although the day was restated since",
    ),
    Mutant(
        "mature-in-utc",
        "macros/maturity.sql",
        "at time zone {{ time_zone }})",
        "at time zone 'UTC')",
        "days are UTC's and not the account's",
    ),
    Mutant(
        "yen-with-cents",
        "macros/currencies.sql",
        "'IDR', 'JPY', 'KRW'",
        "'IDR', 'KRW'",
        "budgets in yen are a hundredth of what they are",
    ),
    Mutant(
        "no-budget-is-zero-budget",
        "macros/currencies.sql",
        "nullif({{ minor_units }}, 0)",
        "{{ minor_units }}",
        "a kind of budget that is not used reads as a budget of zero",
    ),
    Mutant(
        "ghosts-of-emptied-days",
        _REPLACE,
        _DELETED,
        "where ({{ key }}) in (select {{ key }} from {{ arg_dict['temp_relation'] }});",
        "a day whose rows Meta withdrew stays in the marts",
    ),
    Mutant(
        "delete-of-the-whole-account",
        _REPLACE,
        _DELETED,
        "where account_id in (select scope.account_id from {{ source('ops', 'build_scope') }} as scope);",
        "an incremental build loses the days outside its scope",
    ),
    Mutant(
        "delete-of-the-day-of-everyone",
        _REPLACE,
        "replace_rows(arg_dict, 'account_id, day', shifted_build_scope([0]))",
        "replace_rows(arg_dict, 'day', 'select scope.day from ' ~ source('ops', 'build_scope') ~ ' as scope')",
        "a build of one account loses the same day of all others",
    ),
    Mutant(
        "scope-ignored",
        _REPLACE,
        "    {%- if is_incremental() %}\n    {{ keyword }} (",
        "    {%- if false %}\n    {{ keyword }} (",
        "an incremental build writes days that it did not delete",
    ),
    Mutant(
        "mirror-keeps-ghosts",
        _REPLACE,
        "from (select {{ columns }} from {{ target }} except select {{ columns }} from {{ staged }}) as outdated",
        "from (select {{ columns }} from {{ target }} except select {{ columns }} from {{ staged }}) as outdated"
        " where ({{ key }}) in (select {{ key }} from {{ staged }})",
        "objects that are gone stay in the dimensions",
    ),
    Mutant(
        "name-of-the-first-day",
        _OBJECTS,
        "and seen_without_entity.last_day = insights.day",
        "and seen_without_entity.first_day = insights.day",
        "an object that Meta no longer lists has its oldest name",
    ),
    Mutant(
        "missing-distinct",
        _OBJECTS,
        "select distinct on (insights.account_id, insights.{{ id }})",
        "select",
        "an object once for each of its ads",
    ),
    Mutant(
        "entities-of-other-accounts",
        _OBJECTS,
        "on seen.account_id = entities.account_id and seen.{{ id }} = entities.{{ id }}",
        "on seen.{{ id }} = entities.{{ id }}",
        "an id that another account lists counts as listed",
    ),
    Mutant(
        "zero-denominator-divides-by-one",
        "functions/safe_div.sql",
        "nullif(denominator, 0)",
        "coalesce(nullif(denominator, 0), 1)",
        "spend without conversions has a CPA of the whole spend",
    ),
    Mutant(
        "zero-denominator-is-zero",
        "functions/safe_div.sql",
        "trim_scale(numerator / nullif(denominator, 0))",
        "coalesce(trim_scale(numerator / nullif(denominator, 0)), 0)",
        "no impressions read as a CTR of zero",
    ),
)
