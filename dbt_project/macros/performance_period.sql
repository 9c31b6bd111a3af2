{#-
    Weekly (ISO weeks, from Monday) and monthly performance at one grain, summed up from the days.

    Reach and frequency are Meta's own, from the report of exactly this period; they exist for accounts and campaigns.
    A period is compared with the one before it; one that is not over, with as many days of the one before as it has.
    Compared are only days that were pulled without a gap on both sides.

    unit: week or month
-#}
{% macro performance_period(unit, grain) -%}
{%- set levels = levels_of(grain) -%}
{%- set is_converted = grain in ['account', 'campaign'] -%}
{%- set previous_start = shifted_period(unit, 'pulled.period_start', -1) -%}
{%- set next_start = shifted_period(unit, 'pulled.period_start', 1) -%}
with
{%- if is_incremental() %}
periods_to_read as (

    {{ periods_in_build_scope(unit, [-1, 0, 1]) }}

),

{% endif %}
days as (

    select
        daily.*,
        {{ period_start(unit, 'daily.day') }} as period_start
    from {{ ref('mart_performance_daily__' ~ grain) }} as daily
    {%- if is_incremental() %}
    inner join periods_to_read
        on
            daily.account_id = periods_to_read.account_id
            and daily.day >= periods_to_read.period_start
            and daily.day < {{ shifted_period(unit, 'periods_to_read.period_start', 1) }}
    {%- endif %}

),

pulled_days as (

    select
        slices.account_id,
        slices.day,
        {{ period_start(unit, 'slices.day') }} as period_start
    from {{ ref('stg_ops__slices') }} as slices
    {%- if is_incremental() %}
    inner join periods_to_read
        on
            slices.account_id = periods_to_read.account_id
            and slices.day >= periods_to_read.period_start
            and slices.day < {{ shifted_period(unit, 'periods_to_read.period_start', 1) }}
    {%- endif %}
    where slices.report = 'ad_daily'

),

pulled as (

    select
        account_id,
        period_start,
        count(*)::int as days_with_data,
        max(day) - period_start + 1 as days_elapsed
    from pulled_days
    group by account_id, period_start

),

framed as (

    select
        pulled.account_id,
        pulled.period_start,
        {{ next_start }} - 1 as period_end,
        pulled.days_with_data,
        pulled.days_with_data = {{ next_start }} - pulled.period_start as is_complete,
        pulled.days_with_data = pulled.days_elapsed as is_without_gap,
        {{ previous_start }} as previous_period_start,
        case
            when pulled.days_with_data = {{ next_start }} - pulled.period_start
                then pulled.period_start - {{ previous_start }}
            else least(pulled.days_elapsed, pulled.period_start - {{ previous_start }})
        end as comparison_days
    from pulled
    {%- if is_incremental() %}
    where (pulled.account_id, pulled.period_start) in ({{ periods_in_build_scope(unit, [0, 1]) }})
    {%- endif %}

),

-- Only days that were pulled can be compared; a gap on either side would look like a change.
comparable as (

    select
        framed.account_id,
        framed.period_start,
        framed.previous_period_start,
        framed.comparison_days
    from framed
    inner join pulled_days
        on
            framed.account_id = pulled_days.account_id
            and framed.previous_period_start = pulled_days.period_start
            and pulled_days.day < framed.previous_period_start + framed.comparison_days
    where framed.is_without_gap
    group by framed.account_id, framed.period_start, framed.previous_period_start, framed.comparison_days
    having count(*) = framed.comparison_days

),

summed as (

    select
        account_id,
        period_start,
        {%- for level in levels %}
        {{ level }}_id,
        {%- endfor %}
        min(currency) as currency,
        {{ attribution_setting_of_sum() }} as attribution_setting,
        count(*)::int as days_delivered,
        bool_and(is_mature) as is_mature,
        bool_and(is_reconciled) as is_reconciled,
        min(data_as_of) as data_as_of,
        min(source) as source,
        sum(spend) as spend,
        sum(impressions)::bigint as impressions,
        sum(link_clicks)::bigint as link_clicks,
        sum(clicks_all)::bigint as clicks_all,
        sum(conversions) as conversions,
        sum(conversion_value) as conversion_value
        {%- if is_converted %},
        max(reporting_currency) as reporting_currency,
        -- A day without a rate makes the sum unknown, not smaller.
        case when count(spend_converted) = count(spend) then sum(spend_converted) end as spend_converted,
        case
            when count(conversion_value_converted) = count(conversion_value) then sum(conversion_value_converted)
        end as conversion_value_converted
        {%- endif %}
    from days
    group by
        account_id,
        period_start
        {%- for level in levels -%}
        ,
        {{ level }}_id
        {%- endfor %}

),

previous as (

    select
        comparable.account_id,
        comparable.period_start,
        {%- if grain != 'account' %}
        days.{{ grain }}_id,
        {%- endif %}
        sum(days.spend) as spend,
        sum(days.impressions)::bigint as impressions,
        sum(days.link_clicks)::bigint as link_clicks,
        sum(days.conversions) as conversions,
        sum(days.conversion_value) as conversion_value
    from comparable
    inner join days
        on
            comparable.account_id = days.account_id
            and comparable.previous_period_start = days.period_start
            and days.day < comparable.previous_period_start + comparable.comparison_days
    group by
        comparable.account_id,
        comparable.period_start
        {%- if grain != 'account' -%}
        ,
        days.{{ grain }}_id
        {%- endif %}

),
{%- if is_converted %}

people as (

    select
        account_id,
        period_start,
        period_end,
        {%- if grain != 'account' %}
        {{ grain }}_id,
        {%- endif %}
        reach,
        coalesce(frequency, {{ function('safe_div') }}(impressions, reach)) as frequency
    from {{ ref('stg_meta__insights_' ~ grain ~ '_period') }}
    {%- if is_incremental() %}
    where (account_id, period_start) in ({{ periods_in_build_scope(unit, [0, 1]) }})
    {%- endif %}

),
{%- endif %}

described as (

    select
        summed.account_id,
        summed.period_start,
        {%- for level in levels %}
        summed.{{ level }}_id,
        {{ level }}s.{{ level }}_name,
        {%- endfor %}
        framed.period_end,
        framed.days_with_data,
        summed.days_delivered,
        framed.is_complete,
        framed.is_complete and summed.is_mature as is_mature,
        summed.is_reconciled,
        accounts.client_id,
        accounts.client_name,
        accounts.account_name,
        coalesce(summed.currency, accounts.currency) as currency,
        accounts.time_zone,
        summed.attribution_setting,
        summed.data_as_of,
        summed.source,
        summed.spend,
        summed.impressions,
        {%- if is_converted %}
        people.reach,
        people.frequency,
        {%- endif %}
        summed.link_clicks,
        summed.clicks_all,
        summed.conversions,
        summed.conversion_value,
        {{ ratio_columns('summed') }},
        {%- if is_converted %}
        summed.reporting_currency,
        summed.spend_converted,
        summed.conversion_value_converted,
        {%- endif %}
        case when previous.account_id is not null then framed.previous_period_start end as previous_period_start,
        case when previous.account_id is not null then framed.comparison_days end as comparison_days,
        {{ previous_columns('previous') }}
    from summed
    inner join framed
        on summed.account_id = framed.account_id and summed.period_start = framed.period_start
    inner join {{ ref('dim_account') }} as accounts
        on summed.account_id = accounts.account_id
    {%- for level in levels %}
    left join {{ ref('dim_' ~ level) }} as {{ level }}s
        on summed.account_id = {{ level }}s.account_id and summed.{{ level }}_id = {{ level }}s.{{ level }}_id
    {%- endfor %}
    left join previous
        on
            summed.account_id = previous.account_id
            and summed.period_start = previous.period_start
            {%- if grain != 'account' %}
            and summed.{{ grain }}_id = previous.{{ grain }}_id
            {%- endif %}
    {%- if is_converted %}
    left join people
        on
            summed.account_id = people.account_id
            and summed.period_start = people.period_start
            and framed.period_end = people.period_end
            {%- if grain != 'account' %}
            and summed.{{ grain }}_id = people.{{ grain }}_id
            {%- endif %}
    {%- endif %}

)

select
    described.*,
    {{ change_columns('described') }}
from described
{%- endmacro %}
