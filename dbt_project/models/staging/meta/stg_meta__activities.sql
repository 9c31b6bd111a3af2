-- Meta's change log, an event a row, in the project's vocabulary. Values are text, money in minor units.
-- Reason for reading the level from the event's type: Meta's object types are older than its names (`CAMPAIGN` is an ad
-- set there), and it writes words in the language of whoever owns the token.
with events as (

    select
        account_id,
        object_id,
        event_time,
        event_type,
        event_key,
        payload ->> 'object_name' as object_name,
        payload ->> 'actor_name' as actor_name,
        -- A JSON document as text; a text that is none (against the protocol) says nothing.
        case
            when jsonb_typeof(payload -> 'extra_data') = 'object' then payload -> 'extra_data'
            when pg_input_is_valid(payload ->> 'extra_data', 'jsonb') then (payload ->> 'extra_data')::jsonb
        end as extra,
        pulled_at,
        run_id
    from {{ source('raw', 'activities') }}

),

named as (

    select
        *,
        case
            when event_type like 'update\_campaign\_%' or event_type like 'create\_campaign%' then 'campaign'
            when event_type like 'update\_ad\_set\_%' or event_type = 'create_ad_set' then 'ad_set'
            when event_type like 'update\_ad\_%' or event_type in ('create_ad', 'edit_and_update_ad_creative') then 'ad'
        end as object_level,
        event_type in ('create_campaign_group', 'create_campaign_legacy', 'create_ad_set', 'create_ad') as is_creation,
        case event_type
            when 'update_campaign_budget' then 'budget'
            when 'update_ad_set_budget' then 'budget'
            when 'update_campaign_run_status' then 'status'
            when 'update_ad_set_run_status' then 'status'
            when 'update_ad_run_status' then 'status'
            when 'update_campaign_name' then 'name'
            when 'update_ad_set_name' then 'name'
            when 'update_ad_friendly_name' then 'name'
            when 'update_ad_set_target_spec' then 'targeting'
            when 'update_ad_targets_spec' then 'targeting'
            when 'update_ad_set_targeting' then 'targeting'
            when 'update_ad_set_bid_strategy' then 'bid_strategy'
            when 'update_campaign_bid_strategy' then 'bid_strategy'
            when 'update_ad_set_bidding' then 'bid_amount'
            when 'update_ad_set_optimization_goal' then 'optimization_goal'
            when 'update_campaign_group_spend_cap' then 'spend_cap'
            when 'update_campaign_spend_cap' then 'spend_cap'
            when 'update_ad_creative' then 'creative'
            when 'edit_and_update_ad_creative' then 'creative'
            when 'update_ad_set_duration' then 'schedule'
            when 'update_campaign_schedule' then 'schedule'
        end as topic,
        -- Money comes wrapped: {"old_value": {"type": "payment_amount", "old_value": 5000, ...}, ...}.
        case jsonb_typeof(extra -> 'old_value')
            when 'object' then extra #> '{old_value,old_value}'
            else extra -> 'old_value'
        end as old_json,
        case jsonb_typeof(extra -> 'new_value')
            when 'object' then extra #> '{new_value,new_value}'
            else extra -> 'new_value'
        end as new_json,
        lower(coalesce(extra ->> 'type', '') || ' ' || coalesce(extra #>> '{new_value,additional_value}', ''))
            as kind_of_value
    from events

),

valued as (

    select
        *,
        nullif(old_json #>> '{}', '') as old_text,
        nullif(new_json #>> '{}', '') as new_text
    from named

)

select
    account_id,
    object_id,
    object_level,
    event_time,
    event_type,
    event_key,
    is_creation,
    object_name,
    actor_name,
    case
        -- `budget`: Meta did not say which of the two; the object itself shows which one it has.
        when topic = 'budget' and kind_of_value like '%lifetime%' then 'lifetime_budget'
        when topic = 'budget' and (kind_of_value like '%daily%' or kind_of_value like '%per day%') then 'daily_budget'
        -- `run_status`: a step of Meta's own (review) or a word of another language, which nobody can compare.
        when
            topic = 'status'
            and num_nulls({{ plain_status('old_text') }}, {{ plain_status('new_text') }}) > 0
            then 'run_status'
        else topic
    end as attribute,
    case
        when topic = 'status' then coalesce({{ plain_status('old_text') }}, old_text)
        when topic in ('budget', 'bid_amount', 'spend_cap') then {{ amount_or_nothing('old_text') }}
        else old_text
    end as old_value,
    case
        when topic = 'status' then coalesce({{ plain_status('new_text') }}, new_text)
        when topic in ('budget', 'bid_amount', 'spend_cap') then {{ amount_or_nothing('new_text') }}
        else new_text
    end as new_value,
    pulled_at,
    run_id
from valued
