{{ stage_insights('adset_daily', level='adset') }}
