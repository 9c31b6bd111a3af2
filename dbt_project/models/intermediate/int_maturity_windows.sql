-- noqa: disable=LT02
-- Reason: lists made in a loop are laid out as the SQL they become, which the linter takes for misplaced.
-- What the nested click windows of final days tell about delays: 1d_click is in 7d_click is in 28d_click, so their
-- final numbers are three points of the distribution of the time from click to conversion. It needs no second pull.
with finals as (

    select
        account_id,
        measure,
        sum(final) filter (where attribution_window = '1d_click') as clicks_1d,
        sum(final) filter (where attribution_window = '7d_click') as clicks_7d,
        sum(final) filter (where attribution_window = '28d_click') as clicks_28d,
        -- Reason: too few conversions make no distribution; the weight of the prior is the least that makes one.
        sum(final_conversions) filter (where attribution_window = '7d_click') as conversions,
        count(*) filter (where attribution_window = '7d_click' and final > 0) as days
    from {{ ref('int_maturity_days') }}
    where age_days = {{ var('maturity_days') }}
    group by account_id, measure

),

-- The account's own window is that of its ad sets: weighted with their conversions where they differ.
own_windows as (

    select
        account_id,
        coalesce(substring(attribution_setting from '([0-9]+)d_click')::integer, 7) as click_window,
        sum(conversions_default) as conversions
    from {{ ref('mart_attribution_window_daily') }}
    where is_mature and conversions_default > 0
    group by account_id, click_window

),

windows as (

    select
        finals.account_id,
        finals.measure,
        named.attribution_window,
        named.click_window,
        1::numeric as weight
    from finals
    cross join (
        values ('1d_click', 1), ('7d_click', 7), ('28d_click', 28)
    ) as named (attribution_window, click_window)

    union all

    select
        finals.account_id,
        finals.measure,
        'default' as attribution_window,
        coalesce(own_windows.click_window, 7) as click_window,
        coalesce(own_windows.conversions, 1) as weight
    from finals
    left join own_windows
        on finals.account_id = own_windows.account_id and own_windows.click_window in (1, 7, 28)

),

by_age as (

    select
        finals.account_id,
        finals.measure,
        windows.attribution_window,
        windows.weight,
        windows.click_window,
        finals.days,
        finals.conversions,
        ages.age_days,
        {{ share_within('ages.age_days', '1') }} as share,
        -- How long after the click a day was pulled is known to a fraction of a day, and what a shop reports by
        -- Meta's interface for servers may come seven days late: the limits let the clock run half as fast again or
        -- two thirds as fast, and do not call a window complete before those seven days are over.
        case
            when ages.age_days >= windows.click_window + 7 then 1
            else {{ share_within('least(ages.age_days, click_window)', '2 / 3.0') }}
        end as share_low,
        {{ share_within('ages.age_days', '1.5') }} as share_high
    from finals
    inner join windows
        on finals.account_id = windows.account_id and finals.measure = windows.measure
    cross join generate_series(1, {{ var('maturity_days') }} - 1) as ages (age_days)
    where
        finals.conversions >= {{ maturity_prior_conversions() }}
        -- Reason: a window that was not asked for makes no point of the distribution.
        and finals.clicks_1d > 0
        and finals.clicks_7d >= finals.clicks_1d
        and (windows.click_window < 28 or finals.clicks_28d >= finals.clicks_7d)

)

select
    account_id,
    attribution_window,
    measure,
    age_days,
    min(days) as days,
    min(conversions) as conversions,
    round(least(sum(weight * share) / sum(weight), 1), 6) as share,
    round(least(sum(weight * share_low) / sum(weight), 1), 6) as share_low,
    round(least(sum(weight * share_high) / sum(weight), 1), 6) as share_high
from by_age
group by account_id, attribution_window, measure, age_days
