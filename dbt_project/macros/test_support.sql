{#-
    The rows a data test looks at. During a build these are the account days of the build: re-reading years of history
    at every tick would cost more than the build. With an empty scope (a test run by hand), with --full-refresh and for
    models that are not by day it is everything.
-#}
{% macro rows_to_test(model) -%}
    {%- if execute and not flags.FULL_REFRESH and is_by_account_day(model) and scope_has_rows() -%}
    (
        select * from {{ model }}
        where (account_id, day) in (select scope.account_id, scope.day from {{ source('ops', 'build_scope') }} as scope)
    )
    {%- else -%}
    {{ model }}
    {%- endif -%}
{%- endmacro %}

{% macro is_by_account_day(model) -%}
    {%- for node in graph.nodes.values() if node.resource_type == 'model' and node.name == model.identifier -%}
        {{ return('account_id' in node.columns and 'day' in node.columns) }}
    {%- endfor -%}
    {{ return(false) }}
{%- endmacro %}

{% macro scope_has_rows() -%}
    {{ return(run_query('select 1 from ' ~ source('ops', 'build_scope') ~ ' limit 1').rows | length > 0) }}
{%- endmacro %}

{#- Whether the table's primary key, as the database holds it, is made of exactly these columns. -#}
{% macro has_primary_key(relation, columns) -%}
    {%- set key = run_query(
        "select attribute.attname"
        ~ " from pg_index as key"
        ~ " inner join pg_attribute as attribute on key.indrelid = attribute.attrelid and attribute.attnum = any(key.indkey)"
        ~ " where key.indisprimary and key.indrelid = to_regclass('" ~ relation ~ "')"
    ).columns[0].values() -%}
    {{ return((key | list | sort) == (columns | sort)) }}
{%- endmacro %}
