-- Every action and action value of an ad and day, by attribution window. Counts and values are stacked first and
-- aggregated afterwards: a value whose action Meta left out survives, where a join from actions to values loses it.
-- Reason for the lateral aggregate: an ad's day is one raw row, so nothing needs to be sorted across rows (twenty
-- million of them in a full build), and a build's scope reaches the raw table's index.
select
    insights.account_id,
    insights.day,
    insights.ad_id,
    totals.action_type,
    totals.attribution_window,
    totals.actions,
    totals.action_value
from {{ ref('stg_meta__insights_ad_daily') }} as insights
cross join lateral jsonb_to_record(insights.payload) as arrays (actions jsonb, action_values jsonb)
cross join
    lateral (
        select
            stacked.element ->> 'action_type' as action_type,
            case named.name when 'value' then 'default' else named.name end as attribution_window,
            sum(named.total::numeric) filter (where stacked.is_count) as actions,
            sum(named.total::numeric) filter (where not stacked.is_count) as action_value
        from (
            select
                element,
                true as is_count
            from {{ elements('arrays.actions') }}

            union all

            select
                element,
                false as is_count
            from {{ elements('arrays.action_values') }}
        ) as stacked
        cross join lateral jsonb_each_text(stacked.element) as named (name, total)
        -- Besides its windows an element carries the action breakdowns that were asked for (`action_device`, ...),
        -- which are text. Windows begin with their number of days, but for a few.
        where
            named.name = 'value'
            or left(named.name, 1) between '1' and '9'
            or left(named.name, 14) = 'incrementality'
            or left(named.name, 3) = 'dda'
        group by 1, 2
    ) as totals
where totals.action_type is not null
