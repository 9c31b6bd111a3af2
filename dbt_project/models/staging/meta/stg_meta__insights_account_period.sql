{{ stage_insights('account_period', level='account', is_period=true) }}
