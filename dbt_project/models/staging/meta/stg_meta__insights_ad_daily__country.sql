{{ stage_insights('ad_daily__country', level='ad', breakdowns={'country': 'country'}) }}
