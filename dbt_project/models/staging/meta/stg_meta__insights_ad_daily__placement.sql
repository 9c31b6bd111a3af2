{{ stage_insights(
    'ad_daily__placement',
    level='ad',
    breakdowns={
        'publisher_platform': 'publisher_platform',
        'platform_position': 'platform_position',
        'impression_device': 'impression_device'
    }
) }}
