{{ config(incremental_strategy='mirror', unique_key=['account_id']) }}

-- Accounts are known from three places, none of them complete: Meta's list, our own settings, and pulled slices (an
-- account whose history was imported from a file need not be listed by Meta at all).
with known_accounts as (

    select account_id from {{ ref('stg_meta__accounts') }}
    union
    select account_id from {{ ref('stg_ops__client_accounts') }}
    union
    select account_id from {{ ref('stg_ops__slices') }}

),

latest_slice_with_rows as (

    select
        account_id,
        max(day) as day
    from {{ ref('stg_ops__slices') }}
    where report = 'ad_daily' and row_count > 0
    group by account_id

),

-- Reason for LATERAL: it keeps the planner on the index of one account day, where a join reads the whole history.
latest_insight as (

    select
        latest_slice_with_rows.account_id,
        one_row.account_name,
        one_row.currency
    from latest_slice_with_rows
    cross join lateral (
        select
            insights.account_name,
            insights.currency
        from {{ ref('stg_meta__insights_ad_daily') }} as insights
        where
            insights.account_id = latest_slice_with_rows.account_id
            and insights.day = latest_slice_with_rows.day
        order by insights.ad_id
        limit 1
    ) as one_row

),

described as (

    select
        known_accounts.account_id,
        coalesce(settings.client_id, 'unassigned') as client_id,
        coalesce(settings.client_name, settings.client_id, 'Unassigned') as client_name,
        coalesce(
            settings.account_name, accounts.account_name, latest_insight.account_name, known_accounts.account_id::text
        ) as account_name,
        coalesce(accounts.currency, latest_insight.currency) as currency,
        -- Reason: a name that PostgreSQL does not know would fail every statement that computes with it.
        coalesce(time_zones.name, 'UTC') as time_zone,
        time_zones.name is not null as is_time_zone_known,
        settings.conversion_action,
        settings.value_action,
        settings.conversion_window,
        settings.reporting_currency,
        accounts.status,
        accounts.account_id is null as is_inferred,
        settings.client_id is not null as is_client_declared
    from known_accounts
    left join {{ ref('stg_meta__accounts') }} as accounts
        on known_accounts.account_id = accounts.account_id
    left join {{ ref('stg_ops__client_accounts') }} as settings
        on known_accounts.account_id = settings.account_id
    left join latest_insight
        on known_accounts.account_id = latest_insight.account_id
    left join pg_timezone_names as time_zones
        on accounts.time_zone = time_zones.name

)

select
    account_id,
    client_id,
    client_name,
    account_name,
    currency,
    {{ minor_unit_exponent('currency') }} as minor_unit_exponent,
    time_zone,
    is_time_zone_known,
    conversion_action,
    value_action,
    conversion_window,
    status,
    is_client_declared,
    is_inferred,
    account_id < 0 as has_derived_id,
    reporting_currency
from described
