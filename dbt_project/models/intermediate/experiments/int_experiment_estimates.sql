{#- Choices of docs/reference/ab-statistics.md: the normal quantile of 0.975, and the share of the counting noise that
    an interval must at least have. -#}
{%- set z = '1.959963984540054' -%}
{%- set share_of_counts = '0.5' -%}
-- The comparison as it stood after each day: estimate, standard error by leaving out one day at a time, interval and
-- p, and the always-valid ones. A mature day looks back on mature days only, an immature one on all of them.
-- The formulas with their reasons: docs/reference/ab-statistics.md, sections 2 to 4; the names are those used there.
with members as (

    select
        looks.account_id,
        looks.experiment_id,
        looks.metric,
        looks.arm_id,
        looks.control_arm_id,
        looks.day as look,
        looks.is_mature,
        days.day,
        days.control_m,
        days.control_d,
        days.arm_m,
        days.arm_d,
        sum(days.control_m) over look_of_comparison as control_m_sum,
        sum(days.control_d) over look_of_comparison as control_d_sum,
        sum(days.control_x) over look_of_comparison as control_x_sum,
        sum(days.arm_m) over look_of_comparison as arm_m_sum,
        sum(days.arm_d) over look_of_comparison as arm_d_sum,
        sum(days.arm_x) over look_of_comparison as arm_x_sum,
        count(*) over look_of_comparison as days_so_far
    from {{ ref('int_experiment_pair_days') }} as looks
    inner join {{ ref('int_experiment_pair_days') }} as days
        on
            looks.account_id = days.account_id
            and looks.experiment_id = days.experiment_id
            and looks.metric = days.metric
            and looks.arm_id = days.arm_id
            and looks.day >= days.day
            and (days.is_mature or not looks.is_mature)
    window
        look_of_comparison as (
            partition by looks.account_id, looks.experiment_id, looks.metric, looks.arm_id, looks.day
        )

),

shares as (

    select
        *,
        control_m / nullif(control_m_sum, 0) as control_m_share,
        control_d / nullif(control_d_sum, 0) as control_d_share,
        arm_m / nullif(arm_m_sum, 0) as arm_m_share,
        arm_d / nullif(arm_d_sum, 0) as arm_d_share,
        least(control_m_sum, control_d_sum, arm_m_sum, arm_d_sum) > 1e-9 as has_estimate
    from members

),

-- u: how far the estimate moves when the day is left out. It does not exist where one day holds everything.
left_out as (

    select
        *,
        case
            when
                has_estimate
                and 1 - greatest(control_m_share, control_d_share, arm_m_share, arm_d_share) >= 1e-12
                then ln(1 - arm_d_share) - ln(1 - arm_m_share) - ln(1 - control_d_share) + ln(1 - control_m_share)
        end as u,
        case
            when has_estimate then (control_m_share + control_d_share + arm_m_share + arm_d_share) / 4
        end as q
    from shares

),

-- Neighbouring days, to see whether a difference comes and goes over several of them.
neighbours as (

    select
        *,
        u - avg(u) over look_of_comparison as v,
        lag(u) over (look_of_comparison order by day) - avg(u) over look_of_comparison as v_of_day_before
    from left_out
    window look_of_comparison as (partition by account_id, experiment_id, metric, arm_id, look)

),

looked as (

    select
        account_id,
        experiment_id,
        metric,
        arm_id,
        control_arm_id,
        look,
        is_mature,
        days_so_far,
        control_m_sum,
        control_d_sum,
        control_x_sum,
        arm_m_sum,
        arm_d_sum,
        arm_x_sum,
        has_estimate,
        case
            when days_so_far >= 2 and count(u) = days_so_far
                then sqrt((days_so_far - 1)::double precision / days_so_far * sum(u * u))
        end as se_days,
        case
            when has_estimate
                then greatest(1, least(days_so_far - 1, floor(1 / sum(q * q) - 0.5)))::integer
        end as degrees,
        case
            when days_so_far >= 7 and count(u) = days_so_far and sum(u * u) > 0
                then sum(v * v_of_day_before) / nullif(sum(v * v), 0)
        end as autocorrelation,
        bool_or(extract(isodow from day) = 6) and bool_or(extract(isodow from day) = 7) as has_weekend
    from neighbours
    group by
        account_id,
        experiment_id,
        metric,
        arm_id,
        control_arm_id,
        look,
        is_mature,
        days_so_far,
        control_m_sum,
        control_d_sum,
        control_x_sum,
        arm_m_sum,
        arm_d_sum,
        arm_x_sum,
        has_estimate

),

errors as (

    select
        *,
        case
            when has_estimate
                then ln(arm_m_sum / arm_d_sum) - ln(control_m_sum / control_d_sum)
        end as theta,
        case when se_days < 1e-9 then 0 else se_days end as se_of_days,
        case when se_days >= 1e-9 then autocorrelation end as r,
        case
            when control_x_sum > 0 and arm_x_sum > 0 and has_estimate and metric in ('cpa', 'roas')
                then sqrt(1 / control_x_sum + 1 / arm_x_sum)
            when control_x_sum > 0 and arm_x_sum > 0 and has_estimate
                then
                    sqrt(
                        greatest(0, 1 - control_m_sum / control_d_sum) / control_x_sum
                        + greatest(0, 1 - arm_m_sum / arm_d_sum) / arm_x_sum
                    )
        end as se_counts
    from looked

),

-- Reason for MATERIALIZED: a quantile costs a millisecond, and there are far fewer degrees than rows.
critical_values as materialized (

    select
        degrees,
        {{ function('students_t_quantile') }}(0.975, degrees) as t
    from (
        select distinct degrees from errors
        where degrees is not null
    ) as distinct_degrees

),

intervals as (

    select
        errors.*,
        critical_values.t,
        coalesce(nullif(experiments.planned_days, 0), 28) as planned_days,
        case
            when errors.se_of_days is not null
                then
                    nullif(
                        greatest(
                            critical_values.t * errors.se_of_days, {{ z }} * {{ share_of_counts }} * errors.se_counts
                        ),
                        0
                    )
        end as half
    from errors
    inner join {{ ref('int_experiments') }} as experiments
        on errors.account_id = experiments.account_id and errors.experiment_id = experiments.experiment_id
    left join critical_values
        on errors.degrees = critical_values.degrees

),

looking_daily as (

    select
        *,
        half / {{ z }} as se,
        case
            when half is not null and days_so_far >= 7
                then days_so_far * (-2 * ln(0.05) + ln(-2 * ln(0.05) + 1))::double precision / planned_days
        end as g,
        -- A short series shows less of its autocorrelation than there is, hence more than r.
        case
            when r > 1 / sqrt(days_so_far) - 1.0 / days_so_far then least(0.8, r + (1 + 3 * r) / days_so_far)
        end as drift
    from intervals

)

select
    account_id,
    experiment_id,
    metric,
    arm_id,
    control_arm_id,
    look as day,
    is_mature,
    days_so_far as paired_days,
    has_weekend,
    control_m_sum,
    control_d_sum,
    control_x_sum,
    arm_m_sum,
    arm_d_sum,
    arm_x_sum,
    theta,
    se_of_days,
    se_counts,
    degrees,
    t,
    half,
    se,
    r as autocorrelation,
    coalesce(sqrt((1 + drift) / (1 - drift)), 1) as drift_factor,
    case
        when half is not null
            then
                -- Reason: GREATEST passes over NULL, so a part without an error takes no part in p.
                greatest(
                    {{ function('students_t_two_sided_p') }}(theta / nullif(se_of_days, 0), degrees),
                    erfc(abs(theta) / nullif({{ share_of_counts }} * se_counts * sqrt(2::double precision), 0))
                )
    end as p,
    se * sqrt(2 * (g + 1) / g * ln(sqrt(g + 1) / 0.05)) as half_always,
    -- Reason for the bound: PostgreSQL calls an underflow an error.
    case
        when g is not null
            then least(1, sqrt(g + 1) * exp(greatest(-g * (theta / se) ^ 2 / (2 * (g + 1)), -700)))
    end as p_always
from looking_daily
