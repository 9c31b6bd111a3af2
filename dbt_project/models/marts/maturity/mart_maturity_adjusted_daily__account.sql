{{ config(incremental_strategy='mirror', unique_key=['account_id', 'day']) }}

{{ maturity_adjusted_daily('account') }}
