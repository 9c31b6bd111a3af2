-- The finite series of the upper incomplete gamma function (Abramowitz and Stegun 26.4.4 for odd degrees, 26.4.5 for
-- even ones). Each term is the one before times x / (2 * power), hence the running sum of logarithms.
with given as (

    -- Reason for the bounds: PostgreSQL calls an underflow an error, and has no logarithm of zero.
    select
        degrees,
        degrees % 2 = 0 as is_even,
        least(greatest(statistic, 1e-300), 1e5) / 2 as half
    where degrees >= 1 and statistic >= 0 and statistic <> 'NaN'

),

powers as (

    select
        given.half,
        given.half + case when given.is_even then 0 else ln(given.half * pi()) / 2 end as scale_logarithm,
        numbers.number - case when given.is_even then 0 else 0.5 end::double precision as power
    from given
    cross join lateral generate_series(1, (given.degrees - 1 + given.degrees % 2) / 2) as numbers (number)

),

series as (

    select coalesce(sum(term), 0) as later_terms
    from (
        select exp(greatest(sum(ln(half / power)) over (order by power) - scale_logarithm, -700)) as term
        from powers
    ) as terms

)

select
    least(
        1,
        series.later_terms + case when given.is_even then exp(-least(given.half, 700)) else erfc(sqrt(given.half)) end
    )
from given
cross join series
