{{ config(materialized='view') }}

-- Calls to Meta by account and hour, and what waiting for the quota cost.
select
    hours.account_id,
    hours.hour,
    accounts.client_id,
    accounts.client_name,
    accounts.account_name,
    hours.calls,
    hours.waits,
    round(hours.wait_seconds::numeric, 1) as wait_seconds,
    hours.refusals
from {{ ref('stg_ops__api_hours') }} as hours
inner join {{ ref('dim_account') }} as accounts
    on hours.account_id = accounts.account_id
