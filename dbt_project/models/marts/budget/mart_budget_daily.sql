{{ config(incremental_strategy='onward_replace') }}

-- Who holds a budget on which day, and what was spent of it. The holder is the campaign where it has a budget (Meta
-- then shares it out), else the ad set.
with first_days as (

    {{ first_days_to_build() }}

),

pulled_days as (

    select
        account_id,
        day,
        pulled_at,
        row_number() over (partition by account_id order by day) as day_number
    from {{ ref('stg_ops__slices') }}
    where report = 'ad_daily'

),

-- Six days more than are written, for the seven that a row looks back at.
account_days as (

    select
        pulled_days.account_id,
        pulled_days.day,
        pulled_days.pulled_at,
        pulled_days.day_number,
        first_days.first_day,
        accounts.time_zone,
        {{ end_of_day('(pulled_days.day - 1)', 'accounts.time_zone') }} as day_starts_at,
        {{ end_of_day('pulled_days.day', 'accounts.time_zone') }} as day_ends_at
    from pulled_days
    inner join first_days
        on pulled_days.account_id = first_days.account_id and pulled_days.day >= first_days.first_day - 6
    inner join {{ ref('dim_account') }} as accounts
        on pulled_days.account_id = accounts.account_id

),

campaigns as (

    select
        account_days.account_id,
        account_days.day,
        history.campaign_id,
        history.status,
        history.daily_budget,
        history.lifetime_budget,
        history.starts_at,
        history.ends_at,
        history.is_extrapolated,
        num_nonnulls(history.daily_budget, history.lifetime_budget) > 0 as is_holder,
        history.status = 'ACTIVE'
        and coalesce(history.starts_at < account_days.day_ends_at, true)
        and coalesce(history.ends_at > account_days.day_starts_at, true) as is_active
    from account_days
    inner join {{ ref('dim_campaign_history') }} as history
        on
            account_days.account_id = history.account_id
            and {{ as_of_day('history', 'account_days.day', 'account_days.time_zone') }}

),

ad_sets as (

    select
        account_days.account_id,
        account_days.day,
        history.campaign_id,
        history.ad_set_id,
        history.status,
        history.daily_budget,
        history.lifetime_budget,
        history.starts_at,
        history.ends_at,
        history.is_extrapolated,
        num_nonnulls(history.daily_budget, history.lifetime_budget) > 0 as is_holder,
        history.status = 'ACTIVE'
        and coalesce(history.starts_at < account_days.day_ends_at, true)
        and coalesce(history.ends_at > account_days.day_starts_at, true) as is_active
    from account_days
    inner join {{ ref('dim_ad_set_history') }} as history
        on
            account_days.account_id = history.account_id
            and {{ as_of_day('history', 'account_days.day', 'account_days.time_zone') }}

),

holders as (

    select
        account_id,
        day,
        'campaign' as holder_level,
        campaign_id as holder_id,
        campaign_id,
        status,
        is_active,
        daily_budget,
        lifetime_budget,
        starts_at,
        ends_at,
        is_extrapolated
    from campaigns
    where is_holder

    union all

    select
        ad_sets.account_id,
        ad_sets.day,
        'ad_set' as holder_level,
        ad_sets.ad_set_id as holder_id,
        ad_sets.campaign_id,
        ad_sets.status,
        ad_sets.is_active and coalesce(campaigns.is_active, true) as is_active,
        ad_sets.daily_budget,
        ad_sets.lifetime_budget,
        ad_sets.starts_at,
        ad_sets.ends_at,
        ad_sets.is_extrapolated
    from ad_sets
    left join campaigns
        on
            ad_sets.account_id = campaigns.account_id
            and ad_sets.day = campaigns.day
            and ad_sets.campaign_id = campaigns.campaign_id
    where ad_sets.is_holder and not coalesce(campaigns.is_holder, false)

),

ad_set_spend as (

    select
        facts.account_id,
        facts.day,
        facts.campaign_id,
        facts.ad_set_id,
        sum(facts.spend) as spend
    from {{ ref('fct_ad_day') }} as facts
    inner join account_days
        on facts.account_id = account_days.account_id and facts.day = account_days.day
    group by facts.account_id, facts.day, facts.campaign_id, facts.ad_set_id

),

spend_by_holder as (

    select
        ad_set_spend.account_id,
        ad_set_spend.day,
        case when campaigns.is_holder then 'campaign' else 'ad_set' end as holder_level,
        case when campaigns.is_holder then ad_set_spend.campaign_id else ad_set_spend.ad_set_id end as holder_id,
        min(ad_set_spend.campaign_id) as campaign_id,
        sum(ad_set_spend.spend) as spend
    from ad_set_spend
    left join campaigns
        on
            ad_set_spend.account_id = campaigns.account_id
            and ad_set_spend.day = campaigns.day
            and ad_set_spend.campaign_id = campaigns.campaign_id
    group by
        ad_set_spend.account_id,
        ad_set_spend.day,
        case when campaigns.is_holder then 'campaign' else 'ad_set' end,
        case when campaigns.is_holder then ad_set_spend.campaign_id else ad_set_spend.ad_set_id end

),

-- FULL JOIN: a holder that spent nothing has its budget all the same, and money is spent by what nobody knows any more.
-- What could not deliver and did not spend is left out: archives would fill every day.
held as (

    select
        coalesce(holders.account_id, spends.account_id) as account_id,
        coalesce(holders.day, spends.day) as day,
        coalesce(holders.holder_level, spends.holder_level) as holder_level,
        coalesce(holders.holder_id, spends.holder_id) as holder_id,
        coalesce(holders.campaign_id, spends.campaign_id) as campaign_id,
        holders.status,
        coalesce(holders.is_active, false) as is_active,
        case
            when holders.lifetime_budget is not null then 'lifetime'
            when holders.daily_budget is not null then 'daily'
            else 'unknown'
        end as budget_kind,
        holders.daily_budget,
        holders.lifetime_budget,
        holders.starts_at,
        holders.ends_at,
        holders.is_extrapolated as is_budget_extrapolated,
        -- The day was pulled: a holder without a row spent nothing. A row without spend (a file) stays unknown.
        case when spends.holder_id is null then 0 else spends.spend end as spend
    from holders
    full outer join spend_by_holder as spends
        on
            holders.account_id = spends.account_id
            and holders.day = spends.day
            and holders.holder_level = spends.holder_level
            and holders.holder_id = spends.holder_id
    where holders.is_active or spends.holder_id is not null

),

looked_back as (

    select
        *,
        sum(spend) filter (where daily_budget is not null) over last_seven_days as spend_7d,
        sum(daily_budget) filter (where spend is not null) over last_seven_days as daily_budget_7d
    from held
    window last_seven_days as (
        partition by account_id, holder_level, holder_id
        order by day
        range between interval '6 days' preceding and current row
    )

),

budget_changes as (

    select
        changes.account_id,
        changes.object_level,
        changes.object_id,
        (changes.changed_at at time zone accounts.time_zone)::date as day,
        count(*) as budget_changes
    from {{ ref('int_object_changes') }} as changes
    inner join {{ ref('dim_account') }} as accounts
        on changes.account_id = accounts.account_id
    where changes.attribute in ('daily_budget', 'lifetime_budget')
    group by
        changes.account_id,
        changes.object_level,
        changes.object_id,
        (changes.changed_at at time zone accounts.time_zone)::date

),

carried as (

    {{ lifetime_spend_before_first_days() }}

),

written as (

    select
        looked_back.*,
        account_days.day_number,
        account_days.pulled_at,
        account_days.time_zone,
        (looked_back.starts_at at time zone account_days.time_zone)::date as start_day,
        -- An end at midnight leaves no part of the day that begins with it.
        ((looked_back.ends_at - interval '1 second') at time zone account_days.time_zone)::date as end_day,
        sum(looked_back.spend) filter (where looked_back.budget_kind = 'lifetime') over (
            partition by looked_back.account_id, looked_back.holder_level, looked_back.holder_id
            order by looked_back.day
        ) as lifetime_spend_since_first_day
    from looked_back
    inner join account_days
        on
            looked_back.account_id = account_days.account_id
            and looked_back.day = account_days.day
            and account_days.first_day <= account_days.day

),

measured as (

    select
        written.*,
        case
            when written.budget_kind = 'lifetime'
                then coalesce(carried.lifetime_spend_to_date, 0) + coalesce(written.lifetime_spend_since_first_day, 0)
        end as lifetime_spend_to_date,
        -- Whether every day since the start was pulled; else the spend to date is too small to subtract from.
        coalesce(written.day_number - starts.day_number = written.day - written.start_day, false)
            as is_pulled_since_start,
        {{ not_below_zero('written.end_day - written.day') }} as days_to_end
    from written
    left join carried
        on
            written.account_id = carried.account_id
            and written.holder_level = carried.holder_level
            and written.holder_id = carried.holder_id
    left join pulled_days as starts
        on written.account_id = starts.account_id and written.start_day = starts.day

),

remaining as (

    select
        *,
        case
            when budget_kind = 'lifetime' and is_pulled_since_start
                then lifetime_budget - lifetime_spend_to_date
        end as lifetime_remaining
    from measured

)

select
    remaining.account_id,
    remaining.day,
    remaining.holder_level,
    remaining.holder_id,
    case remaining.holder_level
        when 'campaign' then campaigns_today.campaign_name
        else ad_sets_today.ad_set_name
    end as holder_name,
    remaining.campaign_id,
    campaigns_today.campaign_name,
    accounts.client_id,
    accounts.client_name,
    accounts.account_name,
    accounts.currency,
    remaining.status,
    remaining.is_active,
    remaining.budget_kind,
    remaining.daily_budget,
    remaining.lifetime_budget,
    remaining.is_budget_extrapolated,
    coalesce(budget_changes.budget_changes, 0)::integer as budget_changes,
    remaining.spend,
    {{ function('safe_div') }}(remaining.spend, remaining.daily_budget) as budget_utilisation,
    remaining.spend_7d,
    remaining.daily_budget_7d,
    {{ function('safe_div') }}(remaining.spend_7d, remaining.daily_budget_7d) as budget_utilisation_7d,
    remaining.lifetime_spend_to_date,
    remaining.lifetime_remaining,
    case when remaining.budget_kind = 'lifetime' then remaining.days_to_end end as days_left,
    {{ function('safe_div') }}({{ not_below_zero('remaining.lifetime_remaining') }}, remaining.days_to_end)
        as needed_per_day,
    remaining.pulled_at as data_as_of
from remaining
inner join {{ ref('dim_account') }} as accounts
    on remaining.account_id = accounts.account_id
left join {{ ref('dim_campaign') }} as campaigns_today
    on remaining.account_id = campaigns_today.account_id and remaining.campaign_id = campaigns_today.campaign_id
left join {{ ref('dim_ad_set') }} as ad_sets_today
    on
        remaining.account_id = ad_sets_today.account_id
        and remaining.holder_id = ad_sets_today.ad_set_id
        and remaining.holder_level = 'ad_set'
left join budget_changes
    on
        remaining.account_id = budget_changes.account_id
        and remaining.holder_level = budget_changes.object_level
        and remaining.holder_id = budget_changes.object_id
        and remaining.day = budget_changes.day
