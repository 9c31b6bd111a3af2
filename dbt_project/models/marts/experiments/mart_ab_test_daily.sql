{{ config(incremental_strategy='mirror', unique_key=['account_id', 'experiment_id', 'metric', 'arm_id', 'day']) }}

select
    estimates.account_id,
    estimates.experiment_id,
    estimates.metric,
    estimates.arm_id,
    estimates.day,
    accounts.client_id,
    accounts.client_name,
    accounts.account_name,
    checks.currency,
    {{ ab_kind_in_words('experiments.kind') }} as kind,
    experiments.experiment_name,
    arms.arm_name,
    controls.arm_id as control_arm_id,
    controls.arm_name as control_name,
    estimates.metric = experiments.primary_metric as is_primary,
    estimates.is_mature,
    estimates.paired_days::integer as paired_days,
    estimates.has_weekend,
    estimates.control_m_sum as control_yield,
    estimates.control_d_sum as control_base,
    estimates.control_x_sum as control_count,
    estimates.arm_m_sum as arm_yield,
    estimates.arm_d_sum as arm_base,
    estimates.arm_x_sum as arm_count,
    {{ ab_metric_value('estimates.control_m_sum', 'estimates.control_d_sum') }} as control_value,
    {{ ab_metric_value('estimates.arm_m_sum', 'estimates.arm_d_sum') }} as arm_value,
    directed.log_effect,
    {{ change_from_logarithm('directed.log_effect') }} as effect,
    {{ change_from_logarithm('directed.log_effect - estimates.half') }} as effect_low,
    {{ change_from_logarithm('directed.log_effect + estimates.half') }} as effect_high,
    estimates.p,
    {{ change_from_logarithm('directed.log_effect - estimates.half_always') }} as effect_always_low,
    {{ change_from_logarithm('directed.log_effect + estimates.half_always') }} as effect_always_high,
    estimates.p_always,
    estimates.half as interval_half_width,
    estimates.half_always as interval_half_width_always,
    estimates.se as standard_error,
    estimates.se_of_days as standard_error_days,
    estimates.se_counts as standard_error_counts,
    estimates.degrees as degrees_of_freedom,
    estimates.t as critical_value,
    estimates.autocorrelation,
    estimates.drift_factor
from {{ ref('int_experiment_estimates') }} as estimates
inner join {{ ref('int_experiments') }} as experiments
    on estimates.account_id = experiments.account_id and estimates.experiment_id = experiments.experiment_id
inner join {{ ref('int_experiment_checks') }} as checks
    on estimates.account_id = checks.account_id and estimates.experiment_id = checks.experiment_id
inner join {{ ref('int_experiment_arms') }} as arms
    on
        estimates.account_id = arms.account_id
        and estimates.experiment_id = arms.experiment_id
        and estimates.arm_id = arms.arm_id
inner join {{ ref('int_experiment_arms') }} as controls
    on
        estimates.account_id = controls.account_id
        and estimates.experiment_id = controls.experiment_id
        and estimates.control_arm_id = controls.arm_id
inner join {{ ref('dim_account') }} as accounts
    on estimates.account_id = accounts.account_id
cross join lateral (select {{ ab_direction() }} * estimates.theta as log_effect) as directed
