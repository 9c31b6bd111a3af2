select
    account_id,
    experiment_id,
    arm_id,
    position,
    name as arm_name,
    is_control,
    arm_account_id,
    level as object_level,
    objects
from {{ source('ops', 'experiment_arm') }}
