{#-
    Immature days, as they are reported and as they will probably be: reported divided by the share that the maturity
    curve knows at the day's age at its pull. One macro for both grains. The method: docs/reference/maturity.md.
-#}
{% macro maturity_adjusted_daily(grain) -%}
{%- set key = ['account_id', 'day'] + (['campaign_id'] if grain == 'campaign' else []) -%}
{%- set measures = ['conversions', 'conversion_value'] -%}
with reported as (

    select
        performance.*,
        accounts.conversion_window,
        (performance.data_as_of at time zone performance.time_zone)::date - performance.day as age_days
    from {{ ref('mart_performance_daily__' ~ grain) }} as performance
    inner join {{ ref('dim_account') }} as accounts
        on performance.account_id = accounts.account_id
    where not performance.is_mature and performance.source = 'api'

),

known as (

    select
        reported.*,
        {%- for measure in measures %}
        {{ measure }}_curve.basis as {{ measure }}_basis,
        {{ measure }}_curve.share as {{ measure }}_share,
        {{ measure }}_curve.share_low as {{ measure }}_share_low,
        {{ measure }}_curve.share_high as {{ measure }}_share_high,
        {{ measure }}_curve.dispersion as {{ measure }}_dispersion,
        case
            when reported.{{ measure }} is null then 'nothing reported'
            when reported.age_days < 1 then 'the day was not over when it was pulled'
            when {{ measure }}_curve.share is null then 'no curve'
            when {{ measure }}_curve.share < {{ least_share() }} then 'too little known yet'
            else 'estimated'
        end as {{ measure }}_estimate{{ ',' if not loop.last }}
        {%- endfor %}
    from reported
    {%- for measure in measures %}
    left join {{ ref('mart_maturity_curve') }} as {{ measure }}_curve
        on
            reported.account_id = {{ measure }}_curve.account_id
            and reported.conversion_window = {{ measure }}_curve.attribution_window
            and reported.age_days = {{ measure }}_curve.age_days
            and {{ measure }}_curve.measure = '{{ measure }}'
    {%- endfor %}

),

-- Two things are unknown: the curve (its own limits), and how many conversions this one day still has to come, whose
-- variance grows with what is missing: dispersion * final * (1 - share) / share.
spread as (

    select
        *,
        {%- for measure in measures %}
        case when {{ measure }}_estimate = 'estimated' then {{ measure }} / {{ measure }}_share end
            as {{ measure }}_adjusted,
        case
            when {{ measure }}_estimate = 'estimated'
                then 1.2816 * sqrt(
                    {{ measure }}_dispersion
                    * greatest({{ measure }}, {{ measure }}_dispersion)
                    * (1 - {{ measure }}_share)
                ) / {{ measure }}_share
        end as {{ measure }}_coming{{ ',' if not loop.last }}
        {%- endfor %}
    from known

),

limited as (

    select
        *,
        {%- for measure in measures %}
        greatest(
            {{ measure }},
            {{ measure }}_adjusted
            - sqrt(({{ measure }}_adjusted - {{ measure }} / {{ measure }}_share_high) ^ 2 + {{ measure }}_coming ^ 2)
        ) as {{ measure }}_low,
        {{ measure }}_adjusted
        + sqrt(
            ({{ measure }} / nullif({{ measure }}_share_low, 0) - {{ measure }}_adjusted) ^ 2
            + {{ measure }}_coming ^ 2
        ) as {{ measure }}_high{{ ',' if not loop.last }}
        {%- endfor %}
    from spread

)

select
    {%- for column in key %}
    {{ column }},
    {%- endfor %}
    {%- if grain == 'campaign' %}
    campaign_name,
    {%- endif %}
    client_id,
    client_name,
    account_name,
    currency,
    conversion_window,
    age_days,
    data_as_of,
    spend,
    conversions,
    conversion_value,
    cpa,
    roas,
    {%- for measure in measures %}
    {{ measure }}_estimate,
    {{ measure }}_basis,
    {{ measure }}_share,
    round({{ measure }}_adjusted, 4) as {{ measure }}_adjusted,
    case when {{ measure }}_adjusted is not null then round({{ measure }}_low, 4) end as {{ measure }}_low,
    case when {{ measure }}_adjusted is not null then round({{ measure }}_high, 4) end as {{ measure }}_high,
    {%- endfor %}
    {{ function('safe_div') }}(spend, round(conversions_adjusted, 4)) as cpa_adjusted,
    case
        when conversions_adjusted is not null then {{ function('safe_div') }}(spend, round(conversions_high, 4))
    end as cpa_low,
    case
        when conversions_adjusted is not null then {{ function('safe_div') }}(spend, round(conversions_low, 4))
    end as cpa_high,
    {{ function('safe_div') }}(round(conversion_value_adjusted, 4), spend) as roas_adjusted,
    case
        when conversion_value_adjusted is not null
            then {{ function('safe_div') }}(round(conversion_value_low, 4), spend)
    end as roas_low,
    case
        when conversion_value_adjusted is not null
            then {{ function('safe_div') }}(round(conversion_value_high, 4), spend)
    end as roas_high
from limited
{%- endmacro %}

{#- Below this share of the final number an estimate would be mostly made up. -#}
{% macro least_share() -%}
0.3
{%- endmacro %}
