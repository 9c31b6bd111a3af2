{{ stage_insights('campaign_period', level='campaign', is_period=true) }}
