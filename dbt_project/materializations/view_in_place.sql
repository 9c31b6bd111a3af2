{#-
    Views are replaced in place. dbt's own way renames the old view and drops it with everything that was made on it: the
    views of the clients' schemas, and, where only a part of the project is built, our own.

    A view whose columns were renamed, removed or changed in type cannot be replaced and is made anew.
-#}
{% materialization view, adapter='postgres' -%}
    {%- set existing = load_cached_relation(this) -%}
    {%- set target = this.incorporate(type='view') -%}
    {{ run_hooks(pre_hooks, inside_transaction=False) }}
    {{ run_hooks(pre_hooks, inside_transaction=True) }}
    {%- if existing is not none and not (existing.is_view and keeps_columns(existing, sql)) -%}
        {%- do adapter.drop_relation(existing) -%}
    {%- endif -%}
    {% call statement('main') -%}
        {{ get_create_view_as_sql(target, sql) }}
    {%- endcall %}
    {%- do apply_grants(target, config.get('grants'), should_revoke=true) -%}
    {%- do persist_docs(target, model) -%}
    {{ run_hooks(post_hooks, inside_transaction=True) }}
    {{ adapter.commit() }}
    {{ run_hooks(post_hooks, inside_transaction=False) }}
    {{ return({'relations': [target]}) }}
{%- endmaterialization %}

{#- Whether a query has the view's columns, in order, by name and type; it may have more behind them.
    Reason for the temporary view: dbt describes a query by names of types that stand for several of the database's. -#}
{% macro keeps_columns(view, query) -%}
    {%- set probe = view.identifier ~ '__dbt_probe' -%}
    {%- do run_query('create temporary view "' ~ probe ~ '" as (' ~ query ~ ')') -%}
    {%- set wanted = columns_of('pg_temp."' ~ probe ~ '"') -%}
    {%- do run_query('drop view pg_temp."' ~ probe ~ '"') -%}
    {%- set held = columns_of(view) -%}
    {{ return(wanted[:held | length] == held) }}
{%- endmacro %}

{#- Name and exact type of each column of a relation. -#}
{% macro columns_of(relation) -%}
    {%- set found = run_query(
        "select attname::text, format_type(atttypid, atttypmod) from pg_attribute where attrelid = to_regclass('"
        ~ relation ~ "') and attnum > 0 and not attisdropped order by attnum"
    ) -%}
    {%- set columns = [] -%}
    {%- for row in found.rows -%}
        {%- do columns.append((row[0], row[1])) -%}
    {%- endfor -%}
    {{ return(columns) }}
{%- endmacro %}

{% macro postgres__create_view_as(relation, sql) -%}
    {{ config.get('sql_header', '') }}
    create or replace view {{ relation }}
    {%- if config.get('contract').enforced %}
    {{ get_assert_columns_equivalent(sql) }}
    {%- endif %} as (
        {{ sql }}
    );
{%- endmacro %}
