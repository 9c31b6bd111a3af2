{{ config(incremental_strategy='mirror', unique_key=['day']) }}

-- Reason for whole years at both ends: the table changes once a year, and not with each day.
with held as (

    select
        min(day) as first_day,
        max(day) as last_day
    from {{ ref('stg_ops__slices') }}

)

select
    days.day::date as day,
    {{ period_start('week', 'days.day') }} as week_start,
    {{ period_start('month', 'days.day') }} as month_start
from held
cross join lateral generate_series(
    date_trunc('year', coalesce(held.first_day, current_date)::timestamp),
    date_trunc('year', greatest(held.last_day, current_date)::timestamp) + interval '2 years' - interval '1 day',
    interval '1 day'
) as days (day)
