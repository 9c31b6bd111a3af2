{#- dbt's own version warns of every `numeric` without a scale, since some warehouses round those. PostgreSQL does not:
    there `numeric` is exact, and a scale is what would round. Remove when dbt-postgres stops warning. -#}
{% macro postgres__get_empty_schema_sql(columns) -%}
    select
    {%- for column in columns.values() %}
        {{ cast('null', column['data_type']) }} as {{ column['name'] }}{{ ',' if not loop.last }}
    {%- endfor %}
{%- endmacro %}
