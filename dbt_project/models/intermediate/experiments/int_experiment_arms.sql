{{ experiment_step(['account_id', 'experiment_id', 'arm_id']) }}

-- The arms of each experiment with what was meant to flow to each: cells of a study with their share of the audience,
-- or the declared arms, meant to be equal.
with cells as (

    select
        studies.account_id,
        'study-' || studies.study_id as experiment_id,
        cells.position::integer as position,
        coalesce(cells.cell ->> 'id', cells.position::text) as arm_id,
        coalesce(cells.cell ->> 'name', 'Cell ' || cells.position) as arm_name,
        coalesce(cells.cell ->> 'name', '') ~* '\mcontrol\M' as is_named_control,
        studies.account_id as arm_account_id,
        nullif((cells.cell ->> 'treatment_percentage')::numeric, 0) as planned_weight,
        (
            select coalesce(jsonb_agg(objects.item), '[]'::jsonb)
            from (
                select jsonb_build_object('level', 'campaign', 'id', campaign ->> 'id') as item
                from {{ elements("cells.cell #> '{campaigns,data}'", 'campaign') }}
                union all
                select jsonb_build_object('level', 'ad_set', 'id', ad_set ->> 'id') as item
                from {{ elements("cells.cell #> '{adsets,data}'", 'ad_set') }}
            ) as objects
        ) as objects
    from {{ ref('stg_meta__ad_studies') }} as studies
    cross join lateral jsonb_array_elements(studies.cells) with ordinality as cells (cell, position)
    where studies.study_type = 'SPLIT_TEST'

),

declared as (

    select
        arms.account_id,
        experiments.experiment_id,
        arms.position,
        arms.arm_id,
        arms.arm_name,
        arms.is_control as is_named_control,
        arms.arm_account_id,
        1::numeric as planned_weight,
        (
            select coalesce(jsonb_agg(item || jsonb_build_object('level', arms.object_level)), '[]'::jsonb)
            from {{ elements('arms.objects', 'item') }}
        ) as objects
    from {{ ref('stg_ops__experiment_arms') }} as arms
    inner join {{ ref('int_experiments') }} as experiments
        on
            arms.account_id = experiments.account_id
            and (
                arms.experiment_id = experiments.experiment_id
                or 'declared-' || arms.experiment_id = experiments.experiment_id
            )
    where experiments.kind = 'observational'

),

arms as (

    select * from cells
    union all
    select * from declared

)

select
    account_id,
    experiment_id,
    arm_id,
    row_number() over (experiment order by position, arm_id) as position,
    arm_name,
    -- The control is the arm that says so, else the first.
    row_number() over (experiment order by is_named_control desc, position asc, arm_id asc) = 1 as is_control,
    arm_account_id,
    -- A study whose cells do not all name their share is taken to be meant equal.
    case
        when count(planned_weight) over experiment = count(*) over experiment
            then {{ function('safe_div') }}(planned_weight, sum(planned_weight) over experiment)
        else {{ function('safe_div') }}(1, count(*) over experiment)
    end as planned_share,
    objects
from arms
window experiment as (partition by account_id, experiment_id)
