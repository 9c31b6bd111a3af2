{{ config(incremental_strategy='slice_replace') }}

{{ ad_day_cells(
    'ad_daily__placement',
    ['publisher_platform', 'platform_position', 'impression_device']
) }}
