select
    account_id,
    id as ad_id,
    (payload ->> 'adset_id')::bigint as ad_set_id,
    (payload ->> 'campaign_id')::bigint as campaign_id,
    (payload #>> '{creative,id}')::bigint as creative_id,
    coalesce(name, payload ->> 'name') as ad_name,
    status,
    effective_status,
    (payload ->> 'created_time')::timestamptz as created_at,
    updated_time as updated_at,
    pulled_at,
    run_id
from {{ source('raw', 'ads') }}
