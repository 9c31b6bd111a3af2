{{ objects_in_insights('ad') }}
