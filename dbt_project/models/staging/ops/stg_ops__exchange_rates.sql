select
    target_currency,
    currency,
    day,
    rate
from {{ source('ops', 'exchange_rate') }}
