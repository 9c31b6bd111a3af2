{#- A ranking of Meta as a number: 1 (bottom tenth) to 5 (above average); NULL for UNKNOWN and for words that are new. -#}
{% macro ranking_ordinal(ranking) -%}
case {{ ranking }}
        when 'BELOW_AVERAGE_10' then 1
        when 'BELOW_AVERAGE_20' then 2
        when 'BELOW_AVERAGE_35' then 3
        when 'AVERAGE' then 4
        when 'ABOVE_AVERAGE' then 5
    end
{%- endmacro %}

{#- Changes after which Meta learns anew. A new name or schedule is none, nor is a pause: the end of one is. -#}
{% macro is_significant_edit(attribute, new_value) -%}
(
    {{ attribute }} in (
        'daily_budget', 'lifetime_budget', 'bid_amount', 'bid_strategy', 'optimization_goal', 'targeting', 'creative',
        'attribution_setting'
    )
    or ({{ attribute }} = 'status' and {{ new_value }} = 'ACTIVE')
)
{%- endmacro %}
