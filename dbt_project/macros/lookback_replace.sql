{#-
    Incremental strategies for tables whose rows look back at earlier days: a day that is pulled again changes later rows,
    too, which slice_replace would leave as they were. Like all strategies here they delete and insert in one transaction
    and never drop the table (see slice_replace.sql).

    trailing_week_replace: the days of the scope and the six after each, for rows that look back over seven days.
    onward_replace:        each account from its first day in the scope on, for rows that add up since some past day.
-#}

{#- Limits an incremental run to the scope's days and the six after each; `before` more days for what rows look at. -#}
{% macro in_trailing_week(alias=none, keyword='where', before=0) -%}
    {%- set prefix = alias ~ '.' if alias else '' -%}
    {%- if is_incremental() %}
    {{ keyword }} ({{ prefix }}account_id, {{ prefix }}day) in (
        select scope.account_id, scope.day + later.days
        from {{ source('ops', 'build_scope') }} as scope
        cross join generate_series({{ -before }}, 6) as later (days)
    )
    {%- endif -%}
{%- endmacro %}

{#- Accounts of the build, each with the first day to write. -#}
{% macro first_days_to_build() -%}
    select
        account_id,
        min(day) as first_day
    from {{ source('ops', 'build_scope') if is_incremental() else ref('stg_ops__slices') }}
    group by account_id
{%- endmacro %}

{% macro get_incremental_trailing_week_replace_sql(arg_dict) -%}
    {%- set columns = get_quoted_csv(arg_dict['dest_columns'] | map(attribute='name')) -%}
    delete from {{ arg_dict['target_relation'] }} as held
    where (held.account_id, held.day) in (
        select scope.account_id, scope.day + later.days
        from {{ source('ops', 'build_scope') }} as scope
        cross join generate_series(0, 6) as later (days)
    );

    insert into {{ arg_dict['target_relation'] }} ({{ columns }})
    select {{ columns }} from {{ arg_dict['temp_relation'] }};
{%- endmacro %}

{% macro get_incremental_onward_replace_sql(arg_dict) -%}
    {%- set columns = get_quoted_csv(arg_dict['dest_columns'] | map(attribute='name')) -%}
    delete from {{ arg_dict['target_relation'] }} as held
    using (
        select scope.account_id, min(scope.day) as first_day
        from {{ source('ops', 'build_scope') }} as scope
        group by scope.account_id
    ) as onward
    where held.account_id = onward.account_id and held.day >= onward.first_day;

    insert into {{ arg_dict['target_relation'] }} ({{ columns }})
    select {{ columns }} from {{ arg_dict['temp_relation'] }};
{%- endmacro %}
