{{ config(incremental_strategy='mirror', unique_key=['account_id', 'experiment_id']) }}

-- The verdict of the primary metric over all arms: an arm that beats the control, the best of several; else the control
-- where it beats every arm; no difference where none of them differs.
with arms as (

    select
        account_id,
        experiment_id,
        string_agg(arm_name || case when is_control then ' (control)' else '' end, ', ' order by position) as arm_names
    from {{ ref('int_experiment_arms') }}
    group by account_id, experiment_id

),

primary_results as (

    select
        *,
        winner_arm_id = arm_id as is_better_than_control,
        case when count(*) over (partition by account_id, experiment_id) > 1 then arm_name || ': ' else '' end
        || reason as reason_of_arm,
        row_number() over (
            partition by account_id, experiment_id
            order by
                coalesce(winner_arm_id = arm_id, false) desc,
                case when metric in ('cpa', 'cpm') then -log_effect else log_effect end desc nulls last,
                arm_id
        ) as place_of_arm
    from {{ ref('mart_ab_test_result') }}
    where is_primary

),

overall as (

    select
        account_id,
        experiment_id,
        min(metric) as metric,
        max(last_day) as last_day,
        max(paired_days) as paired_days,
        max(days_still_needed) as days_still_needed,
        case
            when bool_or(verdict = 'invalid') then 'invalid'
            when bool_or(is_better_than_control) or bool_and(verdict in ('winner', 'cheaper'))
                then max(verdict) filter (where verdict in ('winner', 'cheaper'))
            when bool_and(verdict = 'no difference') then 'no difference'
            else 'not enough data'
        end as verdict,
        min(reason) filter (where verdict = 'invalid') as invalid_because,
        min(verdict_in_words) filter (where place_of_arm = 1) as words_of_first,
        min(reason) filter (where place_of_arm = 1) as reason_of_first,
        min(winner_arm_id) filter (where place_of_arm = 1) as winner_of_first,
        min(verdict_in_words) filter (where verdict = 'no difference') as words_of_no_difference,
        string_agg(reason_of_arm, '; ' order by place_of_arm) as all_reasons,
        count(*) as comparisons,
        -- What is still undecided speaks for the whole where nothing won.
        min(verdict_in_words) filter (where verdict = 'not enough data') as words_of_too_little
    from primary_results
    group by account_id, experiment_id

),

edits as (

    select
        account_id,
        experiment_id,
        count(*) as edits,
        count(*) filter (where is_one_sided) as one_sided_edits,
        string_agg(edit, '; ' order by changed_at, edit) filter (where edit_number <= 5) as first_edits
    from (
        select
            account_id,
            experiment_id,
            changed_at,
            bool_and(is_one_sided) as is_one_sided,
            min(edit) as edit,
            row_number() over (partition by account_id, experiment_id order by changed_at, min(edit)) as edit_number
        from (
            select
                edits.account_id,
                edits.experiment_id,
                edits.object_level,
                edits.object_id,
                edits.changed_at,
                edits.attribute,
                edits.new_value,
                edits.arms_touched < checks.arms as is_one_sided,
                edits.day || ' '
                || case when edits.arms_touched < checks.arms then arms.arm_name else 'all arms' end
                || ': ' || replace(edits.attribute, '_', ' ') || ' of ' || replace(edits.object_level, '_', ' ')
                || case
                    when edits.attribute = 'targeting' then ''
                    else coalesce(' ' || edits.old_value || ' ->', '') || coalesce(' ' || left(edits.new_value, 40), '')
                end as edit
            from {{ ref('int_experiment_edits') }} as edits
            inner join {{ ref('int_experiment_checks') }} as checks
                on edits.account_id = checks.account_id and edits.experiment_id = checks.experiment_id
            inner join {{ ref('int_experiment_arms') }} as arms
                on
                    edits.account_id = arms.account_id
                    and edits.experiment_id = arms.experiment_id
                    and edits.arm_id = arms.arm_id
        ) as edits_of_arms
        group by account_id, experiment_id, object_level, object_id, changed_at, attribute, new_value
    ) as edits_of_objects
    group by account_id, experiment_id

),

judged as (

    select
        experiments.*,
        checks.currency,
        checks.arms,
        checks.pulled_days,
        checks.mature_days,
        checks.is_complete,
        arms.arm_names,
        overall.paired_days,
        overall.last_day,
        overall.days_still_needed,
        overall.winner_of_first,
        edits.one_sided_edits,
        edits.first_edits
        || case when edits.edits > 5 then '; and ' || (edits.edits - 5) || ' more' else '' end as edits,
        coalesce(
            experiments.problem,
            case when checks.arms < 2 then 'it has ' || checks.arms || ' arm(s); a comparison needs two' end,
            overall.invalid_because
        ) as invalid_because,
        overall.verdict as verdict_of_results,
        case overall.verdict
            when 'no difference' then overall.words_of_no_difference
            when 'not enough data' then coalesce(overall.words_of_too_little, 'not enough data')
            else overall.words_of_first
        end as words_of_results,
        case
            when overall.verdict in ('winner', 'cheaper') then overall.reason_of_first
            else overall.all_reasons
        end as reason_of_results,
        checks.sample_ratio_p,
        checks.sample_ratio_since,
        checks.sample_ratio_until,
        checks.delivery_imbalance,
        checks.time_zones,
        checks.currencies,
        checks.unreconciled_days,
        checks.arms_without_ads,
        checks.unknown_objects,
        checks.ambiguous_objects
    from {{ ref('int_experiments') }} as experiments
    inner join {{ ref('int_experiment_checks') }} as checks
        on experiments.account_id = checks.account_id and experiments.experiment_id = checks.experiment_id
    left join arms
        on experiments.account_id = arms.account_id and experiments.experiment_id = arms.experiment_id
    left join overall
        on experiments.account_id = overall.account_id and experiments.experiment_id = overall.experiment_id
    left join edits
        on experiments.account_id = edits.account_id and experiments.experiment_id = edits.experiment_id

),

concluded as (

    select
        *,
        case when invalid_because is not null then 'invalid' else verdict_of_results end as verdict
    from judged

)

select
    concluded.account_id,
    concluded.experiment_id,
    accounts.client_id,
    accounts.client_name,
    accounts.account_name,
    concluded.currency,
    {{ ab_kind_in_words('concluded.kind') }} as kind,
    concluded.experiment_name,
    concluded.hypothesis,
    concluded.arms::integer as arms,
    concluded.arm_names,
    concluded.primary_metric,
    concluded.minimum_effect,
    concluded.since,
    concluded.until,
    concluded.planned_days,
    concluded.pulled_days::integer as pulled_days,
    concluded.mature_days::integer as mature_days,
    coalesce(concluded.paired_days, 0) as paired_days,
    concluded.last_day,
    concluded.is_complete,
    concluded.verdict,
    case
        when concluded.verdict = 'invalid' then 'invalid: ' || concluded.invalid_because
        else concluded.words_of_results
    end as verdict_in_words,
    case
        when concluded.verdict = 'invalid' then concluded.invalid_because
        else concluded.reason_of_results
    end as reason,
    case when concluded.verdict in ('winner', 'cheaper') then concluded.winner_of_first end as winner_arm_id,
    case when concluded.verdict = 'not enough data' then concluded.days_still_needed end as days_still_needed,
    concluded.edits,
    nullif(
        concat_ws(
            '; ',
            case
                when concluded.kind = 'observational'
                    then 'nobody split the audience: the arms may have been shown to different people'
                when concluded.sample_ratio_p is null
                    then 'sample ratio unknown: Meta gives no reach of the cells over a period of the study'
                when concluded.sample_ratio_p < 0.001
                    then
                        'sample ratio failed on the reach of ' || concluded.sample_ratio_since || ' to '
                        || concluded.sample_ratio_until
                else
                    'sample ratio holds on the reach of ' || concluded.sample_ratio_since || ' to '
                    || concluded.sample_ratio_until
            end,
            'delivery imbalance, share of spend: ' || concluded.delivery_imbalance,
            case
                when not concluded.is_complete and concluded.until is null
                    then 'no end was declared: judged by what is valid at any look'
                when not concluded.is_complete
                    then
                        concluded.mature_days || ' of ' || concluded.planned_days
                        || ' days are final: judged by what is valid at any look'
            end,
            case when concluded.one_sided_edits > 0 then concluded.one_sided_edits || ' edit(s) to one arm alone' end,
            case when concluded.currencies > 1 then 'the arms are in different currencies' end,
            case when concluded.time_zones > 1 then 'the days of the arms are cut in different time zones' end,
            'no ads found for ' || concluded.arms_without_ads,
            'not found in the account: ' || concluded.unknown_objects,
            'several objects have this name: ' || concluded.ambiguous_objects,
            case
                when concluded.unreconciled_days > 0
                    then concluded.unreconciled_days || ' day(s) are not reconciled with Meta''s account total'
            end
        ),
        ''
    ) as findings,
    concluded.place
from concluded
inner join {{ ref('dim_account') }} as accounts
    on concluded.account_id = accounts.account_id
