{{ config(materialized='view') }}

-- How fresh each report of each account is at the moment of reading. mart_data_freshness is a table, made with each
-- build: it lists which days are missing.
with reports as (

    select
        account_id,
        report,
        min(day) as first_day,
        max(day) as newest_day,
        count(*)::integer as days_held,
        max(pulled_at) as last_pulled_at,
        bool_or(source = 'api') as is_from_api
    from {{ ref('stg_ops__slices') }}
    group by account_id, report

),

newest as (

    select
        reports.account_id,
        reports.report,
        slices.pulled_at as newest_day_pulled_at
    from reports
    inner join {{ ref('stg_ops__slices') }} as slices
        on
            reports.account_id = slices.account_id
            and reports.report = slices.report
            and reports.newest_day = slices.day

),

held as (

    select
        account_id,
        report,
        count(distinct day)::integer as held_days
    from {{ ref('stg_ops__held_days') }}
    group by account_id, report

),

measured as (

    select
        reports.account_id,
        reports.report,
        accounts.client_id,
        accounts.client_name,
        accounts.account_name,
        reports.is_from_api,
        reports.first_day,
        reports.newest_day,
        ({{ current_moment() }} at time zone accounts.time_zone)::date - 1 as due_day,
        reports.days_held,
        newest.newest_day_pulled_at,
        reports.last_pulled_at,
        -- The first day that is missing was over at its end in the account's time zone.
        ((reports.newest_day + 2)::timestamp at time zone accounts.time_zone) as missing_since,
        coalesce(held.held_days, 0) as held_days
    from reports
    inner join newest
        on reports.account_id = newest.account_id and reports.report = newest.report
    inner join {{ ref('dim_account') }} as accounts
        on reports.account_id = accounts.account_id
    left join held
        on reports.account_id = held.account_id and reports.report = held.report

),

lagging as (

    select
        *,
        round(
            extract(
                epoch from {{ current_moment() }}
                - case when newest_day >= due_day then newest_day_pulled_at else missing_since end
            ) / 3600, 1
        ) as lag_hours
    from measured

)

select
    account_id,
    report,
    client_id,
    client_name,
    account_name,
    is_from_api,
    first_day,
    newest_day,
    due_day,
    days_held,
    -- Reason: a report of the current day holds one day more than is due.
    greatest(greatest(due_day, newest_day) - first_day + 1 - days_held, 0) as days_missing,
    held_days,
    newest_day_pulled_at,
    last_pulled_at,
    case when is_from_api then lag_hours end as lag_hours,
    -- A day and two hours: once a day a new day is due, and it needs time to be pulled.
    case when is_from_api then lag_hours <= 26 end as is_fresh
from lagging
