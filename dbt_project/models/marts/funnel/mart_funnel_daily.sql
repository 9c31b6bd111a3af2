{{ config(incremental_strategy='slice_replace') }}

-- Action types overlap: Meta lists the same purchase as `omni_purchase`, `purchase` and the pixel's type. A step
-- takes the first of its types that an ad's day has, the widest first, and never adds two of them up.
with actions as (

    select
        account_id,
        day,
        ad_id,
        coalesce(
            sum(actions) filter (where action_type = 'omni_view_content'),
            sum(actions) filter (where action_type = 'view_content'),
            sum(actions) filter (where action_type = 'offsite_conversion.fb_pixel_view_content')
        ) as content_views,
        coalesce(
            sum(actions) filter (where action_type = 'omni_add_to_cart'),
            sum(actions) filter (where action_type = 'add_to_cart'),
            sum(actions) filter (where action_type = 'offsite_conversion.fb_pixel_add_to_cart')
        ) as adds_to_cart,
        coalesce(
            sum(actions) filter (where action_type = 'omni_initiated_checkout'),
            sum(actions) filter (where action_type = 'initiate_checkout'),
            sum(actions) filter (where action_type = 'offsite_conversion.fb_pixel_initiate_checkout')
        ) as checkouts_initiated,
        coalesce(
            sum(actions) filter (where action_type = 'add_payment_info'),
            sum(actions) filter (where action_type = 'offsite_conversion.fb_pixel_add_payment_info')
        ) as payment_infos_added,
        coalesce(
            sum(actions) filter (where action_type = 'omni_purchase'),
            sum(actions) filter (where action_type = 'purchase'),
            sum(actions) filter (where action_type = 'offsite_conversion.fb_pixel_purchase')
        ) as purchases,
        -- `lead` is Meta's total of website and on-Facebook leads.
        coalesce(
            sum(actions) filter (where action_type = 'lead'),
            sum(actions) filter (where action_type = 'offsite_conversion.fb_pixel_lead')
        ) as leads
    from {{ ref('fct_ad_day_action') }}
    where
        attribution_window = 'default'
        and action_type in (
            'omni_view_content', 'view_content', 'offsite_conversion.fb_pixel_view_content',
            'omni_add_to_cart', 'add_to_cart', 'offsite_conversion.fb_pixel_add_to_cart',
            'omni_initiated_checkout', 'initiate_checkout', 'offsite_conversion.fb_pixel_initiate_checkout',
            'add_payment_info', 'offsite_conversion.fb_pixel_add_payment_info',
            'omni_purchase', 'purchase', 'offsite_conversion.fb_pixel_purchase',
            'lead', 'offsite_conversion.fb_pixel_lead'
        )
        {{ in_build_scope(keyword='and') }}
    group by account_id, day, ad_id

),

ad_days as (

    select
        account_id,
        day,
        ad_id,
        campaign_id,
        landing_page_views
    from {{ ref('fct_ad_day') }}
    {{ in_build_scope() }}

),

campaign_days as (

    select
        ad_days.account_id,
        ad_days.day,
        ad_days.campaign_id,
        sum(ad_days.landing_page_views) as landing_page_views,
        sum(actions.content_views) as content_views,
        sum(actions.adds_to_cart) as adds_to_cart,
        sum(actions.checkouts_initiated) as checkouts_initiated,
        sum(actions.payment_infos_added) as payment_infos_added,
        sum(actions.purchases) as purchases,
        sum(actions.leads) as leads
    from ad_days
    left join actions
        on
            ad_days.account_id = actions.account_id
            and ad_days.day = actions.day
            and ad_days.ad_id = actions.ad_id
    group by ad_days.account_id, ad_days.day, ad_days.campaign_id

),

performance as (

    select * from {{ ref('mart_performance_daily__campaign') }}
    {{ in_build_scope() }}

),

-- Nobody declares the steps, so silence alone does not mean zero: the account may not track the event at all. It is
-- tracked for certain on a day on which Meta reports it for any campaign; then the others had none.
steps as (

    select
        performance.account_id,
        performance.day,
        performance.campaign_id,
        {{ funnel_steps('performance', 'campaign_days') }}
    from performance
    left join campaign_days
        on
            performance.account_id = campaign_days.account_id
            and performance.day = campaign_days.day
            and performance.campaign_id = campaign_days.campaign_id
    window account_day as (partition by performance.account_id, performance.day)

)

select
    performance.account_id,
    performance.day,
    performance.campaign_id,
    performance.campaign_name,
    performance.client_id,
    performance.client_name,
    performance.account_name,
    performance.currency,
    performance.is_mature,
    performance.is_reconciled,
    performance.data_as_of,
    performance.spend,
    performance.impressions,
    performance.link_clicks,
    steps.landing_page_views,
    steps.content_views,
    steps.adds_to_cart,
    steps.checkouts_initiated,
    steps.payment_infos_added,
    steps.purchases,
    steps.leads,
    performance.conversions,
    performance.ctr as click_rate,
    {{ function('safe_div') }}(steps.landing_page_views, performance.link_clicks) as landing_rate,
    {{ function('safe_div') }}(steps.content_views, steps.landing_page_views) as content_view_rate,
    {{ function('safe_div') }}(steps.adds_to_cart, steps.content_views) as cart_rate,
    {{ function('safe_div') }}(steps.checkouts_initiated, steps.adds_to_cart) as checkout_rate,
    {{ function('safe_div') }}(steps.payment_infos_added, steps.checkouts_initiated) as payment_info_rate,
    {{ function('safe_div') }}(steps.purchases, steps.checkouts_initiated) as purchase_rate,
    {{ function('safe_div') }}(steps.leads, steps.landing_page_views) as lead_rate,
    performance.cvr
from performance
inner join steps
    on
        performance.account_id = steps.account_id
        and performance.day = steps.day
        and performance.campaign_id = steps.campaign_id
