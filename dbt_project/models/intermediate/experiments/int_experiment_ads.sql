{{ experiment_step(['account_id', 'experiment_id', 'arm_id', 'arm_account_id', 'ad_id']) }}

-- The ads behind each arm, once each: a campaign and one of its ad sets in the same arm do not count an ad twice.
select
    objects.account_id,
    objects.experiment_id,
    objects.arm_id,
    objects.arm_account_id,
    ads.campaign_id,
    ads.ad_set_id,
    ads.ad_id
from {{ ref('int_experiment_objects') }} as objects
inner join {{ ref('dim_ad') }} as ads
    on objects.arm_account_id = ads.account_id and objects.object_id = ads.campaign_id
where objects.object_level = 'campaign'

union

select
    objects.account_id,
    objects.experiment_id,
    objects.arm_id,
    objects.arm_account_id,
    ads.campaign_id,
    ads.ad_set_id,
    ads.ad_id
from {{ ref('int_experiment_objects') }} as objects
inner join {{ ref('dim_ad') }} as ads
    on objects.arm_account_id = ads.account_id and objects.object_id = ads.ad_set_id
where objects.object_level = 'ad_set'

union

select
    objects.account_id,
    objects.experiment_id,
    objects.arm_id,
    objects.arm_account_id,
    ads.campaign_id,
    ads.ad_set_id,
    ads.ad_id
from {{ ref('int_experiment_objects') }} as objects
inner join {{ ref('dim_ad') }} as ads
    on objects.arm_account_id = ads.account_id and objects.object_id = ads.ad_id
where objects.object_level = 'ad'
