{#- One row per combination of the columns. A table that has them as its primary key cannot hold a second row, and its
    rows are not counted again (a minute for twenty million); views and tables without that key are counted.
    within, within_columns: for a view that only unfolds the rows of a table, that table and its primary key. -#}
{% test unique_grain(model, columns, within=none, within_columns=none) %}
select
    {{ columns | join(', ') }},
    count(*) as rows_of_the_grain
from {{ rows_to_test(model) }} as tested
{%- if execute and has_primary_key(within or model, within_columns or columns) %}
where false
{%- endif %}
group by {{ columns | join(', ') }}
having count(*) > 1
{% endtest %}
