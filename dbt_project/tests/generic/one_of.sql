{#- A closed list of values; unlike dbt's own accepted_values it looks at the rows of the build only. -#}
{% test one_of(model, column_name, values) %}
select {{ column_name }}
from {{ rows_to_test(model) }} as tested
where {{ column_name }} not in ('{{ values | join("', '") }}')
{% endtest %}
