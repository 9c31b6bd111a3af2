-- One row per ad and day as Meta reported it, with the measures of the payload's arrays beside the typed ones.
-- Absent stays absent (NULL) here; what may be read as zero is decided in the marts.
select
    insights.account_id,
    insights.day,
    accounts.client_id,
    insights.campaign_id,
    insights.ad_set_id,
    insights.ad_id,
    coalesce(insights.currency, accounts.currency) as currency,
    insights.attribution_setting,
    insights.spend,
    insights.impressions,
    insights.reach,
    coalesce(insights.frequency, {{ function('safe_div') }}(insights.impressions, insights.reach)) as frequency,
    {{ link_clicks() }} as link_clicks,
    insights.clicks_all,
    {{ total_of('arrays.outbound_clicks') }} as outbound_clicks,
    counted.landing_page_views::bigint as landing_page_views,
    {{ total_of('arrays.video_play_actions') }} as video_plays,
    {{ total_of('arrays.video_thruplay_watched_actions') }} as video_thruplays,
    counted.conversions,
    valued.conversion_value,
    insights.payload ->> 'quality_ranking' as quality_ranking,
    insights.payload ->> 'engagement_rate_ranking' as engagement_rate_ranking,
    insights.payload ->> 'conversion_rate_ranking' as conversion_rate_ranking,
    {{ silence_means_zero('conversion_action') }} as is_conversion_count_complete,
    {{ silence_means_zero('value_action') }} as is_conversion_value_complete,
    {{ is_mature('insights.pulled_at', 'accounts.time_zone', 'insights.day') }} as is_mature,
    insights.has_derived_ids,
    insights.source,
    insights.run_id,
    insights.pulled_at,
    insights.api_version
from {{ ref('stg_meta__insights_ad_daily') }} as insights
inner join {{ ref('dim_account') }} as accounts
    on insights.account_id = accounts.account_id
{{ payload_measures_joins() }}
