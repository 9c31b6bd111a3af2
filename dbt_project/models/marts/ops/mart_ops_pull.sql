{{ config(materialized='view') }}

-- What each pull did for each account, and how fast.
with pulls as (

    select
        *,
        extract(epoch from finished_at - started_at) as seconds
    from {{ ref('stg_ops__run_accounts') }}
    where kind = 'pull'

)

select
    pulls.account_id,
    pulls.run_id,
    accounts.client_id,
    accounts.client_name,
    accounts.account_name,
    pulls.dagster_run,
    pulls.api_version,
    -- A process that dies leaves its account running; the run itself is known to have ended by the next one.
    case
        when pulls.status = 'running' and pulls.run_status <> 'running' then 'interrupted' else pulls.status
    end as status,
    pulls.started_at,
    pulls.finished_at,
    round(pulls.seconds, 1) as seconds,
    pulls.slices,
    pulls.slices_unchanged,
    pulls.rows_written,
    round(pulls.rows_written / nullif(pulls.seconds, 0), 1) as rows_per_second,
    pulls.calls,
    round(pulls.wait_seconds::numeric, 1) as wait_seconds,
    pulls.problems
from pulls
inner join {{ ref('dim_account') }} as accounts
    on pulls.account_id = accounts.account_id
