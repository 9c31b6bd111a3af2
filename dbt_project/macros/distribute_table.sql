{#-
    Distribution is metadata: `meta.distribute` of a model says `account_id` (a shard per account) or `reference` (a
    copy on each node). On a PostgreSQL without Citus, which is every storage profile today, this does nothing.
    The variable `citus` is a property of the installation, set once in dbt_project.yml.
-#}
{% macro distribute_table() -%}
    {%- if execute and var('citus', false) and not is_incremental() -%}
        {%- set distribution = model.config.meta.get('distribute') -%}
        {%- if distribution == 'reference' -%}
    select create_reference_table('{{ this }}')
        {%- elif distribution -%}
    select create_distributed_table('{{ this }}', '{{ distribution }}')
        {%- endif -%}
    {%- endif -%}
{%- endmacro %}

{#- Distributing a table leaves its rows on the coordinator as well, unseen; a statement of its own gives the room back. -#}
{% macro release_local_copy() -%}
    {%- if execute and var('citus', false) and not is_incremental() and model.config.meta.get('distribute') -%}
    select truncate_local_data_after_distributing_table('{{ this }}')
    {%- endif -%}
{%- endmacro %}
