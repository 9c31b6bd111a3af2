{{ config(incremental_strategy='slice_replace') }}

-- People reached over a period, as Meta counts them for exactly that period. Nothing here may be summed: not over days
-- (the periods overlap), not over campaigns (the people do).
with periods as (

    select
        periods.account_id,
        periods.day,
        'account' as level,
        periods.account_id as object_id,
        periods.period_start,
        periods.period_days,
        periods.currency,
        periods.spend,
        periods.impressions,
        periods.reach,
        periods.frequency,
        periods.source,
        periods.run_id,
        periods.pulled_at
    from {{ ref('stg_meta__insights_account_period') }} as periods
    {{ in_build_scope('periods') }}

    union all

    select
        periods.account_id,
        periods.day,
        'campaign' as level,
        periods.campaign_id as object_id,
        periods.period_start,
        periods.period_days,
        periods.currency,
        periods.spend,
        periods.impressions,
        periods.reach,
        periods.frequency,
        periods.source,
        periods.run_id,
        periods.pulled_at
    from {{ ref('stg_meta__insights_campaign_period') }} as periods
    {{ in_build_scope('periods') }}

)

select
    periods.account_id,
    periods.day,
    periods.level,
    periods.object_id,
    periods.period_days,
    periods.period_start,
    -- February of a common year is 28 days long: one row is then the month and the 28 days at once.
    periods.period_start = date_trunc('month', periods.day)::date
    and periods.day = (date_trunc('month', periods.day) + interval '1 month - 1 day')::date as is_calendar_month,
    accounts.client_id,
    coalesce(periods.currency, accounts.currency) as currency,
    periods.spend,
    periods.impressions,
    periods.reach,
    coalesce(periods.frequency, {{ function('safe_div') }}(periods.impressions, periods.reach)) as frequency,
    periods.source,
    periods.run_id,
    periods.pulled_at
from periods
inner join {{ ref('dim_account') }} as accounts
    on periods.account_id = accounts.account_id
