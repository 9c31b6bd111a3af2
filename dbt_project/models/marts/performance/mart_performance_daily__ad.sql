{{ config(incremental_strategy='slice_and_week_after_replace') }}

{{ performance_daily('ad') }}
