{{ config(incremental_strategy='slice_replace') }}

-- Ad-level sums against the total that Meta itself reports for the account and day, in exact numbers.
with slices as (

    select
        account_id,
        day,
        max(pulled_at) filter (where report = 'ad_daily') as ads_pulled_at,
        max(pulled_at) filter (where report = 'account_daily') as control_pulled_at
    from {{ ref('stg_ops__slices') }}
    where
        report in ('ad_daily', 'account_daily')
        {{ in_build_scope(keyword='and') }}
    group by account_id, day

),

ad_sums as (

    select
        account_id,
        day,
        sum(spend) as spend,
        sum(impressions)::bigint as impressions,
        sum(clicks_all)::bigint as clicks_all,
        sum(link_clicks)::bigint as link_clicks,
        sum(conversions) as conversions,
        sum(conversion_value) as conversion_value,
        min(attribution_setting) <> max(attribution_setting) as is_attribution_mixed
    from {{ ref('fct_ad_day') }}
    {{ in_build_scope() }}
    group by account_id, day

),

controls as (

    select * from {{ ref('int_account_days') }}
    {{ in_build_scope() }}

),

-- Windows beside the declared one: a day that fails in one of them is not reconciled.
windows as (

    select
        account_id,
        day,
        string_agg(attribution_window, ', ' order by attribution_window) as failing_windows
    from {{ ref('mart_reconciliation__window') }}
    where
        status = 'mismatch'
        {{ in_build_scope(keyword='and') }}
    group by account_id, day

),

-- A day without delivery has a slice without rows: both sides are then zero, which is a match and not a gap.
compared as (

    select
        slices.account_id,
        slices.day,
        accounts.client_id,
        accounts.client_name,
        accounts.account_name,
        accounts.currency,
        windows.failing_windows,
        slices.ads_pulled_at,
        slices.control_pulled_at,
        ad_sums.spend as spend_ads,
        controls.spend as spend_control,
        coalesce(ad_sums.spend, 0) - coalesce(controls.spend, 0) as spend_difference,
        ad_sums.impressions as impressions_ads,
        controls.impressions as impressions_control,
        coalesce(ad_sums.impressions, 0) - coalesce(controls.impressions, 0) as impressions_difference,
        ad_sums.clicks_all as clicks_all_ads,
        controls.clicks_all as clicks_all_control,
        coalesce(ad_sums.clicks_all, 0) - coalesce(controls.clicks_all, 0) as clicks_all_difference,
        ad_sums.link_clicks as link_clicks_ads,
        controls.link_clicks as link_clicks_control,
        coalesce(ad_sums.link_clicks, 0) - coalesce(controls.link_clicks, 0) as link_clicks_difference,
        ad_sums.conversions as conversions_ads,
        controls.conversions as conversions_control,
        coalesce(ad_sums.conversions, 0) - coalesce(controls.conversions, 0) as conversions_difference,
        ad_sums.conversion_value as conversion_value_ads,
        controls.conversion_value as conversion_value_control,
        coalesce(ad_sums.conversion_value, 0) - coalesce(controls.conversion_value, 0) as conversion_value_difference,
        -- Reason: Meta gives no conversions for an account whose ad sets use different attribution settings.
        accounts.conversion_action is not null
        and not (controls.conversions is null and coalesce(ad_sums.is_attribution_mixed, false))
            as is_conversions_comparable,
        accounts.value_action is not null
        and not (controls.conversion_value is null and coalesce(ad_sums.is_attribution_mixed, false))
            as is_conversion_value_comparable,
        slices.ads_pulled_at is not null and slices.control_pulled_at is not null as is_comparable
    from slices
    inner join {{ ref('dim_account') }} as accounts
        on slices.account_id = accounts.account_id
    left join ad_sums
        on slices.account_id = ad_sums.account_id and slices.day = ad_sums.day
    left join controls
        on slices.account_id = controls.account_id and slices.day = controls.day
    left join windows
        on slices.account_id = windows.account_id and slices.day = windows.day

)

select
    account_id,
    day,
    case
        when control_pulled_at is null then 'no_control'
        when ads_pulled_at is null then 'incomplete'
        when
            spend_difference = 0
            and impressions_difference = 0
            and clicks_all_difference = 0
            and link_clicks_difference = 0
            and failing_windows is null
            and (not is_conversions_comparable or conversions_difference = 0)
            and (not is_conversion_value_comparable or conversion_value_difference = 0)
            then 'reconciled'
        else 'mismatch'
    end as status,
    client_id,
    client_name,
    account_name,
    currency,
    failing_windows,
    ads_pulled_at,
    control_pulled_at,
    -- Where one of the sides was not pulled there is nothing to compare.
    spend_ads,
    spend_control,
    case when is_comparable then spend_difference end as spend_difference,
    impressions_ads,
    impressions_control,
    case when is_comparable then impressions_difference end as impressions_difference,
    clicks_all_ads,
    clicks_all_control,
    case when is_comparable then clicks_all_difference end as clicks_all_difference,
    link_clicks_ads,
    link_clicks_control,
    case when is_comparable then link_clicks_difference end as link_clicks_difference,
    conversions_ads,
    conversions_control,
    case when is_comparable and is_conversions_comparable then conversions_difference end as conversions_difference,
    conversion_value_ads,
    conversion_value_control,
    case
        when is_comparable and is_conversion_value_comparable then conversion_value_difference
    end as conversion_value_difference
from compared
