-- noqa: disable=LT02
-- Reason: lists made in a loop are laid out as the SQL they become, which the linter takes for misplaced.
{{ config(materialized='view') }}

-- The long form of fct_ad_day_action_type: a row per window, for whoever filters by window. It stores nothing.
select
    by_type.account_id,
    by_type.day,
    by_type.client_id,
    by_type.ad_id,
    by_type.action_type,
    windows.attribution_window,
    windows.actions,
    windows.action_value
from {{ ref('fct_ad_day_action_type') }} as by_type
cross join lateral (
    select
        usual.attribution_window,
        usual.actions,
        usual.action_value
    from (
        values
            ('default', by_type.actions_default, by_type.action_value_default),
            ('1d_click', by_type.actions_1d_click, by_type.action_value_1d_click),
            ('7d_click', by_type.actions_7d_click, by_type.action_value_7d_click),
            ('28d_click', by_type.actions_28d_click, by_type.action_value_28d_click),
            ('1d_view', by_type.actions_1d_view, by_type.action_value_1d_view),
            ('1d_ev', by_type.actions_1d_ev, by_type.action_value_1d_ev)
    ) as usual (attribution_window, actions, action_value)
    where num_nonnulls(usual.actions, usual.action_value) > 0

    union all

    select
        others.attribution_window,
        (others.totals ->> 'actions')::numeric as actions,
        (others.totals ->> 'action_value')::numeric as action_value
    from jsonb_each(by_type.other_windows) as others (attribution_window, totals)
) as windows
