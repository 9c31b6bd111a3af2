{#- The steps of the funnel; zero for a silent campaign where the account reports the event that day (window
    `account_day` of the query), NULL where nobody knows whether it is tracked. -#}
{% macro funnel_steps(performance, counted) -%}
    {%- for step in [
        'landing_page_views', 'content_views', 'adds_to_cart', 'checkouts_initiated', 'payment_infos_added',
        'purchases', 'leads'
    ] %}
        case
            when {{ performance }}.source = 'api' and max({{ counted }}.{{ step }}) over account_day is not null
                then coalesce({{ counted }}.{{ step }}, 0)
            else {{ counted }}.{{ step }}
        end as {{ step }}{{ ',' if not loop.last }}
    {%- endfor -%}
{%- endmacro %}
