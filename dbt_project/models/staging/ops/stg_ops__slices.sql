select
    account_id,
    report,
    day,
    run_id,
    source,
    api_version,
    -- Reason: an array type cannot be written in a unit test's fixture; a jsonb list can.
    to_jsonb(attribution_windows) as attribution_windows,
    pulled_at,
    committed_at,
    row_count,
    duplicate_count,
    build_id
from {{ source('ops', 'slice') }}
