{{ config(incremental_strategy='mirror', unique_key=['account_id', 'ad_id', 'valid_from']) }}

select
    states.account_id,
    states.object_id as ad_id,
    states.valid_from,
    states.valid_to,
    states.is_current,
    states.version::integer as version,
    states.source,
    states.is_extrapolated,
    accounts.client_id,
    accounts.currency,
    (states.content ->> 'ad_set_id')::bigint as ad_set_id,
    (states.content ->> 'campaign_id')::bigint as campaign_id,
    coalesce(states.content ->> 'name', states.object_id::text) as ad_name,
    states.content ->> 'status' as status,
    states.content ->> 'effective_status' as effective_status,
    (states.content ->> 'creative_id')::bigint as creative_id
from {{ ref('int_object_states') }} as states
inner join {{ ref('dim_account') }} as accounts
    on states.account_id = accounts.account_id
where states.object_level = 'ad'
