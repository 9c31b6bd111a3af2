{{ config(incremental_strategy='trailing_week_replace') }}

-- How each ad was delivered on a day, and what stands in its way: status and learning phase as of the day's end, Meta's
-- rankings, edits that make Meta learn anew.
with ad_days as (

    select
        account_id,
        day,
        campaign_id,
        ad_set_id,
        ad_id,
        spend,
        impressions,
        reach,
        frequency,
        quality_ranking,
        engagement_rate_ranking,
        conversion_rate_ranking,
        pulled_at,
        -- The ad set's, over its ads and the seven days that end with this one. Zero only where silence can mean
        -- nothing else on every day (see performance_daily).
        case
            when bool_and(is_conversion_count_complete) over last_seven_days
                then coalesce(sum(conversions) over last_seven_days, 0)
            else sum(conversions) over last_seven_days
        end as conversions_7d
    from {{ ref('fct_ad_day') }}
    {{ in_trailing_week(before=6) }}
    window last_seven_days as (
        partition by account_id, ad_set_id
        order by day
        range between interval '6 days' preceding and current row
    )

),

edit_days as (

    select distinct
        changes.account_id,
        changes.object_level,
        changes.object_id,
        (changes.changed_at at time zone accounts.time_zone)::date as edited_on
    from {{ ref('int_object_changes') }} as changes
    inner join {{ ref('dim_account') }} as accounts
        on changes.account_id = accounts.account_id
    where {{ is_significant_edit('changes.attribute', 'changes.new_value') }}

),

-- The last edit as of any day: each holds until the next one.
last_edits as (

    select
        *,
        lead(edited_on) over (partition by account_id, object_level, object_id order by edited_on) as next_edited_on
    from edit_days

),

described as (

    select
        ad_days.account_id,
        ad_days.day,
        ad_days.campaign_id,
        ad_days.ad_set_id,
        ad_days.ad_id,
        ad_days.spend,
        ad_days.impressions,
        ad_days.reach,
        ad_days.frequency,
        ad_days.pulled_at,
        -- Own status and the parents' first: Meta does not list a child as changed when its parent is paused, so what
        -- it made of the child is stale then.
        case
            when ads.status <> 'ACTIVE' then ads.status
            when ad_sets.status = 'PAUSED' then 'ADSET_PAUSED'
            when ad_sets.status <> 'ACTIVE' then ad_sets.status
            when campaigns.status = 'PAUSED' then 'CAMPAIGN_PAUSED'
            when campaigns.status <> 'ACTIVE' then campaigns.status
            when ads.effective_status in ('PAUSED', 'ADSET_PAUSED', 'CAMPAIGN_PAUSED', 'ARCHIVED', 'DELETED')
                then 'ACTIVE'
            else coalesce(ads.effective_status, ads.status)
        end as effective_status,
        ad_sets.learning_status,
        ad_days.quality_ranking,
        ad_days.engagement_rate_ranking,
        ad_days.conversion_rate_ranking,
        {{ ranking_ordinal('ad_days.quality_ranking') }} as quality_ranking_ordinal,
        {{ ranking_ordinal('ad_days.engagement_rate_ranking') }} as engagement_rate_ranking_ordinal,
        {{ ranking_ordinal('ad_days.conversion_rate_ranking') }} as conversion_rate_ranking_ordinal,
        ad_days.conversions_7d,
        greatest(ad_edits.edited_on, ad_set_edits.edited_on, campaign_edits.edited_on) as last_edited_on
    from ad_days
    inner join {{ ref('dim_account') }} as accounts
        on ad_days.account_id = accounts.account_id
    left join {{ ref('dim_ad_history') }} as ads
        on
            ad_days.account_id = ads.account_id
            and ad_days.ad_id = ads.ad_id
            and {{ as_of_day('ads', 'ad_days.day', 'accounts.time_zone') }}
    left join {{ ref('dim_ad_set_history') }} as ad_sets
        on
            ad_days.account_id = ad_sets.account_id
            and ad_days.ad_set_id = ad_sets.ad_set_id
            and {{ as_of_day('ad_sets', 'ad_days.day', 'accounts.time_zone') }}
    left join {{ ref('dim_campaign_history') }} as campaigns
        on
            ad_days.account_id = campaigns.account_id
            and ad_days.campaign_id = campaigns.campaign_id
            and {{ as_of_day('campaigns', 'ad_days.day', 'accounts.time_zone') }}
    left join last_edits as ad_edits
        on
            ad_days.account_id = ad_edits.account_id
            and ad_edits.object_level = 'ad'
            and ad_days.ad_id = ad_edits.object_id
            and ad_days.day >= ad_edits.edited_on
            and coalesce(ad_days.day < ad_edits.next_edited_on, true)
    left join last_edits as ad_set_edits
        on
            ad_days.account_id = ad_set_edits.account_id
            and ad_set_edits.object_level = 'ad_set'
            and ad_days.ad_set_id = ad_set_edits.object_id
            and ad_days.day >= ad_set_edits.edited_on
            and coalesce(ad_days.day < ad_set_edits.next_edited_on, true)
    left join last_edits as campaign_edits
        on
            ad_days.account_id = campaign_edits.account_id
            and campaign_edits.object_level = 'campaign'
            and ad_days.campaign_id = campaign_edits.object_id
            and ad_days.day >= campaign_edits.edited_on
            and coalesce(ad_days.day < campaign_edits.next_edited_on, true)
    {{ in_trailing_week('ad_days') }}

),

judged as (

    select
        *,
        day - last_edited_on as days_since_last_edit,
        {{ function('safe_div') }}(conversions_7d, 50) as learning_progress,
        case
            when effective_status in ('DISAPPROVED', 'WITH_ISSUES', 'PENDING_BILLING_INFO', 'PENDING_REVIEW')
                then 'blocked'
            when effective_status in ('PAUSED', 'ADSET_PAUSED', 'CAMPAIGN_PAUSED', 'ARCHIVED', 'DELETED')
                then 'stopped'
            when learning_status in ('FAIL', 'LEARNING_LIMITED') then 'learning_limited'
            when learning_status = 'LEARNING' then 'learning'
            when
                least(
                    quality_ranking_ordinal, engagement_rate_ranking_ordinal, conversion_rate_ranking_ordinal
                ) <= 3
                then 'below_average'
            -- Three times a day to the same person is where showing it more seldom pays.
            when frequency >= 3 then 'high_frequency'
            when effective_status is null then 'unknown'
            else 'healthy'
        end as health
    from described

)

select
    judged.account_id,
    judged.day,
    judged.campaign_id,
    campaigns_today.campaign_name,
    judged.ad_set_id,
    ad_sets_today.ad_set_name,
    judged.ad_id,
    ads_today.ad_name,
    accounts.client_id,
    accounts.client_name,
    accounts.account_name,
    accounts.currency,
    judged.effective_status,
    judged.learning_status,
    judged.spend,
    judged.impressions,
    judged.reach,
    judged.frequency,
    judged.quality_ranking,
    judged.quality_ranking_ordinal,
    judged.engagement_rate_ranking,
    judged.engagement_rate_ranking_ordinal,
    judged.conversion_rate_ranking,
    judged.conversion_rate_ranking_ordinal,
    judged.conversions_7d as ad_set_conversions_7d,
    judged.learning_progress,
    judged.last_edited_on,
    judged.days_since_last_edit,
    judged.health,
    case judged.health
        when 'blocked' then format('Meta says %s', judged.effective_status)
        when 'stopped' then format('not running at the end of the day (%s)', judged.effective_status)
        when 'learning_limited'
            then format(
                'Meta says learning limited; %s of about 50 conversions in 7 days',
                coalesce(round(judged.conversions_7d)::text, 'unknown')
            )
        when 'learning'
            then format(
                'Meta is learning%s; %s of about 50 conversions in 7 days',
                ', last edited ' || judged.days_since_last_edit || ' days ago',
                coalesce(round(judged.conversions_7d)::text, 'unknown')
            )
        when 'below_average'
            then concat_ws(
                ', ',
                case when judged.quality_ranking_ordinal <= 3 then 'quality ' || judged.quality_ranking end,
                case
                    when judged.engagement_rate_ranking_ordinal <= 3
                        then 'engagement rate ' || judged.engagement_rate_ranking
                end,
                case
                    when judged.conversion_rate_ranking_ordinal <= 3
                        then 'conversion rate ' || judged.conversion_rate_ranking
                end
            )
        when 'high_frequency'
            then format('shown %s times to a person that day', round(judged.frequency, 1))
        when 'unknown' then 'Meta does not list this ad'
        else 'running, nothing known in its way'
    end as health_reason,
    judged.pulled_at as data_as_of
from judged
inner join {{ ref('dim_account') }} as accounts
    on judged.account_id = accounts.account_id
left join {{ ref('dim_campaign') }} as campaigns_today
    on judged.account_id = campaigns_today.account_id and judged.campaign_id = campaigns_today.campaign_id
left join {{ ref('dim_ad_set') }} as ad_sets_today
    on judged.account_id = ad_sets_today.account_id and judged.ad_set_id = ad_sets_today.ad_set_id
left join {{ ref('dim_ad') }} as ads_today
    on judged.account_id = ads_today.account_id and judged.ad_id = ads_today.ad_id
