{{ config(incremental_strategy='mirror', unique_key=['account_id', 'campaign_id']) }}

-- FULL JOIN: a campaign without delivery has no insight, one that Meta no longer lists still has its history.
with campaigns as (

    select
        coalesce(listed.account_id, insights.account_id) as account_id,
        coalesce(listed.campaign_id, insights.campaign_id) as campaign_id,
        coalesce(listed.campaign_name, insights.campaign_name) as campaign_name,
        listed.status,
        listed.effective_status,
        coalesce(listed.objective, insights.objective) as objective,
        listed.buying_type,
        listed.bid_strategy,
        listed.daily_budget_minor,
        listed.lifetime_budget_minor,
        listed.starts_at,
        listed.ends_at,
        listed.created_at,
        listed.updated_at,
        insights.first_day,
        insights.last_day,
        listed.campaign_id is null as is_inferred
    from {{ ref('stg_meta__campaigns') }} as listed
    full outer join {{ ref('int_campaigns_in_insights') }} as insights
        on listed.account_id = insights.account_id and listed.campaign_id = insights.campaign_id

)

select
    campaigns.account_id,
    campaigns.campaign_id,
    coalesce(campaigns.campaign_name, campaigns.campaign_id::text) as campaign_name,
    campaigns.status,
    campaigns.effective_status,
    campaigns.objective,
    campaigns.buying_type,
    campaigns.bid_strategy,
    {{ budget_in_major_units('campaigns.daily_budget_minor', 'accounts.minor_unit_exponent') }} as daily_budget,
    {{ budget_in_major_units('campaigns.lifetime_budget_minor', 'accounts.minor_unit_exponent') }} as lifetime_budget,
    accounts.currency,
    campaigns.starts_at,
    campaigns.ends_at,
    campaigns.created_at,
    campaigns.updated_at,
    campaigns.first_day,
    campaigns.last_day,
    campaigns.is_inferred,
    campaigns.campaign_id < 0 as has_derived_id
from campaigns
left join {{ ref('dim_account') }} as accounts
    on campaigns.account_id = accounts.account_id
