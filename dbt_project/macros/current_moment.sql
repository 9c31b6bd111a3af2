{#- Now. For views alone: a table would keep the moment at which it was built. A macro, so that unit tests can stop time. -#}
{% macro current_moment() -%}
now()
{%- endmacro %}
