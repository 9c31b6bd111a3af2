{{ config(incremental_strategy='slice_replace') }}

{{ breakdown_daily('fct_ad_day__country', 'ad_daily__country', ['country']) }}
