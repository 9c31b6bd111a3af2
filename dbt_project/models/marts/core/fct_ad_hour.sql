{{ config(incremental_strategy='slice_replace') }}

-- Meta labels an hour by the clock of the account ("13:00:00 - 13:59:59"). On the day the clocks go back one label
-- stands for two hours, on the day they go forward one label is missing: whatever labels there are, their sum is the
-- day. Reason for the sum: two spellings of one hour must neither double a key nor lose what they hold.
with insights as (

    select
        *,
        case
            when hour_of_day ~ '^([01][0-9]|2[0-3])' then left(hour_of_day, 2)::smallint
            else -1
        end as hour_number
    from {{ ref('stg_meta__insights_ad_hourly') }}
    {{ in_build_scope() }}

),

measured as (

    select
        insights.account_id,
        insights.day,
        accounts.client_id,
        insights.campaign_id,
        insights.ad_set_id,
        insights.ad_id,
        insights.hour_number,
        coalesce(insights.currency, accounts.currency) as currency,
        insights.spend,
        insights.impressions,
        {{ link_clicks() }} as link_clicks,
        insights.clicks_all,
        {{ is_mature('insights.pulled_at', 'accounts.time_zone', 'insights.day') }} as is_mature,
        insights.run_id,
        insights.pulled_at
    from insights
    inner join {{ ref('dim_account') }} as accounts
        on insights.account_id = accounts.account_id
    {{ payload_measures_joins() }}

)

select
    account_id,
    day,
    hour_number::smallint as hour_of_day,
    client_id,
    campaign_id,
    ad_set_id,
    ad_id,
    min(currency) as currency,
    sum(spend) as spend,
    sum(impressions)::bigint as impressions,
    sum(link_clicks)::bigint as link_clicks,
    sum(clicks_all)::bigint as clicks_all,
    bool_and(is_mature) as is_mature,
    min(run_id::text)::uuid as run_id,
    min(pulled_at) as pulled_at
from measured
group by account_id, day, hour_number, client_id, campaign_id, ad_set_id, ad_id
