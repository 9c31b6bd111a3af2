{{ stage_insights('ad_daily', level='ad') }}
