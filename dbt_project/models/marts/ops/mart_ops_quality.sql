{{ config(materialized='view') }}

-- What failed in the newest check of each account and report, by day, with what to do about it.
with by_day as (

    select
        failures.account_id,
        failures.report,
        failures.expectation,
        days.day::date as day,
        failures.checked_at,
        failures.severity,
        failures.observed,
        failures.unexpected_count,
        failures.message,
        failures.mend
    from {{ ref('stg_ops__quality_failures') }} as failures
    left join lateral jsonb_array_elements_text(failures.days) as days (day)
        on true

)

select
    by_day.account_id,
    by_day.report,
    by_day.expectation,
    by_day.day,
    accounts.client_id,
    accounts.client_name,
    accounts.account_name,
    by_day.checked_at,
    by_day.severity,
    held.account_id is not null as is_held,
    by_day.observed,
    by_day.unexpected_count,
    by_day.message,
    by_day.mend
from by_day
inner join {{ ref('dim_account') }} as accounts
    on by_day.account_id = accounts.account_id
left join {{ ref('stg_ops__held_days') }} as held
    on
        by_day.account_id = held.account_id
        and by_day.day = held.day
        and by_day.report = held.report
        and by_day.expectation = held.expectation
