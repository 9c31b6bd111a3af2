{{ config(incremental_strategy='week_replace') }}

{{ performance_period('week', 'account') }}
