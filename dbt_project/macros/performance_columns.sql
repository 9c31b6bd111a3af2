{#-
    What every performance table says in the same words: ratios, the period before, the change since. Written once, so
    that a day, a week and a month cannot come to mean different things.
-#}

{#- Where the objects of a grain lead to: ['campaign', 'ad_set'] for an ad set. -#}
{% macro levels_of(grain) -%}
    {%- set objects = ['campaign', 'ad_set', 'ad'] -%}
    {{ return(objects[:objects.index(grain) + 1] if grain in objects else []) }}
{%- endmacro %}

{#- Ratios of the summed parts of a relation, each with a suffix on its name. -#}
{% macro ratio_columns(of, suffix='', only=none) -%}
    {%- set ratios = {
        'ctr': of ~ '.link_clicks, ' ~ of ~ '.impressions',
        'ctr_all': of ~ '.clicks_all, ' ~ of ~ '.impressions',
        'cpc': of ~ '.spend, ' ~ of ~ '.link_clicks',
        'cpm': '1000 * ' ~ of ~ '.spend, ' ~ of ~ '.impressions',
        'cvr': of ~ '.conversions, ' ~ of ~ '.link_clicks',
        'cpa': of ~ '.spend, ' ~ of ~ '.conversions',
        'roas': of ~ '.conversion_value, ' ~ of ~ '.spend',
        'aov': of ~ '.conversion_value, ' ~ of ~ '.conversions'
    } -%}
    {%- for name, parts in ratios.items() if only is none or name in only %}
    {{ function('safe_div') }}({{ parts }}) as {{ name }}{{ suffix }}{{ ',' if not loop.last }}
    {%- endfor -%}
{%- endmacro %}

{#- The numbers of the period before, from a relation that is NULL where there is nothing to compare with. -#}
{% macro previous_columns(previous) -%}
    {%- for measure in ['spend', 'impressions', 'link_clicks', 'conversions', 'conversion_value'] %}
    {{ previous }}.{{ measure }} as {{ measure }}_previous,
    {%- endfor -%}
    {{ ratio_columns(previous, '_previous', only=['ctr', 'cpc', 'cpm', 'cvr', 'cpa', 'roas']) }}
{%- endmacro %}

{#- Change against the period before, as a fraction of it; NULL where that is zero or unknown. -#}
{% macro change_columns(of) -%}
    {%- for measure in ['spend', 'conversions', 'conversion_value', 'ctr', 'cpa', 'roas'] %}
    {{ function('safe_div') }}(
        {{ of }}.{{ measure }} - {{ of }}.{{ measure }}_previous, {{ of }}.{{ measure }}_previous
    ) as {{ measure }}_change{{ ',' if not loop.last }}
    {%- endfor -%}
{%- endmacro %}

{#- `mixed` where the summed rows were counted under different attribution settings. -#}
{% macro attribution_setting_of_sum() -%}
case
            when min(attribution_setting) <> max(attribution_setting) then 'mixed'
            else min(attribution_setting)
        end
{%- endmacro %}

{#- The newest rate on or before a day, for seven days; an amount in the wanted currency is itself. LATERAL keeps it to
    one look into the index of the rates for each row. -#}
{% macro exchange_rate_join(of, reporting_currency) -%}
left join lateral (
    select rates.rate
    from {{ ref('stg_ops__exchange_rates') }} as rates
    where
        rates.target_currency = {{ reporting_currency }}
        and rates.currency = {{ of }}.currency
        and rates.day between {{ of }}.day - 7 and {{ of }}.day
    order by rates.day desc
    limit 1
) as newest_rate on {{ reporting_currency }} <> {{ of }}.currency
{%- endmacro %}
