{{ config(incremental_strategy='mirror', unique_key=['account_id', 'report']) }}

-- What is held of each report of each account, and what is missing. Ages are counted from the platform's newest pull
-- and not from the clock: a table cannot know when it is read, and a value that changes by itself would rewrite it.
with slices as (

    select
        slices.account_id,
        slices.report,
        slices.day,
        slices.pulled_at,
        slices.row_count,
        slices.source,
        {{ is_mature('slices.pulled_at', 'accounts.time_zone', 'slices.day') }} as is_mature,
        -- Reason: hours of the current day come all day long, days only when they are over.
        coalesce(
            max(slices.day) filter (where slices.report != 'ad_hourly') over (partition by slices.account_id),
            max(slices.day) over (partition by slices.account_id)
        ) as newest_day_of_account,
        max(slices.pulled_at) over () as newest_pull,
        lead(slices.day) over (
            partition by slices.account_id, slices.report order by slices.day
        ) as next_day
    from {{ ref('stg_ops__slices') }} as slices
    inner join {{ ref('dim_account') }} as accounts
        on slices.account_id = accounts.account_id

),

-- Days between two held ones, and those after the last up to the newest day that any report of the account holds.
gaps as (

    select
        account_id,
        report,
        day + 1 as first_missing,
        coalesce(next_day - 1, newest_day_of_account) as last_missing
    from slices
    where coalesce(next_day - 1, newest_day_of_account) > day

),

missing as (

    select
        account_id,
        report,
        sum(last_missing - first_missing + 1)::integer as days_missing,
        string_agg(
            case
                when first_missing = last_missing then first_missing::text
                else first_missing::text || '..' || last_missing::text
            end,
            ', ' order by first_missing
        ) as missing_days
    from gaps
    group by account_id, report

),

held as (

    select
        account_id,
        report,
        min(day) as first_day,
        max(day) as last_day,
        min(newest_day_of_account) as newest_day_of_account,
        count(*)::integer as days_held,
        count(*) filter (where row_count = 0)::integer as days_without_rows,
        sum(row_count)::bigint as rows_held,
        max(pulled_at) as last_pulled_at,
        max(newest_pull) as newest_pull,
        max(day) filter (where is_mature) as youngest_mature_day,
        case when min(source) = max(source) then min(source) else 'mixed' end as source
    from slices
    group by account_id, report

)

select
    held.account_id,
    held.report,
    accounts.client_id,
    accounts.client_name,
    accounts.account_name,
    accounts.currency,
    held.source,
    held.first_day,
    held.last_day,
    greatest(held.newest_day_of_account, held.last_day) - held.first_day + 1 as days_expected,
    held.days_held,
    held.days_without_rows,
    coalesce(missing.days_missing, 0) as days_missing,
    missing.missing_days,
    coalesce(missing.days_missing, 0) = 0 as is_complete,
    held.rows_held,
    held.last_pulled_at,
    round(extract(epoch from held.newest_pull - held.last_pulled_at) / 3600, 1) as hours_behind_newest_pull,
    held.newest_pull as platform_newest_pull_at,
    held.youngest_mature_day
from held
inner join {{ ref('dim_account') }} as accounts
    on held.account_id = accounts.account_id
left join missing
    on held.account_id = missing.account_id and held.report = missing.report
