{{ config(incremental_strategy='slice_replace') }}

with metrics as (

    select * from {{ ref('mart_custom_metric') }}
    where problem is null

),

ad_sums as (

    select
        account_id,
        day,
        campaign_id,
        sum(outbound_clicks) as outbound_clicks,
        sum(video_plays) as video_plays,
        sum(video_thruplays) as video_thruplays
    from {{ ref('fct_ad_day') }}
    where
        account_id in (select metrics.account_id from metrics)
        {{ in_build_scope(keyword='and') }}
    group by account_id, day, campaign_id

),

performance as (

    select * from {{ ref('mart_performance_daily__campaign') }}
    where
        account_id in (select metrics.account_id from metrics)
        {{ in_build_scope(keyword='and') }}

),

funnel as (

    select * from {{ ref('mart_funnel_daily') }}
    where
        account_id in (select metrics.account_id from metrics)
        {{ in_build_scope(keyword='and') }}

),

-- Every measure as a row, so that a metric finds its two by name.
measured as (

    select
        performance.account_id,
        performance.day,
        performance.campaign_id,
        performance.campaign_name,
        performance.currency,
        performance.is_mature,
        performance.is_reconciled,
        performance.data_as_of,
        long_form.measure,
        long_form.value
    from performance
    left join funnel
        on
            performance.account_id = funnel.account_id
            and performance.day = funnel.day
            and performance.campaign_id = funnel.campaign_id
    left join ad_sums
        on
            performance.account_id = ad_sums.account_id
            and performance.day = ad_sums.day
            and performance.campaign_id = ad_sums.campaign_id
    cross join lateral (
        values
        ('spend', performance.spend),
        ('impressions', performance.impressions),
        ('link_clicks', performance.link_clicks),
        ('clicks_all', performance.clicks_all),
        ('outbound_clicks', ad_sums.outbound_clicks),
        ('landing_page_views', funnel.landing_page_views),
        ('video_plays', ad_sums.video_plays),
        ('video_thruplays', ad_sums.video_thruplays),
        ('content_views', funnel.content_views),
        ('adds_to_cart', funnel.adds_to_cart),
        ('checkouts_initiated', funnel.checkouts_initiated),
        ('payment_infos_added', funnel.payment_infos_added),
        ('purchases', funnel.purchases),
        ('leads', funnel.leads),
        ('conversions', performance.conversions),
        ('conversion_value', performance.conversion_value)
    ) as long_form (measure, value)

)

select
    numerators.account_id,
    numerators.day,
    numerators.campaign_id,
    metrics.metric,
    numerators.campaign_name,
    metrics.client_id,
    metrics.client_name,
    metrics.account_name,
    numerators.currency,
    numerators.is_mature,
    numerators.is_reconciled,
    numerators.data_as_of,
    metrics.label,
    metrics.format,
    metrics.is_lower_better,
    metrics.numerator,
    metrics.denominator,
    metrics.multiplier,
    numerators.value as numerator_value,
    denominators.value as denominator_value,
    {{ function('safe_div') }}(metrics.multiplier * numerators.value, denominators.value) as value
from metrics
inner join measured as numerators
    on metrics.account_id = numerators.account_id and metrics.numerator = numerators.measure
inner join measured as denominators
    on
        numerators.account_id = denominators.account_id
        and numerators.day = denominators.day
        and numerators.campaign_id = denominators.campaign_id
        and metrics.denominator = denominators.measure
