-- Calls that concern no account (finding accounts) are left out: a row of a mart belongs to an account.
select
    scope_id::bigint as account_id,
    hour,
    calls,
    waits,
    wait_seconds,
    refusals
from {{ source('ops', 'api_hour') }}
where scope_id <> 'app'
