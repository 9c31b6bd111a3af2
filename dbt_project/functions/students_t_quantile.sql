-- Newton's method on the logarithms: with x = ln t and y = ln P(|T| > t), y falls almost linearly in x, so a handful of
-- steps from the normal quantile reach the rounding error. One and two degrees have closed forms.
with recursive wanted as (

    -- Reason for greatest(): PostgreSQL may compute with constants before it looks at the condition.
    select
        greatest(degrees, 1) as degrees,
        2 * least(probability, 1 - probability) as tail,
        case when probability < 0.5 then -1 else 1 end as side
    where least(probability, 1 - probability) >= 1e-12 and degrees >= 1

),

-- Factor of the density, gamma((n + 1) / 2) / (sqrt(n pi) gamma(n / 2)), as a product over the degrees.
density as (

    select
        case when wanted.degrees % 2 = 0 then 0.5 else 1 / pi() end
        * coalesce(exp(sum(ln(numbers.number::double precision / (numbers.number - 1)))), 1)
        / sqrt(wanted.degrees) as factor
    from wanted
    left join lateral generate_series(3 - wanted.degrees % 2, wanted.degrees - 1, 2) as numbers (number) on true
    group by wanted.degrees

),

approached as (

    select
        0 as step,
        -{{ function_within('normal_quantile') }}(wanted.tail / 2) as t,
        1::double precision as change
    from wanted
    where wanted.degrees > 2 and wanted.tail < 1

    union all

    select
        approached.step + 1 as step,
        approached.t * exp(newton.change) as t,
        newton.change
    from approached
    cross join wanted
    cross join density
    cross join
        lateral (select {{ function_within('students_t_two_sided_p') }}(approached.t, wanted.degrees) as p) as at_t
    cross join
        lateral (
            select
                density.factor
                * (1 + approached.t * approached.t / wanted.degrees) ^ (-(wanted.degrees + 1) / 2.0) as density_at_t
        ) as slope
    cross join
        lateral (
            select ln(at_t.p / wanted.tail) * at_t.p / (2 * approached.t * slope.density_at_t) as change
        ) as newton
    where approached.step < 30 and abs(approached.change) > 1e-14

)

select
    wanted.side * case
        when wanted.tail = 1 then 0
        when wanted.degrees = 1 then 1 / tan(pi() * wanted.tail / 2)
        when wanted.degrees = 2 then (1 - wanted.tail) * sqrt(2 / (wanted.tail * (2 - wanted.tail)))
        else reached.t
    end
from wanted
left join (
    select t
    from approached
    order by step desc
    limit 1
) as reached on true
