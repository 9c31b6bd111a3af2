{#- A report holds as many rows per account day as its slice says were committed: nothing was lost, doubled or left. -#}
{% test rows_match_slice(model, report) %}
with held as (

    select
        account_id,
        day,
        count(*) as row_count
    from {{ rows_to_test(model) }} as tested
    group by account_id, day

),

committed as (

    select
        account_id,
        day,
        row_count
    from {{ rows_to_test(ref('stg_ops__slices')) }} as slices
    where report = '{{ report }}'

)

select
    coalesce(committed.account_id, held.account_id) as account_id,
    coalesce(committed.day, held.day) as day,
    committed.row_count as rows_committed,
    held.row_count as rows_held
from committed
full outer join held
    on committed.account_id = held.account_id and committed.day = held.day
where coalesce(committed.row_count, 0) <> coalesce(held.row_count, 0)
{% endtest %}
