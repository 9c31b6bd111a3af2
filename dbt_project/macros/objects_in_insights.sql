{#-
    The objects of one level that insights speak of: when they were first and last seen, and, for those that Meta's
    object lists do not hold (deleted long ago, or known from an imported file alone), the names of the latest row.
    Ids are looked up in the fact, names in the raw rows of one day only: unpacking every payload would take minutes.
-#}
{% macro objects_in_insights(level) -%}
{%- set entities = {'campaign': 'stg_meta__campaigns', 'ad_set': 'stg_meta__adsets', 'ad': 'stg_meta__ads'}[level] -%}
{%- set parents = {'campaign': [], 'ad_set': ['campaign'], 'ad': ['campaign', 'ad_set']}[level] -%}
{%- set id = level ~ '_id' -%}
with seen as (

    select
        account_id,
        {{ id }},
        min(day) as first_day,
        max(day) as last_day
    from {{ ref('fct_ad_day') }}
    group by account_id, {{ id }}

),

-- Reason for "materialized": few objects are left here, often none, and raw rows are to be read for those alone.
seen_without_entity as materialized (

    select seen.*
    from seen
    left join {{ ref(entities) }} as entities
        on seen.account_id = entities.account_id and seen.{{ id }} = entities.{{ id }}
    where entities.{{ id }} is null

),

latest_row as (

    select distinct on (insights.account_id, insights.{{ id }})
        insights.account_id,
        insights.{{ id }},
        {%- for parent in parents %}
        insights.{{ parent }}_id,
        {%- endfor %}
        insights.{{ level }}_name,
        insights.objective
    from seen_without_entity
    inner join {{ ref('stg_meta__insights_ad_daily') }} as insights
        on
            seen_without_entity.account_id = insights.account_id
            and seen_without_entity.last_day = insights.day
            and seen_without_entity.{{ id }} = insights.{{ id }}
    order by insights.account_id, insights.{{ id }}, insights.ad_id

)

select
    seen.account_id,
    seen.{{ id }},
    {%- for parent in parents %}
    latest_row.{{ parent }}_id,
    {%- endfor %}
    latest_row.{{ level }}_name,
    {%- if level == 'campaign' %}
    latest_row.objective,
    {%- endif %}
    seen.first_day,
    seen.last_day
from seen
left join latest_row
    on seen.account_id = latest_row.account_id and seen.{{ id }} = latest_row.{{ id }}
{%- endmacro %}
