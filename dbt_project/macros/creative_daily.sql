{#-
    A row holds what its creative did that day, and what it had done by then: since its first delivery, in its first
    seven days of delivery, in the seven days that end with this one. Later days are computed from earlier ones, so a
    build writes an account anew from its first touched day on; what lies before is read from the last row before it.
-#}
{% macro creative_daily() -%}
with
{% if is_incremental() %}
tails as (

    {{ first_days_to_build() }}

),

{% endif %}
-- An ad of which no creative is known (deleted before its creative was pulled, or imported) stands for one itself.
current_ads as (

    select
        account_id,
        ad_id,
        creative_id,
        coalesce(creative_id::text, 'ad:' || ad_id::text) as creative_key,
        ad_name
    from {{ ref('dim_ad') }}

),

ads_now as (

    select
        account_id,
        creative_key,
        count(*)::int as ads,
        max(ad_name) filter (where creative_id is null) as ad_name
    from current_ads
    group by account_id, creative_key

),

ad_days as (

    select
        facts.*,
        coalesce(held.creative_id, current_ads.creative_id) as creative_id
    from {{ ref('fct_ad_day') }} as facts
    {%- if is_incremental() %}
    -- The six days before belong to the trailing week of the first row.
    inner join tails
        on facts.account_id = tails.account_id and facts.day >= tails.first_day - 6
    {%- endif %}
    left join current_ads
        on facts.account_id = current_ads.account_id and facts.ad_id = current_ads.ad_id
    -- An ad that was given another creative keeps the old one on the days before.
    left join {{ ref('dim_account') }} as accounts
        on facts.account_id = accounts.account_id
    left join {{ ref('dim_ad_history') }} as held
        on
            facts.account_id = held.account_id
            and facts.ad_id = held.ad_id
            and {{ as_of_day('held', 'facts.day', 'accounts.time_zone') }}

),

-- Zero and NULL as in the performance marts.
summed as (

    select
        account_id,
        day,
        coalesce(creative_id::text, 'ad:' || ad_id::text) as creative_key,
        max(creative_id) as creative_id,
        min(currency) as currency,
        bool_and(is_mature) as is_mature,
        min(pulled_at) as data_as_of,
        sum(spend) as spend,
        sum(impressions)::bigint as impressions,
        case when min(source) = 'api' then coalesce(sum(link_clicks), 0) else sum(link_clicks) end::bigint
            as link_clicks,
        case when min(source) = 'api' then coalesce(sum(clicks_all), 0) else sum(clicks_all) end::bigint
            as clicks_all,
        sum(video_plays)::bigint as video_plays,
        sum(video_thruplays)::bigint as video_thruplays,
        case when bool_and(is_conversion_count_complete) then coalesce(sum(conversions), 0) else sum(conversions) end
            as conversions,
        case
            when bool_and(is_conversion_value_complete) then coalesce(sum(conversion_value), 0)
            else sum(conversion_value)
        end as conversion_value,
        -- People of two ads overlap: with more than one ad that day the creative's reach is unknown.
        case when count(*) = 1 then min(reach) end as reach
    from ad_days
    group by account_id, day, coalesce(creative_id::text, 'ad:' || ad_id::text)

),

smoothed as (

    select
        *,
        sum(spend) over trailing_week as trailing_spend,
        sum(impressions) over trailing_week as trailing_impressions,
        sum(link_clicks) over trailing_week as trailing_link_clicks,
        sum(conversions) over trailing_week as trailing_conversions
    from summed
    window trailing_week as (
        partition by account_id, creative_key
        order by day
        range between interval '6 days' preceding and current row
    )

),

{% if is_incremental() %}
-- LATERAL: one look into the index for each creative, not a walk through the history.
state as (

    select
        known.account_id,
        known.creative_key,
        last_row.first_delivery_day,
        last_row.delivered_days,
        last_row.cumulative_impressions,
        last_row.early_spend,
        last_row.early_impressions,
        last_row.early_link_clicks,
        last_row.early_conversions
    from (
        select distinct
            smoothed.account_id,
            smoothed.creative_key,
            tails.first_day
        from smoothed
        inner join tails
            on smoothed.account_id = tails.account_id
    ) as known
    cross join lateral (
        select held.*
        from {{ this }} as held
        where
            held.account_id = known.account_id
            and held.creative_key = known.creative_key
            and held.day < known.first_day
        order by held.day desc
        limit 1
    ) as last_row

),

{% endif %}
numbered as (

    select
        smoothed.*,
        {%- if is_incremental() %}
        state.first_delivery_day as first_delivery_day_before,
        state.cumulative_impressions as cumulative_impressions_before,
        state.early_spend as early_spend_before,
        state.early_impressions as early_impressions_before,
        state.early_link_clicks as early_link_clicks_before,
        state.early_conversions as early_conversions_before,
        coalesce(state.delivered_days, 0)
        {%- else %}
        null::date as first_delivery_day_before,
        null::numeric as cumulative_impressions_before,
        null::numeric as early_spend_before,
        null::numeric as early_impressions_before,
        null::numeric as early_link_clicks_before,
        null::numeric as early_conversions_before,
        0
        {%- endif %}
        + count(*) filter (where smoothed.impressions > 0) over so_far as delivered_days
    from smoothed
    {%- if is_incremental() %}
    inner join tails
        on smoothed.account_id = tails.account_id and smoothed.day >= tails.first_day
    left join state
        on smoothed.account_id = state.account_id and smoothed.creative_key = state.creative_key
    {%- endif %}
    window so_far as (partition by smoothed.account_id, smoothed.creative_key order by smoothed.day)

),

-- NULL + n is NULL: what is unknown on both sides stays unknown, what is known on one side is that.
accumulated as (

    select
        *,
        coalesce(first_delivery_day_before, min(day) filter (where impressions > 0) over so_far) as first_delivery_day,
        coalesce(cumulative_impressions_before, 0) + coalesce(sum(impressions) over so_far, 0)
            as cumulative_impressions,
        coalesce(early_spend_before, 0) + coalesce(sum(spend) filter (where delivered_days <= 7) over so_far, 0)
            as early_spend,
        coalesce(early_impressions_before, 0)
        + coalesce(sum(impressions) filter (where delivered_days <= 7) over so_far, 0) as early_impressions,
        case
            when num_nonnulls(early_link_clicks_before, sum(link_clicks) filter (where delivered_days <= 7) over so_far)
                > 0
                then
                    coalesce(early_link_clicks_before, 0)
                    + coalesce(sum(link_clicks) filter (where delivered_days <= 7) over so_far, 0)
        end as early_link_clicks,
        case
            when num_nonnulls(early_conversions_before, sum(conversions) filter (where delivered_days <= 7) over so_far)
                > 0
                then
                    coalesce(early_conversions_before, 0)
                    + coalesce(sum(conversions) filter (where delivered_days <= 7) over so_far, 0)
        end as early_conversions
    from numbered
    window so_far as (partition by account_id, creative_key order by day)

),

-- How the account's creatives did that day against their own first days: one for all, the creative's own part out.
levelled as (

    select
        *,
        {{ function('safe_div') }}(early_link_clicks, early_impressions) as early_ctr,
        impressions * {{ function('safe_div') }}(early_link_clicks, early_impressions) as link_clicks_as_early
    from accumulated

),

compared as (

    select
        *,
        {{ function('safe_div') }}(
            sum(link_clicks) over account_day - coalesce(link_clicks, 0),
            sum(link_clicks_as_early) over account_day - coalesce(link_clicks_as_early, 0)
        ) as peer_ctr_index,
        {{ function('safe_div') }}(trailing_link_clicks, trailing_impressions) as trailing_ctr,
        {{ function('safe_div') }}(trailing_conversions, trailing_link_clicks) as trailing_cvr,
        {{ function('safe_div') }}(1000 * trailing_spend, trailing_impressions) as trailing_cpm,
        {{ function('safe_div') }}(early_conversions, early_link_clicks) as early_cvr,
        {{ function('safe_div') }}(1000 * early_spend, early_impressions) as early_cpm
    from levelled
    window account_day as (partition by account_id, day)

)

select
    compared.account_id,
    compared.day,
    compared.creative_key,
    compared.creative_id,
    coalesce(creatives.creative_name, ads_now.ad_name, compared.creative_key) as creative_name,
    creatives.object_type as creative_type,
    creatives.headline,
    creatives.thumbnail_url,
    coalesce(ads_now.ads, 0) as ads,
    accounts.client_id,
    accounts.client_name,
    accounts.account_name,
    coalesce(compared.currency, accounts.currency) as currency,
    compared.is_mature,
    coalesce(reconciliation.status = 'reconciled', false) as is_reconciled,
    compared.data_as_of,
    compared.spend,
    compared.impressions,
    compared.reach,
    {{ function('safe_div') }}(compared.impressions, compared.reach) as frequency,
    compared.link_clicks,
    compared.clicks_all,
    compared.video_plays,
    compared.video_thruplays,
    compared.conversions,
    compared.conversion_value,
    {{ ratio_columns('compared') }},
    compared.first_delivery_day,
    compared.day - compared.first_delivery_day as days_since_first_delivery,
    compared.delivered_days::int as delivered_days,
    compared.cumulative_impressions::bigint as cumulative_impressions,
    compared.early_spend,
    compared.early_impressions::bigint as early_impressions,
    compared.early_link_clicks::bigint as early_link_clicks,
    compared.early_conversions,
    compared.early_ctr,
    compared.early_cvr,
    compared.early_cpm,
    compared.trailing_spend,
    compared.trailing_impressions::bigint as trailing_impressions,
    compared.trailing_link_clicks::bigint as trailing_link_clicks,
    compared.trailing_conversions,
    compared.trailing_ctr,
    compared.trailing_cvr,
    compared.trailing_cpm,
    {{ function('safe_div') }}(compared.trailing_ctr - compared.early_ctr, compared.early_ctr) as ctr_against_early,
    {{ function('safe_div') }}(compared.trailing_cvr - compared.early_cvr, compared.early_cvr) as cvr_against_early,
    {{ function('safe_div') }}(compared.trailing_cpm - compared.early_cpm, compared.early_cpm) as cpm_against_early,
    compared.peer_ctr_index
from compared
inner join {{ ref('dim_account') }} as accounts
    on compared.account_id = accounts.account_id
left join ads_now
    on compared.account_id = ads_now.account_id and compared.creative_key = ads_now.creative_key
left join {{ ref('stg_meta__creatives') }} as creatives
    on compared.account_id = creatives.account_id and compared.creative_id = creatives.creative_id
left join {{ ref('mart_reconciliation') }} as reconciliation
    on compared.account_id = reconciliation.account_id and compared.day = reconciliation.day
{%- endmacro %}
