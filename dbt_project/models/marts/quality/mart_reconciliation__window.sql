-- noqa: disable=LT02
-- Reason: lists made in a loop are laid out as the SQL they become, which the linter takes for misplaced.
{% set windows = ['default', '1d_click', '7d_click', '28d_click', '1d_view', '1d_ev'] %}
{{ config(incremental_strategy='slice_replace') }}

-- The declared event in each attribution window: ad-level sums against the total that Meta reports for the account.
with slices as (

    select
        account_id,
        day,
        max(pulled_at) filter (where report = 'ad_daily') as ads_pulled_at,
        max(pulled_at) filter (where report = 'account_daily') as control_pulled_at,
        {%- for window in windows if window != 'default' %}
        coalesce(bool_or(attribution_windows ? '{{ window }}') filter (where report = 'ad_daily'), false)
            as ads_have_{{ window }},
        coalesce(bool_or(attribution_windows ? '{{ window }}') filter (where report = 'account_daily'), false)
            as control_has_{{ window }}{{ ',' if not loop.last }}
        {%- endfor %}
    from {{ ref('stg_ops__slices') }}
    where
        report in ('ad_daily', 'account_daily')
        {{ in_build_scope(keyword='and') }}
    group by account_id, day

),

ad_sums as (

    select
        account_id,
        day,
        min(attribution_setting) <> max(attribution_setting) or bool_or(attribution_setting = 'mixed')
            as is_attribution_mixed,
        {%- for window in windows %}
        sum(conversions_{{ window }}) as conversions_{{ window }},
        sum(conversion_value_{{ window }}) as conversion_value_{{ window }}{{ ',' if not loop.last }}
        {%- endfor %}
    from {{ ref('mart_attribution_window_daily') }}
    {{ in_build_scope() }}
    group by account_id, day

),

controls as (

    select
        insights.account_id,
        insights.day,
        {%- for window in windows %}
        {%- set key = 'value' if window == 'default' else window %}
        counted.conversions_{{ window }},
        valued.conversion_value_{{ window }}{{ ',' if not loop.last }}
        {%- endfor %}
    from {{ ref('stg_meta__insights_account_daily') }} as insights
    inner join {{ ref('dim_account') }} as accounts
        on insights.account_id = accounts.account_id
    cross join lateral jsonb_to_record(insights.payload) as arrays (actions jsonb, action_values jsonb)
    cross join lateral (
        select
            {%- for window in windows %}
            {%- set key = 'value' if window == 'default' else window %}
            sum((element ->> '{{ key }}')::numeric) as conversions_{{ window }}{{ ',' if not loop.last }}
            {%- endfor %}
        from {{ elements('arrays.actions') }}
        where element ->> 'action_type' = accounts.conversion_action
    ) as counted
    cross join lateral (
        select
            {%- for window in windows %}
            {%- set key = 'value' if window == 'default' else window %}
            sum((element ->> '{{ key }}')::numeric) as conversion_value_{{ window }}{{ ',' if not loop.last }}
            {%- endfor %}
        from {{ elements('arrays.action_values') }}
        where element ->> 'action_type' = accounts.value_action
    ) as valued
    {{ in_build_scope('insights') }}

),

-- A row per window that either report was asked for, and none for an account that declares no event.
sides as (

    select
        slices.account_id,
        slices.day,
        windows.attribution_window,
        accounts.client_id,
        accounts.client_name,
        accounts.account_name,
        accounts.currency,
        accounts.conversion_action,
        accounts.value_action,
        slices.ads_pulled_at,
        slices.control_pulled_at,
        windows.ads_have_it,
        windows.control_has_it,
        coalesce(ad_sums.is_attribution_mixed, false) as is_attribution_mixed,
        windows.conversions_ads,
        windows.conversions_control,
        windows.value_ads,
        windows.value_control
    from slices
    inner join {{ ref('dim_account') }} as accounts
        on slices.account_id = accounts.account_id
    left join ad_sums
        on slices.account_id = ad_sums.account_id and slices.day = ad_sums.day
    left join controls
        on slices.account_id = controls.account_id and slices.day = controls.day
    cross join lateral (
        values
        {%- for window in windows %}
        (
            '{{ window }}',
            {%- if window == 'default' %}
            slices.ads_pulled_at is not null,
            slices.control_pulled_at is not null,
            {%- else %}
            slices.ads_have_{{ window }},
            slices.control_has_{{ window }},
            {%- endif %}
            ad_sums.conversions_{{ window }},
            controls.conversions_{{ window }},
            ad_sums.conversion_value_{{ window }},
            controls.conversion_value_{{ window }}
        ){{ ',' if not loop.last }}
        {%- endfor %}
    ) as windows (
        attribution_window,
        ads_have_it,
        control_has_it,
        conversions_ads,
        conversions_control,
        value_ads,
        value_control
    )
    where
        num_nonnulls(accounts.conversion_action, accounts.value_action) > 0
        and (windows.ads_have_it or windows.control_has_it)

),

compared as (

    select
        *,
        coalesce(conversions_ads, 0) - coalesce(conversions_control, 0) as conversions_difference,
        coalesce(value_ads, 0) - coalesce(value_control, 0) as value_difference,
        -- Reason: for an account whose ad sets differ in their setting Meta gives no total in the account's own window;
        -- a window asked for by name it gives.
        conversion_action is not null
        and not (attribution_window = 'default' and conversions_control is null and is_attribution_mixed)
            as is_count_comparable,
        value_action is not null
        and not (attribution_window = 'default' and value_control is null and is_attribution_mixed)
            as is_value_comparable
    from sides

)

select
    account_id,
    day,
    attribution_window,
    client_id,
    client_name,
    account_name,
    currency,
    case
        when not control_has_it then 'no_control'
        when not ads_have_it then 'incomplete'
        when not is_count_comparable and not is_value_comparable then 'withheld'
        when
            (is_count_comparable and conversions_difference <> 0)
            or (is_value_comparable and value_difference <> 0)
            then 'mismatch'
        else 'reconciled'
    end as status,
    ads_pulled_at,
    control_pulled_at,
    conversions_ads,
    conversions_control,
    case when ads_have_it and control_has_it and is_count_comparable then conversions_difference end
        as conversions_difference,
    value_ads as conversion_value_ads,
    value_control as conversion_value_control,
    case when ads_have_it and control_has_it and is_value_comparable then value_difference end
        as conversion_value_difference
from compared
