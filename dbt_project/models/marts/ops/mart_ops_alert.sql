{{ config(materialized='view') }}

-- What was wrong with an account, from when to when. What concerns no account (the token, the database) is left out: a
-- row of a mart belongs to an account.
select
    alerts.account_id,
    alerts.alert_id,
    accounts.client_id,
    accounts.client_name,
    accounts.account_name,
    alerts.kind,
    alerts.severity,
    alerts.title,
    alerts.detail,
    alerts.mend,
    alerts.dagster_run,
    alerts.opened_at,
    alerts.last_seen_at,
    alerts.seen_count,
    alerts.notified_at,
    alerts.resolved_at,
    alerts.resolved_at is null as is_open,
    round(
        (extract(epoch from coalesce(alerts.resolved_at, {{ current_moment() }}) - alerts.opened_at) / 3600)::numeric, 1
    ) as hours
from {{ ref('stg_ops__alert_accounts') }} as alerts
inner join {{ ref('dim_account') }} as accounts
    on alerts.account_id = accounts.account_id
