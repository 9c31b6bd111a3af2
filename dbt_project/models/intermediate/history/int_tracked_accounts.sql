-- What the snapshot of accounts looks at: content that people change, in one spelling of "not used".
select
    account_id,
    account_id as id,
    nullif(account_name, '') as name,
    status,
    currency,
    time_zone,
    trim_scale(nullif(spend_cap_minor, 0)) as spend_cap,
    created_at,
    null::timestamptz as updated_at,
    pulled_at
from {{ ref('stg_meta__accounts') }}
