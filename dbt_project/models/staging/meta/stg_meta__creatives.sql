select
    account_id,
    id as creative_id,
    coalesce(name, payload ->> 'name') as creative_name,
    status,
    payload ->> 'object_type' as object_type,
    payload ->> 'thumbnail_url' as thumbnail_url,
    payload ->> 'image_url' as image_url,
    (payload ->> 'video_id')::bigint as video_id,
    -- Reason: the text of an ad stands in one of several places, depending on how the creative was made.
    coalesce(
        payload ->> 'title',
        payload #>> '{object_story_spec,link_data,name}',
        payload #>> '{object_story_spec,video_data,title}',
        payload #>> '{asset_feed_spec,titles,0,text}'
    ) as headline,
    coalesce(
        payload ->> 'body',
        payload #>> '{object_story_spec,link_data,message}',
        payload #>> '{object_story_spec,video_data,message}',
        payload #>> '{object_story_spec,photo_data,caption}',
        payload #>> '{object_story_spec,template_data,message}',
        payload #>> '{asset_feed_spec,bodies,0,text}'
    ) as primary_text,
    payload ->> 'call_to_action_type' as call_to_action,
    pulled_at,
    run_id
from {{ source('raw', 'adcreatives') }}
