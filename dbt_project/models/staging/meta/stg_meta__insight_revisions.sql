select
    account_id,
    report,
    day,
    pulled_at,
    run_id,
    source,
    row_count,
    impressions::bigint as impressions,
    clicks::bigint as clicks_all,
    inline_link_clicks::bigint as inline_link_clicks,
    spend,
    action_totals,
    value_totals
from {{ source('raw', 'insight_revision') }}
