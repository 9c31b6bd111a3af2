"""Bugs in single models, and in the one macro that makes the performance marts."""

from __future__ import annotations

from tests.mutations.mutant import Mutant

_PERFORMANCE = "macros/performance_daily.sql"
_COLUMNS = "macros/performance_columns.sql"
_RECONCILIATION = "models/marts/quality/mart_reconciliation.sql"
_SAME_DAY = "where a.account_id = summed.account_id and a.day = summed.day"

MUTANTS = (
    Mutant(
        "values-without-actions-lost",
        "models/intermediate/int_ad_day_actions.sql",
        "        group by named.action_type\n",
        "        group by named.action_type\n        having bool_or(stacked.is_count)\n",
        "revenue whose action Meta left out is lost, as by a left join from actions to values",
    ),
    Mutant(
        "windows-mixed-up",
        "models/intermediate/int_ad_day_actions.sql",
        "set key = 'value' if window == 'default' else window",
        "set key = '7d_click' if window == 'default' else window",
        "the account's own window shows the numbers of the seven-day window",
    ),
    Mutant(
        "breakdowns-read-as-windows",
        "models/intermediate/int_ad_day_actions.sql",
        "left(named.name, 1) between '1' and '9'",
        "named.name <> 'action_type'",
        "the text of an action breakdown is taken for a number",
    ),
    Mutant(
        "absent-is-zero-in-facts",
        "models/intermediate/int_ad_days.sql",
        "    counted.conversions,\n",
        "    coalesce(counted.conversions, 0) as conversions,\n",
        "an event that was never asked for did not happen",
    ),
    Mutant(
        "settings-of-every-account",
        "models/intermediate/int_ad_days.sql",
        "    on insights.account_id = accounts.account_id",
        "    on accounts.account_id is not null",
        "every row once for each account's settings",
    ),
    Mutant(
        "deleted-campaigns-lost",
        "models/marts/core/dim_campaign.sql",
        "full outer join",
        "left join",
        "campaigns that Meta no longer lists lose their history",
    ),
    Mutant(
        "ads-without-delivery-lost",
        "models/marts/core/dim_ad.sql",
        "full outer join",
        "right join",
        "ads that have not delivered yet are not listed",
    ),
    Mutant(
        "campaigns-of-other-accounts",
        "models/marts/core/dim_campaign.sql",
        "on listed.account_id = insights.account_id and listed.campaign_id = insights.campaign_id",
        "on listed.campaign_id = insights.campaign_id",
        "two accounts with one id share name and budget",
    ),
    Mutant(
        "creatives-of-other-accounts",
        "models/marts/core/dim_ad.sql",
        "on ads.account_id = creatives.account_id and ads.creative_id = creatives.creative_id",
        "on ads.creative_id = creatives.creative_id",
        "another client's creative is shown",
    ),
    Mutant(
        "currency-of-an-empty-day",
        "models/marts/core/dim_account.sql",
        "where report = 'ad_daily' and row_count > 0",
        "where report = 'ad_daily'",
        "an account that paused yesterday has no currency and no name",
    ),
    Mutant(
        "accounts-listed-twice",
        "models/marts/core/dim_account.sql",
        "    union\n    select account_id from {{ ref('stg_ops__slices') }}\n",
        "    union all\n    select account_id from {{ ref('stg_ops__slices') }}\n",
        "an account is there once for each of its slices",
    ),
    Mutant(
        "people-summed",
        _PERFORMANCE,
        "{{ 'summed' if grain == 'ad' else 'people' }}.reach,",
        f"(select sum(a.reach)::bigint from ad_days as a {_SAME_DAY}) as reach,",
        "people who saw two ads count twice",
    ),
    Mutant(
        "average-of-ratios",
        _PERFORMANCE,
        "{{ ratio_columns('summed') }},",
        "{{ ratio_columns('summed') | replace(function('safe_div') ~ '(summed.link_clicks, summed.impressions)',"
        f" '(select avg(a.link_clicks / nullif(a.impressions, 0)::numeric) from ad_days as a {_SAME_DAY})') }}}},",
        "a tiny ad weighs as much as a large one",
    ),
    Mutant(
        "sum-of-ratios",
        _PERFORMANCE,
        "{{ ratio_columns('summed') }},",
        "{{ ratio_columns('summed') | replace(function('safe_div') ~ '(summed.spend, summed.link_clicks)',"
        f" '(select sum(a.spend / nullif(a.link_clicks, 0)) from ad_days as a {_SAME_DAY})') }}}},",
        "cost per click grows with the number of ads",
    ),
    Mutant(
        "cpa-upside-down",
        _COLUMNS,
        "'cpa': of ~ '.spend, ' ~ of ~ '.conversions'",
        "'cpa': of ~ '.conversions, ' ~ of ~ '.spend'",
        "numerator and denominator are swapped",
    ),
    Mutant(
        "roas-upside-down",
        _COLUMNS,
        "'roas': of ~ '.conversion_value, ' ~ of ~ '.spend'",
        "'roas': of ~ '.spend, ' ~ of ~ '.conversion_value'",
        "numerator and denominator are swapped",
    ),
    Mutant(
        "cpm-per-impression",
        _COLUMNS,
        "'cpm': '1000 * ' ~ of ~",
        "'cpm': of ~",
        "the thousand is lost",
    ),
    Mutant(
        "cvr-of-all-clicks",
        _COLUMNS,
        "'cvr': of ~ '.conversions, ' ~ of ~ '.link_clicks'",
        "'cvr': of ~ '.conversions, ' ~ of ~ '.clicks_all'",
        "likes and shares count as visits",
    ),
    Mutant(
        "unknown-conversions-are-zero",
        _PERFORMANCE,
        "coalesce(sum(conversions), 0) else sum(conversions) end",
        "coalesce(sum(conversions), 0) else coalesce(sum(conversions), 0) end",
        "what was never asked for is shown as zero",
    ),
    Mutant(
        "known-zero-is-unknown",
        _PERFORMANCE,
        "case when min(source) = 'api' then coalesce(sum(link_clicks), 0) else sum(link_clicks) end::bigint",
        "sum(link_clicks)::bigint",
        "a day without clicks has no CTR instead of zero",
    ),
    Mutant(
        "people-of-every-day",
        _PERFORMANCE,
        "        and summed.day = people.day\n",
        "",
        "each day once for each day of reach",
    ),
    Mutant(
        "performance-needs-reach",
        _PERFORMANCE,
        "left join people",
        "inner join people",
        "days whose reach was not pulled vanish with their spend",
    ),
    Mutant(
        "names-of-other-accounts",
        _PERFORMANCE,
        "    on summed.account_id = {{ level }}s.account_id and summed.{{ level }}_id",
        "    on summed.{{ level }}_id",
        "rows double where two accounts share an id",
    ),
    Mutant(
        "mixed-settings-hidden",
        _COLUMNS,
        "when min(attribution_setting) <> max(attribution_setting) then 'mixed'",
        "when min(attribution_setting) > max(attribution_setting) then 'mixed'",
        "numbers of two attribution settings look like one",
    ),
    Mutant(
        "half-mature-is-mature",
        _PERFORMANCE,
        "bool_and(is_mature) as is_mature",
        "bool_or(is_mature) as is_mature",
        "one final ad makes the day final",
    ),
    Mutant(
        "reconciled-day-of-any-day",
        _PERFORMANCE,
        "on summed.account_id = reconciliation.account_id and summed.day = reconciliation.day",
        "on summed.account_id = reconciliation.account_id",
        "each day once for each reconciled day",
    ),
    Mutant(
        "days-without-control-hidden",
        _RECONCILIATION,
        "left join controls",
        "inner join controls",
        "a day that was never checked, or delivered nothing, is not listed",
    ),
    Mutant(
        "reconciled-to-the-nearest-unit",
        _RECONCILIATION,
        "            spend_difference = 0\n",
        "            abs(spend_difference) < 1\n",
        "cents may be missing",
    ),
    Mutant(
        "controls-of-other-accounts",
        _RECONCILIATION,
        "on slices.account_id = controls.account_id and slices.day = controls.day",
        "on slices.day = controls.day",
        "an account is compared with another one's total",
    ),
    Mutant(
        "conversions-never-compared",
        _RECONCILIATION,
        "            and (not is_conversions_comparable or conversions_difference = 0)\n",
        "",
        "lost conversions count as reconciled",
    ),
    Mutant(
        "unchecked-is-reconciled",
        _RECONCILIATION,
        "        when control_pulled_at is null then 'no_control'\n",
        "",
        "a day without Meta's total is called reconciled or mismatched",
    ),
    Mutant(
        "control-of-any-window",
        "models/intermediate/int_account_days.sql",
        "    {{ link_clicks() }} as link_clicks,",
        "    insights.clicks_all as link_clicks,",
        "link clicks are checked against all clicks",
    ),
)
