-- noqa: disable=LT02
-- Reason: lists made in a loop are laid out as the SQL they become, which the linter takes for misplaced.
{% set windows = ['default', '1d_click', '7d_click', '28d_click', '1d_view', '1d_ev'] %}
{{ config(incremental_strategy='slice_replace') }}

-- The declared event by attribution window, side by side. Windows overlap: each is another answer to the same question.
with ad_days as (

    select * from {{ ref('fct_ad_day') }}
    {{ in_build_scope() }}

),

actions as (

    select * from {{ ref('fct_ad_day_action_type') }}
    {{ in_build_scope() }}

),

-- One row per ad and day: the declared count comes from one action type, the declared value from one, which may differ.
declared as (

    select
        actions.account_id,
        actions.day,
        actions.ad_id,
        {%- for window in windows %}
        max(actions.actions_{{ window }}) filter (where actions.action_type = accounts.conversion_action)
            as conversions_{{ window }},
        max(actions.action_value_{{ window }}) filter (where actions.action_type = accounts.value_action)
            as conversion_value_{{ window }}{{ ',' if not loop.last }}
        {%- endfor %}
    from actions
    inner join {{ ref('dim_account') }} as accounts
        on actions.account_id = accounts.account_id
    where actions.action_type in (accounts.conversion_action, accounts.value_action)
    group by actions.account_id, actions.day, actions.ad_id

),

summed as (

    select
        ad_days.account_id,
        ad_days.day,
        ad_days.campaign_id,
        min(ad_days.currency) as currency,
        case
            when min(ad_days.attribution_setting) <> max(ad_days.attribution_setting) then 'mixed'
            else min(ad_days.attribution_setting)
        end as attribution_setting,
        bool_and(ad_days.is_mature) as is_mature,
        min(ad_days.pulled_at) as data_as_of,
        sum(ad_days.spend) as spend,
        {%- for window in windows %}
        sum(declared.conversions_{{ window }}) as conversions_{{ window }},
        sum(declared.conversion_value_{{ window }}) as conversion_value_{{ window }}{{ ',' if not loop.last }}
        {%- endfor %}
    from ad_days
    left join declared
        on
            ad_days.account_id = declared.account_id
            and ad_days.day = declared.day
            and ad_days.ad_id = declared.ad_id
    group by ad_days.account_id, ad_days.day, ad_days.campaign_id

),

-- A window that was not asked for stays NULL; in one that was, silence means none.
counted as (

    select
        summed.account_id,
        summed.day,
        summed.campaign_id,
        accounts.client_id,
        accounts.client_name,
        accounts.account_name,
        coalesce(summed.currency, accounts.currency) as currency,
        summed.attribution_setting,
        accounts.conversion_window,
        summed.is_mature,
        summed.data_as_of,
        summed.spend,
        {%- for window in windows %}
        case
            when {{ window_silence_means_zero('conversion_action', window) }}
                then coalesce(summed.conversions_{{ window }}, 0)
            else summed.conversions_{{ window }}
        end as conversions_{{ window }},
        case
            when {{ window_silence_means_zero('value_action', window) }}
                then coalesce(summed.conversion_value_{{ window }}, 0)
            else summed.conversion_value_{{ window }}
        end as conversion_value_{{ window }}{{ ',' if not loop.last }}
        {%- endfor %}
    from summed
    inner join {{ ref('dim_account') }} as accounts
        on summed.account_id = accounts.account_id
    left join {{ ref('stg_ops__slices') }} as slices
        on
            summed.account_id = slices.account_id
            and summed.day = slices.day
            and slices.report = 'ad_daily'

)

select
    counted.account_id,
    counted.day,
    counted.campaign_id,
    campaigns.campaign_name,
    counted.client_id,
    counted.client_name,
    counted.account_name,
    counted.currency,
    counted.attribution_setting,
    counted.conversion_window,
    counted.is_mature,
    counted.data_as_of,
    counted.spend,
    {%- for window in windows %}
    counted.conversions_{{ window }},
    counted.conversion_value_{{ window }},
    {{ function('safe_div') }}(counted.spend, counted.conversions_{{ window }}) as cpa_{{ window }},
    {{ function('safe_div') }}(counted.conversion_value_{{ window }}, counted.spend)
        as roas_{{ window }}{{ ',' if not loop.last }}
    {%- endfor %}
from counted
left join {{ ref('dim_campaign') }} as campaigns
    on counted.account_id = campaigns.account_id and counted.campaign_id = campaigns.campaign_id
