select
    account_id,
    metric,
    label,
    numerator,
    denominator,
    multiplier,
    format,
    is_lower_better,
    place,
    problem
from {{ source('ops', 'custom_metric') }}
