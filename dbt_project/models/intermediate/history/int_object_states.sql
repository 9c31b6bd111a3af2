{{ config(
    materialized='incremental',
    incremental_strategy='mirror',
    unique_key=['account_id', 'object_level', 'object_id', 'valid_from'],
    post_hook='{{ analyze_if_changed() }}'
) }}

-- What every object was, from its creation until now: ranges without gaps. Amounts are minor units.
--
-- Three kinds of points in time make the ranges. A snapshot's version is the whole content, and is right. Meta's log
-- changes one attribute of what was before. The start is the first version with the logged changes taken back, which is
-- as far as anybody can know it.
--
-- A table, since four histories read it.
with first_versions as (

    select * from {{ ref('int_object_versions') }}
    where previously_observed_at is null

),

logged_before as (

    select
        first_versions.account_id,
        first_versions.object_level,
        first_versions.object_id,
        logged.attribute,
        logged.changed_at,
        logged.old_value
    from first_versions
    inner join {{ ref('int_activity_changes') }} as logged
        on
            first_versions.account_id = logged.account_id
            and first_versions.object_level = logged.object_level
            and first_versions.object_id = logged.object_id
            and first_versions.observed_at >= logged.changed_at
    where logged.is_comparable

),

first_values as (

    select distinct on (account_id, object_level, object_id, attribute)
        account_id,
        object_level,
        object_id,
        attribute,
        changed_at,
        old_value
    from logged_before
    order by account_id, object_level, object_id, attribute, changed_at

),

taken_back as (

    select
        account_id,
        object_level,
        object_id,
        min(changed_at) as first_changed_at,
        jsonb_object_agg(attribute, old_value) as content
    from first_values
    group by account_id, object_level, object_id

),

creations as (

    select
        account_id,
        object_level,
        object_id,
        min(event_time) as created_at
    from {{ ref('stg_meta__activities') }}
    where is_creation and object_id is not null
    group by account_id, object_level, object_id

),

-- Within a minute of each other, the log's time and the object's own are one change.
versions_with_log as (

    select
        versions.*,
        max(logged.changed_at) as last_logged_at
    from {{ ref('int_object_versions') }} as versions
    left join {{ ref('int_activity_changes') }} as logged
        on
            versions.account_id = logged.account_id
            and versions.object_level = logged.object_level
            and versions.object_id = logged.object_id
            and versions.previously_observed_at < logged.changed_at
            and versions.observed_at >= logged.changed_at
    group by
        versions.account_id,
        versions.object_level,
        versions.object_id,
        versions.observed_at,
        versions.previously_observed_at,
        versions.last_pulled_at,
        versions.created_at,
        versions.content,
        versions.previous_content,
        versions.began_at

),

-- What is listed now is right, whatever the log said before it.
newest_versions as (

    select distinct on (account_id, object_level, object_id) *
    from {{ ref('int_object_versions') }}
    order by account_id asc, object_level asc, object_id asc, observed_at desc

),

points as (

    select
        first_versions.account_id,
        first_versions.object_level,
        first_versions.object_id,
        least(
            coalesce(first_versions.created_at, creations.created_at, '1970-01-01 00:00:00+00'),
            first_versions.observed_at,
            taken_back.first_changed_at
        ) as happened_at,
        0 as step,
        null::text as attribute,
        null::text as new_value,
        -- What Meta makes of an object was never logged; before the first look it is unknown.
        first_versions.content
        || coalesce(taken_back.content, '{}')
        || jsonb_build_object('effective_status', null, 'learning_status', null) as content,
        case when creations.object_id is null then 'extrapolated' else 'activity' end as source,
        false as is_first_look
    from first_versions
    left join taken_back
        on
            first_versions.account_id = taken_back.account_id
            and first_versions.object_level = taken_back.object_level
            and first_versions.object_id = taken_back.object_id
    left join creations
        on
            first_versions.account_id = creations.account_id
            and first_versions.object_level = creations.object_level
            and first_versions.object_id = creations.object_id

    union all

    select
        logged.account_id,
        logged.object_level,
        logged.object_id,
        logged.changed_at as happened_at,
        1 as step,
        logged.attribute,
        logged.new_value,
        null as content,
        'activity' as source,
        false as is_first_look
    from {{ ref('int_activity_changes') }} as logged
    inner join first_versions
        on
            logged.account_id = first_versions.account_id
            and logged.object_level = first_versions.object_level
            and logged.object_id = first_versions.object_id
    where logged.is_comparable

    union all

    select
        account_id,
        object_level,
        object_id,
        case
            when previously_observed_at is null then observed_at
            when last_logged_at is null then began_at
            when began_at = observed_at then last_logged_at
            when began_at - last_logged_at < interval '1 minute' then last_logged_at
            else began_at
        end as happened_at,
        2 as step,
        null as attribute,
        null as new_value,
        content,
        'snapshot' as source,
        previously_observed_at is null as is_first_look
    from versions_with_log

    union all

    select
        account_id,
        object_level,
        object_id,
        last_pulled_at as happened_at,
        3 as step,
        null as attribute,
        null as new_value,
        content,
        'snapshot' as source,
        false as is_first_look
    from newest_versions
    where last_pulled_at > observed_at

),

numbered as (

    select
        *,
        count(content) over (
            partition by account_id, object_level, object_id
            order by happened_at, step, attribute, new_value
            rows unbounded preceding
        ) as whole_number
    from points

),

accumulated as (

    select
        account_id,
        object_level,
        object_id,
        happened_at,
        step,
        attribute,
        new_value,
        source,
        is_first_look,
        first_value(content) over since_whole
        || coalesce(
            jsonb_object_agg(attribute, new_value) filter (where attribute is not null) over since_whole, '{}'
        ) as content
    from numbered
    window since_whole as (
        partition by account_id, object_level, object_id, whole_number
        order by happened_at, step, attribute, new_value
        rows unbounded preceding
    )

),

moments as (

    select distinct on (account_id, object_level, object_id, happened_at)
        account_id,
        object_level,
        object_id,
        happened_at,
        content,
        bool_or(is_first_look) over at_once as is_first_look,
        case
            when bool_or(source = 'activity') over at_once then 'activity'
            when bool_or(source = 'snapshot') over at_once then 'snapshot'
            else 'extrapolated'
        end as source
    from accumulated
    window at_once as (partition by account_id, object_level, object_id, happened_at)
    order by
        account_id asc,
        object_level asc,
        object_id asc,
        happened_at asc,
        step desc,
        attribute desc,
        new_value desc

),

compared as (

    select
        *,
        lag(content) over (partition by account_id, object_level, object_id order by happened_at) as previous_content
    from moments

)

select
    account_id,
    object_level,
    object_id,
    happened_at as valid_from,
    lead(happened_at) over later as valid_to,
    lead(happened_at) over later is null as is_current,
    row_number() over later as version,
    source,
    source = 'extrapolated' as is_extrapolated,
    content
from compared
where is_first_look or previous_content is null or content <> previous_content
window later as (partition by account_id, object_level, object_id order by happened_at)
