-- What somebody changed on an experiment's objects while it ran, one row per arm: changes of the objects themselves, of
-- what they lie in, and of what lies in them. Names are left out, since nobody sees them in an ad.
with arm_objects as (

    select
        account_id,
        experiment_id,
        arm_id,
        arm_account_id,
        'campaign' as object_level,
        campaign_id as object_id
    from {{ ref('int_experiment_ads') }}

    union

    select
        account_id,
        experiment_id,
        arm_id,
        arm_account_id,
        'ad_set' as object_level,
        ad_set_id as object_id
    from {{ ref('int_experiment_ads') }}

    union

    select
        account_id,
        experiment_id,
        arm_id,
        arm_account_id,
        'ad' as object_level,
        ad_id as object_id
    from {{ ref('int_experiment_ads') }}

)

select
    arm_objects.account_id,
    arm_objects.experiment_id,
    arm_objects.arm_id,
    changes.object_level,
    changes.object_id,
    changes.changed_at,
    (changes.changed_at at time zone accounts.time_zone)::date as day,
    changes.attribute,
    changes.old_value,
    changes.new_value,
    -- An edit to what both arms lie in (the campaign of two ad sets, say) touches both alike.
    count(*) over (
        partition by
            arm_objects.account_id,
            arm_objects.experiment_id,
            arm_objects.arm_account_id,
            changes.object_level,
            changes.object_id,
            changes.changed_at,
            changes.attribute,
            changes.new_value
    ) as arms_touched
from arm_objects
inner join {{ ref('int_experiments') }} as experiments
    on arm_objects.account_id = experiments.account_id and arm_objects.experiment_id = experiments.experiment_id
inner join {{ ref('dim_account') }} as accounts
    on arm_objects.arm_account_id = accounts.account_id
inner join {{ ref('int_object_changes') }} as changes
    on
        arm_objects.arm_account_id = changes.account_id
        and arm_objects.object_level = changes.object_level
        and arm_objects.object_id = changes.object_id
where
    changes.attribute in (
        'daily_budget', 'lifetime_budget', 'status', 'targeting', 'creative', 'bid_strategy', 'bid_amount',
        'optimization_goal', 'billing_event', 'attribution_setting', 'schedule'
    )
    and (changes.changed_at at time zone accounts.time_zone)::date >= experiments.since
    and (
        experiments.until is null
        or (changes.changed_at at time zone accounts.time_zone)::date <= experiments.until
    )
