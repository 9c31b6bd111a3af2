select
    account_id,
    coalesce(name, payload ->> 'name') as account_name,
    payload ->> 'currency' as currency,
    payload ->> 'timezone_name' as time_zone,
    status,
    pulled_at,
    run_id
from {{ source('raw', 'accounts') }}
