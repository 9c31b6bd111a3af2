{#- dbt's own version is a time without a zone and would be compared with ours, which has one. -#}
{% macro postgres__snapshot_get_time() -%}
    now()
{%- endmacro %}

{#- The versions in one snapshot, their content as one document. -#}
{% macro snapshot_content(level) -%}
select
        account_id,
        '{{ level }}' as object_level,
        id as object_id,
        dbt_valid_from as observed_at,
        created_at,
        updated_at,
        to_jsonb(held) - array[
            'account_id', 'id', 'created_at', 'updated_at', 'pulled_at',
            'dbt_scd_id', 'dbt_updated_at', 'dbt_valid_from', 'dbt_valid_to'
        ] as content
    from {{ ref(level ~ '_snapshot') }} as held
    -- A version replaced in the moment it began: what is tracked changed, not the object.
    where dbt_valid_to is null or dbt_valid_to > dbt_valid_from
{%- endmacro %}
