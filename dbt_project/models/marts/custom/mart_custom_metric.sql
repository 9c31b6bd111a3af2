{{ config(incremental_strategy='mirror', unique_key=['account_id', 'metric']) }}

-- What was declared, the faulty entries among them. The file is checked when it is read; that the names are measures
-- is checked here again, because this list is what mart_custom_metric_daily can compute.
with measures (measure) as (

    values
    ('spend'),
    ('impressions'),
    ('link_clicks'),
    ('clicks_all'),
    ('outbound_clicks'),
    ('landing_page_views'),
    ('video_plays'),
    ('video_thruplays'),
    ('content_views'),
    ('adds_to_cart'),
    ('checkouts_initiated'),
    ('payment_infos_added'),
    ('purchases'),
    ('leads'),
    ('conversions'),
    ('conversion_value')

)

select
    declared.account_id,
    declared.metric,
    declared.label,
    accounts.client_id,
    accounts.client_name,
    accounts.account_name,
    accounts.currency,
    declared.numerator,
    declared.denominator,
    declared.multiplier,
    declared.format,
    declared.is_lower_better,
    declared.place,
    coalesce(
        declared.problem,
        case
            when numerators.measure is null then format('the numerator "%s" is not a measure', declared.numerator)
            when denominators.measure is null then format('the denominator "%s" is not a measure', declared.denominator)
        end
    ) as problem
from {{ ref('stg_ops__custom_metrics') }} as declared
inner join {{ ref('dim_account') }} as accounts
    on declared.account_id = accounts.account_id
left join measures as numerators
    on declared.numerator = numerators.measure
left join measures as denominators
    on declared.denominator = denominators.measure
