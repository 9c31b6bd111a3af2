-- What the snapshot of ads looks at.
select
    account_id,
    ad_id as id,
    ad_set_id,
    campaign_id,
    nullif(ad_name, '') as name,
    status,
    effective_status,
    creative_id,
    created_at,
    updated_at,
    pulled_at
from {{ ref('stg_meta__ads') }}
