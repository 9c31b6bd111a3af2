-- The ads behind each arm, once each: a campaign and one of its ad sets in the same arm do not count an ad twice.
select distinct
    objects.account_id,
    objects.experiment_id,
    objects.arm_id,
    objects.arm_account_id,
    ads.campaign_id,
    ads.ad_set_id,
    ads.ad_id
from {{ ref('int_experiment_objects') }} as objects
inner join {{ ref('dim_ad') }} as ads
    on
        objects.arm_account_id = ads.account_id
        and objects.object_id = case objects.object_level
            when 'campaign' then ads.campaign_id
            when 'ad_set' then ads.ad_set_id
            when 'ad' then ads.ad_id
        end
