-- What failed in the newest check of each account and report.
select
    account_id,
    report,
    expectation,
    checked_at,
    severity,
    observed,
    unexpected_count,
    -- Reason: an array type cannot be written in a unit test's fixture; a jsonb list can.
    to_jsonb(days) as days,
    message,
    mend
from {{ source('ops', 'quality_latest') }}
where expectation <> '*' and not passed
