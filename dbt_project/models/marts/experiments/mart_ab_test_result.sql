{{ config(incremental_strategy='mirror', unique_key=['account_id', 'experiment_id', 'metric', 'arm_id']) }}

{%- set names = {'ctr': 'CTR', 'cvr': 'conversion rate', 'cpa': 'CPA', 'roas': 'ROAS', 'cpm': 'CPM'} -%}
{%- set counted = {'ctr': 'link clicks', 'cvr': 'conversions', 'cpa': 'conversions', 'roas': 'conversions',
    'cpm': 'impressions'} %}
-- The verdict: docs/reference/ab-statistics.md, section 9. The first of its lines that applies.
with judged as (

    select
        tests.*,
        experiments.experiment_name,
        {{ ab_kind_in_words('experiments.kind') }} as kind,
        experiments.planned_days,
        experiments.until,
        checks.currency,
        checks.pulled_days,
        checks.mature_days,
        checks.is_complete,
        checks.sample_ratio_p,
        checks.largest_imbalance,
        -- Until the planned end every look is one of many, and only what is valid at any time counts.
        case when checks.is_complete then tests.effect_low else tests.effect_always_low end as judged_low,
        case when checks.is_complete then tests.effect_high else tests.effect_always_high end as judged_high,
        case when checks.is_complete then tests.p_adjusted else tests.p_always_adjusted end as judged_p,
        case when checks.is_complete then 0.05 else 0.01 end as judged_level,
        case
            when checks.is_complete then tests.interval_half_width else tests.interval_half_width_always
        end as judged_half,
        case tests.metric
            {%- for metric, name in names.items() %}
                when '{{ metric }}' then '{{ name }}'
            {%- endfor %}
        end as metric_name,
        case
            when experiments.problem is not null then experiments.problem
            when checks.unknown_objects is not null then 'not found in the account: ' || checks.unknown_objects
            when checks.ambiguous_objects is not null
                then 'several objects have this name, give the id: ' || checks.ambiguous_objects
            when checks.shared_ads > 0 then checks.shared_ads || ' ad(s) belong to more than one arm'
            when tests.metric in ('cpa', 'roas', 'cpm') and checks.currencies > 1
                then 'the arms are in different currencies, so money cannot be compared'
            when checks.sample_ratio_p < 0.001
                then
                    'sample ratio check failed (p ' || trim(to_char(checks.sample_ratio_p::numeric, '9.9EEEE'))
                    || '): the audience was not split as planned'
            when tests.metric in ('cvr', 'cpa', 'roas') and not checks.has_conversions
                then 'the account declares no conversion'
            when tests.metric = 'roas' and not checks.has_value then 'the account declares no conversion value'
        end as invalid_because,
        case
            when tests.paired_days = 0 and checks.pulled_days = 0 then 'no day of the experiment is in the warehouse'
            when
                tests.paired_days = 0 and checks.mature_days = 0
                then 'no day is final yet: Meta restates a day for 28 days'
            when tests.paired_days = 0 then 'on no final day both arms have numbers for it'
            when tests.paired_days < 7 then tests.paired_days || ' of at least 7 days on which both arms ran'
            when not tests.has_weekend then 'a Saturday or a Sunday is missing'
            when tests.smaller_count < tests.least_count
                then
                    'the smaller arm has ' || round(tests.smaller_count::numeric) || ' of at least '
                    || tests.least_count || ' '
                    || case tests.metric
                        {%- for metric, name in counted.items() %}
                            when '{{ metric }}' then '{{ name }}'
                        {%- endfor %}
                    end
            when tests.log_effect is null then 'an arm has nothing to divide by or sums to zero or less'
            when tests.interval_half_width is null then 'the spread between days cannot be estimated'
        end as too_little_because
    from {{ ref('int_experiment_tests') }} as tests
    inner join {{ ref('int_experiments') }} as experiments
        on tests.account_id = experiments.account_id and tests.experiment_id = experiments.experiment_id
    inner join {{ ref('int_experiment_checks') }} as checks
        on tests.account_id = checks.account_id and tests.experiment_id = checks.experiment_id

),

decided as (

    select
        *,
        case
            when invalid_because is not null then 'invalid'
            when too_little_because is not null or judged_half is null then 'not enough data'
            when abs(log_effect) + drift_factor * judged_half < delta then 'no difference'
            when
                judged_p < judged_level
                and abs(log_effect) > drift_factor * judged_half
                -- That the seeming winner is in truth worse by the minimum effect is ruled out at 99.5 %.
                and abs(log_effect) + delta > 2.807033768343811 * drift_factor * standard_error
                then case when metric = 'cpm' then 'cheaper' else 'winner' end
            else 'not enough data'
        end as verdict
    from judged

),

named as (

    select
        *,
        case when verdict in ('winner', 'cheaper') then case when theta > 0 then arm_id else control_arm_id end end
            as winner_arm_id,
        case when verdict in ('winner', 'cheaper') then case when theta > 0 then arm_name else control_name end end
            as winner_name,
        metric_name || ' of ' || arm_name || ' ' || {{ percent_in_words('abs(effect)') }}
        || case when effect < 0 then ' lower' else ' higher' end || ' than of ' || control_name
        || ' (95 % interval ' || {{ percent_in_words('judged_low') }} || ' to ' || {{ percent_in_words('judged_high') }}
        || case when is_complete then ')' else ', valid at any look)' end as difference_in_words,
        case
            when days_still_needed > 3650 then 'more than ten years at this volume'
            when days_still_needed > 365 then 'more than a year at this volume'
            when days_still_needed > 0 and until is not null and paired_days >= planned_days
                then 'a new test of about ' || (paired_days + days_still_needed) || ' days'
            when days_still_needed > 0 then 'about ' || days_still_needed || ' more days'
        end as needed_in_words
    from decided

)

select
    named.account_id,
    named.experiment_id,
    named.metric,
    named.arm_id,
    accounts.client_id,
    accounts.client_name,
    accounts.account_name,
    named.currency,
    named.kind,
    named.experiment_name,
    named.arm_name,
    named.control_arm_id,
    named.control_name,
    named.is_primary,
    named.verdict,
    case named.verdict
        when 'invalid' then 'invalid: ' || named.invalid_because
        when 'winner' then 'winner: ' || named.winner_name
        when 'cheaper' then 'cheaper: ' || named.winner_name
        when 'no difference' then 'no difference larger than ' || {{ declared_percent('named.minimum_effect') }}
        else
            'not enough data'
            || coalesce(
                ': ' || named.needed_in_words || ' to see ' || {{ declared_percent('named.minimum_effect') }}, ''
            )
    end as verdict_in_words,
    case
        when named.verdict = 'invalid' then named.invalid_because
        when named.verdict = 'not enough data' and named.too_little_because is not null then named.too_little_because
        when named.verdict = 'not enough data' and named.judged_p < named.judged_level
            then 'likely, but still too uncertain to act on: ' || named.difference_in_words
        when named.verdict = 'not enough data'
            then 'the difference may be chance: ' || named.difference_in_words
        else named.difference_in_words
    end as reason,
    named.winner_arm_id,
    named.last_day,
    named.paired_days,
    named.unpaired_days::integer as unpaired_days,
    named.control_yield,
    named.control_base,
    named.control_count,
    named.arm_yield,
    named.arm_base,
    named.arm_count,
    named.control_value,
    named.arm_value,
    named.log_effect,
    named.effect,
    named.effect_low,
    named.effect_high,
    named.p,
    named.p_adjusted,
    named.effect_always_low,
    named.effect_always_high,
    named.p_always,
    named.p_always_adjusted,
    named.standard_error,
    named.standard_error_days,
    named.standard_error_counts,
    named.degrees_of_freedom,
    named.dispersion,
    named.autocorrelation,
    named.drift_factor,
    named.chance_to_win,
    named.expected_loss,
    named.sample_ratio_p,
    named.largest_imbalance as delivery_imbalance,
    named.minimum_effect,
    named.power_now,
    named.minimum_detectable_effect,
    named.days_needed,
    named.days_still_needed
from named
inner join {{ ref('dim_account') }} as accounts
    on named.account_id = accounts.account_id
