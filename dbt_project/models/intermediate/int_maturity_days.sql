-- noqa: disable=LT02
-- Reason: lists made in a loop are laid out as the SQL they become, which the linter takes for misplaced.
{% set windows = ['default', '1d_click', '7d_click', '28d_click', '1d_view', '1d_ev'] %}
-- What a final day showed at each age and in the end, by window and measure: the raw material of the maturity curves.
-- A row stands for a day that was pulled at that age and whose final value is known; age 28 is the final value itself.
with revisions as (

    select
        *,
        least(age_days, {{ var('maturity_days') }}) as age
    from {{ ref('fct_insight_revision') }}
    where report = 'ad_daily' and source = 'api' and age_days >= 0

),

newest_final_days as (

    select
        account_id,
        max(day) as newest_final_day
    from revisions
    where age = {{ var('maturity_days') }}
    group by account_id

),

-- The last pull of each age: of two pulls on one day the later one knows more.
at_age as (

    select distinct on (revisions.account_id, revisions.day, revisions.age) revisions.*
    from revisions
    inner join newest_final_days
        on revisions.account_id = newest_final_days.account_id
    where revisions.day > newest_final_days.newest_final_day - {{ maturity_history_days() }}
    order by revisions.account_id asc, revisions.day asc, revisions.age asc, revisions.pulled_at desc

),

final_days as (

    select *
    from at_age
    where age = {{ var('maturity_days') }}

),

paired as (

    select
        at_age.account_id,
        at_age.client_id,
        at_age.day,
        at_age.age,
        pairs.attribution_window,
        pairs.measure,
        pairs.known,
        pairs.final,
        pairs.final_conversions
    from at_age
    inner join final_days
        on at_age.account_id = final_days.account_id and at_age.day = final_days.day
    cross join lateral (
        values
        {%- for window in windows %}
        (
            '{{ window }}',
            'conversions',
            at_age.conversions_{{ window }},
            final_days.conversions_{{ window }},
            final_days.conversions_{{ window }}
        ),
        (
            '{{ window }}',
            'conversion_value',
            at_age.conversion_value_{{ window }},
            final_days.conversion_value_{{ window }},
            final_days.conversions_{{ window }}
        ){{ ',' if not loop.last }}
        {%- endfor %}
    ) as pairs (attribution_window, measure, known, final, final_conversions)
)

select
    account_id,
    client_id,
    day,
    attribution_window,
    measure,
    age as age_days,
    known,
    final,
    -- Weight of the day, in conversions: money of different currencies has no common weight.
    coalesce(final_conversions, 0) as final_conversions
from paired
where known is not null and final is not null
