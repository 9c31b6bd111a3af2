select
    account_id,
    day,
    report,
    expectation,
    message,
    since
from {{ source('ops', 'held_day') }}
