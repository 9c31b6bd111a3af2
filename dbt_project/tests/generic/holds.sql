{#- Statements that are true of every row, in one pass over the table; unknown (NULL) passes. -#}
{% test holds(model, statements) %}
select *
from {{ rows_to_test(model) }} as tested
where
    {%- for statement in statements %}
    {{ 'or ' if not loop.first }}not ({{ statement }})
    {%- endfor %}
{% endtest %}
