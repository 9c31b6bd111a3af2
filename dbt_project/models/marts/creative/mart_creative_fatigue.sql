{{ config(incremental_strategy='mirror', unique_key=['account_id', 'creative_key']) }}

-- Whether a creative wears out. Its click-through rate of the account's last seven days is set against that of its
-- own first seven days of delivery, less what the account's other creatives did over the same time, in logs. The
-- standard error counts clicks and, on top, how much rates scatter from day to day in this account (s2 below).
-- How each number is made stands in the column descriptions.
with deliveries as (

    select
        account_id,
        creative_key,
        min(day) as first_day,
        max(day) as last_day
    from {{ ref('mart_creative_daily') }}
    where impressions > 0
    group by account_id, creative_key

),

account_ends as (

    select
        account_id,
        min(first_day) as first_day,
        max(last_day) as as_of_day
    from deliveries
    group by account_id

),

-- The two windows. Days that could be in both are early ones: so young a creative has no trailing window yet.
windowed as (

    select
        daily.account_id,
        daily.creative_key,
        case when daily.delivered_days <= 7 then 'early' else 'trailing' end as window_name,
        daily.day > account_ends.as_of_day - 7 as is_recent,
        daily.spend,
        daily.impressions,
        daily.link_clicks,
        daily.peer_ctr_index is not null as has_peers,
        -- Without other creatives there is no trend to take off.
        daily.impressions * coalesce(daily.peer_ctr_index, 1) as exposure
    from {{ ref('mart_creative_daily') }} as daily
    inner join account_ends
        on daily.account_id = account_ends.account_id
    where
        daily.impressions > 0
        and (daily.delivered_days <= 7 or daily.day > account_ends.as_of_day - 7)

),

recent_spend as (

    select
        account_id,
        creative_key,
        sum(spend) as trailing_spend,
        {{ function('safe_div') }}(sum(spend), sum(sum(spend)) over (partition by account_id)) as trailing_spend_share
    from windowed
    where is_recent
    group by account_id, creative_key

),

window_sums as (

    select
        account_id,
        creative_key,
        window_name,
        count(*)::int as days,
        sum(link_clicks)::bigint as link_clicks,
        sum(exposure) as exposure,
        sum(exposure * exposure) as exposure_squared,
        bool_and(has_peers) as has_peers,
        {{ function('safe_div') }}(sum(link_clicks), sum(impressions)) as ctr,
        {{ function('safe_div') }}(sum(link_clicks), sum(exposure)) as adjusted_ctr
    from windowed
    group by account_id, creative_key, window_name

),

expected as (

    select
        windowed.account_id,
        windowed.link_clicks,
        window_sums.adjusted_ctr * windowed.exposure as link_clicks_expected,
        window_sums.days::numeric / (window_sums.days - 1) as small_sample_correction
    from windowed
    inner join window_sums
        on
            windowed.account_id = window_sums.account_id
            and windowed.creative_key = window_sums.creative_key
            and windowed.window_name = window_sums.window_name
    where window_sums.days > 1

),

-- s2 by moments: squared deviations of a day's clicks from what its window's rate gives, less the clicks that chance
-- alone scatters, per squared expectation. Pooled over the account: a week of one creative would not tell it.
scatter as (

    select
        account_id,
        greatest(
            {{ function('safe_div') }}(
                sum((link_clicks - link_clicks_expected) ^ 2 * small_sample_correction - link_clicks_expected),
                sum(link_clicks_expected ^ 2)
            ),
            0
        ) as s2
    from expected
    group by account_id

),

estimated as (

    select
        latest.account_id,
        latest.creative_key,
        latest.creative_id,
        latest.creative_name,
        latest.creative_type,
        latest.headline,
        latest.thumbnail_url,
        latest.ads,
        latest.currency,
        latest.data_as_of,
        account_ends.as_of_day,
        deliveries.first_day as first_delivery_day,
        deliveries.last_day as last_delivery_day,
        deliveries.first_day > account_ends.first_day as is_start_seen,
        latest.delivered_days,
        latest.cumulative_impressions,
        latest.frequency,
        latest.early_cvr,
        latest.early_cpm,
        early.ctr as early_ctr,
        early.link_clicks as early_link_clicks,
        case when recent.days > 0 then latest.trailing_cvr end as trailing_cvr,
        case when recent.days > 0 then latest.trailing_cpm end as trailing_cpm,
        recent.ctr as trailing_ctr,
        recent.link_clicks as trailing_link_clicks,
        coalesce(recent_spend.trailing_spend, 0) as trailing_spend,
        coalesce(recent_spend.trailing_spend_share, 0) as trailing_spend_share,
        coalesce(early.has_peers and recent.has_peers, false) as is_compared_with_peers,
        case
            when deliveries.last_day <= account_ends.as_of_day - 7
                then format('It has not delivered since %s.', deliveries.last_day)
            when early.days < 7 or coalesce(recent.days, 0) < 4
                then format(
                    'It has delivered on %s days; a verdict takes its first 7 and 4 later ones of the last 7.',
                    latest.delivered_days
                )
            when num_nulls(early.link_clicks, recent.link_clicks) > 0 then 'Its link clicks are not known.'
            when least(early.link_clicks, recent.link_clicks) < 50
                then format(
                    '%s link clicks in its first 7 days and %s in the last 7 are too few (50 each).',
                    early.link_clicks, recent.link_clicks
                )
        end as obstacle,
        ln(nullif(recent.ctr, 0) / nullif(early.ctr, 0)) as own_log_change,
        ln(nullif(recent.adjusted_ctr, 0) / nullif(early.adjusted_ctr, 0)) as relative_log_change,
        sqrt(
            {{ function('safe_div') }}(1, early.link_clicks)
            + {{ function('safe_div') }}(1, recent.link_clicks)
            + coalesce(scatter.s2, 0) * (
                {{ function('safe_div') }}(early.exposure_squared, early.exposure ^ 2)
                + {{ function('safe_div') }}(recent.exposure_squared, recent.exposure ^ 2)
            )
        ) as standard_error
    from deliveries
    inner join account_ends
        on deliveries.account_id = account_ends.account_id
    inner join {{ ref('mart_creative_daily') }} as latest
        on
            deliveries.account_id = latest.account_id
            and deliveries.creative_key = latest.creative_key
            and deliveries.last_day = latest.day
    left join recent_spend
        on deliveries.account_id = recent_spend.account_id and deliveries.creative_key = recent_spend.creative_key
    left join window_sums as early
        on
            deliveries.account_id = early.account_id
            and deliveries.creative_key = early.creative_key
            and early.window_name = 'early'
    left join window_sums as recent
        on
            deliveries.account_id = recent.account_id
            and deliveries.creative_key = recent.creative_key
            and recent.window_name = 'trailing'
    left join scatter
        on deliveries.account_id = scatter.account_id

),

-- A one-sided normal test in logs. Rounded, so that the last digits of floating point are no change of a row.
tested as (

    select
        *,
        trim_scale(round(exp(own_log_change) - 1, 6)) as ctr_change,
        trim_scale(round(exp(own_log_change - relative_log_change) - 1, 6)) as peer_ctr_change,
        trim_scale(round(exp(relative_log_change) - 1, 6)) as ctr_change_against_peers,
        trim_scale(round((0.5 * erfc(-own_log_change / standard_error / sqrt(2)))::numeric, 6)) as p_value_own,
        trim_scale(round((0.5 * erfc(-relative_log_change / standard_error / sqrt(2)))::numeric, 6)) as p_value
    from estimated

),

judged as (

    select
        *,
        case
            when obstacle is not null or p_value is null then 'too little data'
            when p_value < 0.05 and ctr_change_against_peers <= -0.15 and ctr_change < 0 then 'fatigued'
            when p_value < 0.05 and ctr_change < 0 then 'declining'
            when p_value_own < 0.05 and ctr_change <= -0.15 then 'declining'
            else 'stable'
        end as verdict
    from tested

)

select
    judged.account_id,
    judged.creative_key,
    judged.creative_id,
    judged.creative_name,
    judged.creative_type,
    judged.headline,
    judged.thumbnail_url,
    judged.ads,
    accounts.client_id,
    accounts.client_name,
    accounts.account_name,
    judged.currency,
    judged.as_of_day,
    judged.data_as_of,
    judged.verdict,
    case
        when judged.verdict = 'too little data' then judged.obstacle
        else
            format(
                'CTR of the last 7 days is %s %% %s its first 7 days%s; ',
                round(100 * abs(judged.ctr_change), 1),
                case when judged.ctr_change < 0 then 'below' else 'above' end,
                case when judged.is_start_seen then '' else ' in the data' end
            )
            || case
                when judged.is_compared_with_peers
                    then format(
                        'the account''s other creatives are %s %% %s theirs over the same time '
                        || '(p = %s for a decline beyond them). ',
                        round(100 * abs(judged.peer_ctr_change), 1),
                        case when judged.peer_ctr_change < 0 then 'below' else 'above' end,
                        round(judged.p_value, 4)
                    )
                else format('there is no other creative to compare with (p = %s). ', round(judged.p_value, 4))
            end
            || format('It takes %s %% of the account''s spend.', round(100 * judged.trailing_spend_share, 1))
    end as reason,
    judged.first_delivery_day,
    judged.last_delivery_day,
    judged.is_start_seen,
    judged.delivered_days,
    judged.cumulative_impressions,
    judged.frequency,
    judged.early_link_clicks,
    judged.early_ctr,
    judged.early_cvr,
    judged.early_cpm,
    judged.trailing_link_clicks,
    judged.trailing_ctr,
    judged.trailing_cvr,
    judged.trailing_cpm,
    judged.trailing_spend,
    judged.trailing_spend_share,
    judged.is_compared_with_peers,
    judged.ctr_change,
    case when judged.is_compared_with_peers then judged.peer_ctr_change end as peer_ctr_change,
    judged.ctr_change_against_peers,
    trim_scale(round(judged.standard_error, 6)) as standard_error,
    judged.p_value_own,
    judged.p_value
from judged
inner join {{ ref('dim_account') }} as accounts
    on judged.account_id = accounts.account_id
