{{ config(incremental_strategy='mirror', unique_key=['account_id', 'campaign_id', 'valid_from']) }}

select
    states.account_id,
    states.object_id as campaign_id,
    states.valid_from,
    states.valid_to,
    states.is_current,
    states.version::integer as version,
    states.source,
    states.is_extrapolated,
    accounts.client_id,
    accounts.currency,
    coalesce(states.content ->> 'name', states.object_id::text) as campaign_name,
    states.content ->> 'status' as status,
    states.content ->> 'effective_status' as effective_status,
    states.content ->> 'objective' as objective,
    states.content ->> 'bid_strategy' as bid_strategy,
    {{ content_amount('daily_budget') }} as daily_budget,
    {{ content_amount('lifetime_budget') }} as lifetime_budget,
    {{ content_amount('spend_cap') }} as spend_cap,
    (states.content ->> 'starts_at')::timestamptz as starts_at,
    (states.content ->> 'ends_at')::timestamptz as ends_at
from {{ ref('int_object_states') }} as states
inner join {{ ref('dim_account') }} as accounts
    on states.account_id = accounts.account_id
where states.object_level = 'campaign'
