{{ config(incremental_strategy='mirror', unique_key=['account_id', 'ad_set_id', 'valid_from']) }}

select
    states.account_id,
    states.object_id as ad_set_id,
    states.valid_from,
    states.valid_to,
    states.is_current,
    states.version::integer as version,
    states.source,
    states.is_extrapolated,
    accounts.client_id,
    accounts.currency,
    (states.content ->> 'campaign_id')::bigint as campaign_id,
    coalesce(states.content ->> 'name', states.object_id::text) as ad_set_name,
    states.content ->> 'status' as status,
    states.content ->> 'effective_status' as effective_status,
    states.content ->> 'learning_status' as learning_status,
    states.content ->> 'optimization_goal' as optimization_goal,
    states.content ->> 'billing_event' as billing_event,
    states.content ->> 'bid_strategy' as bid_strategy,
    {{ content_amount('bid_amount') }} as bid_amount,
    {{ content_amount('daily_budget') }} as daily_budget,
    {{ content_amount('lifetime_budget') }} as lifetime_budget,
    states.content ->> 'attribution_setting' as attribution_setting,
    states.content ->> 'targeting' as targeting,
    (states.content ->> 'starts_at')::timestamptz as starts_at,
    (states.content ->> 'ends_at')::timestamptz as ends_at
from {{ ref('int_object_states') }} as states
inner join {{ ref('dim_account') }} as accounts
    on states.account_id = accounts.account_id
where states.object_level = 'ad_set'
