{{ config(
    materialized='incremental',
    incremental_strategy='mirror',
    unique_key=['account_id', 'object_level', 'object_id', 'changed_at', 'attribute'],
    post_hook='{{ analyze_if_changed() }}'
) }}

-- Every change that somebody made to an object, once: from Meta's log, and from the snapshots what it does not hold.
-- Outcomes (effective status, learning) are no changes that somebody made. A table, since several marts look up in it.
with snapshot_differences as (

    select
        versions.account_id,
        versions.object_level,
        versions.object_id,
        versions.previously_observed_at,
        versions.observed_at,
        versions.began_at as changed_at,
        case attributes.attribute
            when 'creative_id' then 'creative'
            when 'starts_at' then 'schedule'
            when 'ends_at' then 'schedule'
            else attributes.attribute
        end as attribute,
        versions.previous_content ->> attributes.attribute as old_value,
        attributes.new_value
    from {{ ref('int_object_versions') }} as versions
    cross join lateral jsonb_each_text(versions.content) as attributes (attribute, new_value)
    where
        versions.previous_content is not null
        and attributes.attribute not in ('effective_status', 'learning_status')
        and attributes.new_value is distinct from versions.previous_content ->> attributes.attribute

),

-- Reason for the hour: a run carries the time at which it began, and reads objects until some minutes later.
unlogged as (

    select snapshot_differences.*
    from snapshot_differences
    where not exists (
        select 1
        from {{ ref('int_activity_changes') }} as logged
        where
            logged.account_id = snapshot_differences.account_id
            and logged.object_level = snapshot_differences.object_level
            and logged.object_id = snapshot_differences.object_id
            and logged.attribute = snapshot_differences.attribute
            and logged.changed_at > snapshot_differences.previously_observed_at
            and logged.changed_at <= snapshot_differences.observed_at + interval '1 hour'
            and (not logged.is_comparable or logged.new_value is not distinct from snapshot_differences.new_value)
    )

),

changes as (

    select
        account_id,
        object_level,
        object_id,
        changed_at,
        attribute,
        old_value,
        new_value,
        'activity' as source
    from {{ ref('int_activity_changes') }}

    union all

    select
        account_id,
        object_level,
        object_id,
        changed_at,
        attribute,
        old_value,
        new_value,
        'snapshot' as source
    from unlogged

)

select
    changes.account_id,
    changes.object_level,
    changes.object_id,
    changes.changed_at,
    changes.attribute,
    {{ value_in_major_units('changes.attribute', 'changes.old_value', 'accounts.minor_unit_exponent') }} as old_value,
    {{ value_in_major_units('changes.attribute', 'changes.new_value', 'accounts.minor_unit_exponent') }} as new_value,
    changes.source
from changes
left join {{ ref('dim_account') }} as accounts
    on changes.account_id = accounts.account_id
