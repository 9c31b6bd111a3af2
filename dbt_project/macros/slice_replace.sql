{#-
    How published tables are kept up to date. Everything that decides what is written stands in this file, so that a
    distributed PostgreSQL needs one file replaced (stage into a colocated table, then INSERT .. SELECT).

    slice_replace: the account days of `ops.build_scope` are deleted and written anew. A row that Meta withdrew and a
                   day that became empty vanish, which no merge achieves.
    mirror:        the table becomes what the query returns; only rows that differ are touched.

    Both run delete and insert in the one transaction that dbt opens for the model, so a reader sees the old state or
    the new one. Neither drops the table, so the views of the clients' schemas survive a build.
-#}

{#- The condition that limits an incremental run to the account days of the build; nothing on a first build. -#}
{% macro in_build_scope(alias=none, keyword='where') -%}
    {%- set prefix = alias ~ '.' if alias else '' -%}
    {%- if is_incremental() %}
    {{ keyword }} ({{ prefix }}account_id, {{ prefix }}day) in (
        select scope.account_id, scope.day from {{ source('ops', 'build_scope') }} as scope
    )
    {%- endif -%}
{%- endmacro %}

{% macro get_incremental_slice_replace_sql(arg_dict) -%}
    {%- set target = arg_dict['target_relation'] -%}
    {%- set columns = get_quoted_csv(arg_dict['dest_columns'] | map(attribute='name')) -%}
    delete from {{ target }} as held
    using {{ source('ops', 'build_scope') }} as scope
    where held.account_id = scope.account_id and held.day = scope.day;

    insert into {{ target }} ({{ columns }})
    select {{ columns }} from {{ arg_dict['temp_relation'] }};
{%- endmacro %}

{% macro get_incremental_mirror_sql(arg_dict) -%}
    {%- set target = arg_dict['target_relation'] -%}
    {%- set staged = arg_dict['temp_relation'] -%}
    {%- set columns = get_quoted_csv(arg_dict['dest_columns'] | map(attribute='name')) -%}
    {%- set key = arg_dict['unique_key'] | join(', ') -%}
    {#- EXCEPT, unlike `<>`, treats two NULLs as equal. -#}
    delete from {{ target }}
    where ({{ key }}) in (
        select {{ key }}
        from (select {{ columns }} from {{ target }} except select {{ columns }} from {{ staged }}) as outdated
    );

    insert into {{ target }} ({{ columns }})
    select {{ columns }} from {{ staged }}
    except
    select {{ columns }} from {{ target }};
{%- endmacro %}

{% macro analyze_build_scope() -%}
    {%- if execute and flags.WHICH in ('build', 'run') -%}
    analyze {{ source('ops', 'build_scope') }}
    {%- endif -%}
{%- endmacro %}

{#- A table that was just created has no statistics yet, and the models after it would be planned blindly. -#}
{% macro analyze_new_table() -%}
    {%- if execute and not is_incremental() -%}
    analyze {{ this }}
    {%- endif -%}
{%- endmacro %}
