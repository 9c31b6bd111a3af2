{#- Whether a day was final when it was pulled: Meta restates a day for 28 days. The age is counted in the account's
    days, at the pull and not now, because it is the pull that may hold a number that has changed since. -#}
{% macro is_mature(pulled_at, time_zone, day) -%}
({{ pulled_at }} at time zone {{ time_zone }})::date - {{ day }} >= {{ var('maturity_days') }}
{%- endmacro %}

{#- How far back days are taken for a maturity curve, in days: long enough for the quiet accounts, short enough to
    follow a shop whose customers change their habits. -#}
{% macro maturity_history_days() -%}
180
{%- endmacro %}

{#- Weight of what a curve is shrunk to, in conversions: an account with this many final conversions at an age is taken
    half at its own word. -#}
{% macro maturity_prior_conversions() -%}
20
{%- endmacro %}

{#- Upper 90 % quantile of Student's t, hence the half width of an 80 % interval in standard errors: Cornish and
    Fisher's expansion about the normal quantile 1.2816, right to 0.02 from two degrees of freedom on. -#}
{% macro half_width_80(degrees_of_freedom) -%}
(1.2816 + 0.8466 / greatest({{ degrees_of_freedom }}, 1) + 0.571 / greatest({{ degrees_of_freedom }}, 1)::numeric ^ 2)
{%- endmacro %}

{#- Conversions whose delay after the click is at most `days`, from the nested click windows of final days: the windows
    give three points of that curve, between which it is taken to grow with the logarithm of the delay. -#}
{% macro conversions_within(days) -%}
case
    when {{ days }} <= 7
        then greatest(
            clicks_1d + (clicks_7d - clicks_1d) * ln({{ days }}::numeric) / ln(7::numeric),
            0
        )
    else clicks_7d + (clicks_28d - clicks_7d) * ln({{ days }}::numeric / 7) / ln(4::numeric)
end
{%- endmacro %}

{#- Share of a click window's final number that is known at `age`, if the clock of delays runs `pace` times as fast.
    Expects clicks_1d, clicks_7d, clicks_28d and click_window (1, 7 or 28 days). -#}
{% macro share_within(age, pace) -%}
({{ conversions_within('least(' ~ age ~ ' * ' ~ pace ~ ', click_window)') }})
/ nullif(case click_window when 1 then clicks_1d when 7 then clicks_7d else clicks_28d end, 0)
{%- endmacro %}
