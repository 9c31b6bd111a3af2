-- An alert for each account that it concerns. One that concerns several tells each its own part alone: the text and the
-- mend of the whole may name the others, and they may belong to other clients.
select
    concerned.account_id,
    alerts.alert_id,
    alerts.kind,
    alerts.severity,
    alerts.title,
    case when alerts.account_id = concerned.account_id then alerts.detail else own.detail end as detail,
    case when alerts.account_id = concerned.account_id then alerts.mend end as mend,
    own.dagster_run,
    alerts.opened_at,
    alerts.last_seen_at,
    alerts.seen_count,
    alerts.notified_at,
    alerts.resolved_at,
    alerts.resolution
from {{ source('ops', 'alert_account') }} as concerned
inner join {{ source('ops', 'alert') }} as alerts
    on concerned.alert_id = alerts.alert_id
left join
    lateral (
        select
            nullif(samples.about ->> 'text', '') as detail,
            samples.about ->> 'run_id' as dagster_run
        from jsonb_each(alerts.samples) as samples (subject, about)
        where (samples.about ->> 'account_id')::bigint = concerned.account_id
        order by samples.about ->> 'at' desc nulls last, samples.subject
        limit 1
    ) as own
    on true
