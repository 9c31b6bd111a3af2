{{ config(incremental_strategy='slice_replace') }}

{{ breakdown_daily(
    'fct_ad_day__placement',
    'ad_daily__placement',
    ['publisher_platform', 'platform_position', 'impression_device']
) }}
