-- The exact finite series of Abramowitz and Stegun 26.7.3 (odd degrees) and 26.7.4 (even degrees), with
-- theta = atan(|t| / sqrt(degrees)). Each term is the one before times a ratio, hence the running sum of logarithms.
with given as (

    -- Reason for the bounds: PostgreSQL may compute with constants before it looks at the condition, and it calls an
    -- overflow an error.
    select
        least(abs(t), 1e150) as t,
        greatest(degrees, 1) as degrees
    where degrees >= 1 and t is not null and t <> 'NaN'

),

angle as (

    select
        degrees,
        degrees % 2 = 0 as is_even,
        atan(t / sqrt(degrees)) as theta,
        greatest(degrees / (degrees + t * t), 1e-300) as cosine_squared
    from given

),

ratios as (

    select
        angle.cosine_squared * case
            when angle.is_even then (2 * terms.i - 1) / (2 * terms.i)
            else 2 * terms.i / (2 * terms.i + 1)
        end as ratio,
        terms.i
    from angle
    cross join lateral generate_series(1, (angle.degrees - 2 - angle.degrees % 2) / 2) as numbers (number)
    cross join lateral (select numbers.number::double precision as i) as terms

),

series as (

    -- Reason for the bound: an underflow is an error too, and what is that small adds nothing.
    select coalesce(sum(term), 0) as later_terms
    from (select exp(greatest(sum(ln(ratio)) over (order by i), -700)) as term from ratios) as terms

)

select
    greatest(
        0,
        1 - case
            when angle.is_even then sin(angle.theta) * (1 + series.later_terms)
            when angle.degrees = 1 then 2 / pi() * angle.theta
            else 2 / pi() * (angle.theta + sin(angle.theta) * sqrt(angle.cosine_squared) * (1 + series.later_terms))
        end
    )
from angle
cross join series
