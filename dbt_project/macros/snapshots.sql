{#- dbt's own version is a time without a zone and would be compared with ours, which has one. -#}
{% macro postgres__snapshot_get_time() -%}
    now()
{%- endmacro %}

{#- The versions in one snapshot, their content as one document of texts, as Meta's log has texts, too. -#}
{% macro snapshot_content(level) -%}
select
        held.account_id,
        '{{ level }}' as object_level,
        held.id as object_id,
        held.dbt_valid_from as observed_at,
        listed.pulled_at as last_pulled_at,
        held.created_at,
        held.updated_at,
        contents.content
    from {{ ref(level ~ '_snapshot') }} as held
    left join {{ ref('int_tracked_' ~ level ~ 's') }} as listed
        on held.account_id = listed.account_id and held.id = listed.id
    cross join lateral (
        select jsonb_object_agg(key, value) as content
        from jsonb_each_text(
            to_jsonb(held) - array[
                'account_id', 'id', 'created_at', 'updated_at', 'pulled_at',
                'dbt_scd_id', 'dbt_updated_at', 'dbt_valid_from', 'dbt_valid_to'
            ]
        )
    ) as contents
    -- A version replaced in the moment it began: what is tracked changed, not the object.
    where held.dbt_valid_to is null or held.dbt_valid_to > held.dbt_valid_from
{%- endmacro %}
