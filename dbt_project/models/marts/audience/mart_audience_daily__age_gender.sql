{{ config(incremental_strategy='slice_replace') }}

{{ breakdown_daily('fct_ad_day__age_gender', 'ad_daily__age_gender', ['age', 'gender']) }}
