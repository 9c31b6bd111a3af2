{#- Schemas are named as the layers are named, without the target's name in front, because dashboards, grants and
    asset keys spell them out. A model without a layer lands in the target schema. -#}
{% macro generate_schema_name(custom_schema_name, node) -%}
    {{ custom_schema_name | trim if custom_schema_name else target.schema }}
{%- endmacro %}
