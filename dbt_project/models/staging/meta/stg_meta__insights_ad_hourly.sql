{{ stage_insights(
    'ad_hourly',
    level='ad',
    breakdowns={'hourly_stats_aggregated_by_advertiser_time_zone': 'hour_of_day'}
) }}
