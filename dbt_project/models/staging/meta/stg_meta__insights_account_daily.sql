{{ stage_insights('account_daily', level='account') }}
