-- What the snapshot of campaigns looks at. Zero and absent budgets are one and the same; amounts are minor units.
select
    account_id,
    campaign_id as id,
    nullif(campaign_name, '') as name,
    status,
    effective_status,
    objective,
    bid_strategy,
    trim_scale(nullif(daily_budget_minor, 0)) as daily_budget,
    trim_scale(nullif(lifetime_budget_minor, 0)) as lifetime_budget,
    trim_scale(nullif(spend_cap_minor, 0)) as spend_cap,
    starts_at,
    ends_at,
    created_at,
    updated_at,
    pulled_at
from {{ ref('stg_meta__campaigns') }}
