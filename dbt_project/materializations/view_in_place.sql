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

{#- Whether a query has the view's columns, in order, by name and type; it may have more behind them. -#}
{% macro keeps_columns(view, query) -%}
    {%- set wanted = get_column_schema_from_query(query) -%}
    {%- set held = adapter.get_columns_in_relation(view) -%}
    {%- set ns = namespace(same=(wanted | length >= held | length)) -%}
    {%- for column in held if ns.same -%}
        {%- set other = wanted[loop.index0] -%}
        {%- set ns.same = column.name == other.name and column.data_type == other.data_type -%}
    {%- endfor -%}
    {{ return(ns.same) }}
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
