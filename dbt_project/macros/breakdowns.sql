{#-
    Reports that split an ad's day into cells (age and gender, country, placement). One fact and one mart for each
    breakdown: the cells of two breakdowns are the same people twice, and are never joined or added up.

    Breakdown reports are asked for no attribution windows, so what they hold is the account's own window: `conversions`
    (the declared window) is NULL where another window is declared, `conversions_default` is there for every account.
-#}

{#- The fact: an ad's day by cell, measured as int_ad_days measures an ad.
    report: the report's name; cells: its breakdown columns. -#}
{% macro ad_day_cells(report, cells) -%}
with insights as (

    select * from {{ ref('stg_meta__insights_' ~ report) }}
    {{ in_build_scope() }}

)

select
    insights.account_id,
    insights.day,
    accounts.client_id,
    insights.campaign_id,
    insights.ad_set_id,
    insights.ad_id,
    {%- for cell in cells %}
    insights.{{ cell }},
    {%- endfor %}
    coalesce(insights.currency, accounts.currency) as currency,
    insights.attribution_setting,
    insights.spend,
    insights.impressions,
    insights.reach,
    {{ link_clicks() }} as link_clicks,
    insights.clicks_all,
    counted.conversions,
    valued.conversion_value,
    counted.conversions_default,
    valued.conversion_value_default,
    {{ silence_means_zero('conversion_action') }} as is_conversion_count_complete,
    {{ silence_means_zero('value_action') }} as is_conversion_value_complete,
    {{ is_mature('insights.pulled_at', 'accounts.time_zone', 'insights.day') }} as is_mature,
    insights.source,
    insights.run_id,
    insights.pulled_at
from insights
inner join {{ ref('dim_account') }} as accounts
    on insights.account_id = accounts.account_id
{{ payload_measures_joins(with_default=true) }}
{%- endmacro %}

{#- The mart: ad sets by day and cell. There is no reach: people of several ads overlap. -#}
{% macro breakdown_daily(fact, report, cells) -%}
with cells as (

    select
        *,
        source = 'api' as is_api,
        {%- for cell in cells %}
        -- Meta leaves the key out where it does not know; it also says `unknown`. To a reader that is the same.
        coalesce(nullif({{ cell }}, ''), 'unknown') as named_{{ cell }}{{ ',' if not loop.last }}
        {%- endfor %}
    from {{ ref(fact) }}
    {{ in_build_scope() }}

),

summed as (

    select
        account_id,
        day,
        campaign_id,
        ad_set_id,
        {%- for cell in cells %}
        named_{{ cell }} as {{ cell }},
        {%- endfor %}
        min(currency) as currency,
        bool_and(is_mature) as is_mature,
        min(pulled_at) as data_as_of,
        sum(spend) as spend,
        sum(impressions)::bigint as impressions,
        case when bool_and(is_api) then coalesce(sum(link_clicks), 0) else sum(link_clicks) end::bigint as link_clicks,
        case when bool_and(is_api) then coalesce(sum(clicks_all), 0) else sum(clicks_all) end::bigint as clicks_all,
        case when bool_and(is_conversion_count_complete) then coalesce(sum(conversions), 0) else sum(conversions) end
            as conversions,
        case
            when bool_and(is_conversion_value_complete) then coalesce(sum(conversion_value), 0)
            else sum(conversion_value)
        end as conversion_value,
        bool_and(is_api) as is_api,
        sum(conversions_default) as conversions_default,
        sum(conversion_value_default) as conversion_value_default
    from cells
    group by
        account_id,
        day,
        campaign_id,
        ad_set_id
        {%- for cell in cells -%}
        ,
        named_{{ cell }}
        {%- endfor %}

),

-- Silence means zero in the account's own window, which is always asked for, if an event is declared at all.
counted as (

    select
        summed.*,
        accounts.client_id,
        accounts.client_name,
        accounts.account_name,
        accounts.currency as account_currency,
        case
            when summed.is_api and accounts.conversion_action is not null then coalesce(summed.conversions_default, 0)
            else summed.conversions_default
        end as own_conversions,
        case
            when summed.is_api and accounts.value_action is not null then coalesce(summed.conversion_value_default, 0)
            else summed.conversion_value_default
        end as own_value
    from summed
    inner join {{ ref('dim_account') }} as accounts
        on summed.account_id = accounts.account_id

)

select
    counted.account_id,
    counted.day,
    counted.campaign_id,
    campaigns.campaign_name,
    counted.ad_set_id,
    ad_sets.ad_set_name,
    {%- for cell in cells %}
    counted.{{ cell }},
    {%- endfor %}
    counted.client_id,
    counted.client_name,
    counted.account_name,
    coalesce(counted.currency, counted.account_currency) as currency,
    counted.is_mature,
    coalesce(reconciliation.status = 'reconciled', false) as is_reconciled,
    counted.data_as_of,
    counted.spend,
    counted.impressions,
    counted.link_clicks,
    counted.clicks_all,
    counted.conversions,
    counted.conversion_value,
    counted.own_conversions as conversions_default,
    counted.own_value as conversion_value_default,
    {{ function('safe_div') }}(counted.link_clicks, counted.impressions) as ctr,
    {{ function('safe_div') }}(counted.clicks_all, counted.impressions) as ctr_all,
    {{ function('safe_div') }}(counted.spend, counted.link_clicks) as cpc,
    {{ function('safe_div') }}(1000 * counted.spend, counted.impressions) as cpm,
    {{ function('safe_div') }}(counted.conversions, counted.link_clicks) as cvr,
    {{ function('safe_div') }}(counted.spend, counted.conversions) as cpa,
    {{ function('safe_div') }}(counted.conversion_value, counted.spend) as roas,
    {{ function('safe_div') }}(counted.conversion_value, counted.conversions) as aov,
    {{ function('safe_div') }}(counted.spend, counted.own_conversions) as cpa_default,
    {{ function('safe_div') }}(counted.own_value, counted.spend) as roas_default
from counted
left join {{ ref('dim_campaign') }} as campaigns
    on counted.account_id = campaigns.account_id and counted.campaign_id = campaigns.campaign_id
left join {{ ref('dim_ad_set') }} as ad_sets
    on counted.account_id = ad_sets.account_id and counted.ad_set_id = ad_sets.ad_set_id
left join {{ ref('mart_reconciliation__breakdown') }} as reconciliation
    on
        counted.account_id = reconciliation.account_id
        and counted.day = reconciliation.day
        and reconciliation.report = '{{ report }}'
{%- endmacro %}
