{{ config(incremental_strategy='tail_replace') }}

{{ creative_daily() }}
