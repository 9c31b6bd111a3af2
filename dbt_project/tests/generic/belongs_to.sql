{#- Each row has its parent, found by the account and the object together (an object id alone is never a key here). -#}
{% test belongs_to(model, columns, parent) %}
with children as (

    select distinct {{ columns | join(', ') }}
    from {{ rows_to_test(model) }} as tested
    where {{ columns[-1] }} is not null

)

select children.*
from children
left join {{ parent }} as parents
    on
    {%- for column in columns %}
        {{ 'and ' if not loop.first }}children.{{ column }} = parents.{{ column }}
    {%- endfor %}
where parents.account_id is null
{% endtest %}
