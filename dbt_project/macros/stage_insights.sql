{#-
    One insights report as a staging view: the project's vocabulary, typed, with the provenance of its slice. All
    reports share it, so that a column has one name everywhere.

    Only committed slices are seen (inner join). Keys of the payload are picked one by one, so that PostgreSQL leaves
    out those that a query does not ask for.

    report: name of the report, which is the name of the raw table
    level: ad, adset, campaign or account
    breakdowns: {raw column: column here}
-#}
{% macro stage_insights(report, level, breakdowns={}, is_period=false) -%}
{%- set depth = ['account', 'campaign', 'adset', 'ad'].index(level) -%}
with insights as (

    select * from {{ source('raw', 'insights_' ~ report) }}

),

slices as (

    select * from {{ ref('stg_ops__slices') }}
    where report = '{{ report }}'

)

select
    insights.account_id,
    insights.day,
    {%- if is_period %}
    insights.date_start as period_start,
    insights.day as period_end,
    insights.day - insights.date_start + 1 as period_days,
    {%- endif %}
    {%- if depth >= 1 %}
    insights.campaign_id,
    {%- endif %}
    {%- if depth >= 2 %}
    insights.adset_id as ad_set_id,
    {%- endif %}
    {%- if depth >= 3 %}
    insights.ad_id,
    {%- endif %}
    {%- for raw_name, name in breakdowns.items() %}
    insights.{{ raw_name }} as {{ name }},
    {%- endfor %}
    insights.payload ->> 'account_name' as account_name,
    {%- if depth >= 1 %}
    insights.payload ->> 'campaign_name' as campaign_name,
    insights.payload ->> 'objective' as objective,
    {%- endif %}
    {%- if depth >= 2 %}
    insights.payload ->> 'adset_name' as ad_set_name,
    insights.payload ->> 'optimization_goal' as optimization_goal,
    {%- endif %}
    {%- if depth >= 3 %}
    insights.payload ->> 'ad_name' as ad_name,
    {%- endif %}
    insights.account_currency as currency,
    insights.attribution_setting,
    insights.spend,
    insights.impressions,
    insights.reach,
    insights.frequency,
    insights.clicks as clicks_all,
    insights.inline_link_clicks,
    insights.payload,
    insights.payload ? '_derived_ids' as has_derived_ids,
    slices.source = 'import' as is_imported,
    slices.source,
    slices.run_id,
    slices.pulled_at,
    slices.api_version,
    slices.attribution_windows
from insights
inner join slices
    on insights.account_id = slices.account_id and insights.day = slices.day
{%- endmacro %}
