{{ stage_insights('ad_daily__age_gender', level='ad', breakdowns={'age': 'age', 'gender': 'gender'}) }}
