{#-
    How published tables are kept up to date. Everything that decides what is written stands in this file, so that a
    distributed PostgreSQL needs one file replaced (stage into a colocated table, then INSERT .. SELECT).

    slice_replace: the account days of `ops.build_scope` are deleted and written anew. A row that Meta withdrew and a
                   day that became empty vanish, which no merge achieves.
    slice_and_week_after_replace:
                   the same, and the account days a week later with them: their rows hold these days' numbers as those
                   of the week before.
    week_replace, month_replace:
                   the ISO weeks (calendar months) that the scope touches and the one after each (it holds these
                   numbers as those of the period before). The table has account_id, period_start.
    trailing_week_replace, onward_replace:
                   for rows that look back over days; see lookback_replace.sql.
    mirror:        the table becomes what the query returns; only rows that differ are touched.

    All run delete and insert in the one transaction that dbt opens for the model, so a reader sees the old state or
    the new one. None drops the table, so the views of the clients' schemas survive a build.
-#}

{#- The condition that limits an incremental run to the account days of the build; nothing on a first build.
    shifts: days by which the scope is moved; [0, 7] are the days of the scope and those a week after them. -#}
{% macro in_build_scope(alias=none, keyword='where', shifts=[0]) -%}
    {%- set prefix = alias ~ '.' if alias else '' -%}
    {%- if is_incremental() %}
    {{ keyword }} ({{ prefix }}account_id, {{ prefix }}day) in ({{ shifted_build_scope(shifts) }})
    {%- endif -%}
{%- endmacro %}

{% macro shifted_build_scope(shifts) -%}
    {%- if shifts == [0] %}
        select scope.account_id, scope.day from {{ source('ops', 'build_scope') }} as scope
    {%- else %}
        select scope.account_id, scope.day + shift.days
        from {{ source('ops', 'build_scope') }} as scope
        cross join (values ({{ shifts | join('), (') }})) as shift (days)
    {%- endif %}
    {% endmacro %}

{#- The first day of the ISO week or month of a day; and of the period `count` periods later. Reason for the cast:
    without it date_trunc answers in the session's time zone. -#}
{% macro period_start(unit, day) -%}
date_trunc('{{ unit }}', {{ day }}::timestamp)::date
{%- endmacro %}

{% macro shifted_period(unit, start, count) -%}
({{ start }} + {{ count }} * interval '1 {{ unit }}')::date
{%- endmacro %}

{#- The periods of the build's account days, moved by each of `shifts` periods. -#}
{% macro periods_in_build_scope(unit, shifts) -%}
    select distinct
        scope.account_id,
        {{ shifted_period(unit, period_start(unit, 'scope.day'), 'shift.periods') }} as period_start
    from {{ source('ops', 'build_scope') }} as scope
    cross join (values ({{ shifts | join('), (') }})) as shift (periods)
{%- endmacro %}

{% macro get_incremental_slice_replace_sql(arg_dict) -%}
    {{ replace_rows(arg_dict, 'account_id, day', shifted_build_scope([0])) }}
{%- endmacro %}

{% macro get_incremental_slice_and_week_after_replace_sql(arg_dict) -%}
    {{ replace_rows(arg_dict, 'account_id, day', shifted_build_scope([0, 7])) }}
{%- endmacro %}

{% macro get_incremental_week_replace_sql(arg_dict) -%}
    {{ replace_rows(arg_dict, 'account_id, period_start', periods_in_build_scope('week', [0, 1])) }}
{%- endmacro %}

{% macro get_incremental_month_replace_sql(arg_dict) -%}
    {{ replace_rows(arg_dict, 'account_id, period_start', periods_in_build_scope('month', [0, 1])) }}
{%- endmacro %}

{% macro replace_rows(arg_dict, key, replaced) -%}
    {%- set columns = get_quoted_csv(arg_dict['dest_columns'] | map(attribute='name')) -%}
    delete from {{ arg_dict['target_relation'] }}
    where ({{ key }}) in ({{ replaced }});

    insert into {{ arg_dict['target_relation'] }} ({{ columns }})
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

{#- A table that was just created has no statistics yet, one of which a good part was replaced has wrong ones, and the
    models after it would be planned blindly: autovacuum comes a minute later. -#}
{% macro analyze_if_changed() -%}
    {%- if execute and written_rows() > 0.05 * estimated_rows(this) -%}
    analyze {{ this }}
    {%- endif -%}
{%- endmacro %}

{% macro written_rows() -%}
    {%- set response = load_result('main')['response'] if load_result('main') else none -%}
    {{ return(response.rows_affected if response and response.rows_affected else 0) }}
{%- endmacro %}

{#- As of the last ANALYZE; -1 for a table that never had one. -#}
{% macro estimated_rows(relation) -%}
    {{ return(run_query("select reltuples::bigint from pg_class where oid = to_regclass('" ~ relation ~ "')").rows[0][0]) }}
{%- endmacro %}
