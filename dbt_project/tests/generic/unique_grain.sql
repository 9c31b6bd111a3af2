{#- One row per combination of the columns, counted: for views and for tables that have no such primary key (those that do
    have the test primary_key). within, within_columns: for a view that only unfolds the rows of a table, that table and
    its primary key: what it unfolds to cannot repeat, and is not counted again (a minute for twenty million rows). -#}
{% test unique_grain(model, columns, within=none, within_columns=none) %}
select
    {{ columns | join(', ') }},
    count(*) as rows_of_the_grain
from {{ rows_to_test(model) }} as tested
{%- if execute and within and has_primary_key(within, within_columns) %}
where false
{%- endif %}
group by {{ columns | join(', ') }}
having count(*) > 1
{% endtest %}
