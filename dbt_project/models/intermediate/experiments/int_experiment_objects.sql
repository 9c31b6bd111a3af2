-- What the arms are made of, found in the arm's own account: by id, or by the exact name where one object has it.
with wanted as (

    select
        arms.account_id,
        arms.experiment_id,
        arms.arm_id,
        arms.arm_account_id,
        items.item ->> 'level' as object_level,
        case when items.item ->> 'id' ~ '^-?[0-9]{1,18}$' then (items.item ->> 'id')::bigint end as wanted_id,
        items.item ->> 'name' as wanted_name,
        coalesce(items.item ->> 'name', items.item ->> 'id') as reference
    from {{ ref('int_experiment_arms') }} as arms
    cross join lateral jsonb_array_elements(arms.objects) as items (item)

),

known as (

    select
        account_id,
        'campaign' as object_level,
        campaign_id as object_id,
        campaign_name as object_name
    from {{ ref('dim_campaign') }}

    union all

    select
        account_id,
        'ad_set' as object_level,
        ad_set_id as object_id,
        ad_set_name as object_name
    from {{ ref('dim_ad_set') }}

    union all

    select
        account_id,
        'ad' as object_level,
        ad_id as object_id,
        ad_name as object_name
    from {{ ref('dim_ad') }}

)

select
    wanted.account_id,
    wanted.experiment_id,
    wanted.arm_id,
    wanted.arm_account_id,
    wanted.object_level,
    wanted.reference,
    count(known.object_id) as matches,
    -- Reason: of two objects with the same name neither can be chosen for the user.
    case when count(known.object_id) = 1 then min(known.object_id) end as object_id
from wanted
left join known
    on
        wanted.arm_account_id = known.account_id
        and wanted.object_level = known.object_level
        and (
            wanted.wanted_id = known.object_id
            or (wanted.wanted_id is null and wanted.wanted_name = known.object_name)
        )
group by
    wanted.account_id,
    wanted.experiment_id,
    wanted.arm_id,
    wanted.arm_account_id,
    wanted.object_level,
    wanted.reference
