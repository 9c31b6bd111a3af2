{{ objects_in_insights('ad_set') }}
