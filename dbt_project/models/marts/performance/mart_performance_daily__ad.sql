{{ config(incremental_strategy='slice_replace') }}

{{ performance_daily('ad') }}
