-- What the snapshot of ad sets looks at. jsonb has one order of keys, so equal targeting is equal text.
select
    ad_sets.account_id,
    ad_sets.ad_set_id as id,
    ad_sets.campaign_id,
    nullif(ad_sets.ad_set_name, '') as name,
    ad_sets.status,
    ad_sets.effective_status,
    ad_sets.optimization_goal,
    ad_sets.billing_event,
    ad_sets.bid_strategy,
    trim_scale(nullif(ad_sets.bid_amount_minor, 0)) as bid_amount,
    trim_scale(nullif(ad_sets.daily_budget_minor, 0)) as daily_budget,
    trim_scale(nullif(ad_sets.lifetime_budget_minor, 0)) as lifetime_budget,
    nullif(jsonb_strip_nulls(ad_sets.targeting)::text, '{}') as targeting,
    windows.attribution_setting,
    ad_sets.learning_status,
    ad_sets.starts_at,
    ad_sets.ends_at,
    ad_sets.created_at,
    ad_sets.updated_at,
    ad_sets.pulled_at
from {{ ref('stg_meta__adsets') }} as ad_sets
cross join lateral (
    -- As insights spell it: [{"event_type": "CLICK_THROUGH", "window_days": 7}, ...] is 7d_click_1d_view.
    select
        string_agg(
            (spec ->> 'window_days') || 'd_'
            || case spec ->> 'event_type'
                when 'CLICK_THROUGH' then 'click'
                when 'VIEW_THROUGH' then 'view'
                when 'ENGAGED_VIDEO_VIEW' then 'ev'
                else lower(spec ->> 'event_type')
            end,
            '_'
            order by spec ->> 'event_type', spec ->> 'window_days'
        ) as attribution_setting
    from {{ elements('ad_sets.attribution_spec', 'spec') }}
) as windows
