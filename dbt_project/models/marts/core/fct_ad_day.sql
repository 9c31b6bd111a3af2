{{ config(incremental_strategy='slice_replace') }}

select
    account_id,
    day,
    client_id,
    campaign_id,
    ad_set_id,
    ad_id,
    currency,
    attribution_setting,
    spend,
    impressions,
    reach,
    link_clicks,
    clicks_all,
    outbound_clicks,
    landing_page_views,
    video_plays,
    video_thruplays,
    conversions,
    conversion_value,
    is_conversion_count_complete,
    is_conversion_value_complete,
    is_mature,
    has_derived_ids,
    source,
    run_id,
    pulled_at,
    api_version
from {{ ref('int_ad_days') }}
{{ in_build_scope() }}
