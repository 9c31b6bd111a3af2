-- The comparison as it stands now, for every metric and arm, delivery or not: the last mature point of the curve, with
-- what follows from it. docs/reference/ab-statistics.md, sections 5 to 7; the names are those used there.
{%- set z = '1.959963984540054' -%}
{%- set z_power = '0.8416212335729143' -%}
{%- set prior_variance = '0.0625' %}
with comparisons as (

    select
        arms.account_id,
        arms.experiment_id,
        metrics.metric,
        arms.arm_id,
        arms.arm_name,
        arms.position,
        controls.arm_id as control_arm_id,
        controls.arm_name as control_name,
        metrics.metric = experiments.primary_metric as is_primary,
        experiments.minimum_effect,
        -- Least count of each arm before anything is concluded, a choice: a ratio of fewer is not near normal.
        metrics.least_count
    from {{ ref('int_experiment_arms') }} as arms
    inner join {{ ref('int_experiments') }} as experiments
        on arms.account_id = experiments.account_id and arms.experiment_id = experiments.experiment_id
    inner join {{ ref('int_experiment_arms') }} as controls
        on
            arms.account_id = controls.account_id
            and arms.experiment_id = controls.experiment_id
            and controls.is_control
    cross join
        (values ('ctr', 100), ('cvr', 30), ('cpa', 30), ('roas', 30), ('cpm', 1000)) as metrics (metric, least_count)
    where not arms.is_control

),

latest as (

    select distinct on (account_id, experiment_id, metric, arm_id) *
    from {{ ref('mart_ab_test_daily') }}
    where is_mature
    order by account_id asc, experiment_id asc, metric asc, arm_id asc, day desc

),

-- Days that are final for both arms, shown or not.
mature as (

    select
        arms.account_id,
        arms.experiment_id,
        arms.arm_id,
        count(*) as mature_days
    from {{ ref('int_experiment_arms') }} as controls
    inner join {{ ref('int_experiment_arms') }} as arms
        on controls.account_id = arms.account_id and controls.experiment_id = arms.experiment_id
    inner join {{ ref('int_experiment_arm_days') }} as control_days
        on
            controls.account_id = control_days.account_id
            and controls.experiment_id = control_days.experiment_id
            and controls.arm_id = control_days.arm_id
    inner join {{ ref('int_experiment_arm_days') }} as arm_days
        on
            arms.account_id = arm_days.account_id
            and arms.experiment_id = arm_days.experiment_id
            and arms.arm_id = arm_days.arm_id
            and control_days.day = arm_days.day
    where controls.is_control and control_days.is_mature and arm_days.is_mature
    group by arms.account_id, arms.experiment_id, arms.arm_id

),

joined as (

    select
        comparisons.*,
        latest.day as last_day,
        coalesce(latest.paired_days, 0) as paired_days,
        coalesce(latest.has_weekend, false) as has_weekend,
        latest.control_yield,
        latest.control_base,
        latest.control_count,
        latest.control_value,
        latest.arm_yield,
        latest.arm_base,
        latest.arm_count,
        latest.arm_value,
        latest.log_effect,
        latest.log_effect * case when comparisons.metric in ('cpa', 'cpm') then -1 else 1 end as theta,
        latest.effect,
        latest.effect_low,
        latest.effect_high,
        latest.p,
        latest.effect_always_low,
        latest.effect_always_high,
        latest.p_always,
        latest.interval_half_width,
        latest.interval_half_width_always,
        latest.standard_error,
        latest.standard_error_days,
        latest.standard_error_counts,
        latest.degrees_of_freedom,
        latest.critical_value,
        latest.autocorrelation,
        coalesce(latest.drift_factor, 1) as drift_factor,
        coalesce(mature.mature_days, 0) - coalesce(latest.paired_days, 0) as unpaired_days,
        coalesce(ln(1 + comparisons.minimum_effect)::double precision, 0) as delta,
        case
            when comparisons.metric = 'cpm' then least(latest.arm_yield, latest.control_yield)
            else least(latest.arm_count, latest.control_count)
        end as smaller_count,
        case
            when latest.interval_half_width is not null
                then nullif(greatest(latest.standard_error_days, latest.standard_error_counts), 0)
        end as se_plan
    from comparisons
    left join latest
        on
            comparisons.account_id = latest.account_id
            and comparisons.experiment_id = latest.experiment_id
            and comparisons.metric = latest.metric
            and comparisons.arm_id = latest.arm_id
    left join mature
        on
            comparisons.account_id = mature.account_id
            and comparisons.experiment_id = mature.experiment_id
            and comparisons.arm_id = mature.arm_id

),

-- Normal prior, normal likelihood: the posterior of theta.
posterior as (

    select
        *,
        theta * {{ prior_variance }} / ({{ prior_variance }} + standard_error ^ 2) as posterior_mean,
        sqrt({{ prior_variance }} * standard_error ^ 2 / ({{ prior_variance }} + standard_error ^ 2))
            as posterior_deviation,
        -- Reason for the bound: a thousand million days is as good as never, and fits into an integer.
        case
            when se_plan is not null and delta > 0
                then ceil(least(paired_days * (({{ z }} + {{ z_power }}) * se_plan / delta) ^ 2, 1e9))
        end as days_for_effect,
        case
            when metric <> 'cpm' and smaller_count > 0
                then least(ceil(paired_days * least_count / smaller_count), 1e9) - paired_days
        end as days_for_count
    from joined

),

-- Steps of Holm (primary metric, over its arms) and of Benjamini and Hochberg (the others, over metrics and arms).
ranked as (

    select
        *,
        row_number() over (partition by account_id, experiment_id, is_primary order by p, metric, arm_id)
            as rank_of_p,
        count(p) over (partition by account_id, experiment_id, is_primary) as number_of_p,
        row_number() over (partition by account_id, experiment_id, is_primary order by p_always, metric, arm_id)
            as rank_of_p_always,
        count(p_always) over (partition by account_id, experiment_id, is_primary) as number_of_p_always
    from posterior

),

adjusted as (

    select
        *,
        case
            when p is null then null
            when is_primary
                then
                    max(least(1, (number_of_p - rank_of_p + 1) * p)) over (
                        partition by account_id, experiment_id, is_primary
                        order by rank_of_p
                        rows between unbounded preceding and current row
                    )
            else
                min(least(1, number_of_p * p / rank_of_p)) over (
                    partition by account_id, experiment_id, is_primary, p is null
                    order by rank_of_p desc
                    rows between unbounded preceding and current row
                )
        end as p_adjusted,
        case
            when p_always is null then null
            when is_primary
                then
                    max(least(1, (number_of_p_always - rank_of_p_always + 1) * p_always)) over (
                        partition by account_id, experiment_id, is_primary
                        order by rank_of_p_always
                        rows between unbounded preceding and current row
                    )
            else
                min(least(1, number_of_p_always * p_always / rank_of_p_always)) over (
                    partition by account_id, experiment_id, is_primary, p_always is null
                    order by rank_of_p_always desc
                    rows between unbounded preceding and current row
                )
        end as p_always_adjusted
    from ranked

)

select
    *,
    {{ function('normal_cdf') }}(posterior_mean / nullif(posterior_deviation, 0)) as chance_to_win,
    case
        when posterior_deviation > 0
            then
                -- Reason for greatest(): the difference of two nearly equal numbers may end below zero.
                greatest(
                    0,
                    posterior_deviation * exp(-least((posterior_mean / posterior_deviation) ^ 2 / 2, 700))
                    / sqrt(2 * pi())
                    - posterior_mean * {{ function('normal_cdf') }}(-posterior_mean / posterior_deviation)
                )
    end as expected_loss,
    (standard_error_days / nullif(standard_error_counts, 0)) ^ 2 as dispersion,
    case
        when delta > 0
            then
                {{ function('normal_cdf') }}(delta / se_plan - critical_value)
                + {{ function('normal_cdf') }}(-delta / se_plan - critical_value)
    end as power_now,
    {{ change_from_logarithm('(critical_value + ' ~ z_power ~ ') * se_plan') }} as minimum_detectable_effect,
    days_for_effect::integer as days_needed,
    case
        -- Reason: GREATEST passes over NULL, so a missing count asks for no day.
        when days_for_effect is not null
            then greatest(0, days_for_effect - paired_days, 7 - paired_days, days_for_count)::integer
    end as days_still_needed
from adjusted
