select
    account_id,
    id as study_id,
    coalesce(name, payload ->> 'name') as study_name,
    payload ->> 'type' as study_type,
    (payload ->> 'start_time')::timestamptz as starts_at,
    (payload ->> 'end_time')::timestamptz as ends_at,
    (payload ->> 'canceled_time')::timestamptz as canceled_at,
    -- Reason: an expanded edge comes as {"data": [...]}; a study without cells has no such key.
    coalesce(payload #> '{cells,data}', '[]'::jsonb) as cells,
    pulled_at,
    run_id
from {{ source('raw', 'ad_studies') }}
