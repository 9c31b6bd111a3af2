select
    account_id,
    experiment_id,
    client_id,
    name as experiment_name,
    study_id,
    metric,
    minimum_effect,
    since,
    until,
    hypothesis,
    place,
    problem
from {{ source('ops', 'experiment') }}
