{#- All numeric bounds of a table in one pass over it; NULL is in range, since absent is not zero.
    columns: {column: [lowest, highest]}, either may be none; a bound may be another column. -#}
{% test within_ranges(model, columns) %}
{#- Reason: an odd number of Meta's (a negative correction, people beyond impressions) is told, and stops nobody's marts. -#}
{{ config(severity='warn') }}
select *
from {{ rows_to_test(model) }} as tested
where
    {%- for column, bounds in columns.items() %}
    {%- set outer_first = loop.first %}
    {%- if bounds[0] is not none %}
    {{ 'or' if not outer_first }} {{ column }} < {{ bounds[0] }}
    {%- endif %}
    {%- if bounds[1] is not none %}
    {{ 'or' if not (outer_first and bounds[0] is none) }} {{ column }} > {{ bounds[1] }}
    {%- endif %}
    {%- endfor %}
{% endtest %}
