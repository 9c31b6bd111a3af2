select
    account_id,
    coalesce(name, payload ->> 'name') as account_name,
    payload ->> 'currency' as currency,
    payload ->> 'timezone_name' as time_zone,
    status,
    (payload ->> 'spend_cap')::numeric as spend_cap_minor,
    (payload ->> 'created_time')::timestamptz as created_at,
    pulled_at,
    run_id
from {{ source('raw', 'accounts') }}
