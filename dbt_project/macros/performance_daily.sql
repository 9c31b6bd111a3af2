{#-
    Daily performance at one grain. There is a table per grain so that nobody sums two of them into one number.

    Additive measures are summed up from ads. Reach and frequency are people, not events: they come from Meta's own
    report of this grain and are NULL where that report was not pulled. Ratios are computed from the sums.

    A row also holds the numbers of the same weekday a week before. When a day is replaced, the row a week later is
    therefore written anew with it, and three weeks' days are read: those of the scope, and a week around them.
-#}
{% macro performance_daily(grain) -%}
{%- set levels = levels_of(grain) -%}
{%- set report = {'account': 'account', 'campaign': 'campaign', 'ad_set': 'adset', 'ad': 'ad'}[grain] ~ '_daily' -%}
{%- set is_converted = grain in ['account', 'campaign'] -%}
with ad_days as (

    select * from {{ ref('fct_ad_day') }}
    {{ in_build_scope(shifts=[-7, 0, 7]) }}

),

summed as (

    select
        account_id,
        day,
        {%- for level in levels %}
        {{ level }}_id,
        {%- endfor %}
        min(currency) as currency,
        {{ attribution_setting_of_sum() }} as attribution_setting,
        bool_and(is_mature) as is_mature,
        min(pulled_at) as data_as_of,
        min(source) as source,
        sum(spend) as spend,
        sum(impressions)::bigint as impressions,
        -- Meta leaves out what did not happen. Zero is written only where silence can mean nothing else: the
        -- measure was asked for (reports of the API always ask for clicks), or the event's window was.
        case when min(source) = 'api' then coalesce(sum(link_clicks), 0) else sum(link_clicks) end::bigint
            as link_clicks,
        case when min(source) = 'api' then coalesce(sum(clicks_all), 0) else sum(clicks_all) end::bigint
            as clicks_all,
        case when bool_and(is_conversion_count_complete) then coalesce(sum(conversions), 0) else sum(conversions) end
            as conversions,
        case
            when bool_and(is_conversion_value_complete) then coalesce(sum(conversion_value), 0)
            else sum(conversion_value)
        end as conversion_value
        {%- if grain == 'ad' %},
        -- One row: people are summed over nothing.
        max(reach) as reach,
        max(frequency) as frequency
        {%- endif %}
    from ad_days
    group by
        account_id,
        day
        {%- for level in levels -%}
        ,
        {{ level }}_id
        {%- endfor %}

),

-- The row of seven days before, by a window: the planner takes a join of the sums with themselves for a few rows.
beside_week_before as (

    select
        summed.*,
        max(day) over week_before as previous_day
        {%- for measure in ['spend', 'impressions', 'link_clicks', 'conversions', 'conversion_value'] %},
        max({{ measure }}) over week_before as {{ measure }}_week_before
        {%- endfor %}
    from summed
    window week_before as (
        partition by account_id{{ ', ' ~ grain ~ '_id' if grain != 'account' }}
        order by day
        range between interval '7 days' preceding and interval '7 days' preceding
    )

),
{%- if grain != 'ad' %}

people as (

    select
        account_id,
        day,
        {%- if grain != 'account' %}
        {{ grain }}_id,
        {%- endif %}
        reach,
        coalesce(frequency, {{ function('safe_div') }}(impressions, reach)) as frequency
    from {{ ref('stg_meta__insights_' ~ report) }}
    {{ in_build_scope(shifts=[0, 7]) }}

),
{%- endif %}

described as (

    select
        summed.account_id,
        summed.day,
        {%- for level in levels %}
        summed.{{ level }}_id,
        {{ level }}s.{{ level }}_name,
        {%- endfor %}
        accounts.client_id,
        accounts.client_name,
        accounts.account_name,
        coalesce(summed.currency, accounts.currency) as currency,
        accounts.time_zone,
        summed.attribution_setting,
        summed.is_mature,
        coalesce(reconciliation.status = 'reconciled', false) as is_reconciled,
        reconciliation.status as reconciliation_status,
        summed.data_as_of,
        summed.source,
        summed.spend,
        summed.impressions,
        {{ 'summed' if grain == 'ad' else 'people' }}.reach,
        {{ 'summed' if grain == 'ad' else 'people' }}.frequency,
        summed.link_clicks,
        summed.clicks_all,
        summed.conversions,
        summed.conversion_value,
        {{ ratio_columns('summed') }},
        summed.previous_day,
        {{ previous_columns('previous') }}
        {%- if is_converted %},
        settings.reporting_currency
        {%- endif %}
    from beside_week_before as summed
    inner join {{ ref('dim_account') }} as accounts
        on summed.account_id = accounts.account_id
    {%- if is_converted %}
    left join {{ ref('stg_ops__client_accounts') }} as settings
        on summed.account_id = settings.account_id
    {%- endif %}
    {%- for level in levels %}
    left join {{ ref('dim_' ~ level) }} as {{ level }}s
        on summed.account_id = {{ level }}s.account_id and summed.{{ level }}_id = {{ level }}s.{{ level }}_id
    {%- endfor %}
    cross join lateral (
        select
            {%- for measure in ['spend', 'impressions', 'link_clicks', 'conversions', 'conversion_value'] %}
            summed.{{ measure }}_week_before as {{ measure }}{{ ',' if not loop.last }}
            {%- endfor %}
    ) as previous
    {%- if grain != 'ad' %}
    left join people
        on
            summed.account_id = people.account_id
            and summed.day = people.day
            {%- if grain != 'account' %}
            and summed.{{ grain }}_id = people.{{ grain }}_id
            {%- endif %}
    {%- endif %}
    left join {{ ref('mart_reconciliation') }} as reconciliation
        on summed.account_id = reconciliation.account_id and summed.day = reconciliation.day
    {{ in_build_scope(alias='summed', shifts=[0, 7]) }}

)

select
    described.*,
    {%- if is_converted %}
    trim_scale(described.spend * converted.rate) as spend_converted,
    trim_scale(described.conversion_value * converted.rate) as conversion_value_converted,
    {%- endif %}
    {{ change_columns('described') }}
from described
{%- if is_converted %}
{{ exchange_rate_join('described', 'described.reporting_currency') }}
cross join lateral (
    select
        case
            when described.reporting_currency = described.currency then 1 else newest_rate.rate
        end as rate
) as converted
{%- endif %}
{%- endmacro %}
