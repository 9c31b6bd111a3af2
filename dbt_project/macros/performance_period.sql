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
        {{ period_start(unit, 'slices.day') }} as period_start,
        row_number() over (
            partition by slices.account_id, {{ period_start(unit, 'slices.day') }}
            order by slices.day
        ) as place
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

-- Up to the first gap the n-th pulled day is the n-th day of the period.
pulled as (

    select
        account_id,
        period_start,
        count(*)::int as days_with_data,
        (count(*) filter (where day - period_start + 1 = place))::int as days_without_gap,
        ({{ shifted_period(unit, 'period_start', 1) }} - period_start) as period_days,
        {{ shifted_period(unit, 'period_start', -1) }} as previous_period_start
    from pulled_days
    group by account_id, period_start

),

framed as (

    select
        pulled.account_id,
        pulled.period_start,
        pulled.period_start + pulled.period_days - 1 as period_end,
        pulled.days_with_data,
        pulled.days_with_data = pulled.period_days as is_complete,
        pulled.previous_period_start,
        compared.days as comparison_days,
        -- A gap on either side would look like a change.
        coalesce(
            pulled.days_with_data = pulled.days_without_gap and previous.days_without_gap >= compared.days, false
        ) as is_comparable
    from pulled
    left join pulled as previous
        on pulled.account_id = previous.account_id and pulled.previous_period_start = previous.period_start
    cross join lateral (
        select
            case
                when pulled.days_with_data = pulled.period_days then pulled.period_start - pulled.previous_period_start
                else least(pulled.days_with_data, pulled.period_start - pulled.previous_period_start)
            end as days
    ) as compared
    {%- if is_incremental() %}
    where (pulled.account_id, pulled.period_start) in ({{ periods_in_build_scope(unit, [0, 1]) }})
    {%- endif %}

),

-- Each day counts for its own period and, where it is compared with, for the next one. Reason for stacking and not
-- joining the sums: they would be joined on columns without statistics, and the planner would try every pair.
stacked as (

    select
        framed.period_start as summed_period,
        false as is_previous,
        days.*
    from framed
    inner join days
        on framed.account_id = days.account_id and framed.period_start = days.period_start

    union all

    select
        framed.period_start as summed_period,
        true as is_previous,
        days.*
    from framed
    inner join days
        on
            framed.account_id = days.account_id
            and framed.previous_period_start = days.period_start
            and days.day < framed.previous_period_start + framed.comparison_days
    where framed.is_comparable

),

summed as (

    select
        account_id,
        summed_period as period_start,
        {%- for level in levels[:-1] %}
        min({{ level }}_id) filter (where not is_previous) as {{ level }}_id,
        {%- endfor %}
        {%- if grain != 'account' %}
        {{ grain }}_id,
        {%- endif %}
        min(currency) filter (where not is_previous) as currency,
        case
            when
                min(attribution_setting) filter (where not is_previous)
                <> max(attribution_setting) filter (where not is_previous)
                then 'mixed'
            else min(attribution_setting) filter (where not is_previous)
        end as attribution_setting,
        (count(*) filter (where not is_previous))::int as days_delivered,
        bool_or(is_previous) as has_previous,
        bool_and(is_mature) filter (where not is_previous) as is_mature,
        bool_and(is_reconciled) filter (where not is_previous) as is_reconciled,
        min(data_as_of) filter (where not is_previous) as data_as_of,
        min(source) filter (where not is_previous) as source,
        {%- for measure in ['spend', 'impressions', 'link_clicks', 'clicks_all', 'conversions', 'conversion_value'] %}
        {%- set type = '::bigint' if measure in ['impressions', 'link_clicks', 'clicks_all'] else '' %}
        (sum({{ measure }}) filter (where not is_previous)){{ type }} as {{ measure }},
        (sum({{ measure }}) filter (where is_previous)){{ type }} as {{ measure }}_before
        {{- ',' if not loop.last or is_converted }}
        {%- endfor %}
        {%- if is_converted %}
        max(reporting_currency) filter (where not is_previous) as reporting_currency,
        -- A day without a rate makes the sum unknown, not smaller.
        case
            when
                count(spend_converted) filter (where not is_previous) = count(spend) filter (where not is_previous)
                then sum(spend_converted) filter (where not is_previous)
        end as spend_converted,
        case
            when
                count(conversion_value_converted) filter (where not is_previous)
                = count(conversion_value) filter (where not is_previous)
                then sum(conversion_value_converted) filter (where not is_previous)
        end as conversion_value_converted
        {%- endif %}
    from stacked
    group by
        account_id,
        summed_period
        {%- if grain != 'account' -%}
        ,
        {{ grain }}_id
        {%- endif %}
    having count(*) filter (where not is_previous) > 0

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
        case when summed.has_previous then framed.previous_period_start end as previous_period_start,
        case when summed.has_previous then framed.comparison_days end as comparison_days,
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
    cross join lateral (
        select
            {%- for measure in ['spend', 'impressions', 'link_clicks', 'conversions', 'conversion_value'] %}
            summed.{{ measure }}_before as {{ measure }}{{ ',' if not loop.last }}
            {%- endfor %}
    ) as previous
    {%- if is_converted %}
    left join people
        on
            summed.account_id = people.account_id
            and summed.period_start = people.period_start
            and framed.period_end = people.period_end
            -- Of a period with days missing here Meta's people would stand beside a part of their impressions.
            and framed.is_complete
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
