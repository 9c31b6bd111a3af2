{#- The versions of an object follow each other without gap or overlap, and exactly one, the last, is current. -#}
{% test continuous_ranges(model, object) %}
with beside_the_next as (

    select
        {{ object | join(', ') }},
        valid_from,
        valid_to,
        is_current,
        lead(valid_from) over (partition by {{ object | join(', ') }} order by valid_from) as next_valid_from
    from {{ model }}

)

select *
from beside_the_next
where
    valid_to is distinct from next_valid_from
    or valid_to <= valid_from
    or is_current <> (valid_to is null)
{% endtest %}
