-- Shares measured on revisions, one row per account, window, measure and age: sums over days, the standard error that
-- the days' own scatter gives, and how much more they scatter than a binomial share would.
with sums as (

    select
        account_id,
        client_id,
        attribution_window,
        measure,
        age_days,
        count(*) filter (where final > 0) as days,
        sum(final_conversions) as conversions,
        sum(known) as known,
        sum(final) as final,
        sum(known * known) as known_squared,
        sum(known * final) as known_final,
        sum(final * final) as final_squared
    from {{ ref('int_maturity_days') }}
    group by account_id, client_id, attribution_window, measure, age_days

),

shares as (

    select
        *,
        least({{ function('safe_div') }}(known, final), 1) as share,
        -- What one conversion is worth in the measure's unit: 1 for counts.
        coalesce({{ function('safe_div') }}(final, conversions), 1) as unit
    from sums
    where final > 0 and conversions > 0

),

scattered as (

    select
        *,
        greatest(known_squared - 2 * share * known_final + share * share * final_squared, 0) as residual_squares
    from shares

)

select
    account_id,
    client_id,
    attribution_window,
    measure,
    age_days,
    days,
    conversions,
    share,
    unit,
    -- Ratio of sums, linearised: sqrt(n / (n - 1) * sum(r^2)) / sum(final).
    case
        when days > 1 then sqrt(residual_squares * days / (days - 1)) / final
    end as standard_error,
    residual_squares,
    share * (1 - share) * final as binomial_spread
from scattered
