-- noqa: disable=LT02
-- Reason: lists made in a loop are laid out as the SQL they become, which the linter takes for misplaced.
{% set windows = ['default', '1d_click', '7d_click', '28d_click', '1d_view', '1d_ev'] %}
{% set known = '{action_type,value,1d_click,7d_click,28d_click,1d_view,1d_ev}' %}
-- Every action and action value of an ad and day, a row per action type and a pair of columns per attribution window.
-- Counts and values are stacked first and aggregated afterwards: a value whose action Meta left out survives, where a
-- join from actions to values loses it.
-- Reason for windows as columns: they overlap and are read side by side, and a row each means about four times as many
-- rows. Reason for the lateral aggregate: an ad's day is one raw row, so nothing needs to be sorted across rows, and a
-- build's scope reaches the raw table's index.
select
    insights.account_id,
    insights.day,
    insights.ad_id,
    totals.action_type,
    {%- for window in windows %}
    totals.actions_{{ window }},
    totals.action_value_{{ window }},
    {%- endfor %}
    -- A window beyond the usual ones (`dda`, `incrementality`, `7d_click_first_conversion`) is kept, not lost. Besides
    -- its windows an element carries the action breakdowns that were asked for (`action_device`, ...), which are text.
    case
        when totals.has_other_keys
            then (
                select
                    jsonb_object_agg(
                        others.attribution_window,
                        jsonb_strip_nulls(
                            jsonb_build_object('actions', others.actions, 'action_value', others.action_value)
                        )
                    )
                from (
                    select
                        named.name as attribution_window,
                        sum(named.total::numeric) filter (where stacked.is_count) as actions,
                        sum(named.total::numeric) filter (where not stacked.is_count) as action_value
                    from {{ stacked_actions('arrays') }} as stacked
                    cross join lateral jsonb_each_text(stacked.element) as named (name, total)
                    where
                        stacked.element ->> 'action_type' = totals.action_type
                        and named.name <> all('{{ known }}'::text[])
                        and (
                            left(named.name, 1) between '1' and '9'
                            or left(named.name, 14) = 'incrementality'
                            or left(named.name, 3) = 'dda'
                        )
                    group by named.name
                ) as others
            )
    end as other_windows
from {{ ref('stg_meta__insights_ad_daily') }} as insights
cross join lateral jsonb_to_record(insights.payload) as arrays (actions jsonb, action_values jsonb)
cross join
    lateral (
        select
            named.action_type,
            {%- for window in windows %}
            {%- set key = 'value' if window == 'default' else window %}
            sum(named."{{ key }}") filter (where stacked.is_count) as actions_{{ window }},
            sum(named."{{ key }}") filter (where not stacked.is_count) as action_value_{{ window }},
            {%- endfor %}
            bool_or(stacked.element - '{{ known }}'::text[] <> '{}') as has_other_keys
        from {{ stacked_actions('arrays') }} as stacked
        cross join lateral jsonb_to_record(stacked.element) as named (
            action_type text
            {%- for window in windows -%}
            ,
            "{{ 'value' if window == 'default' else window }}" numeric
            {%- endfor %}
        )
        where named.action_type is not null
        group by named.action_type
    ) as totals
