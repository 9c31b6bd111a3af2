{{ config(incremental_strategy='mirror', unique_key=['account_id', 'valid_from']) }}

select
    states.account_id,
    states.valid_from,
    states.valid_to,
    states.is_current,
    states.version::integer as version,
    states.source,
    states.is_extrapolated,
    accounts.client_id,
    coalesce(states.content ->> 'name', states.object_id::text) as account_name,
    states.content ->> 'status' as status,
    states.content ->> 'currency' as currency,
    states.content ->> 'time_zone' as time_zone,
    {{ content_amount('spend_cap') }} as spend_cap
from {{ ref('int_object_states') }} as states
inner join {{ ref('dim_account') }} as accounts
    on states.account_id = accounts.account_id
where states.object_level = 'account'
