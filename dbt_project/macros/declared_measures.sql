{#-
    The measures that hide in the arrays of a report's payload. One pass: the payload is unpacked once (it is
    compressed, and each further look would unpack it again) and each array is walked once.

    Expects the relation `insights` (a staging view of a report) and `accounts` (dim_account) in the FROM clause; adds
    the relations `arrays`, `counted`, `valued`.

    with_default: also the declared events in the account's own window (`conversions_default`, ...), for reports that
    are asked for no other window.
-#}
{% macro payload_measures_joins(with_default=false) -%}
cross join lateral jsonb_to_record(insights.payload) as arrays (
    actions jsonb,
    action_values jsonb,
    outbound_clicks jsonb,
    video_play_actions jsonb,
    video_thruplay_watched_actions jsonb
)
cross join lateral (
    select
        sum((element ->> 'value')::numeric) filter (where element ->> 'action_type' = 'link_click') as link_clicks,
        sum((element ->> 'value')::numeric)
            filter (where element ->> 'action_type' = 'landing_page_view') as landing_page_views,
        sum((element ->> {{ declared_window_key() }})::numeric)
            filter (where element ->> 'action_type' = accounts.conversion_action) as conversions
        {%- if with_default %},
        sum((element ->> 'value')::numeric)
            filter (where element ->> 'action_type' = accounts.conversion_action) as conversions_default
        {%- endif %}
    from {{ elements('arrays.actions') }}
) as counted
cross join lateral (
    select
        sum((element ->> {{ declared_window_key() }})::numeric)
            filter (where element ->> 'action_type' = accounts.value_action) as conversion_value
        {%- if with_default %},
        sum((element ->> 'value')::numeric)
            filter (where element ->> 'action_type' = accounts.value_action) as conversion_value_default
        {%- endif %}
    from {{ elements('arrays.action_values') }}
) as valued
{%- endmacro %}

{#- Meta's key for the declared window: the account's own window is sent under `value`. -#}
{% macro declared_window_key() -%}
case accounts.conversion_window when 'default' then 'value' else accounts.conversion_window end
{%- endmacro %}

{#- The elements of an array of Meta's payload; none where the key is absent or, against the protocol, no array. -#}
{% macro elements(array, alias='element') -%}
jsonb_array_elements(case jsonb_typeof({{ array }}) when 'array' then {{ array }} end) as {{ alias }}
{%- endmacro %}

{#- Ads Manager's "link clicks" is the action; `inline_link_clicks` counts a fixed one-day window and stands in where
    the action is absent (reports without actions, imported files). -#}
{% macro link_clicks() -%}
coalesce(counted.link_clicks::bigint, insights.inline_link_clicks)
{%- endmacro %}

{#- Total of an array whose elements are all of one kind (outbound clicks, video plays). -#}
{% macro total_of(array) -%}
(select sum((element ->> 'value')::numeric) from {{ elements(array) }})::bigint
{%- endmacro %}

{#- Whether silence means zero: Meta leaves out an event that did not happen, but also a window that was not asked
    for, and an exported file has only the columns that someone ticked. -#}
{% macro silence_means_zero(action) -%}
coalesce(
    accounts.{{ action }} is not null
    and insights.source = 'api'
    and (accounts.conversion_window = 'default' or insights.attribution_windows ? accounts.conversion_window),
    false
)
{%- endmacro %}

{#- The same for one window by name, in a model that joins `slices` (stg_ops__slices) for the windows asked for. -#}
{% macro window_silence_means_zero(action, window) -%}
coalesce(
    accounts.{{ action }} is not null
    and slices.source = 'api'
    {%- if window != 'default' %}
    and slices.attribution_windows ? '{{ window }}'
    {%- endif %},
    false
)
{%- endmacro %}

{#- Counts and values of a payload in one list, each element marked as what it is; elements that are no objects are
    left out. -#}
{% macro stacked_actions(arrays) -%}
(
    select
        element,
        true as is_count
    from {{ elements(arrays ~ '.actions') }}
    where jsonb_typeof(element) = 'object'

    union all

    select
        element,
        false as is_count
    from {{ elements(arrays ~ '.action_values') }}
    where jsonb_typeof(element) = 'object'
)
{%- endmacro %}
