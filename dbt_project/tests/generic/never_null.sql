{#- All columns of a table that must have a value, in one pass over it. -#}
{% test never_null(model, columns) %}
select {{ columns | join(', ') }}
from {{ rows_to_test(model) }} as tested
where num_nulls({{ columns | join(', ') }}) > 0
{% endtest %}
