{#- Whether a day was final when it was pulled: Meta restates a day for 28 days. The age is counted in the account's
    days, at the pull and not now, because it is the pull that may hold a number that has changed since. -#}
{% macro is_mature(pulled_at, time_zone, day) -%}
({{ pulled_at }} at time zone {{ time_zone }})::date - {{ day }} >= {{ var('maturity_days') }}
{%- endmacro %}
