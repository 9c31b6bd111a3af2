{{ config(incremental_strategy='onward_replace') }}

{{ creative_daily() }}
