{#-
    The condition that joins a history as of a day: what held at the END of the account's day, that is in the moment before
    its next midnight in the account's time zone. A change at that very midnight belongs to the next day.

    history: alias of a table with valid_from and valid_to
    day: expression of the day
    time_zone: expression of the account's time zone
-#}
{% macro as_of_day(history, day, time_zone) -%}
{{ history }}.valid_from < {{ end_of_day(day, time_zone) }}
and coalesce({{ history }}.valid_to >= {{ end_of_day(day, time_zone) }}, true)
{%- endmacro %}

{#- The midnight that ends an account's day. -#}
{% macro end_of_day(day, time_zone) -%}
(({{ day }} + 1)::timestamp at time zone {{ time_zone }})
{%- endmacro %}
