{{ stage_insights('campaign_daily', level='campaign') }}
