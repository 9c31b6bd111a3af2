{{ config(incremental_strategy='slice_replace') }}

select
    account_id,
    day,
    ad_id,
    action_type,
    attribution_window,
    actions,
    action_value
from {{ ref('int_ad_day_actions') }}
{{ in_build_scope() }}
