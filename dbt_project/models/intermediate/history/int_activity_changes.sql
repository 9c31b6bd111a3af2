{{ config(
    materialized='incremental',
    incremental_strategy='mirror',
    unique_key=['account_id', 'object_level', 'object_id', 'changed_at', 'attribute'],
    post_hook='{{ analyze_if_changed() }}'
) }}

-- What people changed, as Meta's log tells it: each change once, money in minor units. A table, since three models join
-- it, and the planner guesses the size of what it has no statistics of.
with budget_kinds as (

    select
        account_id,
        'campaign' as object_level,
        campaign_id as object_id,
        nullif(lifetime_budget_minor, 0) is not null as is_lifetime
    from {{ ref('stg_meta__campaigns') }}

    union all

    select
        account_id,
        'ad_set' as object_level,
        ad_set_id as object_id,
        nullif(lifetime_budget_minor, 0) is not null as is_lifetime
    from {{ ref('stg_meta__adsets') }}

),

changes as (

    select
        activities.account_id,
        activities.object_level,
        activities.object_id,
        activities.event_time as changed_at,
        case
            when activities.attribute = 'budget' and budget_kinds.is_lifetime then 'lifetime_budget'
            when activities.attribute = 'budget' then 'daily_budget'
            else activities.attribute
        end as attribute,
        activities.old_value,
        activities.new_value,
        activities.event_key
    from {{ ref('stg_meta__activities') }} as activities
    left join budget_kinds
        on
            activities.account_id = budget_kinds.account_id
            and activities.object_level = budget_kinds.object_level
            and activities.object_id = budget_kinds.object_id
    where
        activities.object_level is not null
        and activities.object_id is not null
        and activities.attribute <> 'run_status'
        and not activities.is_creation

),

comparable as (

    select
        *,
        {{ is_rebuilt_from_activities('attribute') }} as is_comparable
    from changes

)

-- Reason for DISTINCT ON: a re-listed event may differ from itself in signed addresses, and is then stored again.
select distinct on (
    account_id, object_level, object_id, changed_at, attribute, case when is_comparable then new_value end
)
    account_id,
    object_level,
    object_id,
    changed_at,
    attribute,
    old_value,
    new_value,
    is_comparable
from comparable
where not is_comparable or old_value is distinct from new_value
order by
    account_id,
    object_level,
    object_id,
    changed_at,
    attribute,
    case when is_comparable then new_value end,
    event_key
