{#- Digits after the decimal point in Meta's minor units, by currency: 0 for the eleven currencies whose budgets Meta
    sends in whole units (its currency page, offset 1), else 2. Meta has no offset of 1000. -#}
{% macro minor_unit_exponent(currency) -%}
    case
        when {{ currency }} is null then null
        when {{ currency }} in (
            'CLP', 'COP', 'CRC', 'HUF', 'ISK', 'IDR', 'JPY', 'KRW', 'PYG', 'TWD', 'VND'
        ) then 0
        else 2
    end
{%- endmacro %}

{#- Major units of a budget that Meta sends as a string in minor units. Zero means "not used here" (Meta sends "0" or
    nothing for the budget kind that an object does not have), hence NULL. -#}
{% macro budget_in_major_units(minor_units, exponent) -%}
    round(nullif({{ minor_units }}, 0) / 10::numeric ^ {{ exponent }}, {{ exponent }})
{%- endmacro %}
