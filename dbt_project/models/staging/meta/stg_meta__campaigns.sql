select
    account_id,
    id as campaign_id,
    coalesce(name, payload ->> 'name') as campaign_name,
    status,
    effective_status,
    payload ->> 'objective' as objective,
    payload ->> 'buying_type' as buying_type,
    payload ->> 'bid_strategy' as bid_strategy,
    (payload ->> 'daily_budget')::numeric as daily_budget_minor,
    (payload ->> 'lifetime_budget')::numeric as lifetime_budget_minor,
    (payload ->> 'spend_cap')::numeric as spend_cap_minor,
    (payload ->> 'start_time')::timestamptz as starts_at,
    (payload ->> 'stop_time')::timestamptz as ends_at,
    (payload ->> 'created_time')::timestamptz as created_at,
    updated_time as updated_at,
    pulled_at,
    run_id
from {{ source('raw', 'campaigns') }}
