{{ experiment_step(['account_id', 'experiment_id', 'metric', 'arm_id', 'day']) }}

-- Control and arm side by side on the days on which both were shown, per metric: m over d is the yield, of which more
-- is better (conversions per money for CPA), x what was counted. docs/reference/ab-statistics.md, section 1.
with arm_days as (

    select
        arms.account_id,
        arms.experiment_id,
        arms.arm_id,
        arms.is_control,
        days.day,
        days.is_mature,
        metrics.metric,
        metrics.m,
        metrics.d,
        metrics.x
    from {{ ref('int_experiment_arms') }} as arms
    inner join {{ ref('int_experiment_arm_days') }} as days
        on
            arms.account_id = days.account_id
            and arms.experiment_id = days.experiment_id
            and arms.arm_id = days.arm_id
    cross join
        lateral (
            values
            (
                'ctr',
                days.link_clicks::double precision,
                days.impressions::double precision,
                days.link_clicks::double precision
            ),
            ('cvr', days.conversions, days.link_clicks, days.conversions),
            ('cpa', days.conversions, days.spend, days.conversions),
            ('roas', days.conversion_value, days.spend, days.conversions),
            ('cpm', days.impressions, days.spend, null)
        ) as metrics (metric, m, d, x)
    where days.impressions > 0

)

select
    arms.account_id,
    arms.experiment_id,
    arms.metric,
    arms.arm_id,
    controls.arm_id as control_arm_id,
    arms.day,
    arms.is_mature and controls.is_mature as is_mature,
    controls.m as control_m,
    controls.d as control_d,
    controls.x as control_x,
    arms.m as arm_m,
    arms.d as arm_d,
    arms.x as arm_x
from arm_days as arms
inner join arm_days as controls
    on
        arms.account_id = controls.account_id
        and arms.experiment_id = controls.experiment_id
        and arms.metric = controls.metric
        and arms.day = controls.day
        and controls.is_control
where
    not arms.is_control
    and num_nulls(arms.m, arms.d, controls.m, controls.d) = 0
    and (arms.metric = 'cpm' or num_nulls(arms.x, controls.x) = 0)
