{#- The database itself keeps the grain: the table's primary key is made of exactly these columns, so a second row cannot
    be stored. That changes with the model and not with the data: ticks leave this test out (selectors.yml). -#}
{% test primary_key(model, columns) %}
select 'no such primary key' as problem
{%- if execute and has_primary_key(model, columns) %}
where false
{%- endif %}
{% endtest %}
