{{ config(incremental_strategy='slice_replace') }}

with actions as (

    select * from {{ ref('int_ad_day_actions') }}
    {{ in_build_scope() }}

)

select
    actions.account_id,
    actions.day,
    accounts.client_id,
    actions.ad_id,
    actions.action_type,
    actions.actions_default,
    actions.action_value_default,
    actions.actions_1d_click,
    actions.action_value_1d_click,
    actions.actions_7d_click,
    actions.action_value_7d_click,
    actions.actions_28d_click,
    actions.action_value_28d_click,
    actions.actions_1d_view,
    actions.action_value_1d_view,
    actions.actions_1d_ev,
    actions.action_value_1d_ev,
    actions.other_windows
from actions
inner join {{ ref('dim_account') }} as accounts
    on actions.account_id = accounts.account_id
where
    actions.other_windows is not null
    or num_nonnulls(
        actions.actions_default,
        actions.action_value_default,
        actions.actions_1d_click,
        actions.action_value_1d_click,
        actions.actions_7d_click,
        actions.action_value_7d_click,
        actions.actions_28d_click,
        actions.action_value_28d_click,
        actions.actions_1d_view,
        actions.action_value_1d_view,
        actions.actions_1d_ev,
        actions.action_value_1d_ev
    ) > 0
