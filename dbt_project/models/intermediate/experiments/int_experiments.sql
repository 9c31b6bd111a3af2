{{ experiment_step(['account_id', 'experiment_id']) }}

-- What is compared, when and by which metric: Meta's split tests, which nobody has to declare, and what clients.yml
-- declares. A declaration that names a study says by which metric the study is judged.
with studies as (

    select
        studies.*,
        accounts.conversion_action,
        studies.starts_at at time zone accounts.time_zone as starts_locally,
        least(studies.ends_at, studies.canceled_at) at time zone accounts.time_zone as ends_locally
    from {{ ref('stg_meta__ad_studies') }} as studies
    inner join {{ ref('dim_account') }} as accounts
        on studies.account_id = accounts.account_id
    where studies.study_type = 'SPLIT_TEST'

),

declared_studies as (

    select distinct on (account_id, study_id) *
    from {{ ref('stg_ops__experiments') }}
    where study_id is not null
    order by account_id, study_id, experiment_id

),

-- Only whole days of the account count: on the first and the last the study ran for a part of the day.
-- Reason for the minute: Meta ends a study that lasts until midnight at 23:59:59.
randomised as (

    select
        coalesce(studies.account_id, declared.account_id) as account_id,
        'study-' || coalesce(studies.study_id, declared.study_id) as experiment_id,
        'randomised' as kind,
        coalesce(declared.experiment_name, studies.study_name, 'Study ' || studies.study_id) as experiment_name,
        coalesce(studies.study_id, declared.study_id) as study_id,
        coalesce(
            declared.metric, case when studies.conversion_action is not null then 'cpa' else 'ctr' end
        ) as primary_metric,
        coalesce(declared.minimum_effect, 0.1) as minimum_effect,
        (studies.starts_locally + interval '1 day' - interval '1 minute')::date as since,
        (studies.ends_locally + interval '1 minute')::date - 1 as until,
        declared.hypothesis,
        declared.place,
        coalesce(
            declared.problem,
            case when studies.study_id is null then 'Meta lists no split test of this id in the account' end
        ) as problem
    from studies
    full outer join declared_studies as declared
        on studies.account_id = declared.account_id and studies.study_id = declared.study_id

),

observational as (

    select
        account_id,
        -- Reason: `study-<id>` is the name of Meta's own study, which must stay one row.
        case
            when experiment_id ~ '^study-[0-9]+$' then 'declared-' || experiment_id
            else experiment_id
        end as experiment_id,
        'observational' as kind,
        experiment_name,
        study_id,
        metric as primary_metric,
        minimum_effect,
        since,
        until,
        hypothesis,
        place,
        coalesce(problem, case when since is null then 'the declaration has no first day' end) as problem
    from {{ ref('stg_ops__experiments') }}
    where study_id is null

)

select
    account_id,
    experiment_id,
    kind,
    experiment_name,
    study_id,
    primary_metric,
    case when minimum_effect > 0 then minimum_effect end as minimum_effect,
    since,
    until,
    case when until is not null then greatest(until - since + 1, 0) end as planned_days,
    hypothesis,
    place,
    case
        when primary_metric not in ('ctr', 'cvr', 'cpa', 'roas', 'cpm')
            then coalesce(problem, 'unknown metric ' || primary_metric)
        else problem
    end as problem
from (
    select * from randomised
    union all
    select * from observational
) as experiments
