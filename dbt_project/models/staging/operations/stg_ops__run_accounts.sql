select
    run_accounts.account_id,
    run_accounts.run_id,
    runs.kind,
    runs.dagster_run,
    runs.api_version,
    runs.status as run_status,
    run_accounts.status,
    run_accounts.started_at,
    coalesce(run_accounts.finished_at, runs.finished_at) as finished_at,
    run_accounts.slices,
    run_accounts.slices_unchanged,
    run_accounts.rows_written,
    run_accounts.calls,
    run_accounts.wait_seconds,
    run_accounts.problems
from {{ source('ops', 'run_account') }} as run_accounts
inner join {{ source('ops', 'run') }} as runs
    on run_accounts.run_id = runs.run_id
