{{ experiment_step(['account_id', 'experiment_id']) }}

-- Whether an experiment can be trusted, apart from its numbers: what its arms are made of, which days are there, and
-- whether the audience (of a study) and the money were split as planned.
with arms as (

    select
        arms.account_id,
        arms.experiment_id,
        count(*) as arms,
        count(distinct accounts.currency) as currencies,
        min(accounts.currency) as currency,
        count(distinct accounts.time_zone) as time_zones,
        bool_and(accounts.conversion_action is not null) as has_conversions,
        bool_and(accounts.value_action is not null) as has_value,
        string_agg(arms.arm_name, ', ' order by arms.position)
        filter (where arms.objects = '[]'::jsonb or ads.ads is null) as arms_without_ads
    from {{ ref('int_experiment_arms') }} as arms
    left join {{ ref('dim_account') }} as accounts
        on arms.arm_account_id = accounts.account_id
    left join (
        select
            account_id,
            experiment_id,
            arm_id,
            count(*) as ads
        from {{ ref('int_experiment_ads') }}
        group by account_id, experiment_id, arm_id
    ) as ads
        on
            arms.account_id = ads.account_id
            and arms.experiment_id = ads.experiment_id
            and arms.arm_id = ads.arm_id
    group by arms.account_id, arms.experiment_id

),

objects as (

    select
        account_id,
        experiment_id,
        string_agg(distinct object_level || ' ' || reference, ', ') filter (where matches = 0) as unknown_objects,
        string_agg(distinct object_level || ' ' || reference, ', ') filter (where matches > 1) as ambiguous_objects
    from {{ ref('int_experiment_objects') }}
    group by account_id, experiment_id

),

shared_ads as (

    select
        account_id,
        experiment_id,
        count(*) as shared_ads
    from (
        select
            account_id,
            experiment_id,
            arm_account_id,
            ad_id
        from {{ ref('int_experiment_ads') }}
        group by account_id, experiment_id, arm_account_id, ad_id
        having count(*) > 1
    ) as ads_in_several_arms
    group by account_id, experiment_id

),

-- A day counts for the experiment if it was pulled (and is mature) for all of its arms.
days as (

    select
        days.account_id,
        days.experiment_id,
        count(*) filter (where days.arms = arms.arms) as pulled_days,
        count(*) filter (where days.arms = arms.arms and days.is_mature) as mature_days,
        count(*) filter (where not days.is_reconciled) as unreconciled_days,
        max(days.day) as last_pulled_day
    from (
        select
            account_id,
            experiment_id,
            day,
            count(*) as arms,
            bool_and(is_mature) as is_mature,
            bool_and(is_reconciled) as is_reconciled
        from {{ ref('int_experiment_arm_days') }}
        group by account_id, experiment_id, day
    ) as days
    inner join arms
        on days.account_id = arms.account_id and days.experiment_id = arms.experiment_id
    group by days.account_id, days.experiment_id

),

spend as (

    select
        account_id,
        experiment_id,
        arm_id,
        sum(spend) as spend,
        sum(sum(spend)) over (partition by account_id, experiment_id) as spend_of_all
    from {{ ref('int_experiment_arm_days') }}
    where is_mature
    group by account_id, experiment_id, arm_id

),

delivery as (

    select
        spend.account_id,
        spend.experiment_id,
        string_agg(
            arms.arm_name || ' ' || {{ percent_in_words('spend.spend / spend.spend_of_all') }}
            || ' instead of ' || {{ percent_in_words('arms.planned_share') }},
            ', ' order by arms.position
        ) filter (where abs(spend.spend / spend.spend_of_all / arms.planned_share - 1) > 0.1) as delivery_imbalance,
        max(abs(spend.spend / spend.spend_of_all / arms.planned_share - 1)) as largest_imbalance
    from spend
    inner join {{ ref('int_experiment_arms') }} as arms
        on
            spend.account_id = arms.account_id
            and spend.experiment_id = arms.experiment_id
            and spend.arm_id = arms.arm_id
    where spend.spend_of_all > 0
    group by spend.account_id, spend.experiment_id

),

-- People cannot be added up: the reach of a cell is known where it is one campaign, for a period that Meta was asked
-- about. The longest such period inside the study is looked at, of several the latest.
reach as (

    select
        arms.account_id,
        arms.experiment_id,
        periods.period_start,
        periods.period_end,
        count(*) as arms,
        count(*) - 1 as degrees,
        sum(
            (periods.reach - arms.planned_share * periods.reach_of_all) ^ 2
            / nullif(arms.planned_share * periods.reach_of_all, 0)
        )::double precision as statistic
    from {{ ref('int_experiment_arms') }} as arms
    inner join (
        select
            experiments.account_id,
            experiments.experiment_id,
            objects.arm_id,
            insights.period_start,
            insights.period_end,
            insights.reach,
            sum(insights.reach) over (
                partition by
                    experiments.account_id, experiments.experiment_id, insights.period_start, insights.period_end
            ) as reach_of_all
        from {{ ref('int_experiments') }} as experiments
        inner join {{ ref('int_experiment_objects') }} as objects
            on experiments.account_id = objects.account_id and experiments.experiment_id = objects.experiment_id
        inner join {{ ref('stg_meta__insights_campaign_period') }} as insights
            on
                objects.arm_account_id = insights.account_id
                and objects.object_id = insights.campaign_id
                and experiments.since <= insights.period_start
                and experiments.until >= insights.period_end
        where experiments.kind = 'randomised' and objects.object_level = 'campaign' and insights.reach > 0
    ) as periods
        on
            arms.account_id = periods.account_id
            and arms.experiment_id = periods.experiment_id
            and arms.arm_id = periods.arm_id
    where jsonb_array_length(arms.objects) = 1
    group by arms.account_id, arms.experiment_id, periods.period_start, periods.period_end

),

sample_ratio as (

    select distinct on (reach.account_id, reach.experiment_id)
        reach.account_id,
        reach.experiment_id,
        reach.period_start,
        reach.period_end,
        reach.statistic,
        {{ function('chi_square_tail') }}(reach.statistic, reach.degrees::integer) as p
    from reach
    inner join arms
        on
            reach.account_id = arms.account_id
            and reach.experiment_id = arms.experiment_id
            and reach.arms = arms.arms
    where reach.degrees > 0
    order by
        reach.account_id asc, reach.experiment_id asc, reach.period_end - reach.period_start desc, reach.period_end desc

)

select
    experiments.account_id,
    experiments.experiment_id,
    coalesce(arms.arms, 0) as arms,
    case when arms.currencies = 1 then arms.currency end as currency,
    coalesce(arms.currencies, 0) as currencies,
    coalesce(arms.time_zones, 0) as time_zones,
    coalesce(arms.has_conversions, false) as has_conversions,
    coalesce(arms.has_value, false) as has_value,
    arms.arms_without_ads,
    objects.unknown_objects,
    objects.ambiguous_objects,
    coalesce(shared_ads.shared_ads, 0) as shared_ads,
    coalesce(days.pulled_days, 0) as pulled_days,
    coalesce(days.mature_days, 0) as mature_days,
    coalesce(days.unreconciled_days, 0) as unreconciled_days,
    days.last_pulled_day,
    coalesce(experiments.planned_days > 0 and days.mature_days = experiments.planned_days, false) as is_complete,
    case when arms.currencies = 1 then delivery.delivery_imbalance end as delivery_imbalance,
    case when arms.currencies = 1 then delivery.largest_imbalance::double precision end as largest_imbalance,
    sample_ratio.period_start as sample_ratio_since,
    sample_ratio.period_end as sample_ratio_until,
    sample_ratio.statistic as sample_ratio_statistic,
    sample_ratio.p as sample_ratio_p
from {{ ref('int_experiments') }} as experiments
left join arms
    on experiments.account_id = arms.account_id and experiments.experiment_id = arms.experiment_id
left join objects
    on experiments.account_id = objects.account_id and experiments.experiment_id = objects.experiment_id
left join shared_ads
    on experiments.account_id = shared_ads.account_id and experiments.experiment_id = shared_ads.experiment_id
left join days
    on experiments.account_id = days.account_id and experiments.experiment_id = days.experiment_id
left join delivery
    on experiments.account_id = delivery.account_id and experiments.experiment_id = delivery.experiment_id
left join sample_ratio
    on experiments.account_id = sample_ratio.account_id and experiments.experiment_id = sample_ratio.experiment_id
