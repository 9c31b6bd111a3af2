{{ config(incremental_strategy='mirror', unique_key=['account_id', 'ad_set_id']) }}

-- FULL JOIN: see dim_campaign.
with ad_sets as (

    select
        coalesce(listed.account_id, insights.account_id) as account_id,
        coalesce(listed.ad_set_id, insights.ad_set_id) as ad_set_id,
        coalesce(listed.campaign_id, insights.campaign_id) as campaign_id,
        coalesce(listed.ad_set_name, insights.ad_set_name) as ad_set_name,
        listed.status,
        listed.effective_status,
        listed.optimization_goal,
        listed.billing_event,
        listed.bid_strategy,
        listed.daily_budget_minor,
        listed.lifetime_budget_minor,
        listed.learning_status,
        listed.starts_at,
        listed.ends_at,
        listed.created_at,
        listed.updated_at,
        insights.first_day,
        insights.last_day,
        listed.ad_set_id is null as is_inferred
    from {{ ref('stg_meta__adsets') }} as listed
    full outer join {{ ref('int_ad_sets_in_insights') }} as insights
        on listed.account_id = insights.account_id and listed.ad_set_id = insights.ad_set_id

)

select
    ad_sets.account_id,
    ad_sets.ad_set_id,
    ad_sets.campaign_id,
    coalesce(ad_sets.ad_set_name, ad_sets.ad_set_id::text) as ad_set_name,
    ad_sets.status,
    ad_sets.effective_status,
    ad_sets.optimization_goal,
    ad_sets.billing_event,
    ad_sets.bid_strategy,
    {{ budget_in_major_units('ad_sets.daily_budget_minor', 'accounts.minor_unit_exponent') }} as daily_budget,
    {{ budget_in_major_units('ad_sets.lifetime_budget_minor', 'accounts.minor_unit_exponent') }} as lifetime_budget,
    accounts.currency,
    ad_sets.learning_status,
    ad_sets.starts_at,
    ad_sets.ends_at,
    ad_sets.created_at,
    ad_sets.updated_at,
    ad_sets.first_day,
    ad_sets.last_day,
    ad_sets.is_inferred,
    ad_sets.ad_set_id < 0 as has_derived_id
from ad_sets
left join {{ ref('dim_account') }} as accounts
    on ad_sets.account_id = accounts.account_id
