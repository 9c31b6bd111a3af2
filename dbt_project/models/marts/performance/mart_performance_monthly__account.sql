{{ config(incremental_strategy='month_replace') }}

{{ performance_period('month', 'account') }}
