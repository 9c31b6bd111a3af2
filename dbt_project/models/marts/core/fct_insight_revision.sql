-- noqa: disable=LT02
-- Reason: lists made in a loop are laid out as the SQL they become, which the linter takes for misplaced.
{% set windows = ['default', '1d_click', '7d_click', '28d_click', '1d_view', '1d_ev'] %}
{{ config(incremental_strategy='slice_replace') }}

-- The totals of each pull of a slice, so that how a day's numbers changed after the fact can be looked up.
with revisions as (

    select * from {{ ref('stg_meta__insight_revisions') }}
    {{ in_build_scope() }}

),

declared as (

    select
        revisions.account_id,
        revisions.report,
        revisions.day,
        revisions.pulled_at,
        revisions.run_id,
        revisions.source,
        revisions.row_count,
        revisions.impressions,
        revisions.clicks_all,
        revisions.inline_link_clicks,
        revisions.spend,
        accounts.client_id,
        accounts.currency,
        accounts.conversion_window,
        (revisions.pulled_at at time zone accounts.time_zone)::date - revisions.day as age_days,
        row_number() over latest_first = 1 as is_latest,
        -- Reports with breakdowns and periods leave no totals of actions. Where there are totals, an event that Meta
        -- left out did not happen, if its window was asked for.
        {%- for window in windows %}
        {%- set key = 'value' if window == 'default' else window %}
        case
            when {{ window_silence_means_zero('conversion_action', window) }} and revisions.action_totals is not null
                then
                    coalesce(
                        (revisions.action_totals -> accounts.conversion_action ->> '{{ key }}')::numeric, 0
                    )
            else (revisions.action_totals -> accounts.conversion_action ->> '{{ key }}')::numeric
        end as conversions_{{ window }},
        case
            when {{ window_silence_means_zero('value_action', window) }} and revisions.value_totals is not null
                then coalesce((revisions.value_totals -> accounts.value_action ->> '{{ key }}')::numeric, 0)
            else (revisions.value_totals -> accounts.value_action ->> '{{ key }}')::numeric
        end as conversion_value_{{ window }}{{ ',' if not loop.last }}
        {%- endfor %}
    from revisions
    inner join {{ ref('dim_account') }} as accounts
        on revisions.account_id = accounts.account_id
    left join {{ ref('stg_ops__slices') }} as slices
        on
            revisions.account_id = slices.account_id
            and revisions.report = slices.report
            and revisions.day = slices.day
    window
        latest_first as (
            partition by revisions.account_id, revisions.report, revisions.day order by revisions.pulled_at desc
        )

),

picked as (

    select
        *,
        case conversion_window
            {%- for window in windows %}
            when '{{ window }}' then conversions_{{ window }}
            {%- endfor %}
        end as conversions,
        case conversion_window
            {%- for window in windows %}
            when '{{ window }}' then conversion_value_{{ window }}
            {%- endfor %}
        end as conversion_value
    from declared

)

select
    account_id,
    report,
    day,
    pulled_at,
    client_id,
    run_id,
    source,
    currency,
    age_days,
    is_latest,
    age_days >= {{ var('maturity_days') }} as is_final,
    row_count,
    spend,
    impressions,
    clicks_all,
    inline_link_clicks,
    conversions,
    conversion_value,
    {%- for window in windows %}
    conversions_{{ window }},
    conversion_value_{{ window }},
    {%- endfor %}
    row_count - lag(row_count) over oldest_first as row_count_change,
    spend - lag(spend) over oldest_first as spend_change,
    impressions - lag(impressions) over oldest_first as impressions_change,
    conversions - lag(conversions) over oldest_first as conversions_change,
    conversion_value - lag(conversion_value) over oldest_first as conversion_value_change
from picked
window oldest_first as (partition by account_id, report, day order by pulled_at)
