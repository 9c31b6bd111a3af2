{{ config(incremental_strategy='mirror', unique_key=['account_id', 'day', 'campaign_id']) }}

{{ maturity_adjusted_daily('campaign') }}
