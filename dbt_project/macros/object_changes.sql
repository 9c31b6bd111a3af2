{#-
    Reading changes of objects: what Meta's change log says, brought to the words and units of the objects themselves.
-#}

{#- One of Meta's four statuses; NULL for any other word. The change log says Inactive for PAUSED. -#}
{% macro plain_status(word) -%}
case upper({{ word }})
    when 'ACTIVE' then 'ACTIVE'
    when 'PAUSED' then 'PAUSED'
    when 'INACTIVE' then 'PAUSED'
    when 'ARCHIVED' then 'ARCHIVED'
    when 'DELETED' then 'DELETED'
end
{%- endmacro %}

{#- An amount in minor units as text without trailing zeros; NULL where it is zero ("not used here") or no number. -#}
{% macro amount_or_nothing(amount) -%}
case when pg_input_is_valid({{ amount }}, 'numeric') then trim_scale(nullif({{ amount }}::numeric, 0))::text end
{%- endmacro %}

{#- Attributes whose values are amounts in minor units. -#}
{% macro is_money_attribute(attribute) -%}
{{ attribute }} in ('daily_budget', 'lifetime_budget', 'spend_cap', 'bid_amount')
{%- endmacro %}

{#- Attributes whose values in the change log equal those of the object, so that they can rebuild its past. The log
    describes targeting, creatives and schedules in words of its own. -#}
{% macro is_rebuilt_from_activities(attribute) -%}
{{ attribute }} in ('daily_budget', 'lifetime_budget', 'spend_cap', 'bid_amount', 'status', 'name')
{%- endmacro %}

{#- An amount of the change log in major units, as text; NULL stays NULL. -#}
{% macro value_in_major_units(attribute, value, exponent) -%}
case
    when {{ is_money_attribute(attribute) }}
        then {{ budget_in_major_units(value ~ '::numeric', exponent) }}::text
    else {{ value }}
end
{%- endmacro %}
