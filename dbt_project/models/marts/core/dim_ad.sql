{{ config(incremental_strategy='mirror', unique_key=['account_id', 'ad_id']) }}

-- FULL JOIN: see dim_campaign.
with ads as (

    select
        coalesce(listed.account_id, insights.account_id) as account_id,
        coalesce(listed.ad_id, insights.ad_id) as ad_id,
        coalesce(listed.ad_set_id, insights.ad_set_id) as ad_set_id,
        coalesce(listed.campaign_id, insights.campaign_id) as campaign_id,
        coalesce(listed.ad_name, insights.ad_name) as ad_name,
        listed.creative_id,
        listed.status,
        listed.effective_status,
        listed.created_at,
        listed.updated_at,
        insights.first_day,
        insights.last_day,
        listed.ad_id is null as is_inferred
    from {{ ref('stg_meta__ads') }} as listed
    full outer join {{ ref('int_ads_in_insights') }} as insights
        on listed.account_id = insights.account_id and listed.ad_id = insights.ad_id

)

select
    ads.account_id,
    ads.ad_id,
    ads.ad_set_id,
    ads.campaign_id,
    coalesce(ads.ad_name, ads.ad_id::text) as ad_name,
    ads.status,
    ads.effective_status,
    ads.creative_id,
    creatives.creative_name,
    creatives.object_type as creative_type,
    creatives.headline,
    creatives.primary_text,
    creatives.call_to_action,
    creatives.thumbnail_url,
    ads.created_at,
    ads.updated_at,
    ads.first_day,
    ads.last_day,
    ads.is_inferred,
    ads.ad_id < 0 as has_derived_id
from ads
left join {{ ref('stg_meta__creatives') }} as creatives
    on ads.account_id = creatives.account_id and ads.creative_id = creatives.creative_id
