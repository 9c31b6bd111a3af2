{{ experiment_step(['account_id', 'experiment_id', 'arm_id', 'arm_account_id', 'ad_id']) }}

-- The ads behind each arm, once each: a campaign and one of its ad sets in the same arm do not count an ad twice.
{%- set keys = {'campaign': 'campaign_id', 'ad_set': 'ad_set_id', 'ad': 'ad_id'} %}
{%- for level, key in keys.items() %}
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
    on
        objects.arm_account_id = ads.account_id
        and objects.object_id = ads.{{ key }}
        and objects.object_level = '{{ level }}'
{% if not loop.last %}
union

{% endif %}
{%- endfor %}
