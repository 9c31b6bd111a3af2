{#-
    Daily performance at one grain. There is a table per grain so that nobody sums two of them into one number.

    Additive measures are summed up from ads. Reach and frequency are people, not events: they come from Meta's own
    report of this grain and are NULL where that report was not pulled. Ratios are computed from the sums.
-#}
{% macro performance_daily(grain) -%}
{%- set objects = ['campaign', 'ad_set', 'ad'] -%}
{%- set levels = objects[:objects.index(grain) + 1] if grain in objects else [] -%}
{%- set report = {'account': 'account', 'campaign': 'campaign', 'ad_set': 'adset', 'ad': 'ad'}[grain] ~ '_daily' -%}
with ad_days as (

    select * from {{ ref('fct_ad_day') }}
    {{ in_build_scope() }}

),

summed as (

    select
        account_id,
        day,
        {%- for level in levels %}
        {{ level }}_id,
        {%- endfor %}
        min(currency) as currency,
        case
            when min(attribution_setting) <> max(attribution_setting) then 'mixed'
            else min(attribution_setting)
        end as attribution_setting,
        bool_and(is_mature) as is_mature,
        min(pulled_at) as data_as_of,
        min(source) as source,
        sum(spend) as spend,
        sum(impressions)::bigint as impressions,
        -- Meta leaves out what did not happen. Zero is written only where silence can mean nothing else: the
        -- measure was asked for (reports of the API always ask for clicks), or the event's window was.
        case when min(source) = 'api' then coalesce(sum(link_clicks), 0) else sum(link_clicks) end::bigint
            as link_clicks,
        case when min(source) = 'api' then coalesce(sum(clicks_all), 0) else sum(clicks_all) end::bigint
            as clicks_all,
        case when bool_and(is_conversion_count_complete) then coalesce(sum(conversions), 0) else sum(conversions) end
            as conversions,
        case
            when bool_and(is_conversion_value_complete) then coalesce(sum(conversion_value), 0)
            else sum(conversion_value)
        end as conversion_value
    from ad_days
    group by
        account_id,
        day
        {%- for level in levels -%}
        ,
        {{ level }}_id
        {%- endfor %}

),

people as (

    select
        account_id,
        day,
        {%- if grain != 'account' %}
        {{ grain }}_id,
        {%- endif %}
        reach,
        coalesce(frequency, {{ function('safe_div') }}(impressions, reach)) as frequency
    from {{ ref('stg_meta__insights_' ~ report) }}
    {{ in_build_scope() }}

)

select
    summed.account_id,
    summed.day,
    {%- for level in levels %}
    summed.{{ level }}_id,
    {{ level }}s.{{ level }}_name,
    {%- endfor %}
    accounts.client_id,
    accounts.client_name,
    accounts.account_name,
    coalesce(summed.currency, accounts.currency) as currency,
    accounts.time_zone,
    summed.attribution_setting,
    summed.is_mature,
    coalesce(reconciliation.status = 'reconciled', false) as is_reconciled,
    reconciliation.status as reconciliation_status,
    summed.data_as_of,
    summed.source,
    summed.spend,
    summed.impressions,
    people.reach,
    people.frequency,
    summed.link_clicks,
    summed.clicks_all,
    summed.conversions,
    summed.conversion_value,
    {{ function('safe_div') }}(summed.link_clicks, summed.impressions) as ctr,
    {{ function('safe_div') }}(summed.clicks_all, summed.impressions) as ctr_all,
    {{ function('safe_div') }}(summed.spend, summed.link_clicks) as cpc,
    {{ function('safe_div') }}(1000 * summed.spend, summed.impressions) as cpm,
    {{ function('safe_div') }}(summed.conversions, summed.link_clicks) as cvr,
    {{ function('safe_div') }}(summed.spend, summed.conversions) as cpa,
    {{ function('safe_div') }}(summed.conversion_value, summed.spend) as roas,
    {{ function('safe_div') }}(summed.conversion_value, summed.conversions) as aov
from summed
inner join {{ ref('dim_account') }} as accounts
    on summed.account_id = accounts.account_id
{%- for level in levels %}
left join {{ ref('dim_' ~ level) }} as {{ level }}s
    on summed.account_id = {{ level }}s.account_id and summed.{{ level }}_id = {{ level }}s.{{ level }}_id
{%- endfor %}
left join people
    on
        summed.account_id = people.account_id
        and summed.day = people.day
        {%- if grain != 'account' %}
        and summed.{{ grain }}_id = people.{{ grain }}_id
        {%- endif %}
left join {{ ref('mart_reconciliation') }} as reconciliation
    on summed.account_id = reconciliation.account_id and summed.day = reconciliation.day
{%- endmacro %}
