-- Acklam's rational approximation (relative error 1.15e-9) in the lower half, then one step of Halley's method on the
-- CDF, which leaves the rounding error of double precision; the upper half is its mirror image.
with lower_half as (

    select
        case when probability < 0.5 then probability else 1 - probability end as p,
        case when probability < 0.5 then 1 else -1 end as side
    where probability >= 1e-300 and probability < 1

),

scaled as (

    select
        side,
        p,
        p - 0.5 as q,
        (p - 0.5) ^ 2 as r,
        sqrt(-2 * ln(p)) as u
    from lower_half

),

polynomials as (

    select
        side,
        p,
        q,
        -7.784894002430293e-03 * u ^ 5 - 3.223964580411365e-01 * u ^ 4 - 2.400758277161838e+00 * u ^ 3
        - 2.549732539343734e+00 * u ^ 2 + 4.374664141464968e+00 * u + 2.938163982698783e+00 as tail_numerator,
        7.784695709041462e-03 * u ^ 4 + 3.224671290700398e-01 * u ^ 3 + 2.445134137142996e+00 * u ^ 2
        + 3.754408661907416e+00 * u + 1 as tail_denominator,
        -3.969683028665376e+01 * r ^ 5 + 2.209460984245205e+02 * r ^ 4 - 2.759285104469687e+02 * r ^ 3
        + 1.383577518672690e+02 * r ^ 2 - 3.066479806614716e+01 * r + 2.506628277459239e+00 as middle_numerator,
        -5.447609879822406e+01 * r ^ 5 + 1.615858368580409e+02 * r ^ 4 - 1.556989798598866e+02 * r ^ 3
        + 6.680131188771972e+01 * r ^ 2 - 1.328068155288572e+01 * r + 1 as middle_denominator
    from scaled

),

guessed as (

    select
        side,
        p,
        case
            when p < 0.02425 then tail_numerator / tail_denominator
            else q * middle_numerator / middle_denominator
        end as x
    from polynomials

),

corrected as (

    select
        side,
        x,
        ({{ function_within('normal_cdf') }}(x) - p) * sqrt(2 * pi()) * exp(least(x * x / 2, 700)) as step
    from guessed

)

select side * (x - step / (1 + x * step / 2)) from corrected
