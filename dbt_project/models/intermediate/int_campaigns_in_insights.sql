{{ objects_in_insights('campaign') }}
