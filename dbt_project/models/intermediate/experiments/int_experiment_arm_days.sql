{{ experiment_step(['account_id', 'experiment_id', 'arm_id', 'day']) }}

-- Each arm on each day of its experiment that was pulled, delivery or not. Absent is read as zero only where silence
-- can mean nothing else: the API was asked for it, or the imported file has the column on another day.
with slices as (

    select
        experiments.account_id,
        experiments.experiment_id,
        arms.arm_id,
        arms.arm_account_id,
        slices.day,
        slices.source,
        accounts.currency,
        {{ is_mature('slices.pulled_at', 'accounts.time_zone', 'slices.day') }} as is_mature,
        coalesce(reconciliation.status = 'reconciled', false) as is_reconciled
    from {{ ref('int_experiments') }} as experiments
    inner join {{ ref('int_experiment_arms') }} as arms
        on experiments.account_id = arms.account_id and experiments.experiment_id = arms.experiment_id
    inner join {{ ref('dim_account') }} as accounts
        on arms.arm_account_id = accounts.account_id
    inner join {{ ref('stg_ops__slices') }} as slices
        on
            arms.arm_account_id = slices.account_id
            and slices.report = 'ad_daily'
            and slices.day between experiments.since and coalesce(experiments.until, 'infinity'::date)
    left join {{ ref('mart_reconciliation') }} as reconciliation
        on slices.account_id = reconciliation.account_id and slices.day = reconciliation.day

),

delivered as (

    select
        ads.account_id,
        ads.experiment_id,
        ads.arm_id,
        facts.day,
        sum(facts.spend) as spend,
        sum(facts.impressions) as impressions,
        sum(facts.link_clicks) as link_clicks,
        sum(facts.conversions) as conversions,
        sum(facts.conversion_value) as conversion_value,
        bool_and(facts.is_conversion_count_complete) as is_conversion_count_complete,
        bool_and(facts.is_conversion_value_complete) as is_conversion_value_complete
    from {{ ref('int_experiment_ads') }} as ads
    inner join {{ ref('int_experiments') }} as experiments
        on ads.account_id = experiments.account_id and ads.experiment_id = experiments.experiment_id
    inner join {{ ref('fct_ad_day') }} as facts
        on
            ads.arm_account_id = facts.account_id
            and ads.ad_id = facts.ad_id
            and facts.day between experiments.since and coalesce(experiments.until, 'infinity'::date)
    group by ads.account_id, ads.experiment_id, ads.arm_id, facts.day

),

joined as (

    select
        slices.*,
        coalesce(delivered.spend, 0) as spend,
        coalesce(delivered.impressions, 0) as impressions,
        case when slices.source = 'api' then coalesce(delivered.link_clicks, 0) else delivered.link_clicks end
            as link_clicks,
        case
            when delivered.is_conversion_count_complete then coalesce(delivered.conversions, 0)
            else delivered.conversions
        end as conversions,
        case
            when delivered.is_conversion_value_complete then coalesce(delivered.conversion_value, 0)
            else delivered.conversion_value
        end as conversion_value
    from slices
    left join delivered
        on
            slices.account_id = delivered.account_id
            and slices.experiment_id = delivered.experiment_id
            and slices.arm_id = delivered.arm_id
            and slices.day = delivered.day

)

select
    account_id,
    experiment_id,
    arm_id,
    arm_account_id,
    day,
    currency,
    is_mature,
    is_reconciled,
    spend,
    impressions::bigint as impressions,
    case
        when source = 'import' and count(link_clicks) over experiment > 0 then coalesce(link_clicks, 0)
        else link_clicks
    end::bigint as link_clicks,
    case
        when source = 'import' and count(conversions) over experiment > 0 then coalesce(conversions, 0)
        else conversions
    end as conversions,
    case
        when source = 'import' and count(conversion_value) over experiment > 0 then coalesce(conversion_value, 0)
        else conversion_value
    end as conversion_value
from joined
window experiment as (partition by account_id, experiment_id)
