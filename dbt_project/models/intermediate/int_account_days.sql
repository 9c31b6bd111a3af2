-- What Meta reports for the whole account and day, measured exactly as int_ad_days measures an ad: the control total
-- that ad-level sums are checked against.
select
    insights.account_id,
    insights.day,
    insights.attribution_setting,
    insights.spend,
    insights.impressions,
    {{ link_clicks() }} as link_clicks,
    insights.clicks_all,
    counted.conversions,
    valued.conversion_value,
    insights.pulled_at
from {{ ref('stg_meta__insights_account_daily') }} as insights
inner join {{ ref('dim_account') }} as accounts
    on insights.account_id = accounts.account_id
{{ payload_measures_joins() }}
