{{ config(
    materialized='incremental',
    incremental_strategy='mirror',
    unique_key=['account_id', 'object_level', 'object_id', 'observed_at'],
    post_hook='{{ analyze_if_changed() }}'
) }}

-- The versions of every object as the snapshots hold them, each beside the one before it. The content is one document,
-- so that levels with different attributes share the logic of history; amounts are minor units. A table: see
-- int_activity_changes.
with versions as (

    {{ snapshot_content('account') }}

    union all

    {{ snapshot_content('campaign') }}

    union all

    {{ snapshot_content('ad_set') }}

    union all

    {{ snapshot_content('ad') }}

),

beside_the_one_before as (

    select
        *,
        lag(observed_at) over earlier as previously_observed_at,
        lag(updated_at) over earlier as previously_updated_at,
        lag(content) over earlier as previous_content
    from versions
    window earlier as (partition by account_id, object_level, object_id order by observed_at)

)

select
    account_id,
    object_level,
    object_id,
    observed_at,
    previously_observed_at,
    last_pulled_at,
    created_at,
    content,
    previous_content,
    -- When the content began. Meta's own time, if the change is the object's own: a parent's pause shows in a child
    -- whose time of change is older than what was last seen of it.
    case
        when updated_at > previously_observed_at and coalesce(updated_at <> previously_updated_at, true) then updated_at
        else observed_at
    end as began_at
from beside_the_one_before
