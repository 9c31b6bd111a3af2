{{ config(incremental_strategy='onward_replace') }}

-- The month's goal against the spend so far, as it stood at the end of each day: a row a day draws the curve, and the
-- newest row is where the account stands. "Now" is the newest pulled day, never the wall clock.
with first_days as (

    {{ first_days_to_build() }}

),

account_days as (

    select
        slices.account_id,
        slices.day,
        slices.pulled_at,
        first_days.first_day,
        date_trunc('month', slices.day)::date as month,
        (date_trunc('month', slices.day) + interval '1 month')::date - date_trunc('month', slices.day)::date
            as days_in_month,
        {{ end_of_day('(slices.day - 1)', 'accounts.time_zone') }} as day_starts_at,
        {{ end_of_day('slices.day', 'accounts.time_zone') }} as day_ends_at
    from {{ ref('stg_ops__slices') }} as slices
    inner join first_days
        on
            slices.account_id = first_days.account_id
            -- Since the month began, and the seven days that a run rate looks back at.
            and slices.day >= least(date_trunc('month', first_days.first_day)::date, first_days.first_day - 6)
    inner join {{ ref('dim_account') }} as accounts
        on slices.account_id = accounts.account_id
    where slices.report = 'ad_daily'

),

spends as (

    select
        account_days.*,
        -- A pulled day without a row is a day without delivery.
        case when performance.account_id is null then 0 else performance.spend end as spend,
        account_days.pulled_at >= account_days.day_ends_at as is_day_complete,
        -- The part of the day that the numbers cover.
        extract(
            epoch from
            greatest(least(account_days.pulled_at, account_days.day_ends_at), account_days.day_starts_at)
            - account_days.day_starts_at
        ) / extract(epoch from account_days.day_ends_at - account_days.day_starts_at) as covered_part
    from account_days
    left join {{ ref('mart_performance_daily__account') }} as performance
        on account_days.account_id = performance.account_id and account_days.day = performance.day

),

to_date as (

    select
        *,
        sum(spend) over so_far as spend_to_date,
        count(*) over so_far as pulled_days,
        avg(spend) filter (where is_day_complete) over last_seven_days as run_rate_7d,
        round(day - month + covered_part, 6) as days_elapsed
    from spends
    window
        so_far as (partition by account_id, month order by day),
        last_seven_days as (
            partition by account_id
            order by day
            range between interval '6 days' preceding and current row
        )

),

configured as (

    select
        account_id,
        day,
        sum(coalesce(daily_budget, needed_per_day)) as configured_daily_budget
    from {{ ref('mart_budget_daily') }}
    where is_active
    group by account_id, day

),

goals as (

    select
        account_id,
        case
            when pg_input_is_valid(goals ->> 'monthly_budget', 'numeric')
                then trim_scale((goals ->> 'monthly_budget')::numeric)
        end as monthly_budget
    from {{ ref('stg_ops__client_accounts') }}

),

projected as (

    select
        to_date.*,
        goals.monthly_budget,
        configured.configured_daily_budget,
        to_date.pulled_days = to_date.day - to_date.month + 1 as is_month_pulled,
        round(to_date.days_in_month - to_date.days_elapsed, 6) as days_left,
        round(goals.monthly_budget * to_date.days_elapsed / to_date.days_in_month, 2) as expected_spend,
        -- Days that were never pulled are not days without spend: without them there is no projection.
        case
            when to_date.pulled_days = to_date.day - to_date.month + 1
                then round(
                    to_date.spend_to_date
                    + to_date.run_rate_7d * (to_date.days_in_month - to_date.days_elapsed), 2
                )
        end as projected_month_spend
    from to_date
    left join goals
        on to_date.account_id = goals.account_id
    left join configured
        on to_date.account_id = configured.account_id and to_date.day = configured.day
    where to_date.day >= to_date.first_day

),

compared as (

    select
        *,
        case
            when is_month_pulled then {{ function('safe_div') }}(spend_to_date, expected_spend)
        end as pacing_ratio,
        {{ function('safe_div') }}(projected_month_spend, monthly_budget) as projected_ratio,
        case
            when is_month_pulled
                then {{ function('safe_div') }}({{ not_below_zero('monthly_budget - spend_to_date') }}, days_left)
        end as required_daily_spend
    from projected

)

select
    compared.account_id,
    compared.day,
    compared.month,
    accounts.client_id,
    accounts.client_name,
    accounts.account_name,
    accounts.currency,
    compared.monthly_budget,
    compared.days_in_month,
    compared.days_elapsed,
    compared.days_left,
    compared.is_day_complete,
    compared.is_month_pulled,
    compared.spend,
    compared.spend_to_date,
    compared.expected_spend,
    compared.pacing_ratio,
    round(compared.run_rate_7d, 2) as run_rate_7d,
    compared.projected_month_spend,
    compared.projected_ratio,
    compared.required_daily_spend,
    compared.configured_daily_budget,
    case
        when compared.monthly_budget is null then 'no_goal'
        when not compared.is_month_pulled then 'incomplete'
        when compared.pacing_ratio > 1.1 then 'over'
        when compared.pacing_ratio < 0.9 then 'under'
        when compared.pacing_ratio is not null then 'on_track'
        else 'incomplete'
    end as pacing_status,
    compared.pulled_at as data_as_of
from compared
inner join {{ ref('dim_account') }} as accounts
    on compared.account_id = accounts.account_id
