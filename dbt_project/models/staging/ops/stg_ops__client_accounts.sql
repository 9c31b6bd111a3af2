select
    account_id,
    client_id,
    client_name,
    account_name,
    conversion_action,
    value_action,
    -- Reason: Meta's key for the account's own window is `value`, which reads like money in a column of windows.
    case
        when conversion_action is null and value_action is null then null
        else coalesce(nullif(conversion_window, 'value'), 'default')
    end as conversion_window,
    goals,
    reporting_currency
from {{ source('ops', 'client_account') }}
