-- noqa: disable=LT02
-- Reason: lists made in a loop are laid out as the SQL they become, which the linter takes for misplaced.
{{ config(
    incremental_strategy='mirror',
    unique_key=['account_id', 'attribution_window', 'measure', 'age_days']
) }}
{% set prior = maturity_prior_conversions() %}

-- How much of a day's final number is known at each age. The method and its formulas: docs/reference/maturity.md.
with shares as (

    select * from {{ ref('int_maturity_shares') }}

),

curves as (

    select
        account_id,
        attribution_window,
        measure,
        max(days) filter (where age_days = {{ var('maturity_days') }}) as final_days,
        -- Scatter beyond a binomial share, over all ages, drawn towards that of single orders: 1 for counts, twice the
        -- mean order for money (orders vary about as much as they are large).
        (
            coalesce(sum(residual_squares) filter (where age_days between 1 and {{ var('maturity_days') }} - 1), 0)
            + 5 * min(unit) * case measure when 'conversions' then 1 else 2 * min(unit) end
        )
        / (
            coalesce(sum(binomial_spread) filter (where age_days between 1 and {{ var('maturity_days') }} - 1), 0)
            + 5 * min(unit)
        ) as dispersion
    from shares
    group by account_id, attribution_window, measure

),

grid as (

    select
        curves.account_id,
        accounts.client_id,
        accounts.client_name,
        accounts.account_name,
        accounts.currency,
        accounts.is_client_declared,
        curves.attribution_window,
        curves.measure,
        curves.final_days,
        curves.dispersion,
        ages.age_days
    from curves
    inner join {{ ref('dim_account') }} as accounts
        on curves.account_id = accounts.account_id
    cross join generate_series(0, {{ var('maturity_days') }}) as ages (age_days)

),

-- The client's other accounts; never those of another client.
siblings as (

    select
        client_id,
        attribution_window,
        measure,
        age_days,
        sum(conversions) as conversions,
        sum(share * conversions) as known
    from shares
    group by client_id, attribution_window, measure, age_days

),

gathered as (

    select
        grid.*,
        own.days as own_days,
        own.conversions as own_conversions,
        own.share as own_share,
        own.standard_error as own_error,
        windows.days as windows_days,
        windows.conversions as windows_conversions,
        windows.share as windows_share,
        windows.share_low as windows_low,
        windows.share_high as windows_high,
        case when grid.is_client_declared then siblings.conversions - coalesce(own.conversions, 0) end
            as others_conversions,
        case when grid.is_client_declared then siblings.known - coalesce(own.share * own.conversions, 0) end
            as others_known,
        coalesce(own.days >= 3 and own.conversions >= {{ prior }}, false) as is_measured
    from grid
    left join shares as own
        on
            grid.account_id = own.account_id
            and grid.attribution_window = own.attribution_window
            and grid.measure = own.measure
            and grid.age_days = own.age_days
    left join {{ ref('int_maturity_windows') }} as windows
        on
            grid.account_id = windows.account_id
            and grid.attribution_window = windows.attribution_window
            and grid.measure = windows.measure
            and grid.age_days = windows.age_days
    left join siblings
        on
            grid.client_id = siblings.client_id
            and grid.attribution_window = siblings.attribution_window
            and grid.measure = siblings.measure
            and grid.age_days = siblings.age_days

),

with_prior as (

    select
        *,
        case
            when windows_share is not null and others_conversions > 0
                then (others_known + {{ prior }} * windows_share) / (others_conversions + {{ prior }})
            when windows_share is not null then windows_share
            when others_conversions > 0 then others_known / others_conversions
        end as prior_share
    from gathered

),

shrunk as (

    select
        *,
        case
            when not is_measured then null
            when prior_share is null then own_share
            else (own_share * own_conversions + {{ prior }} * prior_share) / (own_conversions + {{ prior }})
        end as measured_share,
        -- The days' scatter, and the prior's own error (taken as five points) in the weight that it has.
        case
            when is_measured
                then sqrt(
                    (coalesce(own_error, 0) * own_conversions / (own_conversions + {{ prior }})) ^ 2
                    + (0.05 * {{ prior }} / (own_conversions + {{ prior }})) ^ 2
                ) * {{ half_width_80('own_days - 1') }}
        end as measured_half_width
    from with_prior

),

-- An age at which the account was never pulled lies between two at which it was; the final age is always known.
neighbours as (

    select
        *,
        case when age_days = {{ var('maturity_days') }} then 1 else measured_share end as anchor_share,
        case when age_days = {{ var('maturity_days') }} then 0 else measured_half_width end as anchor_half_width,
        max(age_days) filter (where is_measured) over younger as age_before,
        min(age_days) filter (where is_measured or age_days = {{ var('maturity_days') }}) over older as age_after,
        bool_or(is_measured and age_days < {{ var('maturity_days') }}) over curve as has_revisions
    from shrunk
    window
        curve as (partition by account_id, attribution_window, measure),
        younger as (
            partition by account_id, attribution_window, measure
            order by age_days rows between unbounded preceding and current row
        ),
        older as (
            partition by account_id, attribution_window, measure
            order by age_days rows between current row and unbounded following
        )

),

drawn as (

    select
        here.*,
        case
            when here.age_days = {{ var('maturity_days') }} and here.has_revisions then 'revisions'
            when here.age_before is not null and here.has_revisions then 'revisions'
            when here.windows_share is not null then 'windows'
            when here.age_days = {{ var('maturity_days') }} and here.windows_any then 'windows'
            else 'none'
        end as basis,
        before.anchor_share
        + (coalesce(after.anchor_share, 1) - before.anchor_share)
        * coalesce({{ function('safe_div') }}(here.age_days - before.age_days, after.age_days - before.age_days), 0)
            as line_share,
        before.anchor_half_width
        + (coalesce(after.anchor_half_width, 0) - before.anchor_half_width)
        * coalesce({{ function('safe_div') }}(here.age_days - before.age_days, after.age_days - before.age_days), 0)
            as line_half_width,
        before.own_days as line_days,
        before.own_conversions as line_conversions
    from (
        select
            *,
            bool_or(windows_share is not null) over (
                partition by account_id, attribution_window, measure
            ) as windows_any
        from neighbours
    ) as here
    left join neighbours as before
        on
            here.account_id = before.account_id
            and here.attribution_window = before.attribution_window
            and here.measure = before.measure
            and here.age_before = before.age_days
    left join neighbours as after
        on
            here.account_id = after.account_id
            and here.attribution_window = after.attribution_window
            and here.measure = after.measure
            and here.age_after = after.age_days

),

chosen as (

    select
        *,
        case
            when age_days = {{ var('maturity_days') }} then 1
            when basis = 'revisions' then line_share
            when basis = 'windows' then windows_share
        end as rough_share,
        case
            when age_days = {{ var('maturity_days') }} then 1
            when basis = 'revisions' then line_share - line_half_width
            when basis = 'windows' then windows_low
        end as rough_low,
        case
            when age_days = {{ var('maturity_days') }} then 1
            when basis = 'revisions' then line_share + line_half_width
            when basis = 'windows' then windows_high
        end as rough_high
    from drawn

),

-- Noise can make a later age look less complete than an earlier one. The mean of the running maximum from the left and
-- the running minimum from the right never falls, and is the measured share wherever that does not fall either.
monotone as (

    select
        *,
        (max(rough_share) over younger + min(rough_share) over older) / 2 as even_share,
        (max(rough_low) over younger + min(rough_low) over older) / 2 as even_low,
        (max(rough_high) over younger + min(rough_high) over older) / 2 as even_high
    from chosen
    window
        younger as (
            partition by account_id, attribution_window, measure
            order by age_days rows between unbounded preceding and current row
        ),
        older as (
            partition by account_id, attribution_window, measure
            order by age_days rows between current row and unbounded following
        )

)

select
    account_id,
    attribution_window,
    measure,
    age_days::smallint as age_days,
    client_id,
    client_name,
    account_name,
    currency,
    basis,
    case when rough_share is not null then round(greatest(least(even_share, 1), 0), 6) end as share,
    case when rough_share is not null then round(greatest(least(even_low, even_share, 1), 0), 6) end as share_low,
    case when rough_share is not null then round(greatest(least(even_high, 1), least(even_share, 1), 0), 6) end
        as share_high,
    case basis
        when 'revisions' then coalesce(line_days, final_days)
        when 'windows' then coalesce(windows_days, final_days)
        else 0
    end::integer as days,
    case basis
        when 'revisions' then coalesce(line_conversions, own_conversions)
        when 'windows' then coalesce(windows_conversions, own_conversions)
        else 0
    end as conversions,
    round(dispersion, 6) as dispersion
from monotone
